"""Finding the moving object of an action pair, its direction, and views turned so that it moves along x."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.alignment.resample import SplineWarp

Float = NDArray[np.float32]
Mask = NDArray[np.uint8]

MARGIN_PX: Final = 40
SMALLEST_AREA_PX: Final = 900
_SIGMAS: Final = 5.0


@dataclass(frozen=True)
class MovingObject:
    """Where the object is seen in a pair.

    Attributes:
        in_b, in_s: (H, W) uint8 0/1, everything it touches during B's and S's exposure.
    """

    in_b: Mask
    in_s: Mask

    @cached_property
    def offset(self) -> tuple[float, float]:
        """Vector (x, y) in px from the middle of the object in S to that in B."""
        b, s = (cv2.moments(m, binaryImage=True) for m in (self.in_b, self.in_s))
        return (b["m10"] / b["m00"] - s["m10"] / s["m00"], b["m01"] / b["m00"] - s["m01"] / s["m00"])

    def towards(self, axis: tuple[float, float]) -> float:
        """Return the component of `offset` along an axis."""
        x, y = self.offset
        return x * axis[0] + y * axis[1]


@dataclass(frozen=True)
class TurnedViews:
    """The neighbourhood of the object in a pair, turned so that the object moves towards +x.

    Attributes:
        b, s: (h, w) float32 linear images.
        noise_b, noise_s: (h, w) float32, difference to the static images, valid outside the object.
        inside: (h, w) bool, pixels that the object covers in S.
        outside: (h, w) bool, pixels that it touches in neither.
        growth_px: how much longer the object is along x in B than in S: n_B - n_S, roughly.
        shift_px: how far its middle lies ahead in B.
    """

    b: Float
    s: Float
    noise_b: Float
    noise_s: Float
    inside: NDArray[np.bool_]
    outside: NDArray[np.bool_]
    growth_px: float
    shift_px: float


def _touched(static: Float, image: Float, still: Mask | None) -> Mask:
    """Return 0/1 where an image differs from the static one beyond noise; roots make the noise even."""
    roots = [np.sqrt(np.maximum(part, 0) + np.float32(0.01)) for part in (image, static)]
    difference = np.abs(cv2.GaussianBlur(roots[0] - roots[1], (0, 0), 1.5))
    sample = difference[::3, ::3]
    if still is not None and still[::3, ::3].any():
        sample = sample[still[::3, ::3] > 0]
    sigma = 1.4826 * float(np.median(sample)) + 1e-6
    return (difference > _SIGMAS * 1.5 * sigma).astype(np.uint8)


def _solid(mask: Mask) -> Mask:
    """Close gaps, drop specks, fill holes and keep the largest part."""
    small = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    large = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15))
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, small)
    border = 16
    padded = cv2.copyMakeBorder(opened, border, border, border, border, cv2.BORDER_CONSTANT, value=0)
    padded = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, large)
    contours, _ = cv2.findContours(padded, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    out = np.zeros_like(padded)
    if contours:
        cv2.drawContours(out, [max(contours, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return np.ascontiguousarray(out[border:-border, border:-border])


def find_object(
    static_b: Float, static_s: Float, b: Float, s: Float, still: Mask | None = None
) -> MovingObject | None:
    """Find the largest moving object of a pair; None if there is none, or B and S show different ones.

    Args:
        static_b: (H, W) float32 linear luminance of B's static image.
        static_s: the same of S.
        b: the same of B in the pair.
        s: the same of S.
        still: (H, W) uint8, above 0 where nothing moves and noise is measured; without it everywhere, so
            that the object must cover less than half of the image.
    """
    in_b = _solid(_touched(static_b, b, still))
    near_b = np.asarray(cv2.dilate(in_b, np.ones((5, 5), np.uint8)), np.uint8)
    in_s = _solid(_touched(static_s, s, still) & near_b)
    if int(in_b.sum()) < SMALLEST_AREA_PX or int(in_s.sum()) < SMALLEST_AREA_PX:
        return None
    return MovingObject(in_b, in_s)


def mean_offset_axis(found: Sequence[tuple[MovingObject, Float, Float]]) -> tuple[float, float]:
    """Return the unit vector from the object's middle in S to that in B, the median of all pairs."""
    offsets = np.array([item.offset for item, _, _ in found])
    signs = np.where(offsets @ offsets[int(np.argmax(np.hypot(*offsets.T)))] < 0, -1.0, 1.0)
    x, y = np.median(offsets * signs[:, None], axis=0)
    length = float(np.hypot(x, y))
    return (float(x) / length, float(y) / length) if length > 1e-9 else (1.0, 0.0)


def _gradient_energy(image: Float, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    smooth = cv2.GaussianBlur(image, (0, 0), 1.5)
    gx, gy = cv2.Scharr(smooth, cv2.CV_32F, 1, 0)[inside], cv2.Scharr(smooth, cv2.CV_32F, 0, 1)[inside]
    return np.array([[np.mean(gx * gx), np.mean(gx * gy)], [np.mean(gx * gy), np.mean(gy * gy)]], np.float64)


def motion_axis(found: Sequence[tuple[MovingObject, Float, Float]]) -> tuple[float, float]:
    """Return the unit vector along which B's object has lost most gradient energy against S's.

    Motion blur takes gradients along the way only. The axis is the smallest generalised eigenvector of the
    structure tensors of the object's interior in B and in S.
    """
    energy_b, energy_s = np.zeros((2, 2)), np.zeros((2, 2))
    for item, b, s in found:
        x, y, w, h = cv2.boundingRect(item.in_b)
        part = slice(y, y + h), slice(x, x + w)
        reach = max(3, int(np.hypot(*item.offset) * 2) | 1)
        size = min(reach + 12, max(7, min(w, h) // 3)) | 1
        inside = cv2.erode(item.in_s[part] & item.in_b[part], np.ones((size, size), np.uint8)) > 0
        if int(inside.sum()) < 200:
            continue
        energy_b += _gradient_energy(b[part], inside)
        energy_s += _gradient_energy(s[part], inside)
    if not np.linalg.det(energy_s) > 1e-9 * np.trace(energy_s) ** 2 > 0:
        return mean_offset_axis(found)
    values, vectors = np.linalg.eig(np.linalg.solve(energy_s, energy_b))
    x, y = np.real(vectors[:, int(np.argmin(np.real(values)))])
    length = float(np.hypot(x, y))
    return (float(x) / length, float(y) / length)


def _row_lengths(mask: Float) -> NDArray[np.float64]:
    """Return the length covered on each row, from soft-edged masks."""
    return np.asarray(mask.sum(axis=1), np.float64)


def rotated_views(
    item: MovingObject, static_b: Float, static_s: Float, b: Float, s: Float, axis: tuple[float, float]
) -> TurnedViews:
    """Cut out the object with some surroundings and turn it so that it moves towards +x."""
    if item.towards(axis) < 0:
        axis = (-axis[0], -axis[1])
    left, top, w, h = cv2.boundingRect(item.in_b)
    ys, xs = np.nonzero(item.in_b[top : top + h, left : left + w])
    ys, xs = ys + top, xs + left
    along, across = xs * axis[0] + ys * axis[1], ys * axis[0] - xs * axis[1]
    u = np.arange(np.floor(along.min()) - MARGIN_PX, np.ceil(along.max()) + MARGIN_PX + 1)
    v = np.arange(np.floor(across.min()) - MARGIN_PX, np.ceil(across.max()) + MARGIN_PX + 1)
    map_x = (u[None, :] * axis[0] - v[:, None] * axis[1]).astype(np.float32)
    map_y = (u[None, :] * axis[1] + v[:, None] * axis[0]).astype(np.float32)
    height, width = static_s.shape
    seen = (map_x >= 2) & (map_x <= width - 3) & (map_y >= 2) & (map_y <= height - 3)
    x0, x1 = (int(np.clip(e, 0, width)) for e in (map_x.min() - 16, map_x.max() + 17))
    y0, y1 = (int(np.clip(e, 0, height)) for e in (map_y.min() - 16, map_y.max() + 17))
    part = slice(y0, y1), slice(x0, x1)

    turned = SplineWarp(map_x - x0, map_y - y0)

    def turn(image: Float) -> Float:
        return turned(np.ascontiguousarray(image[part]), threads=1)

    def turn_mask(mask: Mask) -> Float:
        return np.asarray(cv2.remap(mask.astype(np.float32), map_x, map_y, cv2.INTER_LINEAR), np.float32)

    in_b, in_s = turn_mask(item.in_b), turn_mask(item.in_s)
    of_b, of_s = _row_lengths(in_b), _row_lengths(in_s)
    middle = (of_s > 0.5 * of_s.max()) & (of_b > 0)
    growth = float(np.median((of_b - of_s)[middle]))
    view_b, view_s = turn(b), turn(s)
    touched = cv2.dilate(((in_b > 0) | (in_s > 0)).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return TurnedViews(
        b=view_b,
        s=view_s,
        noise_b=view_b - turn(static_b),
        noise_s=view_s - turn(static_s),
        inside=(in_s > 0.999) & seen,
        outside=~touched & seen,
        growth_px=growth,
        shift_px=abs(item.towards(axis)),
    )

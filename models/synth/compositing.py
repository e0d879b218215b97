"""The shutter: moving objects before a still background, averaged in linear light.

Opacity is mixed in each instant and averaged over them, in premultiplied form: with one background b and
instants of light p_t and opacity a_t the exposure is mean(p_t) + b (1 - mean(a_t)), which is the mean of the
composed pictures (paper 002, Eq. 6) at a fraction of the work, and is b itself where nothing ever came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models.synth.trajectories import Trajectory, matrices

__all__ = ["COVERED", "Exposed", "Mover", "Still", "expose", "paste"]

F32 = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]

COVERED: Final = 1 / 255
"""Opacity above which a mover counts as having been in a pixel."""


@dataclass(frozen=True)
class Still:
    """An object that does not move: (h, w, 4) premultiplied light, its top left corner's x and y in px."""

    rgba: F32
    left_px: int
    top_px: int


@dataclass(frozen=True)
class Mover(Still):
    """An object that moves; where it stands is where it is in the temporal middle."""

    trajectory: Trajectory


@dataclass(frozen=True)
class Exposed:
    """What came of an exposure.

    Attributes:
        blurred: (H, W, 3) float32 linear light, the mean over the exposure.
        sharp: The temporal middle.
        coverage: (H, W) float32, the largest opacity that movers had in the pixel at any instant, as far
            as nothing still stood before it.
        mask: (H, W) uint8, 255 where the coverage exceeds `COVERED`: the union of all the places where
            a mover was, as LBFMG marks it. Elsewhere blurred and sharp are the same, bit for bit.
    """

    blurred: F32
    sharp: F32
    coverage: F32
    mask: npt.NDArray[np.uint8]


def paste(light: F32, still: Still) -> None:
    """Set a still object before the picture, in place; what lies outside the picture is cut off."""
    layer = _clipped(still, light.shape[1], light.shape[0])
    if layer is not None:
        (x0, y0, x1, y1), rgba = layer
        part = light[y0:y1, x0:x1]
        part *= 1 - rgba[:, :, 3:]
        part += rgba[:, :, :3]


def expose(
    background: F32, movers: Sequence[Mover], samples: int, occluders: Sequence[Still] = ()
) -> Exposed:
    """Expose a scene.

    Args:
        background: (H, W, 3) float32 linear light, still objects behind the movers included.
        movers: From back to front.
        samples: Instants of the exposure, odd.
        occluders: Still objects before the movers.
    """
    height, width = background.shape[:2]
    blurred, sharp = background.copy(), background.copy()
    coverage = np.zeros((height, width), np.float32)
    for group, box in _groups(movers, samples, width, height):
        x0, y0, x1, y1 = box
        mean, middle, peak = _sweep(group, box, samples)
        for light, layer in ((blurred, mean), (sharp, middle)):
            part = light[y0:y1, x0:x1]
            part *= 1 - layer[:, :, 3:]
            part += layer[:, :, :3]
        coverage[y0:y1, x0:x1] = np.maximum(coverage[y0:y1, x0:x1], peak)
    for still in occluders:
        paste(blurred, still)
        paste(sharp, still)
        layer_at = _clipped(still, width, height)
        if layer_at is not None:
            (x0, y0, x1, y1), rgba = layer_at
            coverage[y0:y1, x0:x1] *= 1 - rgba[:, :, 3]
    covered = coverage > COVERED
    np.copyto(blurred, sharp, where=~covered[:, :, None])
    return Exposed(blurred, sharp, coverage, covered.astype(np.uint8) * np.uint8(255))


def _sweep(group: Sequence[Mover], box: Box, samples: int) -> tuple[F32, F32, F32]:
    """Return mean and middle layer (h, w, 4) of movers within a box, and their largest opacity (h, w)."""
    x0, y0, x1, y1 = box
    size = (x1 - x0, y1 - y0)
    shape = (size[1], size[0], 4)
    total, middle, peak = (
        np.zeros(shape, np.float32),
        np.zeros(shape, np.float32),
        np.zeros(shape, np.float32),
    )
    maps = [_maps(mover, samples) - np.array([[0, 0, x0], [0, 0, y0]]) for mover in group]
    layer = np.empty(shape, np.float32)
    for instant in range(samples):
        cv2.warpAffine(group[0].rgba, maps[0][instant], size, dst=layer, flags=cv2.INTER_LINEAR)
        for mover, own in zip(group[1:], maps[1:], strict=True):
            front = cv2.warpAffine(mover.rgba, own[instant], size, flags=cv2.INTER_LINEAR)
            layer *= 1 - front[:, :, 3:]
            layer += front
        cv2.accumulate(layer, total)
        cv2.max(layer, peak, dst=peak)
        if instant == samples // 2:
            middle[:] = layer
    total *= np.float32(1 / samples)
    return total, middle, peak[:, :, 3]


def _maps(mover: Mover, samples: int) -> npt.NDArray[np.float64]:
    height, width = mover.rgba.shape[:2]
    maps = matrices(mover.trajectory.samples(samples), ((width - 1) / 2, (height - 1) / 2))
    maps[:, 0, 2] += mover.left_px
    maps[:, 1, 2] += mover.top_px
    return maps


def _groups(movers: Sequence[Mover], samples: int, width: int, height: int) -> list[tuple[list[Mover], Box]]:
    """Return movers with the box that they sweep; those whose boxes meet stand together, in their order."""
    groups: list[tuple[list[int], Box]] = []
    for index, mover in enumerate(movers):
        box = _swept(mover, samples, width, height)
        if box is None:
            continue
        members = [index]
        meeting = True
        while meeting:  # a box that grew may meet another one
            meeting = False
            for other in groups:
                if _meet(other[1], box):
                    groups.remove(other)
                    members, box, meeting = other[0] + members, _joined(other[1], box), True
                    break
        groups.append((sorted(members), box))
    return [([movers[index] for index in members], box) for members, box in groups]


def _swept(mover: Mover, samples: int, width: int, height: int) -> Box | None:
    high, wide = mover.rgba.shape[:2]
    corners = np.array([(0, 0, 1), (wide - 1, 0, 1), (0, high - 1, 1), (wide - 1, high - 1, 1)], float)
    points = np.einsum("kij,pj->kpi", _maps(mover, samples), corners).reshape(-1, 2)
    (x0, y0), (x1, y1) = np.floor(points.min(axis=0)).astype(int), np.ceil(points.max(axis=0)).astype(int) + 1
    return _inside((int(x0), int(y0), int(x1), int(y1)), width, height)


def _clipped(still: Still, width: int, height: int) -> tuple[Box, F32] | None:
    high, wide = still.rgba.shape[:2]
    box = _inside((still.left_px, still.top_px, still.left_px + wide, still.top_px + high), width, height)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    rows, columns = slice(y0 - still.top_px, y1 - still.top_px), slice(x0 - still.left_px, x1 - still.left_px)
    return box, still.rgba[rows, columns]


def _inside(box: Box, width: int, height: int) -> Box | None:
    x0, y0, x1, y1 = max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _meet(one: Box, two: Box) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


def _joined(one: Box, two: Box) -> Box:
    return min(one[0], two[0]), min(one[1], two[1]), max(one[2], two[2]), max(one[3], two[3])

"""By how much one object was displaced between two frames whose background stands still.

Candidates come from the phase correlation of the changed parts. Each is tried on the pixels: at the true
shift the object's pixels of the first frame are found again in the second. Where two different shifts match
alike (a fence, a plain surface) there is no answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

CANDIDATES: Final = 8
RIVAL: Final = 0.85
"""A second shift that matches so well in proportion to the first makes it ambiguous."""

LEAST_MATCH: Final = 0.15
"""Share of the changed part that must be the object; about a third to a half is, the rest is background."""

LEAST_SAMPLES: Final = 80
"""Samples of the object, its edge left out, that a registration needs."""

_OFF: Final = 1.6
"""Mean of 25 differences over that of noise, which scatters by 15 %."""

_NEAR: Final = 3
_MATCH_SIGMA: Final = 3.0


@dataclass(frozen=True)
class Shift:
    """A displacement, in samples of the pictures.

    Attributes:
        dx, dy: To the right and down.
        error: Standard error of its length.
        matched: Share of the changed part that it explains.
    """

    dx: float
    dy: float
    error: float
    matched: float


def find_shift(first: F32, second: F32, changed: Mask) -> Shift | str:
    """Find the shift of what moved.

    Args:
        first: (h, w) brightness.
        second: The same later, at the same level of light.
        changed: (h, w) bool, where the two differ, with a margin.

    Returns:
        The shift, or in words why there is none.
    """
    rows, columns = np.nonzero(changed.any(axis=1))[0], np.nonzero(changed.any(axis=0))[0]
    cut = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    one, two = (np.sqrt(np.maximum(part[cut], 0) + 1) for part in (first, second))  # equal noise everywhere
    mask = _tight(one, two, changed[cut], _quiet(first, second, changed))
    tried = sorted(
        ((_matched(one, two, mask, shift), shift) for shift in _candidates(one, two, mask)), reverse=True
    )
    if not tried or tried[0][0] < LEAST_MATCH:
        return "what moves cannot be found again in the next frame"
    best, shift = tried[0]
    rivals = [
        score
        for score, other in tried[1:]
        if max(abs(a - b) for a, b in zip(shift, other, strict=True)) > _NEAR
    ]
    if rivals and rivals[0] > RIVAL * best:
        return "more than one displacement fits what moves"
    return _refined(one, two, mask, shift, best)


def _quiet(first: F32, second: F32, changed: Mask) -> float:
    """Return the mean difference of pixels where nothing changed, at equal noise everywhere."""
    one, two, out = (part[::4, ::4] for part in (first, second, ~changed))
    if not out.any():
        return 0.0
    return float(np.mean(np.abs(np.sqrt(np.maximum(one, 0) + 1) - np.sqrt(np.maximum(two, 0) + 1))[out]))


def _tight(one: F32, two: F32, mask: Mask, quiet: float) -> Mask:
    """Return the changed part pixel by pixel: its blocks reach far beyond a small object."""
    off = cv2.blur(np.abs(one - two), (5, 5)) > _OFF * quiet
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    whole = cv2.morphologyEx((off & mask).astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    tight = np.asarray(cv2.dilate(whole, kernel) > 0, np.bool_) & mask
    return tight if np.count_nonzero(tight) >= LEAST_SAMPLES else mask


def _candidates(one: F32, two: F32, mask: Mask) -> list[tuple[int, int]]:
    """Return the (dx, dy) of the highest peaks of the phase correlation, and of the plain one."""
    height, width = one.shape
    size = (cv2.getOptimalDFTSize(2 * height), cv2.getOptimalDFTSize(2 * width))
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 4) * mask
    spectra = []
    for part in (one, two):
        detail = (part - cv2.GaussianBlur(part, (0, 0), 8)) * soft
        spectra.append(np.fft.rfft2(detail, size))
    cross = np.conj(spectra[0]) * spectra[1]
    strength = np.abs(cross)
    found: list[tuple[int, int]] = []
    for power in (1.0, 0.5):  # all frequencies alike is sharp; half-way is sturdier against noise
        whitened = cross / np.maximum(strength, 1e-3 * strength.max()) ** power
        surface = np.fft.irfft2(whitened, size).astype(np.float32)
        found += _peaks(surface, height, width)
    return list(dict.fromkeys(found))


def _peaks(surface: F32, height: int, width: int) -> list[tuple[int, int]]:
    surface = np.roll(surface, (height, width), axis=(0, 1))
    left = surface[: 2 * height, : 2 * width].copy()
    left[height - 1 : height + 2, width - 1 : width + 2] = -np.inf  # what stands still, and the mask's edge
    found = []
    for _ in range(CANDIDATES):
        row, column = divmod(int(np.argmax(left)), left.shape[1])
        found.append((column - width, row - height))
        top, side = max(row - _NEAR, 0), max(column - _NEAR, 0)
        left[top : row + _NEAR + 1, side : column + _NEAR + 1] = -np.inf
    return found


def _overlap(one: F32, two: F32, mask: Mask, shift: tuple[int, int]) -> tuple[F32, F32, Mask, F32]:
    """Return first and shifted second frame where both are, where both changed, and the unshifted second."""
    dx, dy = shift
    height, width = one.shape
    here = (slice(max(0, -dy), min(height, height - dy)), slice(max(0, -dx), min(width, width - dx)))
    there = (slice(max(0, dy), min(height, height + dy)), slice(max(0, dx), min(width, width + dx)))
    return one[here], two[there], mask[here] & mask[there], two[here]


def _object(one: F32, two: F32, mask: Mask, shift: tuple[int, int]) -> Mask | None:
    """Return the pixels of the first frame that are found again at the shift, but not at none."""
    a, b, both, unmoved = _overlap(one, two, mask, shift)
    if min(a.shape, default=0) < 8 or not both.any():
        return None
    miss = cv2.blur(np.abs(a - b), (3, 3))
    stay = cv2.blur(np.abs(a - unmoved), (3, 3))
    # A shift by a fraction of a sample misses by part of the local slope: that is no mismatch.
    slope = (
        cv2.blur(np.abs(cv2.Sobel(a, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(a, cv2.CV_32F, 0, 1)), (3, 3)) / 8
    )
    return np.asarray(
        both & (miss < 0.5 * stay) & (miss < 0.7 * slope + _MATCH_SIGMA * _sigma(a, b, both)), np.bool_
    )


def _sigma(a: F32, b: F32, both: Mask) -> float:
    """Return the noise of the difference: a low quantile of it, as half of it may be no match at all."""
    return float(np.quantile(np.abs(a - b)[both], 0.1)) / 0.126


def _matched(one: F32, two: F32, mask: Mask, shift: tuple[int, int]) -> float:
    found = _object(one, two, mask, shift)
    return 0.0 if found is None else float(np.count_nonzero(found)) / float(np.count_nonzero(mask))


def _refined(one: F32, two: F32, mask: Mask, shift: tuple[int, int], matched: float) -> Shift | str:
    """Refine a shift by Gauss-Newton with gain and offset on the object's pixels."""
    found = _object(one, two, mask, shift)
    a, b, _, _ = _overlap(one, two, mask, shift)
    if found is None or np.count_nonzero(found) < LEAST_SAMPLES:
        return "what moves is too small to be measured"
    core = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    inside = (
        cv2.erode(
            cv2.morphologyEx(core, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)), np.ones((5, 5), np.uint8)
        )
        > 0
    )
    if np.count_nonzero(inside) < LEAST_SAMPLES:
        return "what moves is too small to be measured"
    smooth_a, smooth_b = (cv2.GaussianBlur(part, (0, 0), 1.0) for part in (a, b))
    y, x = np.mgrid[: a.shape[0], : a.shape[1]].astype(np.float32)
    dx = dy = 0.0
    error = math.inf
    for _ in range(20):
        warped = cv2.remap(
            smooth_b,
            x + np.float32(dx),
            y + np.float32(dy),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        grad_x, grad_y = (
            (cv2.Sobel(smooth_a, cv2.CV_32F, *order) + cv2.Sobel(warped, cv2.CV_32F, *order)) / 16
            for order in ((1, 0), (0, 1))
        )
        rest = (smooth_a - warped)[inside].astype(np.float64)
        columns = [part[inside].astype(np.float64) for part in (grad_x, grad_y, warped)]
        design = np.stack([*columns, np.ones_like(rest)], axis=1)
        scale = max(1.4826 * float(np.median(np.abs(rest - np.median(rest)))), 1e-6)
        weight = 1 / np.maximum(1, np.abs(rest) / (2 * scale))
        normal = (design * weight[:, None]).T @ design
        try:
            solution = np.linalg.solve(normal, (design * weight[:, None]).T @ rest)
        except np.linalg.LinAlgError:
            return "what moves has no texture to be measured by"
        dx, dy = dx + float(solution[0]), dy + float(solution[1])
        # Smoothing makes neighbours alike: some dozen pixels count as one.
        covariance = np.linalg.pinv(normal) * 12 * float(np.mean(weight * rest**2))
        error = math.sqrt(max(float(covariance[0, 0] + covariance[1, 1]), 0.0))
        if max(abs(dx), abs(dy)) > 4:
            return "the displacement of what moves is not unique"
        if max(abs(float(v)) for v in solution[:2]) < 1e-3:
            break
    return Shift(shift[0] + dx, shift[1] + dy, error, matched)

"""The colour map of the ISP: camera RGB to sRGB, from a colour chart or from the RAW file's own matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.chart import chart_candidates
from processing.errors import CalibrationError
from processing.isp import Rgb, decode_srgb, encode_srgb, to_8bit

Matrix = NDArray[np.float64]

XYZ_FROM_SRGB: Final[Matrix] = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_GREY: Final = slice(18, 24)
WORST_CHART_FIT: Final = 0.06
"""Largest rms of the fitted patches in linear sRGB."""
CHART_SRGB: Final = np.array(
    [
        [115, 82, 68], [194, 150, 130], [98, 122, 157], [87, 108, 67], [133, 128, 177], [103, 189, 170],
        [214, 126, 44], [80, 91, 166], [193, 90, 99], [94, 60, 108], [157, 188, 64], [224, 163, 46],
        [56, 61, 150], [70, 148, 73], [175, 54, 60], [231, 199, 31], [187, 86, 149], [8, 133, 161],
        [243, 243, 242], [200, 200, 200], [160, 160, 160], [122, 122, 121], [85, 85, 85], [52, 52, 52],
    ],
    np.float32,
)  # fmt: skip
"""Published sRGB values of the 24 patches of the classic chart, row by row from the dark skin patch."""


def from_raw_tag(color_matrix: Sequence[float]) -> Matrix:
    """Return camera RGB -> sRGB from a DNG ColorMatrix1 (XYZ -> camera, 9 numbers), keeping white white.

    Raises:
        CalibrationError: if the matrix cannot be inverted.
    """
    camera_from_srgb = np.asarray(color_matrix, np.float64).reshape(3, 3) @ XYZ_FROM_SRGB
    sums = camera_from_srgb.sum(axis=1, keepdims=True)
    if not np.all(np.isfinite(sums)) or np.any(np.abs(sums) < 1e-6):
        raise CalibrationError("the RAW file's colour matrix maps white to black")
    camera_from_srgb /= sums
    if abs(np.linalg.det(camera_from_srgb)) < 1e-6:
        raise CalibrationError("the RAW file's colour matrix cannot be inverted")
    matrix = np.linalg.inv(camera_from_srgb)
    return np.asarray(np.eye(3) if np.allclose(matrix, np.eye(3), atol=1e-4) else matrix, np.float64)


def fit_white_preserving(camera: Matrix, target: Matrix) -> Matrix:
    """Fit the (3, 3) matrix with rows adding to 1 that takes camera to target colours best (least squares).

    Args:
        camera: (N, 3) linear balanced camera RGB of patches.
        target: (N, 3) linear sRGB of the same patches; brightness need not match.
    """
    rows = []
    for channel in range(3):
        # With the row's sum fixed to 1, two coefficients remain, on differences to the channel itself.
        others = [i for i in range(3) if i != channel]
        own = camera[:, channel]
        differences = camera[:, others] - own[:, None]
        solution = np.linalg.lstsq(differences, target[:, channel] - own, rcond=None)[0]
        row = np.zeros(3)
        row[others] = solution
        row[channel] = 1 - solution.sum()
        rows.append(row)
    return np.array(rows)


def from_chart(linear: Rgb) -> Matrix:
    """Find the 24-patch chart in a linear balanced image and fit the colour map to it.

    Args:
        linear: (H, W, 3) float32 linear camera RGB, white-balanced.

    Raises:
        CalibrationError: if no chart is found.
    """
    shown = to_8bit(encode_srgb(linear / max(float(np.percentile(linear, 99.5)), 1e-6)))
    target = decode_srgb(CHART_SRGB / np.float32(255)).astype(np.float64)
    best, lowest = np.eye(3), np.inf
    for centres, half in chart_candidates(shown):
        patches = np.array([_patch_mean(linear, centre, half) for centre in centres])
        patches *= float(np.sum(target[_GREY] * patches[_GREY]) / max(np.sum(patches[_GREY] ** 2), 1e-12))
        matrix = fit_white_preserving(patches, target)
        off = float(np.sqrt(np.mean((patches @ matrix.T - target) ** 2)))
        if off < lowest:
            best, lowest = matrix, off
    if lowest > WORST_CHART_FIT:
        what = "none was found" if lowest == np.inf else f"the colours do not fit (rms {lowest:.2f})"
        raise CalibrationError(
            f"no colour chart in the colorchecker take: {what}",
            hint="fill half the frame with the chart, evenly lit",
        )
    return best


def _patch_mean(linear: Rgb, centre: NDArray[np.float64], half: float) -> NDArray[np.float64]:
    """Return the mean colour of a square about a centre (x, y); black where it lies outside."""
    x0, y0 = np.maximum(np.floor(centre - half), 0).astype(int)
    x1, y1 = np.maximum(np.ceil(centre + half) + 1, 0).astype(int)
    part = linear[y0:y1, x0:x1].reshape(-1, 3)
    return np.asarray(part.mean(axis=0) if len(part) else np.zeros(3), np.float64)

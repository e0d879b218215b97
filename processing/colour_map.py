"""The colour map of the ISP: camera RGB to sRGB, from a colour chart or from the RAW file's own matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.chart.colour_difference import XYZ_FROM_SRGB
from processing.chart.colour_fit import PatchFit, fit_delta_e, judge, least_squares, scaled_to_greys
from processing.chart.finder import chart_candidates
from processing.errors import CalibrationError
from processing.isp import Rgb, decode_srgb, encode_srgb, to_8bit

Matrix = NDArray[np.float64]

WORST_CHART_FIT: Final = 0.06
"""Largest rms of the fitted patches in linear sRGB."""
CLIPPED: Final = 0.97
"""From this mean on a patch counts as clipped."""
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
REFERENCE: Final[Matrix] = decode_srgb(CHART_SRGB / np.float32(255)).astype(np.float64)
"""The same as linear sRGB."""


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


def find_chart(linear: Rgb) -> tuple[Matrix, Matrix]:
    """Find the 24-patch chart in a linear balanced image.

    Where the squares may lie is the finder's; the placement whose colours fit the chart's best is taken.

    Args:
        linear: (H, W, 3) float32 linear camera RGB, white-balanced, clipped = 1.

    Returns:
        (24, 3) mean colours of the patches, scaled to the chart's greys, and (24, 4, 2) the corners (x, y) of
        the squares that were averaged, in pixels.

    Raises:
        CalibrationError: if no chart is found, or it is clipped.
    """
    shown = to_8bit(encode_srgb(linear / max(float(np.percentile(linear, 99.5)), 1e-6)))
    found: tuple[Matrix, Matrix] | None = None
    lowest, brightest = np.inf, 0.0
    for centres, half in chart_candidates(shown):
        patches = np.array([_patch_mean(linear, centre, half) for centre in centres])
        top, patches = float(patches.max()), scaled_to_greys(patches, REFERENCE)
        off = patches @ least_squares(patches, REFERENCE).T - REFERENCE
        rms = float(np.sqrt(np.mean(off**2)))
        if rms < lowest:
            square = half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float64)
            found, lowest, brightest = (patches, centres[:, None, :] + square), rms, top
    if found is None or lowest > WORST_CHART_FIT:
        what = "none was found" if found is None else f"the colours do not fit (rms {lowest:.2f})"
        raise CalibrationError(
            f"no colour chart in the colorchecker take: {what}",
            hint="fill half the frame with the chart, evenly lit",
        )
    if brightest >= CLIPPED:
        raise CalibrationError(
            "the white patch of the colour chart is clipped", hint="record it again with less light"
        )
    return found


def chart_fit(linear: Rgb) -> tuple[Matrix, PatchFit]:
    """Find the 24-patch chart in a linear balanced image, fit the colour map to it, and judge the fit.

    The map keeps white (its rows add to 1) and has the smallest CIEDE2000; one for both cameras, because two
    would undo the alignment of their colours. It takes a second or so.

    Args:
        linear: (H, W, 3) float32 linear camera RGB, white-balanced.

    Raises:
        CalibrationError: if no chart is found.
    """
    patches, corners = find_chart(linear)
    matrix, scale = fit_delta_e(patches, REFERENCE)
    return matrix, judge(patches, REFERENCE, matrix, scale, corners)


def _patch_mean(linear: Rgb, centre: NDArray[np.float64], half: float) -> NDArray[np.float64]:
    """Return the mean colour of a square about a centre (x, y); black where it lies outside."""
    x0, y0 = np.maximum(np.floor(centre - half), 0).astype(int)
    x1, y1 = np.maximum(np.ceil(centre + half) + 1, 0).astype(int)
    part = linear[y0:y1, x0:x1].reshape(-1, 3)
    return np.asarray(part.mean(axis=0) if len(part) else np.zeros(3), np.float64)

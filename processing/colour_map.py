"""The colour map of the ISP: camera RGB to sRGB, from a colour chart or from the RAW file's own matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.errors import CalibrationError
from processing.isp import Rgb, decode_srgb, encode_srgb, to_8bit

Matrix = NDArray[np.float64]

XYZ_FROM_SRGB: Final[Matrix] = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
DETECTOR_SIDES_PX: Final = (1200, 1600, 1000, 2000)
"""The detector misses charts at some scales, and at one scale only now and then: it is not deterministic."""
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
    grey = slice(18, 24)
    off = np.inf
    for side in DETECTOR_SIDES_PX * 2:
        corners = _find_patches(shown, side)
        if corners is None:
            continue
        patches = np.array([_patch_mean(linear, corner) for corner in corners])
        patches *= float(np.sum(target[grey] * patches[grey]) / max(np.sum(patches[grey] ** 2), 1e-12))
        matrix = fit_white_preserving(patches, target)
        # The detector takes any coloured grid for a chart; a wrong one does not fit.
        off = float(np.sqrt(np.mean((patches @ matrix.T - target) ** 2)))
        if off <= WORST_CHART_FIT:
            return matrix
    found = "none was found" if off == np.inf else f"what was found does not have its colours (rms {off:.2f})"
    raise CalibrationError(
        f"no colour chart in the colorchecker take: {found}",
        hint="fill half the frame with the chart, upright and evenly lit",
    )


def _find_patches(shown: NDArray[np.uint8], side_px: int) -> NDArray[np.float64] | None:
    """Return the corners (24, 4, 2) of the patches, found in the picture scaled to a longer side."""
    scale = side_px / max(shown.shape[:2])
    shape = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(shown, None, fx=scale, fy=scale, interpolation=shape), np.uint8)
    detector = cv2.mcc.CCheckerDetector.create()
    if not detector.process(np.ascontiguousarray(small[..., ::-1]), 1):
        return None
    chart = detector.getBestColorChecker()
    corners = np.asarray(chart.getColorCharts(), np.float64).reshape(-1, 4, 2) / scale
    return corners if len(corners) == len(CHART_SRGB) else None


def _patch_mean(linear: Rgb, corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean colour of the middle of a patch given by its four corners (x, y)."""
    middle = corners.mean(axis=0)
    half = np.abs(corners - middle).min(axis=0) * 0.5
    x0, y0 = np.maximum(np.floor(middle - half), 0).astype(int)
    x1, y1 = np.ceil(middle + half).astype(int) + 1
    return np.asarray(linear[y0:y1, x0:x1].reshape(-1, 3).mean(axis=0), np.float64)

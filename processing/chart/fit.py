"""A photographed colour chart, calibrated: white balance from its greys, colour map from all its patches.

Unlike `colour_map.chart_fit`, which wants a picture that a whiteboard balanced, this balances by the chart
itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.chart.colour_difference import ciede2000, lab_from_linear
from processing.chart.colour_fit import fit_delta_e, least_squares, scaled_to_greys
from processing.chart.finder import chart_candidates
from processing.colour_map import REFERENCE, WORST_CHART_FIT
from processing.errors import CalibrationError
from processing.isp import Rgb, encode_srgb, to_8bit

Array = NDArray[np.float64]
Gains = tuple[float, float, float]

_BALANCING: Final = slice(19, 23)
"""Greys for the balance: neither the white patch, which may clip, nor black, which flare colours."""


@dataclass(frozen=True, eq=False)
class ChartFit:
    """What a chart in a picture gave.

    Attributes:
        centres: (24, 2) patch centres as (x, y) in the picture, in the chart's order.
        half: half the side of the squares that were averaged, in px.
        patches: (24, 3) mean linear RGB of the patches as they were given.
        gains: factors of R, G, B that make the greys neutral; green is 1.
        matrix: (3, 3) camera RGB (balanced) to linear sRGB, rows add to 1.
        before, after: (24,) CIEDE2000 of the patches with the balance alone, and with the matrix.
    """

    centres: Array
    half: float
    patches: Array
    gains: Gains
    matrix: Array
    before: Array
    after: Array


def fit_chart(linear: Rgb, half_size: Rgb | None = None) -> ChartFit:
    """Find the 24-patch chart in a linear picture, and calibrate to it.

    Args:
        linear: (H, W, 3) float32 linear camera RGB, roughly balanced.
        half_size: (H/2, W/2, 3) of the same picture, to measure the patches in; `linear` without it.

    Raises:
        CalibrationError: No chart is found, or its colours do not fit.
    """
    shown = to_8bit(encode_srgb(linear / max(float(np.percentile(linear, 99.5)), 1e-6)))
    best: tuple[Array, float, Array, Array] | None = None
    lowest = np.inf
    for centres, half in chart_candidates(shown):
        if half_size is None:
            patches = np.array([_mean(linear, centre, half) for centre in centres])
        else:
            patches = np.array([_mean(half_size, (centre - 0.5) / 2, half / 2) for centre in centres])
        if patches[_BALANCING].min() <= 0:
            continue
        balanced = scaled_to_greys(patches * _gains(patches), REFERENCE)
        off = float(np.sqrt(np.mean((balanced @ least_squares(balanced, REFERENCE).T - REFERENCE) ** 2)))
        if off < lowest:
            best, lowest = (centres, half, patches, balanced), off
    if best is None or lowest > WORST_CHART_FIT:
        why = "none was found" if best is None else f"the colours do not fit (rms {lowest:.2f})"
        raise CalibrationError(
            f"no colour chart in the picture: {why}",
            hint="the classic one of 24 patches, a tenth of the frame or more, evenly lit",
        )
    centres, half, patches, balanced = best
    matrix, scale = fit_delta_e(balanced, REFERENCE)
    gains = _gains(patches)
    lab = lab_from_linear(REFERENCE)
    return ChartFit(
        centres, half, patches, gains, matrix,
        ciede2000(lab_from_linear(np.maximum(balanced, 0)), lab),
        ciede2000(lab_from_linear(np.maximum(scale * balanced @ matrix.T, 0)), lab),
    )  # fmt: skip


def _gains(patches: Array) -> Gains:
    red, green, blue = patches[_BALANCING].sum(axis=0)
    return (float(green / red), 1.0, float(green / blue))


def _mean(linear: Rgb, centre: Array, half: float) -> Array:
    """Return the mean colour of a square about a centre (x, y); black where it lies outside."""
    x0, y0 = np.maximum(np.floor(centre - half), 0).astype(int)
    x1, y1 = np.maximum(np.ceil(centre + half) + 1, 0).astype(int)
    part = linear[y0:y1, x0:x1].reshape(-1, 3)
    return np.asarray(part.mean(axis=0, dtype=np.float64) if len(part) else np.zeros(3), np.float64)

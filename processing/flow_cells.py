"""Sums of the linearised registration equation over small cells of the image.

At every pixel  S - B ~ gx du + gy dv + g I + o  for a displacement (du, dv), a gain g and an offset o. Its
weighted products are summed over cells of 16 pixels, in which any smooth model is constant: after that a
model of any kind is fitted to some ten thousand cells instead of five million pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Array = NDArray[np.float64]

CELL: Final = 16
_HUBER_MAD: Final = 2.5
_DERIVATIVE: Final = np.array([1, -8, 0, 8, -1], np.float32) / np.float32(12)
_NONE: Final = np.ones(1, np.float32)
_BAND_CELLS: Final = 8


@dataclass(frozen=True)
class Cells:
    """Weighted sums over cells.

    Attributes:
        products: (4, 4, rows, columns): of the local unknowns du, dv, gain, offset.
        projections: (4, rows, columns): of those with the image difference.
        x, y: pixel coordinates of the cell centres.
        noise: variance of the image difference per pixel, from its median.
    """

    products: Array
    projections: Array
    x: Array
    y: Array
    noise: float


def _smooth(image: Float) -> Float:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.0), np.float32)


def _sum_cells(values: Float) -> Array:
    rows, columns = values.shape[0] // CELL, values.shape[1] // CELL
    cut = values[: rows * CELL, : columns * CELL]
    means = cv2.resize(cut, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(means, np.float64) * CELL**2


def cell_sums(sharp: Float, aligned: Float, inside: NDArray[np.bool_]) -> Cells:
    """Sum the linearised registration equations of two (H, W) float32 images over cells.

    Both images are smoothed by sigma 1; gradients are the mean of both images' (as in efficient second-order
    minimisation), which also cancels the noise bias. Huber weights start at 2.5 median absolute deviations.

    Args:
        sharp: image S.
        aligned: image B warped by the present estimate.
        inside: (H, W) bool, pixels to use.
    """
    of_s, of_b = _smooth(sharp), _smooth(aligned)
    difference = of_s - of_b
    sample = np.abs(difference[::4, ::4][inside[::4, ::4]])
    mad = float(np.median(sample)) if sample.size else 1.0
    limit = np.float32(max(_HUBER_MAD * mad, 1e-6))
    total = of_s + of_b
    total *= np.float32(0.5)
    level = np.float32(total.mean())
    rows, columns = sharp.shape[0] // CELL, sharp.shape[1] // CELL
    products = np.empty((4, 4, rows, columns))
    projections = np.empty((4, rows, columns))
    gx_all = np.asarray(cv2.sepFilter2D(total, cv2.CV_32F, _DERIVATIVE, _NONE), np.float32)
    gy_all = np.asarray(cv2.sepFilter2D(total, cv2.CV_32F, _NONE, _DERIVATIVE), np.float32)
    for start in range(0, rows, _BAND_CELLS):  # bands that stay in the cache
        stop = min(start + _BAND_CELLS, rows)
        band = slice(start * CELL, stop * CELL)
        r = difference[band]
        weight = limit / np.maximum(np.abs(r), limit)
        weight *= inside[band]
        local = (gx_all[band], gy_all[band], total[band] - level, np.ones_like(r))
        for a in range(4):
            weighted = weight * local[a]
            projections[a, start:stop] = _sum_cells(weighted * r)
            for b in range(a, 4):
                products[a, b, start:stop] = products[b, a, start:stop] = _sum_cells(weighted * local[b])
    centre = (CELL - 1) / 2
    return Cells(
        products,
        projections,
        np.arange(columns) * CELL + centre,
        np.arange(rows) * CELL + centre,
        (1.4826 * mad) ** 2,
    )


def cell_shifts(cells: Cells, cell_px: int) -> Array:
    """Solve each larger cell for its own shift.

    Cells whose expected error from noise exceeds 0.02 px (or, in flat scenes, the better half) are left out.

    Returns:
        (rows, columns, 2) displacement (x, y) in px; NaN where a cell is left out.
    """
    group = max(1, cell_px // CELL)
    rows, columns = cells.products.shape[2] // group, cells.products.shape[3] // group
    shifts = np.full((rows, columns, 2), np.nan)
    cut = cells.products[..., : rows * group, : columns * group]
    system = cut.reshape(4, 4, rows, group, columns, group).sum(axis=(3, 5)).transpose(2, 3, 0, 1)
    right = cells.projections[..., : rows * group, : columns * group]
    right = right.reshape(4, rows, group, columns, group).sum(axis=(2, 4)).transpose(1, 2, 0)
    usable = system[..., 3, 3] > 0.5 * cell_px**2
    system, right = system[usable], right[usable]
    if not len(system):
        return shifts
    scale = np.sqrt(np.maximum(np.einsum("nii->ni", system), 1e-12))
    scaled = system / scale[:, :, None] / scale[:, None, :] + 1e-9 * np.eye(4)
    inverse = np.linalg.inv(scaled) / scale[:, :, None] / scale[:, None, :]
    found = np.einsum("nij,nj->ni", inverse, right)[:, :2]
    # Smoothing by sigma 1 makes about 12 neighbouring differences move together.
    error = np.sqrt(12 * cells.noise * (inverse[:, 0, 0] + inverse[:, 1, 1]))
    found[error > max(0.02, float(np.median(error)))] = np.nan
    shifts[usable] = found
    return shifts

"""Sums of the linearised registration equation over small cells of the image.

At every pixel  S - B ~ gx du + gy dv + g I + o  for a displacement (du, dv), a gain g and an offset o. Its
weighted products are summed over cells of 16 pixels, in which any smooth model is constant: after that a
model of any kind is fitted to some thousand cells instead of millions of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing import geometry

Float = NDArray[np.float32]
Array = NDArray[np.float64]

CELL: Final = 16
MIDDLE: Final = (CELL - 1) / 2
_HUBER_MAD: Final = 2.5
_BINOMIAL: Final = np.array([1, 4, 6, 4, 1]) / 16
_SMOOTH: Final = np.convolve(_BINOMIAL, np.array([1, 4, 1]) / 6)
"""The same, followed by a cubic B-spline at whole pixels."""
_CORRELATED: Final = 12.0
"""Smoothing by sigma 1 makes about so many neighbouring differences move together."""
_EVERY: Final = 16
"""One pixel of so many of a cell tells the noise."""
_LEAST_NOISE: Final = (1 / 255) ** 2 / 12
"""Variance of rounding to 8 bits: no image is taken to be better than this."""


@dataclass(frozen=True)
class Cells:
    """Weighted sums over N cells, wherever in the image these are.

    Attributes:
        products: (4, 4, N): of the local unknowns du, dv (in px), gain, offset.
        projections: (4, N): of those with the image difference.
        x, y: (N,) px coordinates of the cell centres.
        noise: variance that stands for the noise of the image difference in these sums, from its median
            about the mean of each cell.
    """

    products: Array
    projections: Array
    x: Array
    y: Array
    noise: float

    def less(self, known: Array) -> Cells:
        """Return the sums as if (4, N) local unknowns had been taken off the difference before."""
        left = self.projections - np.einsum("abn,bn->an", self.products, known)
        return replace(self, projections=left)


def smooth(image: Float) -> Float:
    """Return an (H, W) image smoothed by about sigma 1 px: what `smooth_coefficients` make, between them."""
    return np.asarray(cv2.sepFilter2D(image, cv2.CV_32F, _SMOOTH, _SMOOTH), np.float32)


def smooth_coefficients(image: Float) -> Float:
    """Return (H, W) cubic B-spline coefficients of the smoothed image.

    A cubic B-spline smooths by itself as much as it needs to interpolate well, so nothing is undone here
    that would be smoothed away again.
    """
    return np.asarray(cv2.sepFilter2D(image, cv2.CV_32F, _BINOMIAL, _BINOMIAL), np.float32)


def centres(shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Return (x, y) of the centres of an image's cells, (rows, columns) each."""
    x, y = np.meshgrid(np.arange(shape[1] // CELL), np.arange(shape[0] // CELL))
    return np.asarray(x * CELL + MIDDLE, np.float64), np.asarray(y * CELL + MIDDLE, np.float64)


def table_of_cells(rows: Array, columns: Array) -> NDArray[np.void]:
    """Return cells that start at S's pixels (rows, columns), (N,) each, as the C part takes them."""
    cells = np.zeros(len(rows), geometry.CELL_TYPE)
    cells["row"], cells["column"] = rows, columns
    return cells


def sum_products(
    sharp: Float, table: NDArray[np.void], differences: Float, *, scale: float, light: float
) -> tuple[Array, Array, float]:
    """Sum the weighted products over each of N cells.

    Huber weights start at 2.5 median absolute deviations.

    Args:
        sharp: (H, W) smooth image whose derivatives are taken.
        table: (N,) the cells.
        differences: (N, 256) S - B; NaN where a pixel is not to be used.
        scale: by which the derivatives are multiplied.
        light: brightness about which the gain counts.

    Returns:
        products, projections and noise, as in `Cells`.
    """
    sample = differences[:, ::_EVERY]
    known = np.isfinite(sample)
    mad = float(np.median(np.abs(sample[known]))) if known.any() else 1.0
    limit = max(_HUBER_MAD * mad, 1e-6)
    sums = geometry.cell_products(sharp, scale, light, table, differences, limit).T
    products = np.empty((4, 4, len(table)))
    upper = iter(sums[:10])
    for a in range(4):
        for b in range(a, 4):
            products[a, b] = products[b, a] = next(upper)
    full = sample[known.all(axis=1)]
    spread = np.abs(full - full.mean(axis=1, keepdims=True)) if len(full) else np.ones(1)
    noise = _CORRELATED * max((1.4826 * float(np.median(spread))) ** 2, _LEAST_NOISE)
    return products, np.ascontiguousarray(sums[10:]), noise


def cell_sums(sharp: Float, aligned: Float, inside: NDArray[np.bool_] | None = None) -> Cells:
    """Sum the linearised registration equations of two (H, W) float32 images over their inner cells.

    Both images are smoothed by sigma 1; gradients are the mean of both images' (as in efficient second-order
    minimisation), which also cancels the noise bias.

    Args:
        sharp: image S.
        aligned: image B warped by the present estimate.
        inside: (H, W) pixels to use; None for all.
    """
    of_s, of_b = smooth(sharp), smooth(aligned)
    height, width = sharp.shape
    x, y = centres(sharp.shape)
    inner = (x > CELL) & (y > CELL) & (x < width - CELL) & (y < height - CELL)
    x, y = x[inner], y[inner]
    table = table_of_cells(y - MIDDLE, x - MIDDLE)
    difference = of_s - of_b
    if inside is not None:
        difference[~inside] = np.nan
    differences = _by_cell(difference)[inner.ravel()]
    of_s += of_b
    of_s *= np.float32(0.5)
    sums = sum_products(of_s, table, differences, scale=1.0, light=float(of_s.mean()))
    return Cells(sums[0], sums[1], x, y, sums[2])


def _by_cell(image: Float) -> Float:
    """Return an (H, W) image as (N, 256): one row a cell, cells in reading order."""
    rows, columns = image.shape[0] // CELL, image.shape[1] // CELL
    cut = image[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL)
    return np.ascontiguousarray(cut.transpose(0, 2, 1, 3)).reshape(rows * columns, CELL * CELL)


def cell_shifts(cells: Cells, shape: tuple[int, int], cell_px: int) -> tuple[Array, Array]:
    """Solve each larger cell for its own shift, gain and offset.

    Args:
        cells: the sums, wherever in the image they are.
        shape: (H, W) of the image in px.
        cell_px: side of the larger cells, from the upper left corner; what is left over is left out.

    Returns:
        (rows, columns, 2) displacement (x, y) in px, and (rows, columns) its standard error from noise;
        NaN and infinite where less than an eighth of a cell was seen.
    """
    rows, columns = shape[0] // cell_px, shape[1] // cell_px
    shifts, errors = np.full((rows, columns, 2), np.nan), np.full((rows, columns), np.inf)
    row, column = (cells.y // cell_px).astype(np.intp), (cells.x // cell_px).astype(np.intp)
    known = (row < rows) & (column < columns)
    where = row[known] * columns + column[known]

    def summed(values: Array) -> Array:
        return np.asarray(np.bincount(where, values[known], rows * columns), np.float64)

    system = np.array([[summed(cells.products[a, b]) for b in range(4)] for a in range(4)])
    system = system.reshape(4, 4, -1).transpose(2, 0, 1)
    right = np.array([summed(cells.projections[a]) for a in range(4)]).reshape(4, -1).T
    usable = system[:, 3, 3] > cell_px**2 / 8
    if not usable.any():
        return shifts, errors
    system, right = system[usable], right[usable]
    scale = np.sqrt(np.maximum(np.einsum("nii->ni", system), 1e-12))
    scaled = system / scale[:, :, None] / scale[:, None, :] + 1e-9 * np.eye(4)
    inverse = np.linalg.inv(scaled) / scale[:, :, None] / scale[:, None, :]
    shifts.reshape(-1, 2)[usable] = np.einsum("nij,nj->ni", inverse, right)[:, :2]
    errors.reshape(-1)[usable] = np.sqrt(cells.noise * (inverse[:, 0, 0] + inverse[:, 1, 1]))
    return shifts, errors

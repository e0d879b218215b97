"""A polynomial map with a smooth local correction on top: cubic B-splines on a coarse control grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processing.alignment.flow_model import Array, Float, PolynomialFlow
from processing.products import transposed_product


@dataclass(frozen=True)
class SplineFlow:
    """A polynomial displacement plus a cubic B-spline one.

    The n + 3 control points along a side of N px stand N/n px apart; the spline's parameter at pixel x is
    (x + 0.5) n / N.

    Attributes:
        base: the polynomial part.
        x, y: (rows + 3, columns + 3) spline coefficients of the displacement in px.
    """

    base: PolynomialFlow
    x: Array
    y: Array

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of S's grid."""
        return self.base.shape

    def map(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[Array, Array]:
        """Return where in B's grid the scene points at S pixels (x, y) lie; arrays of one shape, px."""
        height, width = self.shape
        map_x, map_y = self.base.map(x, y)
        column, of_x = spline_weights(np.asarray(x), width, self.x.shape[1] - 3)
        row, of_y = spline_weights(np.asarray(y), height, self.x.shape[0] - 3)
        for j in range(4):
            for i in range(4):
                weight = of_y[..., j] * of_x[..., i]
                map_x += weight * self.x[row + j, column + i]
                map_y += weight * self.y[row + j, column + i]
        return map_x, map_y

    def grid(self) -> tuple[Float, Float]:
        """Return `map` of every pixel of S: two (H, W) float32."""
        height, width = self.shape
        of_x = spline_basis(np.arange(width), width, self.x.shape[1] - 3).astype(np.float32)
        of_y = spline_basis(np.arange(height), height, self.x.shape[0] - 3).astype(np.float32)
        map_x, map_y = self.base.grid()
        map_x += _product(of_y, self.x, of_x)
        map_y += _product(of_y, self.y, of_x)
        return map_x, map_y


def _product(of_y: Float, table: Array, of_x: Float) -> Float:
    along = transposed_product(table.astype(np.float32).T, of_x.T)
    return np.asarray(transposed_product(of_y.T, along), np.float32)


def spline_weights(index: NDArray[Any], size: int, intervals: int) -> tuple[NDArray[np.intp], Array]:
    """Return (first control point, (..., 4) weights) of the cubic B-spline at pixels of a side.

    Outside the side the outermost polynomial piece goes on.

    Args:
        index: pixel coordinates, any shape.
        size: length of the side, px.
        intervals: between knots along the side.
    """
    position = (np.asarray(index, np.float64) + 0.5) * (intervals / size)
    first = np.clip(np.floor(position), 0, intervals - 1).astype(np.intp)
    t = position - first
    s = 1 - t
    weights = [s**3, 3 * t**3 - 6 * t**2 + 4, 3 * s**3 - 6 * s**2 + 4, t**3]
    return first, np.stack(weights, axis=-1) / 6


def spline_basis(index: NDArray[Any], size: int, intervals: int) -> Array:
    """Return the (len(index), intervals + 3) matrix from control points to values; see `spline_weights`."""
    first, weights = spline_weights(index, size, intervals)
    basis = np.zeros((len(first), intervals + 3))
    for k in range(4):
        basis[np.arange(len(first)), first + k] = weights[:, k]
    return basis

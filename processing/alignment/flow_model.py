"""Maps from S's pixel grid into B's: what a map is, the polynomial one and the dense one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.products import transposed_product

Float = NDArray[np.float32]
Array = NDArray[np.float64]


class Flow(Protocol):
    """Maps S's pixel grid into B's."""

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of S's grid."""

    def map(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[Array, Array]:
        """Return where in B's grid the scene points at S pixels (x, y) lie; arrays of one shape, px."""

    def grid(self) -> tuple[Float, Float]:
        """Return `map` of every pixel of S: two (H, W) float32."""


@dataclass(frozen=True)
class PolynomialFlow:
    """A displacement that is a polynomial in normalised coordinates.

    Attributes:
        shape: (H, W) of S's grid.
        x, y: (degree + 1, degree + 1) coefficients of the displacement in pixels; entry [j, i] belongs to
            x_n^i y_n^j with x_n = (x - (W-1)/2) / (W/2).
    """

    shape: tuple[int, int]
    x: Array
    y: Array

    def map(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[Array, Array]:
        """Return where in B's grid the scene points at S pixels (x, y) lie; arrays of one shape, px."""
        height, width = self.shape
        xn, yn = normalise(x, width), normalise(y, height)
        u = np.polynomial.polynomial.polyval2d(yn, xn, self.x)
        v = np.polynomial.polynomial.polyval2d(yn, xn, self.y)
        return np.asarray(x, np.float64) + u, np.asarray(y, np.float64) + v

    def grid(self) -> tuple[Float, Float]:
        """Return `map` of every pixel of S: two (H, W) float32."""
        height, width = self.shape
        powers = np.arange(len(self.x))[:, None]
        px = (normalise(np.arange(width), width) ** powers).astype(np.float32)
        py = (normalise(np.arange(height), height) ** powers).astype(np.float32)
        u, v = (transposed_product(py, table.astype(np.float32) @ px) for table in (self.x, self.y))
        u += np.arange(width, dtype=np.float32)
        v += np.arange(height, dtype=np.float32)[:, None]
        return u, v

    def scaled(self, shape: tuple[int, int]) -> PolynomialFlow:
        """Return the same flow for a picture of another size; coordinates are normalised, lengths scale."""
        return PolynomialFlow(shape, self.x * (shape[1] / self.shape[1]), self.y * (shape[0] / self.shape[0]))


@dataclass(frozen=True)
class DenseFlow:
    """A displacement given on a grid of every `step`-th pixel, bilinear in between.

    Attributes:
        shape: (H, W) of S's grid.
        u, v: (H/step, W/step) float32 displacements in px, at pixel centres step * index + (step - 1) / 2.
        step: distance of the grid points in px.
    """

    shape: tuple[int, int]
    u: Float
    v: Float
    step: int = 1

    def map(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[Array, Array]:
        """Return where in B's grid the scene points at S pixels (x, y) lie; arrays of one shape, px."""
        offset = (self.step - 1) / 2
        at_x, at_y = (np.atleast_2d((np.asarray(p) - offset) / self.step).astype(np.float32) for p in (x, y))
        u, v = (
            np.asarray(cv2.remap(field, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
            for field in (self.u, self.v)
        )
        shape = np.shape(x)
        return np.asarray(x + u.reshape(shape), np.float64), np.asarray(y + v.reshape(shape), np.float64)

    def grid(self) -> tuple[Float, Float]:
        """Return `map` of every pixel of S: two (H, W) float32."""
        rows, columns = np.meshgrid(np.arange(self.shape[0]), np.arange(self.shape[1]), indexing="ij")
        x, y = self.map(columns, rows)
        return x.astype(np.float32), y.astype(np.float32)


def normalise(index: NDArray[Any], size: int) -> Array:
    """Return pixel coordinates as -1 .. 1 across an image side of `size` px, 0 in its middle."""
    return (np.asarray(index, np.float64) - (size - 1) / 2) / (size / 2)

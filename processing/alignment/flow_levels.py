"""One level of the image pyramid on which the two static images are compared.

Coordinates and displacements are those of the full image at every level: pixel i of a level that was halved
k times lies at pixel 2^k i. On large levels only a quarter of the cells is looked at: in every part of the
frame those with the most texture.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing import geometry
from processing.alignment.flow_cells import (
    CELL,
    MIDDLE,
    Array,
    Cells,
    Float,
    centres,
    smooth,
    smooth_coefficients,
    sum_products,
    table_of_cells,
)
from processing.alignment.flow_model import Flow

MARGIN: Final = 6
"""Pixels of a level next to the frame's edge that are not compared: filters see past the edge there."""
_SIDE: Final = 4
_CHOSEN: Final = 5
"""Of every 4 x 4 cells so many are chosen: half of them would be hardly better."""
_ENOUGH: Final = 250
"""Cells that tell whether two images show the same."""
_ROUNDING: Final = (1 / 255) ** 2 / 12
"""Variance of rounding to 8 bits: texture below this is none."""
_SLOPE: Final = np.array([-0.5, 0, 0.5])
_NONE: Final = np.ones(1)
_ALL_UP_TO: Final = 1000
"""Cells of a level that are all looked at."""


class Level:
    """S's and B's images of one level, prepared for being compared again and again.

    Args:
        sharp: (H, W) float32 image of S at this level.
        blurred: the same of B.
        scale: pixels of the full image per pixel of this level.
        coarser: the level of twice the scale, whose texture chooses the cells; without one all are taken.

    Attributes:
        x, y: (N,) centres of the cells, in px of the full image.
    """

    def __init__(self, sharp: Float, blurred: Float, scale: int, coarser: Level | None = None) -> None:
        self.scale = scale
        self._s = smooth(sharp)
        self._b = smooth_coefficients(blurred)
        self._light: float = float(self._s.mean()) if coarser is None else coarser._light
        x, y = _chosen(sharp.shape, None if coarser is None else coarser._s)
        self._table = table_of_cells(y - MIDDLE, x - MIDDLE)
        self.x, self.y = x * scale, y * scale

    def compare(self, flow: Flow, gain: Array, offset: Array) -> Cells:
        """Sum the linearised equations of what S and B still differ by, in the cells inside B's frame.

        Args:
            flow: the present estimate.
            gain: (N,) by which S - B's difference of brightness grows with S, in each cell.
            offset: (N,) the difference itself at S's mean brightness.
        """
        table, inside = self._placed(flow, gain, offset)
        differences = geometry.cell_differences(self._s, self._b, self._light, table)
        products, projections, noise = sum_products(
            self._s, table, differences, scale=1 / self.scale, light=self._light
        )
        return Cells(products, projections, self.x[inside], self.y[inside], noise)

    def alike(self, flow: Flow) -> float:
        """Return how far the texture of S and B correlates: 1 if they show the same, about 0 if not."""
        none = np.zeros(len(self.x))
        table = np.ascontiguousarray(self._placed(flow, none, none)[0][:: 1 + len(self.x) // _ENOUGH])
        first = table["row"].astype(np.intp) * self._s.shape[1] + table["column"]
        pixels = (np.arange(CELL)[:, None] * self._s.shape[1] + np.arange(CELL)).ravel()
        of_s = np.take(self._s, first[:, None] + pixels)
        of_b = of_s - geometry.cell_differences(self._s, self._b, self._light, table)
        of_s -= of_s.mean(axis=1, keepdims=True)
        of_b -= of_b.mean(axis=1, keepdims=True)
        energy = [float(np.sum(part * part)) + _ROUNDING * part.size for part in (of_s, of_b)]
        return float(np.sum(of_s * of_b)) / max(float(np.sqrt(energy[0] * energy[1])), 1e-12)

    def shifted(self) -> tuple[float, float]:
        """Return the displacement (x, y) in px that brings the two images together best as a whole."""
        height, width = self._s.shape
        window = cv2.createHanningWindow((width, height), cv2.CV_32F)
        detail = [image - cv2.GaussianBlur(image, (0, 0), 4) for image in (self._s, self._b)]
        (x, y), _ = cv2.phaseCorrelate(detail[0], detail[1], window)
        return x * self.scale, y * self.scale

    def _placed(self, flow: Flow, gain: Array, offset: Array) -> tuple[NDArray[np.void], NDArray[np.bool_]]:
        """Return the cells that lie inside B's frame, with their places in it, and which these are."""
        half = MIDDLE * self.scale
        corners_x = self.x[:, None] + np.array([-half, half, -half, half])
        corners_y = self.y[:, None] + np.array([-half, -half, half, half])
        map_x, map_y = (part / self.scale for part in flow.map(corners_x, corners_y))
        height, width = self._b.shape
        inside = np.all(
            (map_x > MARGIN)
            & (map_x < width - 1 - MARGIN)
            & (map_y > MARGIN)
            & (map_y < height - 1 - MARGIN),
            axis=1,
        )
        table = self._table[inside]
        table["x"], table["y"] = map_x[inside], map_y[inside]
        table["gain"], table["offset"] = gain[inside], offset[inside]
        return table, np.asarray(inside, np.bool_)


def _chosen(shape: tuple[int, ...], half: Float | None) -> tuple[Array, Array]:
    """Choose cells of a level: none at its edge, and of large levels in each part those with most texture.

    Returns:
        (x, y) of their centres in px of the level, (N,) each.
    """
    height, width = shape
    x, y = centres(shape)
    reach = CELL / 2 + MARGIN
    inner = (x >= reach) & (x < width - reach) & (y >= reach) & (y < height - reach)
    if half is None or inner.sum() <= _ALL_UP_TO:
        return x[inner], y[inner]
    rows, columns = x.shape
    tall, wide = -(-rows // _SIDE), -(-columns // _SIDE)
    texture = np.full((tall * _SIDE, wide * _SIDE), -1.0)
    texture[:rows, :columns] = np.where(inner, _texture(half, rows, columns), -1.0)
    parts = texture.reshape(tall, _SIDE, wide, _SIDE).transpose(0, 2, 1, 3).reshape(-1, _SIDE**2)
    best = np.argsort(-parts, axis=1, kind="stable")[:, :_CHOSEN]
    taken = np.zeros(parts.shape, np.bool_)
    np.put_along_axis(taken, best, values=True, axis=1)
    whole = taken.reshape(tall, wide, _SIDE, _SIDE).transpose(0, 2, 1, 3).reshape(texture.shape)
    taken = whole[:rows, :columns] & inner
    return x[taken], y[taken]


def _texture(half: Float, rows: int, columns: int) -> Float:
    """Return the (rows, columns) mean square gradient of cells, from the image of half the size."""
    size = CELL // 2
    few = half[: rows * size, : columns * size]
    across = np.asarray(cv2.sepFilter2D(few, cv2.CV_32F, _SLOPE, _NONE), np.float32)
    down = np.asarray(cv2.sepFilter2D(few, cv2.CV_32F, _NONE, _SLOPE), np.float32)
    energy = cv2.magnitude(across, down)
    cv2.multiply(energy, energy, dst=energy)
    out = np.zeros((rows, columns), np.float32)  # a last cell may be missing in the half, cut to even size
    known = few.shape[0] // size, few.shape[1] // size
    cut = energy[: known[0] * size, : known[1] * size]
    out[: known[0], : known[1]] = cv2.resize(cut, known[::-1], interpolation=cv2.INTER_AREA)
    return out

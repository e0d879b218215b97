"""Half-size demosaicing: one colour pixel a 2x2 cell, with all three colours sampled at the cell's middle.

Taking the cell's four values as they are would leave red and blue half a pixel beside green: coloured edges.
Here green is the mean over the cell, with the mean of the four neighbours where the pixel is red or blue; red
and blue are green plus their colour difference, and only that difference, which is smooth, is moved to the
middle. Against the mean of Menon's full size this is worth 3.5 to 4 dB over moving red and blue themselves.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.demosaic import red_position
from processing.errors import ImageMismatch

Plane = NDArray[np.float32]

_QUARTER: Final = np.float32(0.25)
_AHEAD: Final = np.array([0.75, 0.25], np.float32)
"""Weights of two samples for the value a quarter of their distance behind the first."""


def combine(planes: tuple[Plane, Plane, Plane, Plane], cfa: str) -> Plane:
    """Return (H/2, W/2, 3) RGB at the middle of each cell from the four planes of a mosaic, row by row.

    Raises:
        ImageMismatch: for an unknown order.
    """
    row, column = red_position(cfa)
    red, blue = planes[2 * row + column], planes[3 - 2 * row - column]
    beside_red, beside_blue = planes[2 * row + 1 - column], planes[2 * (1 - row) + column]
    # Mirrored about the edge pixel, as the mosaic would be.
    of_red_rows, of_blue_rows = (
        _with_border(beside_red, row, 1 - column),
        _with_border(beside_blue, 1 - row, column),
    )
    cell = beside_red + beside_blue
    # A red pixel has greens left and right in its own row, above and below in the others; so has a blue one.
    at_red = cell + _shifted(of_red_rows, 0, 1 if column else -1)
    at_red += _shifted(of_blue_rows, 1 if row else -1, 0)
    at_blue = cell + _shifted(of_blue_rows, 0, -1 if column else 1)
    at_blue += _shifted(of_red_rows, -1 if row else 1, 0)
    at_red *= _QUARTER
    at_blue *= _QUARTER
    cell += at_red
    cell += at_blue
    cell *= _QUARTER
    red_difference = _centred(red - at_red, row, column)
    blue_difference = _centred(blue - at_blue, 1 - row, 1 - column)
    red_difference += cell
    blue_difference += cell
    return np.asarray(cv2.merge([red_difference, cell, blue_difference]), np.float32)


def _with_border(plane: Plane, row: int, column: int) -> Plane:
    """Add one cell on every side as mirroring the mosaic about its edge pixels would.

    A plane of odd rows repeats its first row above (pixel -1 is pixel 1), one of even rows its last below.
    """
    padded = np.pad(plane, 1, mode="symmetric")
    if row:
        padded[-1] = padded[-3]
    else:
        padded[0] = padded[2]
    if column:
        padded[:, -1] = padded[:, -3]
    else:
        padded[:, 0] = padded[:, 2]
    return padded


def _shifted(padded: Plane, rows: int, columns: int) -> Plane:
    height, width = padded.shape
    return padded[1 + rows : height - 1 + rows, 1 + columns : width - 1 + columns]


def _centred(plane: Plane, row: int, column: int) -> Plane:
    """Move samples at (row, column) of the cells to the cells' middle, linearly."""
    x, y = (_AHEAD[::-1].copy() if late else _AHEAD for late in (column, row))
    moved = cv2.sepFilter2D(plane, cv2.CV_32F, x, y, anchor=(column, row), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def half_size(mosaic: Plane, cfa: str) -> Plane:
    """Demosaic an (H, W) float32 mosaic, H and W even, to (H/2, W/2, 3) RGB in its unit.

    Raises:
        ImageMismatch: for an unknown order, or a frame of odd size or below 8 pixels.
    """
    if min(mosaic.shape) < 8 or mosaic.shape[0] % 2 or mosaic.shape[1] % 2:
        raise ImageMismatch(f"a mosaic of {mosaic.shape[1]}x{mosaic.shape[0]} has no half size")
    p00, p01, p10, p11 = (
        np.ascontiguousarray(mosaic[i::2, j::2], np.float32) for i in (0, 1) for j in (0, 1)
    )
    return combine((p00, p01, p10, p11), cfa)

"""Half-size demosaicing: one colour pixel a 2x2 cell, with all three colours sampled at the cell's middle.

Taking the cell's four values as they are would leave red and blue half a pixel beside green: coloured edges.
The mean of the greens lies in the middle by itself; red and blue are moved there by a quarter of their own
grid with four taps of a cubic (Keys 1981, a = -1/2, at t = 1/4) in both directions.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.demosaic import red_position
from processing.errors import ImageMismatch

Plane = NDArray[np.float32]

_AHEAD: Final = np.array([-9, 111, 29, -3], np.float32) / np.float32(128)
"""Weights of the samples at -1, 0, 1, 2 for the value at 1/4."""


def _centred(plane: Plane, row: int, column: int) -> Plane:
    """Move the samples at (row, column) of the cells to the cells' middle."""

    def taps(late: int) -> tuple[NDArray[np.float32], int]:
        # A late sample (odd row or column) is moved back instead: the taps in reverse.
        return (_AHEAD[::-1].copy(), 2) if late else (_AHEAD, 1)

    across, down = taps(column), taps(row)
    moved = cv2.sepFilter2D(
        plane, cv2.CV_32F, across[0], down[0], anchor=(across[1], down[1]), borderType=cv2.BORDER_REFLECT_101
    )
    return np.asarray(moved, np.float32)


def combine(planes: tuple[Plane, Plane, Plane, Plane], cfa: str) -> tuple[Plane, Plane, Plane]:
    """Return R, G, B at the middle of each cell from the four planes of a mosaic, row by row of the cell."""
    row, column = red_position(cfa)
    red, blue = planes[2 * row + column], planes[3 - 2 * row - column]
    greens = [planes[2 * row + 1 - column], planes[2 * (1 - row) + column]]
    green = cv2.addWeighted(greens[0], 0.5, greens[1], 0.5, 0.0)
    return _centred(red, row, column), np.asarray(green, np.float32), _centred(blue, 1 - row, 1 - column)


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
    return np.asarray(cv2.merge(combine((p00, p01, p10, p11), cfa)), np.float32)

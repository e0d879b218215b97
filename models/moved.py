"""Where something moved: the cells of a picture that the network has to look at.

Local blur covers about an eighth of a frame. With the sharp frame S of the pair (aligned, of the same
brightness) the moving object is where B and S differ by more than their noise; without it the network itself
is asked, at reduced size, by its gate.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.pictures import FloatImage

__all__ = ["CELL_PX", "Cells", "cells_of_difference", "cells_of_mask"]

CELL_PX = 8
"""Side of a cell in pixels, a multiple of 4: every border of a tile lies on the network's coarsest grid."""

NOISE_FACTOR = 6.0
LEAST_THRESHOLD = 2.0 / 255
"""A difference below this cannot be seen, however quiet the cameras are."""
FINE_PX = 4
GATE_OPEN = 0.25
SKIRT_CELLS = 1
"""The faint ends of a blur lie beyond what differs clearly."""

Cells = npt.NDArray[np.bool_]
"""(rows, columns) of cells of `CELL_PX` pixels; the picture's border may cut the last row and column."""


def cells_of_difference(blurred: FloatImage, reference: FloatImage) -> Cells:
    """Return the cells where two frames of one moment differ by more than their noise.

    Both are averaged over 2x2 pixels, which takes most of what the registration leaves at edges, and the
    magnitude of their difference again, so that fine texture on a moving object is not averaged away. The
    level of noise is the median over the picture and its spread the median absolute deviation, so an object
    that covers less than half of the picture does not raise them.

    Args:
        blurred: B, (H, W, 3) in 0..1, sRGB-encoded.
        reference: S of the pair, aligned to B and of its brightness, same shape.
    """
    small_b, small_s = (_shrunk(image, FINE_PX // 2) for image in (blurred, reference))
    apart = _shrunk(cv2.absdiff(small_b, small_s).max(axis=2), 2)
    middle = float(np.median(apart))
    spread = 1.4826 * float(np.median(np.abs(apart - middle)))
    threshold = max(middle + NOISE_FACTOR * spread, LEAST_THRESHOLD)
    return _with_skirt(_cells_where(apart > threshold, FINE_PX, blurred.shape[:2]))


def cells_of_mask(mask: FloatImage, shape: tuple[int, int]) -> Cells:
    """Return the cells where a blur mask is open.

    Args:
        mask: (h, w) in 0..1, of the picture at any size.
        shape: (H, W) of the picture itself.
    """
    fine = (-(-shape[0] // FINE_PX), -(-shape[1] // FINE_PX))
    sized = cv2.resize(mask, (fine[1], fine[0]), interpolation=cv2.INTER_LINEAR)
    return _with_skirt(_cells_where(np.asarray(sized) > GATE_OPEN, FINE_PX, shape))


def _shrunk(image: FloatImage, factor: int) -> FloatImage:
    """Return averages over squares of pixels; at the bottom and right the border fills the last ones."""
    bottom, right = -image.shape[0] % factor, -image.shape[1] % factor
    if bottom or right:
        image = cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    size = (image.shape[1] // factor, image.shape[0] // factor)
    small: npt.NDArray[Any] = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    return small.astype(np.float32, copy=False)


def _cells_where(fine: npt.NDArray[np.bool_], step_px: int, shape: tuple[int, int]) -> Cells:
    """Return the cells that hold a marked point of a finer grid.

    Single points are no object: of each marked point a neighbour must be marked too.
    """
    points = fine.astype(np.uint8)
    company = cv2.boxFilter(points, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    marked = points & (np.asarray(company) >= 2)
    rows, columns = -(-shape[0] // CELL_PX), -(-shape[1] // CELL_PX)
    per_cell = CELL_PX // step_px
    padded = np.zeros((rows * per_cell, columns * per_cell), np.uint8)
    padded[: fine.shape[0], : fine.shape[1]] = marked[: padded.shape[0], : padded.shape[1]]
    cells: Cells = padded.reshape(rows, per_cell, columns, per_cell).max(axis=(1, 3)) > 0
    return cells


def _with_skirt(cells: Cells) -> Cells:
    side = 2 * SKIRT_CELLS + 1
    grown = cv2.dilate(cells.astype(np.uint8), np.ones((side, side), np.uint8))
    return np.asarray(grown) > 0

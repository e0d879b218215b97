"""Cutting a big picture into tiles that overlap, so that memory stays bounded and no seam is seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from models.errors import EngineError

__all__ = ["LEAST_CORE_PX", "Tile", "plan_tiles", "share_of"]

LEAST_CORE_PX = 64


@dataclass(frozen=True)
class Tile:
    """One piece of the work, as half-open ranges of rows and columns.

    Attributes:
        core: (y0, y1, x0, x1) that this tile writes; the cores of all tiles cover the picture once.
        read: (y0, y1, x0, x1) that it reads: the core and its halo, cut at the picture's border.
    """

    core: tuple[int, int, int, int]
    read: tuple[int, int, int, int]

    @property
    def read_pixels(self) -> int:
        """Number of pixels that it reads."""
        top, bottom, left, right = self.read
        return (bottom - top) * (right - left)

    def off_centre(self, height: int, width: int) -> float:
        """Return how far the middle of its core lies from the middle of a picture, in pixels."""
        y0, y1, x0, x1 = self.core
        return math.hypot((y0 + y1 - height) / 2, (x0 + x1 - width) / 2)


def plan_tiles(height: int, width: int, *, halo_px: int, max_pixels: int, multiple: int = 4) -> list[Tile]:
    """Cut a picture into equal tiles of which none reads more than `max_pixels`.

    A picture that is small enough is one tile. All borders are multiples of `multiple`, so that every tile
    sees the network's coarser grids where the whole picture has them.

    Args:
        height: Rows of the picture, a multiple of `multiple`.
        width: Columns of the picture, a multiple of `multiple`.
        halo_px: How far a tile reads beyond its core.
        max_pixels: The most pixels that a tile may read.
        multiple: The network's coarsest step in pixels.

    Raises:
        EngineError: Even the smallest tile with its halo is larger than `max_pixels`.
    """
    if height * width <= max_pixels:
        whole = (0, height, 0, width)
        return [Tile(whole, whole)]
    halo = _round_up(halo_px, multiple)
    rows, columns = _shape_of_core(height, width, halo, max_pixels, multiple)
    tiles = []
    for y0 in range(0, height, rows):
        for x0 in range(0, width, columns):
            y1, x1 = min(y0 + rows, height), min(x0 + columns, width)
            read = (max(y0 - halo, 0), min(y1 + halo, height), max(x0 - halo, 0), min(x1 + halo, width))
            tiles.append(Tile((y0, y1, x0, x1), read))
    return tiles


def share_of(tiles: list[Tile], shape: tuple[int, ...]) -> float:
    """Return the part of a picture (H, W), 0..1, that tiles write; their cores may overlap."""
    written = np.zeros(shape[:2], np.bool_)
    for tile in tiles:
        y0, y1, x0, x1 = tile.core
        written[y0:y1, x0:x1] = True
    return float(written.mean())


def _shape_of_core(height: int, width: int, halo: int, max_pixels: int, multiple: int) -> tuple[int, int]:
    """Return the cut that reads the fewest pixels in all among those that keep every tile in bounds."""
    best: tuple[float, int, int] | None = None
    for n_rows in range(1, math.ceil(height / LEAST_CORE_PX) + 1):
        for n_columns in range(1, math.ceil(width / LEAST_CORE_PX) + 1):
            rows = _round_up(math.ceil(height / n_rows), multiple)
            columns = _round_up(math.ceil(width / n_columns), multiple)
            read = min(rows + 2 * halo, height) * min(columns + 2 * halo, width)
            if read <= max_pixels:
                cost = float(read) * n_rows * n_columns
                best = min(best, (cost, rows, columns)) if best else (cost, rows, columns)
    if best is None:
        raise EngineError(
            f"the memory limit allows {max_pixels} pixels at a time, fewer than the smallest tile "
            f"with its halo of {halo} px",
            hint="allow more memory",
        )
    return best[1], best[2]


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple

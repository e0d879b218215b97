"""Rectangles around the cells that need work, cut and merged until running them is as cheap as it gets."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from models.moved import CELL_PX, Cells
from models.tiles import Tile

__all__ = ["CostModel", "plan_moved"]

ALMOST = 0.999
"""Tiles must be cheaper than the whole, not just by the rounding of a sum."""

Box = tuple[int, int, int, int]
"""Half-open range of cells: (row 0, row 1, column 0, column 1)."""

MOST_BOXES = 24
"""Of more separate places the near ones are taken together at once: merging compares all pairs."""


class CostModel:
    """What it costs to run a rectangle of cells with its halo.

    Args:
        height: Of the padded picture in pixels.
        width: Of the padded picture in pixels.
        halo_px: How far a tile reads beyond its core, a multiple of 4.
        tile_s: Time of a pass over a tile: its fixed part, and its part for each pixel.
        whole_s: The same of a pass over the whole picture, which may run in another precision.
    """

    def __init__(
        self, height: int, width: int, halo_px: int, tile_s: tuple[float, float], whole_s: tuple[float, float]
    ) -> None:
        self.height, self.width, self.halo_px = height, width, halo_px
        self.tile_s, self.whole_s = tile_s, whole_s

    def tile(self, box: Box) -> Tile:
        """Return the tile of a box of cells: core, and core with halo, both cut at the picture's border."""
        y0, x0 = box[0] * CELL_PX, box[2] * CELL_PX
        y1, x1 = min(box[1] * CELL_PX, self.height), min(box[3] * CELL_PX, self.width)
        halo = self.halo_px
        read = (max(y0 - halo, 0), min(y1 + halo, self.height), max(x0 - halo, 0), min(x1 + halo, self.width))
        return Tile((y0, y1, x0, x1), read)

    def of_box(self, box: Box) -> float:
        """Return the time of one box."""
        return self.tile_s[0] + self.tile_s[1] * self.tile(box).read_pixels

    @property
    def whole(self) -> float:
        """Time of the whole picture at once."""
        return self.whole_s[0] + self.whole_s[1] * self.height * self.width


def plan_moved(cells: Cells, cost: CostModel) -> list[Tile] | None:
    """Return tiles whose cores cover all marked cells; None where the whole picture is as cheap.

    Each connected group of cells starts as its bounding box; boxes are cut where two smaller ones cost less,
    then pairs are merged while that costs less. An empty list means that nothing moved. Where two cores
    overlap, both write the same values within the promised tolerance.
    """
    if not cells.any():
        return []
    boxes: list[Box] = []
    for group in _groups(cells):
        boxes += _cut(cells, group, cost.of_box)
    boxes = _merge(boxes, cost.of_box)
    if sum(cost.of_box(box) for box in boxes) >= ALMOST * cost.whole:
        return None
    return [cost.tile(box) for box in boxes]


def _groups(cells: Cells) -> list[Box]:
    """Return the bounding boxes of connected groups of cells; gaps are closed until they are few."""
    marked, reach = cells.astype(np.uint8), 1
    while True:
        closed = marked if reach == 1 else cv2.dilate(marked, np.ones((reach, reach), np.uint8))
        count, labels = cv2.connectedComponents(np.asarray(closed), connectivity=8)
        if count - 1 <= MOST_BOXES:
            break
        reach += 2
    boxes = []
    for label in range(1, count):
        rows, columns = np.nonzero((labels == label) & cells)
        boxes.append((int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1))
    return boxes


def _shrunk(cells: Cells, box: Box) -> Box | None:
    """Return the bounding box of the marked cells within a box."""
    inside = cells[box[0] : box[1], box[2] : box[3]]
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if rows.size == 0:
        return None
    return (
        box[0] + int(rows[0]),
        box[0] + int(rows[-1]) + 1,
        box[2] + int(columns[0]),
        box[2] + int(columns[-1]) + 1,
    )


def _cut(cells: Cells, box: Box, cost: Callable[[Box], float]) -> list[Box]:
    """Return a box, or the boxes of its two sides of the best cut, cut further, where they cost less."""
    best, parts = cost(box), [box]
    y0, y1, x0, x1 = box
    halves = [((y0, y, x0, x1), (y, y1, x0, x1)) for y in range(y0 + 1, y1)]
    halves += [((y0, y1, x0, x), (y0, y1, x, x1)) for x in range(x0 + 1, x1)]
    for pair in halves:
        smaller = [found for half in pair if (found := _shrunk(cells, half)) is not None]
        total = sum(cost(part) for part in smaller)
        if total < best:
            best, parts = total, smaller
    if parts == [box]:
        return parts
    return [piece for part in parts for piece in _cut(cells, part, cost)]


def _merge(boxes: list[Box], cost: Callable[[Box], float]) -> list[Box]:
    """Return the boxes with those pairs joined whose common box costs less than the two, the best first."""
    boxes = list(boxes)
    while len(boxes) > 1:
        best: tuple[float, int, int, Box] | None = None
        for i, a in enumerate(boxes):
            for j in range(i + 1, len(boxes)):
                b = boxes[j]
                joined = (min(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), max(a[3], b[3]))
                saved = cost(a) + cost(b) - cost(joined)
                if saved > 0 and (best is None or saved > best[0]):
                    best = (saved, i, j, joined)
        if best is None:
            break
        _, i, j, joined = best
        boxes = [box for index, box in enumerate(boxes) if index not in (i, j)] + [joined]
    return boxes

"""The geometric error: how far apart two aligned images still are, cell by cell, measured in the images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from processing.alignment.flow_cells import Float, cell_shifts, cell_sums
from processing.alignment.flow_model import Flow
from processing.errors import RegistrationFailed

CELL_PX: Final = 128
ERROR_PX: Final = 0.02
"""Cells whose error from noise is larger (in flat scenes, the worse half of them) are left out."""


@dataclass(frozen=True, eq=False)
class Residual:
    """Displacement left between two aligned images, measured in cells of the image.

    Attributes:
        mean_px, p95_px: of its length over the cells with enough texture.
        cells: how many cells these were.
        map: (rows, columns, 2) float32, displacement (x, y) in px from where a cell's content is
            in S to where it is in the aligned B; NaN without texture.
        cell_px: side of a cell in px of the measured image, from its upper left corner.
    """

    mean_px: float
    p95_px: float
    cells: int
    map: Float
    cell_px: int = CELL_PX

    @property
    def rounded_px(self) -> int:
        """The mean as a whole number of px, the way the paper's Table 1 gives its geometric error."""
        return round(self.mean_px)


def mean_displacement(flow: Flow, box: tuple[int, int, int, int]) -> float:
    """Return how far apart both cameras see the same point, on average over a box (y0, y1, x0, x1), in px."""
    y0, y1, x0, x1 = box
    y, x = np.mgrid[y0:y1:16, x0:x1:16].astype(np.float64)
    map_x, map_y = flow.map(x, y)
    return float(np.hypot(map_x - x, map_y - y).mean())


def residual(sharp: Float, aligned: Float, *, cell_px: int = CELL_PX) -> Residual:
    """Measure the displacement left between S and the aligned B, cell by cell.

    Args:
        sharp: (H, W) float32 luminance of S within the common valid box.
        aligned: the same of B, warped onto S.
        cell_px: side of a cell, a multiple of 16.

    Raises:
        RegistrationFailed: if no cell has texture enough.
    """
    shape = (sharp.shape[0], sharp.shape[1])
    shifts, errors = cell_shifts(cell_sums(sharp, aligned), shape, cell_px)
    seen = np.isfinite(errors)
    if seen.any():
        shifts[errors > max(ERROR_PX, float(np.median(errors[seen])))] = np.nan
    lengths = np.hypot(shifts[..., 0], shifts[..., 1])
    lengths = lengths[np.isfinite(lengths)]
    if not lengths.size:
        raise RegistrationFailed("no part of the static pair has texture to measure the alignment on")
    return Residual(
        float(np.mean(lengths)),
        float(np.percentile(lengths, 95)),
        lengths.size,
        shifts.astype(np.float32),
        cell_px,
    )

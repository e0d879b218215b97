"""Beta from what both cameras see of a still scene: robust, on aligned images (paper Eq. 6).

Whole-image means have three flaws: what moved between the exposures is in one mean and not in the other, a
clipped highlight has lost light in one of them, and the borders are not the same part of the scene. Here the
means run over the 2x2 cells of S whose light B saw too: still, unclipped, and within B's frame; then over
those blocks whose own ratio is like that of all the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.alignment.flow import Flow
from processing.chain import Gains, Mosaic
from processing.checks.blocks import BLOCK
from processing.colour import phase_offsets
from processing.errors import ImageMismatch

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

UNLIKE_MAD: Final = 6.0
"""Blocks whose ratio is further off the median than this many standard deviations hold something else."""
LEAST_UNLIKE: Final = 0.004
"""Nothing nearer to the median than this, as a share, is left out."""
LEAST_USED: Final = 0.05
"""Share of the frame that beta must be measured on."""
_ROUNDS: Final = 3


@dataclass(frozen=True)
class Brightness:
    """Beta, and on how much of the frame it was measured.

    Attributes:
        beta: factors of R, G, B from B to S (Eq. 6).
        used: share of S's frame that it was measured on, 0 to 1.
        moving: share left out because it moves between the static pairs.
        clipped: share left out because it is clipped, or next to what is.
        unlike: share left out because its ratio is not that of the rest.
    """

    beta: Gains
    used: float = 1.0
    moving: float = 0.0
    clipped: float = 0.0
    unlike: float = 0.0

    def shares(self) -> dict[str, float]:
        """Return the shares as plain values."""
        return {"used": self.used, "moving": self.moving, "clipped": self.clipped, "unlike": self.unlike}

    @classmethod
    def from_shares(cls, beta: Gains, data: dict[str, Any]) -> Brightness:
        """Read what `shares` wrote."""
        return cls(beta, **{name: float(data[name]) for name in ("used", "moving", "clipped", "unlike")})


def aligned_brightness(
    blurred: Mosaic,
    sharp: Mosaic,
    cfa: str,
    flow: Flow,
    still: dict[str, Mask],
    unclipped: Mask,
) -> Brightness:
    """Measure beta on the cells that both cameras see alike.

    Args:
        blurred: (H, W) float32 mosaic of camera B of the static take, black subtracted, colour corrected.
        sharp: the same of camera S.
        cfa: colour order of both.
        flow: from S's grid into B's.
        still: (H/2, W/2) bool of "B" and "S": cells where nothing moved.
        unclipped: (H/2, W/2) bool: cells that neither camera clips.

    Raises:
        ImageMismatch: if too little of the frame is left, or a colour is black.
    """
    map_x, map_y = flow.grid()
    seen_b = _at_cells(still["B"] & unclipped, map_x, map_y)
    seen = seen_b & still["S"] & unclipped
    sums: dict[str, list[tuple[F64, F64]]] = {"R": [], "G": [], "B": []}
    for phase, (row, column) in phase_offsets(cfa).items():
        at_x, at_y = ((part[row::2, column::2] - np.float32(first)) / 2 for part, first in
                      ((map_x, column), (map_y, row)))  # fmt: skip
        plane = np.ascontiguousarray(blurred[row::2, column::2])
        aligned = np.asarray(
            cv2.remap(plane, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
        )
        sums[phase[0]].append((_block_sums(aligned * seen), _block_sums(sharp[row::2, column::2] * seen)))
    of_b, of_s = (
        np.stack([np.sum([pair[side] for pair in sums[colour]], axis=0) for colour in "RGB"])
        for side in (0, 1)
    )
    cells = _block_sums(seen.astype(np.float32))
    alike = _alike(of_b, of_s, cells >= BLOCK * BLOCK / 2)
    used = float(cells[alike].sum()) / seen.size
    if used < LEAST_USED:
        raise ImageMismatch(
            f"only {100 * used:.0f} % of the static pair tell the brightness of B against S",
            hint="record a static take in which little moves and little is clipped",
        )
    red, green, blue = (float(of_s[i][alike].sum() / of_b[i][alike].sum()) for i in range(3))
    moving = 1 - float((_at_cells(still["B"], map_x, map_y) & still["S"]).mean())
    return Brightness(
        beta=(red, green, blue),
        used=used,
        moving=moving,
        clipped=1 - float(unclipped.mean()),
        unlike=float(cells.sum()) / seen.size - used,
    )


def _at_cells(mask: Mask, map_x: NDArray[np.float32], map_y: NDArray[np.float32]) -> Mask:
    """Take a mask of B's cells to those of S; cells that lie outside B's frame are False."""
    at_x, at_y = (np.ascontiguousarray(part[::2, ::2] / 2) for part in (map_x, map_y))
    at_x, at_y = (part[: mask.shape[0], : mask.shape[1]] for part in (at_x, at_y))
    found = cv2.remap(
        mask.astype(np.float32), at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )
    return np.asarray(found > 0.99, np.bool_)


def _block_sums(values: NDArray[np.float32]) -> F64:
    """Sum an (h, w) plane of cells over blocks; the last ones may be smaller."""
    rows = np.add.reduceat(values, np.arange(0, values.shape[0], BLOCK), axis=0, dtype=np.float64)
    return np.asarray(np.add.reduceat(rows, np.arange(0, values.shape[1], BLOCK), axis=1), np.float64)


def _alike(of_b: F64, of_s: F64, enough: Mask) -> Mask:
    """Return the blocks whose ratio of S to B is that of the others, in every colour."""
    alike = enough & (of_b > 0).all(axis=0) & (of_s > 0).all(axis=0)
    if not alike.any():
        return alike
    ratio = np.log(np.maximum(of_s, 1e-9) / np.maximum(of_b, 1e-9))
    for _ in range(_ROUNDS):
        middle = np.median(ratio[:, alike], axis=1)
        off = np.abs(ratio - middle[:, None, None])
        limit = np.maximum(UNLIKE_MAD * 1.4826 * np.median(off[:, alike], axis=1), LEAST_UNLIKE)
        alike = alike & (off <= limit[:, None, None]).all(axis=0)
    return alike

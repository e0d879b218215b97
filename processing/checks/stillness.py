"""Does anything move between two frames of one camera, and where?

A block has changed when its difference is larger than noise can be, or when neighbouring differences are
alike, which noise never is. The second holds without knowing the noise: it also sees a rig that shakes, where
every block has changed and none is left to measure the noise on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.checks.blocks import BLOCK, check_same_kind, clipped_blocks, means, plane
from rig.raw_image import RawImage

EXCESS: Final = 2.0
"""Variance over that of noise: 256 samples scatter by 9 %, so this is eleven standard deviations."""

ALIKE: Final = 0.35
"""Correlation of neighbouring differences: 256 samples of noise give 0 +- 0.06, so nearly six of them."""

LEAST_BLOCKS: Final = 2
"""One block may be a single bad pixel that flickers."""

EVERYWHERE: Final = 0.3
"""From this share of the frame on it is the rig that moves, not something in front of it."""


@dataclass(frozen=True)
class Change:
    """What changed between two frames.

    Attributes:
        blocks: (rows, columns) bool, blocks of 32x32 pixels.
        share: Share of the frame that changed, 0 to 1.
        box_px: (left, top, right, bottom) of it in pixels; None when nothing moved.
        scale: Brightness of the second frame over the first's.
    """

    blocks: NDArray[np.bool_]
    share: float
    box_px: tuple[int, int, int, int] | None
    scale: float

    @property
    def moved(self) -> bool:
        """Whether something moved beyond doubt."""
        return self.box_px is not None


def change_between(first: RawImage, second: RawImage) -> Change:
    """Compare two frames of one camera and exposure; a change of the lamp alone is no change.

    Raises:
        ImageMismatch: The frames differ in kind.
    """
    check_same_kind(first, second)
    a, b = plane(first, "Gr"), plane(second, "Gr")
    mean_a, mean_b = means(a), means(b)
    usable = ~(clipped_blocks(a, first) & clipped_blocks(b, second))
    lit = usable & (mean_a > 4) & (mean_b > 4)
    scale = float(np.median(mean_b[lit] / mean_a[lit])) if lit.any() else 1.0
    difference = b - a * np.float32(scale)
    power = means(difference * difference)
    product = np.zeros_like(difference)
    np.multiply(difference[:, :-1], difference[:, 1:], out=product[:, :-1])
    product[:, BLOCK - 1 :: BLOCK] = 0  # the neighbour is in the next block
    alike = means(product) / np.maximum(power, np.float32(1e-6))
    level = np.maximum((mean_a + mean_b) / 2, 0)
    blocks = usable & (power > 0.05) & ((power > EXCESS * _noise(level, power, usable)) | (alike > ALIKE))
    if np.count_nonzero(blocks) < LEAST_BLOCKS:
        return Change(blocks, 0.0, None, scale)
    rows, columns = np.nonzero(blocks.any(axis=1))[0], np.nonzero(blocks.any(axis=0))[0]
    side = 2 * BLOCK
    box = (columns[0] * side, rows[0] * side, (columns[-1] + 1) * side, (rows[-1] + 1) * side)
    left, top, right, bottom = (int(v) for v in box)
    return Change(blocks, float(blocks.mean()), (left, top, right, bottom), scale)


def _noise(
    level: NDArray[np.float32], power: NDArray[np.float32], usable: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return what noise alone would give at each level, from the quieter blocks of similar level.

    The lower quartile, so that three quarters of them may move; of noise it lies 6 % below the mean.
    """
    flat, values = level[usable], power[usable]
    if flat.size < 20:
        return np.full_like(level, np.inf)
    groups = np.array_split(np.argsort(flat), min(16, flat.size // 10))
    centres = np.array([float(np.mean(flat[part])) for part in groups])
    quiet = np.array([float(np.quantile(values[part], 0.25)) for part in groups]) / 0.94
    # Below the darkest and above the brightest group noise follows the light; np.interp would hold it.
    known = np.interp(level, centres, quiet)
    above = np.maximum(level / max(centres[-1], 1e-6), 1.0)
    return np.asarray(known * above, np.float32)

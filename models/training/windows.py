"""Pieces of large pictures around what moved, kept decoded: for a training of minutes on a few pairs."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from models.training.pairs import PairSource, TrainingPair
from models.training.patches import patch_corner

__all__ = ["Windows"]

_SIDES = 6
"""A window is so many patches wide. In a full frame the mover is larger; other pairs show the rest of it."""
_KEEP_MIB = 512


class Windows:
    """One window of each pair of a source (a `PairSource`): a square around one of its blurred pixels.

    Decoding a full frame takes longer than a step, and a session's frames do not fit into memory together.
    Their windows do. A picture that is no larger than a window is kept whole.

    Args:
        source: The pairs.
        side_px: Side of the patches that will be cut.
        seed: Of the places.
        keep_mib: Windows are kept up to this size; the longest unused are decoded again.
    """

    def __init__(self, source: PairSource, side_px: int, seed: int, *, keep_mib: int = _KEEP_MIB) -> None:
        self.source, self.side_px, self.seed = source, _SIDES * side_px, seed
        self.keep_bytes = keep_mib << 20
        self._kept: OrderedDict[int, TrainingPair] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.source)

    def __getitem__(self, index: int) -> TrainingPair:
        """Return the window of a pair."""
        if index in self._kept:
            self._kept.move_to_end(index)
            return self._kept[index]
        window = self._cut(self.source[index], np.random.default_rng((self.seed, index)))
        self._kept[index] = window
        while len(self._kept) > 1 and sum(pair.nbytes for pair in self._kept.values()) > self.keep_bytes:
            self._kept.popitem(last=False)
        return window

    def _cut(self, pair: TrainingPair, rng: np.random.Generator) -> TrainingPair:
        height, width = pair.blurred.shape[:2]
        side = min(self.side_px, height, width)
        if max(height, width) <= self.side_px:
            return pair
        top, left = patch_corner(pair.mask, (height, width), side, rng)
        cut = (slice(top, top + side), slice(left, left + side))
        mask = None if pair.mask is None else pair.mask[cut].copy()
        return TrainingPair(pair.name, pair.blurred[cut].copy(), pair.sharp[cut].copy(), mask)

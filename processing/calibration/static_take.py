"""The static take as one frame a camera: the mean of its pairs, and where nothing moved between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.calibration.source_files import load_checked
from processing.calibration.takes import MosaicMean
from processing.chain import Mosaic
from processing.checks.blocks import BLOCK
from processing.checks.stillness import change_between
from processing.errors import ImageMismatch
from rig.records import PairRecord, RawPair

Mask = NDArray[np.bool_]

LEAST_STILL: Final = 0.1
"""Share of the frame that must not move, for a static take."""


@dataclass(frozen=True)
class StaticTake:
    """What the static pairs of a scene show.

    Attributes:
        mean: (H, W) float32 DN above black of "B" and "S".
        still: (H/2, W/2) bool of "B" and "S", each in its own grid: 2x2 cells where no pair differs from the
            first by more than noise, nor any neighbouring block. All of them when there is one pair only.
    """

    mean: dict[str, Mosaic]
    still: dict[str, Mask]

    @classmethod
    def of(cls, records: Sequence[PairRecord]) -> StaticTake:
        """Read the pairs one after the other, in the memory of two.

        Raises:
            SourceChanged: if a file is not what was recorded.
            ImageMismatch: if the frames differ in kind, or nearly everything moves.
        """
        means = {"B": MosaicMean(), "S": MosaicMean()}
        moved: dict[str, Mask] = {}
        first: RawPair | None = None
        for record in records:
            pair = load_checked(record)
            first = first or pair
            for camera, was, now in (("B", first.b, pair.b), ("S", first.s, pair.s)):
                means[camera].add(now)
                if pair is not first:
                    blocks = change_between(was, now).blocks
                    moved[camera] = moved.get(camera, np.zeros_like(blocks)) | blocks
        mosaics = {camera: mean.mosaic() for camera, mean in means.items()}
        still = {
            camera: _still(moved.get(camera), (mosaic.shape[0] // 2, mosaic.shape[1] // 2))
            for camera, mosaic in mosaics.items()
        }
        if min(float(mask.mean()) for mask in still.values()) < LEAST_STILL:
            raise ImageMismatch(
                "nearly everything moves between the static pairs", hint="record the static take again"
            )
        return cls(mosaics, still)


def _still(moved: Mask | None, shape: tuple[int, int]) -> Mask:
    """Turn blocks that moved into 2x2 cells that did not; a block's neighbours count as moved too."""
    if moved is None:
        return np.ones(shape, np.bool_)
    # What is left over at the right and the lower border goes with the last whole block.
    padded = np.pad(moved, ((0, 1), (0, 1)), mode="edge").astype(np.uint8)
    grown = cv2.dilate(padded, np.ones((3, 3), np.uint8))
    cells = np.repeat(np.repeat(grown, BLOCK, axis=0), BLOCK, axis=1)[: shape[0], : shape[1]]
    return np.asarray(cells == 0, np.bool_)

"""Is a whiteboard even enough to measure the plate's cast on it?

The cast is a smooth function of the place (Eq. 5, a cubic). What a cubic leaves is the board's own: an edge
in the picture, a shadow, a fold, a spot of glare. The colour correction would carry it into every frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from processing.checks.blocks import plane
from processing.colour import DEFAULT_PATCHES, exponents
from rig.raw_image import RawImage

OFF: Final = 0.03
"""A patch that is so far off the cubic fit is not board alone; noise of its mean is below 0.1 %."""

_DEGREE: Final = 3


@dataclass(frozen=True)
class Evenness:
    """Evenness of a board in one frame.

    Attributes:
        off_share: Share of the patches that a smooth cast cannot explain, 0 to 1.
        rms: What the smooth fit leaves of the good patches, as a share.
        darkest: Darkest patch over the brightest.
        box_px: (left, top, right, bottom) of the patches that are off; None when none is.
    """

    off_share: float
    rms: float
    darkest: float
    box_px: tuple[int, int, int, int] | None


def board_evenness(raw: RawImage) -> Evenness:
    """Measure the evenness of a board that fills the frame, on its green pixels; 5 ms.

    Raises:
        ImageMismatch: The frame is too small.
    """
    green = plane(raw, "Gr")
    across = min(DEFAULT_PATCHES[0], green.shape[1] // 4)
    down = min(DEFAULT_PATCHES[1], green.shape[0] // 4)
    patches = cv2.resize(green, (across, down), interpolation=cv2.INTER_AREA).astype(np.float64)
    y, x = np.meshgrid(np.linspace(-1, 1, down), np.linspace(-1, 1, across), indexing="ij")
    terms = np.stack([x.ravel() ** i * y.ravel() ** j for i, j in exponents(_DEGREE)], axis=1)
    values = np.log(np.maximum(patches, 1.0)).ravel()
    keep = np.ones(values.size, bool)
    off = np.zeros(values.size)
    for _ in range(8):
        solution = np.linalg.lstsq(terms[keep], values[keep], rcond=None)[0]
        off = np.abs(values - terms @ solution)
        limit = max(OFF, 3 * float(np.median(off)))
        if np.array_equal(keep, off <= limit):
            break
        keep = off <= limit
    bad = (off > OFF).reshape(down, across)
    box = None
    if bad.any():
        rows, columns = np.nonzero(bad.any(axis=1))[0], np.nonzero(bad.any(axis=0))[0]
        tall, wide = raw.pixels.shape[0] / down, raw.pixels.shape[1] / across
        box = (
            round(columns[0] * wide), round(rows[0] * tall),
            round((columns[-1] + 1) * wide), round((rows[-1] + 1) * tall),
        )  # fmt: skip
    return Evenness(
        off_share=float(bad.mean()),
        rms=float(np.sqrt(np.mean(off[keep] ** 2))) if keep.any() else 0.0,
        darkest=float(patches.min() / max(patches.max(), 1e-9)),
        box_px=box,
    )

"""How sharp a frame is, free of its brightness, its contrast and its noise; and B against S.

The figure is a ratio of structure functions of the green pixels, D(1) / D(4), where D(k) is the mean squared
difference of cells k apart. An edge that fills one cell gives 1/4, a smooth slope 1/16, texture down to the
pixel more. Noise would add to it, so each square is the product of the differences of the two greens of a
cell, whose noise is independent. What multiplies the picture cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.colour import phase_offsets
from rig.raw_image import RawImage

F32 = NDArray[np.float32]

PATCH: Final = 64
"""Cells along the side of a patch: 128 pixels, large against the misregistration of a few."""

PATCHES: Final = (7, 6)
"""Patches across and down, spread over the frame."""

LEAST_PATCHES: Final = 3
LEAST_CONTRAST: Final = 0.02
"""Patches whose brightness differs by less than 2 % over 8 px tell nothing: walls, sky, the whiteboard."""

SMOOTH: Final = 1 / 16
"""The figure of a smooth slope: nothing smaller than 8 px is left."""


_FLOOR: Final = SMOOTH / 4
"""Added to both: the ratio of nothing to nothing is 1."""


@dataclass(frozen=True)
class Sharpness:
    """Sharpness of a pair on what stands still.

    Attributes:
        b, s: Median over the patches, 1/16 (smooth) to 1; see the module.
        ratio: Median over the patches of B's detail over S's, the figure above 1/16: 1 when both are in focus
            alike.
        patches: How many patches had enough texture.
    """

    b: float
    s: float
    ratio: float
    patches: int


def patch_sharpness(raw: RawImage) -> tuple[F32, F32]:
    """Return the figure of each patch, (rows, columns), nan where it is featureless, and its mean light.

    4 ms at 2448x2048: a quarter of the frame is looked at.
    """
    offsets = phase_offsets(raw.cfa)
    greens = [raw.pixels[row::2, column::2] for row, column in (offsets["Gr"], offsets["Gb"])]
    height, width = greens[0].shape
    side = min(PATCH, height // 2, width // 2)
    across, down = max(min(PATCHES[0], width // side), 1), max(min(PATCHES[1], height // side), 1)
    figure = np.full((down, across), np.nan, np.float32)
    light = np.zeros((down, across), np.float32)
    for row, top in enumerate(np.linspace(0, height - side, down).astype(int)):
        for column, left in enumerate(np.linspace(0, width - side, across).astype(int)):
            one, two = (
                green[top : top + side, left : left + side].astype(np.float32) - np.float32(raw.black_level)
                for green in greens
            )
            mean = float(one.mean() + two.mean()) / 2
            light[row, column] = mean
            near, far = _structure(one, two, 1), _structure(one, two, 4)
            if mean > 0 and far > (LEAST_CONTRAST * mean) ** 2:
                figure[row, column] = near / far
    return figure, light


def _structure(one: F32, two: F32, step: int) -> float:
    """Return D(step) along rows and columns, by the products of the two greens."""
    along = (one[:, step:] - one[:, :-step]) * (two[:, step:] - two[:, :-step])
    down = (one[step:] - one[:-step]) * (two[step:] - two[:-step])
    return float(along.mean() + down.mean())


def pair_sharpness(b: RawImage, s: RawImage) -> Sharpness | None:
    """Compare the sharpness of both cameras on what they both see; None where there is too little texture.

    The median over the patches leaves out a moving object, which is blurred in B on purpose.
    """
    return compare_sharpness(patch_sharpness(b)[0], patch_sharpness(s)[0])


def compare_sharpness(of_b: F32, of_s: F32) -> Sharpness | None:
    """Do what `pair_sharpness` does from the figures of both frames' patches."""
    if of_b.shape != of_s.shape:
        return None
    with np.errstate(invalid="ignore"):
        usable = np.isfinite(of_b) & np.isfinite(of_s) & (of_s > 0)
    if np.count_nonzero(usable) < LEAST_PATCHES:
        return None
    b_here, s_here = of_b[usable], of_s[usable]
    detail_b, detail_s = (np.maximum(part - SMOOTH, 0) + _FLOOR for part in (b_here, s_here))
    ratio = float(np.median(detail_b / detail_s))
    return Sharpness(float(np.median(b_here)), float(np.median(s_here)), ratio, int(usable.sum()))

"""Quick statistics of RAW frames: sub-sampled levels of each colour, and means over small blocks.

All of it works on whole 2x2 cells of the colour filter array, so that no colour leaks into another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.colour import PHASES, phase_offsets
from processing.errors import ImageMismatch
from rig.raw_image import RawImage

F32 = NDArray[np.float32]

BLOCK: Final = 16
"""Cells along the side of a block: 32 pixels, and 256 samples of each colour."""

SAMPLE_STEP: Final = 4
"""Every 4th cell of every 4th row of cells: 78,000 samples a colour at full size, in 2 ms."""

COLOURS: Final = ("R", "G", "B")


@dataclass(frozen=True)
class Levels:
    """Brightness of a frame, above black, by Bayer phase (R, Gr, Gb, B).

    Attributes:
        clipped: Share of the samples at or above the white level, 0 to 1.
        high_dn: 99.9th percentile, in DN.
        median_dn: Median, in DN.
        constant: Every sample has the same code: no picture, not even noise.
    """

    clipped: dict[str, float]
    high_dn: dict[str, float]
    median_dn: dict[str, float]
    constant: bool

    def colour(self, values: dict[str, float], name: str) -> float:
        """Return the value of R, G (the mean of both greens) or B."""
        return (values["Gr"] + values["Gb"]) / 2 if name == "G" else values[name]


def levels(raw: RawImage, step: int = SAMPLE_STEP) -> Levels:
    """Measure a frame on every ``step``-th cell; 2 ms at 2448x2048."""
    clipped, high, median = {}, {}, {}
    constant = True
    for phase, (row, column) in phase_offsets(raw.cfa).items():
        codes = np.bincount(raw.pixels[row :: 2 * step, column :: 2 * step].ravel())
        total = int(codes.sum())
        white = int(raw.white_level)
        clipped[phase] = float(codes[white:].sum()) / total
        below = np.cumsum(codes)
        high[phase] = float(np.searchsorted(below, 0.999 * total)) - raw.black_level
        median[phase] = _median(codes, below, total) - raw.black_level
        constant = constant and np.count_nonzero(codes) == 1
    return Levels(clipped, high, median, constant)


def _median(codes: NDArray[np.int64], below: NDArray[np.int64], total: int) -> float:
    """Return the median with the share of its own code: whole codes are too coarse in the dark."""
    code = int(np.searchsorted(below, total / 2))
    before = float(below[code - 1]) if code else 0.0
    return code - 0.5 + (total / 2 - before) / max(float(codes[code]), 1.0)


def plane(raw: RawImage, phase: str, *, size: int = BLOCK) -> F32:
    """Return one Bayer phase as (h, w) float32 DN above black, cut to whole blocks.

    Raises:
        ImageMismatch: The frame is smaller than one block.
    """
    row, column = phase_offsets(raw.cfa)[phase]
    codes = raw.pixels[row::2, column::2]
    height, width = codes.shape[0] // size * size, codes.shape[1] // size * size
    if not height or not width:
        raise ImageMismatch(f"a frame of {raw.pixels.shape[1]}x{raw.pixels.shape[0]} px is too small")
    out = codes[:height, :width].astype(np.float32)
    out -= np.float32(raw.black_level)
    return out


def means(values: F32, size: int = BLOCK) -> F32:
    """Return the (h / size, w / size) means over blocks of an (h, w) plane cut to whole blocks."""
    height, width = values.shape
    small = cv2.resize(values, (width // size, height // size), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def clipped_blocks(values: F32, raw: RawImage, size: int = BLOCK) -> NDArray[np.bool_]:
    """Return (h / size, w / size) bool: blocks of a `plane` that hold a clipped sample."""
    over = np.asarray(values >= np.float32(raw.white_level - raw.black_level))
    return np.asarray(means(over.astype(np.float32), size) > 0, np.bool_)


def check_same_kind(a: RawImage, b: RawImage) -> None:
    """Make sure that two frames can be compared pixel by pixel.

    Raises:
        ImageMismatch: They differ in size or colour order.
    """
    if a.pixels.shape != b.pixels.shape or a.cfa != b.cfa:
        raise ImageMismatch(
            f"frames of different kind: {a.pixels.shape[1]}x{a.pixels.shape[0]} {a.cfa} and "
            f"{b.pixels.shape[1]}x{b.pixels.shape[0]} {b.cfa}",
            hint="both cameras must have the same region of interest",
        )


__all__ = [
    "BLOCK", "COLOURS", "PHASES", "Levels", "check_same_kind", "clipped_blocks", "levels", "means", "plane",
]  # fmt: skip

"""Warping by a windowed sinc of ten taps, in the spirit of the paper's CMTF interpolation.

The kernel of "constant MTF" interpolation is not public: neither its paper nor its vendor gives coefficients.
What its name says is that the contrast of fine detail shall not depend on where between two pixels a sample
falls. A Kaiser-windowed sinc of ten taps (beta 4) keeps it to 1.000 +- 0.003 up to 0.35 cycles a pixel, where
the cubic B-spline falls to 0.84 half-way between pixels. So the kernel here is called `cmtf_like`.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import geometry
from processing.alignment.banded import BandedWarp

TAPS: Final = geometry.SINC_TAPS
PHASES: Final = geometry.SINC_PHASES
BETA: Final = 4.0
FIRST: Final = 1 - TAPS // 2
"""Of the taps, counted from the whole pixel at or below the position."""

Float = NDArray[np.float32]


@cache
def sinc_table() -> Float:
    """Return (257, 10) float32: the taps at 256 phases from 0 to 1 and at 1 itself.

    A windowed sinc alone would neither keep a constant (sum h = 1) nor move a ramp by what was asked
    (sum i h = s). Each phase is divided by its sum, then tilted by the least change, in the sense of least
    squares, that corrects the first moment.
    """
    phase = np.arange(PHASES + 1)[:, None] / PHASES
    at = np.arange(FIRST, FIRST + TAPS)[None, :] - phase
    inside = np.maximum(1 - (at / (TAPS / 2)) ** 2, 0)
    taps = np.sinc(at) * np.i0(BETA * np.sqrt(inside))
    taps /= taps.sum(axis=1, keepdims=True)
    tilt = at - at.mean(axis=1, keepdims=True)
    taps -= (taps * at).sum(axis=1, keepdims=True) / (tilt * at).sum(axis=1, keepdims=True) * tilt
    return np.ascontiguousarray(taps, np.float32)


class SincWarp(BandedWarp):
    """A warp by a windowed sinc."""

    def __call__(self, image: Float, *, threads: int = 2) -> Float:
        """Sample an (H, W) or (H, W, 3) float32 image: (h, w) or (h, w, 3) float32. Outside is mirrored."""
        image, table = np.ascontiguousarray(image, np.float32), sinc_table()
        return self._bands(image.shape[2:], lambda x, y, out: geometry.sinc(image, table, x, y, out), threads)

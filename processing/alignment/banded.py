"""A warp as far as all kernels share it: sampling positions kept for many images, and bands of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.threads import share

Float = NDArray[np.float32]

_BAND_ROWS: Final = 128


class BandedWarp:
    """Samples images of one size at fixed positions, band by band; a band is worked out alone.

    Args:
        map_x: (h, w) float32, column in the source for each output pixel.
        map_y: (h, w) float32, row in the source.
    """

    def __init__(self, map_x: Float, map_y: Float) -> None:
        self.shape = map_x.shape
        self._x, self._y = (np.ascontiguousarray(part, np.float32) for part in (map_x, map_y))

    def _bands(
        self, channels: tuple[int, ...], sample: Callable[[Float, Float, Float], None], threads: int
    ) -> Float:
        """Fill the bands of a new image by sample(map_x, map_y, out), on so many threads, and return it."""
        out = np.empty(self.shape + channels, np.float32)
        bands = [slice(start, start + _BAND_ROWS) for start in range(0, self.shape[0], _BAND_ROWS)]
        share(lambda rows: sample(self._x[rows], self._y[rows], out[rows]), bands, threads)
        return out

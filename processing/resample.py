"""Warping by prefiltered cubic B-splines (for the paper's CMTF interpolation, whose kernel is not public).

The spline's coefficients come from a symmetric FIR filter; its four-tap sum along each axis is folded into
two linear interpolations, which OpenCV does exactly. One warp is thus four linear remaps. Cubic
convolution is never used: its slope error moves edges by up to 0.02 px.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

_REACH: Final = 12
_TAPS: Final = (np.sqrt(3.0) - 2.0) ** np.abs(np.arange(-_REACH, _REACH + 1))
_PREFILTER: Final = _TAPS / _TAPS.sum()
"""The spline's inverse filter sqrt(3) z^|k|, z = sqrt(3) - 2, cut at 1e-7, with a sum of exactly 1."""
_BAND_ROWS: Final = 128

Float = NDArray[np.float32]


def spline_coefficients(image: Float) -> Float:
    """Return the cubic B-spline coefficients of an (H, W) or (H, W, C) float32 image, mirrored outside."""
    return np.asarray(
        cv2.sepFilter2D(image, cv2.CV_32F, _PREFILTER, _PREFILTER, borderType=cv2.BORDER_REFLECT_101),
        np.float32,
    )


def _linear_taps(position: Float) -> tuple[Float, Float, Float]:
    """Fold the four B-spline weights at a position into two linear samples: (at_0, at_1, weight of at_0)."""
    base = np.floor(position)
    t = position - base
    s = np.float32(1) - t
    w0 = s * s * s * np.float32(1 / 6)
    w3 = t * t * t * np.float32(1 / 6)
    w1 = np.float32(2 / 3) - t * t * (np.float32(1) - np.float32(0.5) * t)
    g0 = w0 + w1
    g1 = np.float32(1) - g0
    at_0 = base - np.float32(1) + w1 / g0
    at_1 = base + np.float32(1) + w3 / g1
    return at_0, at_1, g0


class SplineWarp:
    """A warp with cached sampling positions, to be applied to many images of one size.

    Args:
        map_x: (h, w) float32, column in the source for each output pixel.
        map_y: (h, w) float32, row in the source.
    """

    def __init__(self, map_x: Float, map_y: Float) -> None:
        self.shape = map_x.shape
        self._x = _linear_taps(np.asarray(map_x, np.float32))
        self._y = _linear_taps(np.asarray(map_y, np.float32))

    def __call__(self, image: Float, *, threads: int = 2) -> Float:
        """Sample an (H, W) or (H, W, C) float32 image: (h, w) or (h, w, C) float32. Outside is mirrored."""
        coefficients = spline_coefficients(image)
        out = np.empty(self.shape + image.shape[2:], np.float32)
        bands = [slice(start, start + _BAND_ROWS) for start in range(0, self.shape[0], _BAND_ROWS)]

        def work(rows: slice) -> None:
            out[rows] = self._band(coefficients, rows)

        with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
            list(pool.map(work, bands))
        return out

    def _band(self, coefficients: Float, rows: slice) -> Float:
        x0, x1, gx = (part[rows] for part in self._x)
        y0, y1, gy = (part[rows] for part in self._y)

        def sample(x: Float, y: Float) -> Float:
            return np.asarray(
                cv2.remap(coefficients, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.float32
            )

        if coefficients.ndim == 3:
            gx, gy = gx[..., None], gy[..., None]
        upper, lower = sample(x1, y0), sample(x1, y1)
        upper += gx * (sample(x0, y0) - upper)
        lower += gx * (sample(x0, y1) - lower)
        lower += gy * (upper - lower)
        return lower


def warp(image: Float, map_x: NDArray[Any], map_y: NDArray[Any]) -> Float:
    """Sample an image once by cubic B-splines; see `SplineWarp`."""
    return SplineWarp(np.asarray(map_x, np.float32), np.asarray(map_y, np.float32))(image)

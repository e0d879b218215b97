"""Structural similarity (Wang et al. 2004) as the authors' code computes it, in bands of rows.

An 11x11 Gaussian window of sigma 1.5, biased variances, K1 = 0.01, K2 = 0.03. Memory is bounded by the band,
and sums are taken row by row in double precision, so neither bands nor threads show in the result.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.errors import ImageMismatch

SSIM_WINDOW: Final = 11
SSIM_SIGMA: Final = 1.5
REACH: Final = SSIM_WINDOW // 2
_BAND_ROWS: Final = 48

Plane = NDArray[np.float32]


def check_sizes(a: NDArray[Any], b: NDArray[Any]) -> None:
    """Make sure that two images can be compared pixel by pixel.

    Raises:
        ImageMismatch: if their shapes differ or one of them is empty.
    """
    if a.shape != b.shape:
        raise ImageMismatch(f"images of different size: {a.shape} and {b.shape}")
    if a.size == 0:
        raise ImageMismatch("the images hold no pixel")


def ssim_sums(
    a: NDArray[Any],
    b: NDArray[Any],
    weight: NDArray[Any] | None = None,
    *,
    valid: bool = True,
    threads: int = 2,
    band_rows: int = _BAND_ROWS,
) -> tuple[float, float]:
    """Return the weighted sum of the SSIM map over pixels and channels, and the sum of the weights.

    Args:
        a: (H, W) or (H, W, C), uint8 with peak 255 or float32 with peak 1.
        b: of the same shape and type.
        weight: (H, W), or the shape of `a`; None weighs all alike.
        valid: only where the window lies inside the image; otherwise the images are mirrored at their edges
            (the edge pixel is repeated), as scikit-image does.
        threads: size of the thread pool.
        band_rows: rows a thread works on at a time.

    Raises:
        ImageMismatch: if sizes differ, or an image is smaller than the window.
    """
    check_sizes(a, b)
    if weight is not None and weight.shape not in (a.shape, a.shape[:2]):
        raise ImageMismatch(f"weights of {weight.shape} for images of {a.shape}")
    if min(a.shape[:2]) < SSIM_WINDOW:
        raise ImageMismatch("images smaller than the SSIM window", hint=f"{SSIM_WINDOW} pixels at least")
    edge = REACH if valid else 0
    bottom = a.shape[0] - edge
    inner = slice(edge, a.shape[1] - edge)

    def work(start: int) -> tuple[list[float], list[float]]:
        stop = min(start + band_rows, bottom)
        above, below = max(start - REACH, 0), min(stop + REACH, a.shape[0])
        full = ssim_map(a[above:below], b[above:below])
        values = np.ascontiguousarray(full[start - above : stop - above, inner])
        if weight is None:
            return _row_sums(values), [float(values[0].size)] * len(values)
        part = weight[start:stop, inner].astype(np.float32)
        weights = np.broadcast_to(part[..., None] if part.ndim < values.ndim else part, values.shape)
        return _row_sums(values * weights), _row_sums(np.ascontiguousarray(weights))

    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        bands = list(pool.map(work, range(edge, bottom, max(1, band_rows))))
    return math.fsum(v for band in bands for v in band[0]), math.fsum(w for band in bands for w in band[1])


def _row_sums(values: Plane) -> list[float]:
    sums = cv2.reduce(values.reshape(len(values), -1), 1, cv2.REDUCE_SUM, dtype=cv2.CV_64F)
    return [float(s) for s in np.ravel(sums)]


def _window(image: Plane) -> Plane:
    kernel = cv2.getGaussianKernel(SSIM_WINDOW, SSIM_SIGMA, cv2.CV_32F)
    blurred = cv2.sepFilter2D(image, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32).reshape(image.shape)


def ssim_map(a: NDArray[Any], b: NDArray[Any]) -> Plane:
    """Return the SSIM of every pixel and channel, float32 of the shape of `a`, mirrored at the edges."""
    peak = 255.0 if a.dtype == np.uint8 else 1.0
    c1, c2 = np.float32((0.01 * peak) ** 2), np.float32((0.03 * peak) ** 2)
    x, y = a.astype(np.float32), b.astype(np.float32)
    mean_x, mean_y = _window(x), _window(y)
    products = _window(x * y)
    np.multiply(x, x, out=x)
    np.multiply(y, y, out=y)
    x += y
    powers = _window(x)
    cross = np.multiply(mean_x, mean_y, out=x)
    np.multiply(mean_x, mean_x, out=mean_x)
    np.multiply(mean_y, mean_y, out=mean_y)
    mean_x += mean_y  # squares of the means
    products -= cross  # covariance
    powers -= mean_x  # sum of both variances
    cross *= 2
    products *= 2
    cross += c1
    products += c2
    cross *= products
    mean_x += c1
    powers += c2
    mean_x *= powers
    cross /= mean_x
    return cross

"""How well two images agree: Delta-L (paper appendix, Eq. 1), PSNR and SSIM, on 8-bit images.

PSNR and SSIM follow the authors' evaluation code: rounded to 8 bits, range 1, SSIM with an 11x11 Gaussian
window of sigma 1.5 on the valid area only, biased variances, mean over pixels and channels.
"""

from __future__ import annotations

from typing import Any, Final, TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.errors import ImageMismatch

SSIM_WINDOW: Final = 11
SSIM_SIGMA: Final = 1.5
_C1: Final = np.float32(0.01**2)
_C2: Final = np.float32(0.03**2)

Image = NDArray[np.uint8]


class PairMetrics(TypedDict):
    """Agreement of a static pair."""

    delta_l_percent: float
    psnr_db: float
    ssim: float


def _check(a: NDArray[Any], b: NDArray[Any]) -> None:
    if a.shape != b.shape:
        raise ImageMismatch(f"images of different size: {a.shape} and {b.shape}")


def delta_l(sharp: Image, blurred: Image, *, gray: bool = False) -> float:
    """Return Delta-L in percent: sum |l1 - l2| / sum l2 with l1 the sharp, l2 the blurred image.

    Args:
        sharp: (H, W, 3) uint8.
        blurred: (H, W, 3) uint8.
        gray: compare luma instead of the three channels (the paper does not say which it used).

    Raises:
        ImageMismatch: if the sizes differ or the second image is black.
    """
    _check(sharp, blurred)
    if gray:
        sharp = np.asarray(cv2.cvtColor(sharp, cv2.COLOR_RGB2GRAY), np.uint8)
        blurred = np.asarray(cv2.cvtColor(blurred, cv2.COLOR_RGB2GRAY), np.uint8)
    total = float(np.sum(blurred, dtype=np.float64))
    if total == 0:
        raise ImageMismatch("Delta-L is not defined against a black image")
    return 100.0 * float(cv2.norm(sharp, blurred, cv2.NORM_L1)) / total


def psnr(a: Image, b: Image) -> float:
    """Return the peak signal to noise ratio in dB over all channels; infinity for equal images."""
    _check(a, b)
    squares = float(cv2.norm(a, b, cv2.NORM_L2SQR))
    return float("inf") if squares == 0 else 10 * float(np.log10(255.0**2 * a.size / squares))


def ssim(a: Image, b: Image) -> float:
    """Return the mean structural similarity of two (H, W, 3) or (H, W) uint8 images of 11 pixels or more.

    Worked on in bands of rows, so that memory stays small.
    """
    _check(a, b)
    if min(a.shape[:2]) < SSIM_WINDOW:
        raise ImageMismatch("images smaller than the SSIM window", hint=f"{SSIM_WINDOW} pixels at least")
    reach = SSIM_WINDOW // 2
    rows = a.shape[0] - 2 * reach
    total, count = 0.0, 0
    for start in range(0, rows, 128):
        stop = min(start + 128, rows) + 2 * reach
        values = _ssim_map(a[start:stop], b[start:stop])[reach:-reach, reach:-reach]
        total += float(np.sum(values, dtype=np.float64))
        count += values.size
    return total / count


def _window(image: NDArray[np.float32]) -> NDArray[np.float32]:
    kernel = cv2.getGaussianKernel(SSIM_WINDOW, SSIM_SIGMA, cv2.CV_32F)
    return np.asarray(cv2.sepFilter2D(image, cv2.CV_32F, kernel, kernel), np.float32)


def _ssim_map(a: Image, b: Image) -> NDArray[np.float32]:
    x = a.astype(np.float32) / np.float32(255)
    y = b.astype(np.float32) / np.float32(255)
    mean_x, mean_y = _window(x), _window(y)
    cross = mean_x * mean_y
    squares = mean_x * mean_x + mean_y * mean_y
    covariance = _window(x * y) - cross
    variances = _window(x * x + y * y) - squares
    similarity = ((2 * cross + _C1) * (2 * covariance + _C2)) / ((squares + _C1) * (variances + _C2))
    return np.asarray(similarity, np.float32)


def pair_metrics(sharp: Image, blurred: Image) -> PairMetrics:
    """Return Delta-L (RGB), PSNR and SSIM of a pair of (H, W, 3) uint8 images."""
    return {
        "delta_l_percent": delta_l(sharp, blurred),
        "psnr_db": psnr(sharp, blurred),
        "ssim": ssim(sharp, blurred),
    }

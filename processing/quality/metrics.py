"""How well two images agree: Delta-L (paper appendix, Eq. 1), PSNR and SSIM, on 8-bit images.

PSNR and SSIM follow the authors' evaluation code: rounded to 8 bits, range 1, SSIM with an 11x11 Gaussian
window of sigma 1.5 on the valid area only, biased variances, mean over pixels and channels.
"""

from __future__ import annotations

from typing import TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.errors import ImageMismatch
from processing.quality.similarity import check_sizes, ssim_sums

Image = NDArray[np.uint8]


class PairMetrics(TypedDict):
    """Agreement of a static pair."""

    delta_l_percent: float
    psnr_db: float
    ssim: float


def delta_l(sharp: Image, blurred: Image, *, gray: bool = False) -> float:
    """Return Delta-L in percent: sum |l1 - l2| / sum l2 with l1 the sharp, l2 the blurred image.

    Args:
        sharp: (H, W, 3) uint8, or (H, W).
        blurred: of the same shape.
        gray: compare luma (0.299 R + 0.587 G + 0.114 B, rounded) instead of the
            three channels (the paper does not say which it used).

    Raises:
        ImageMismatch: if the sizes differ or the second image is black.
    """
    check_sizes(sharp, blurred)
    if gray and sharp.ndim == 3:
        sharp = np.asarray(cv2.cvtColor(sharp, cv2.COLOR_RGB2GRAY), np.uint8)
        blurred = np.asarray(cv2.cvtColor(blurred, cv2.COLOR_RGB2GRAY), np.uint8)
    total = float(np.sum(blurred, dtype=np.float64))
    if total == 0:
        raise ImageMismatch("Delta-L is not defined against a black image")
    return 100.0 * float(cv2.norm(sharp, blurred, cv2.NORM_L1)) / total


def psnr(a: Image, b: Image) -> float:
    """Return the peak signal to noise ratio in dB over all channels; infinity for equal images."""
    check_sizes(a, b)
    squares = float(cv2.norm(a, b, cv2.NORM_L2SQR))
    return float("inf") if squares == 0 else 10 * float(np.log10(255.0**2 * a.size / squares))


def ssim(a: Image, b: Image, *, threads: int = 2) -> float:
    """Return the mean structural similarity of two (H, W, 3) or (H, W) uint8 images of 11 pixels or more.

    Raises:
        ImageMismatch: if sizes differ, or an image is smaller than the window.
    """
    total, count = ssim_sums(a, b, threads=threads)
    return total / count


def pair_metrics(sharp: Image, blurred: Image) -> PairMetrics:
    """Return Delta-L (RGB), PSNR and SSIM of a pair of (H, W, 3) uint8 images."""
    return {
        "delta_l_percent": delta_l(sharp, blurred),
        "psnr_db": psnr(sharp, blurred),
        "ssim": ssim(sharp, blurred),
    }

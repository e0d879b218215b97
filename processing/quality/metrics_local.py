"""PSNR and SSIM inside a blur mask, and after alignment, each in two readings.

`paper` is what section 5 of the paper prints, `released` what the authors' public code computes; published
figures come from the latter.

- PSNR_w. paper: mean over the mask of the PSNR of every pixel; released: the PSNR of one mean squared error
  over the mask, sum w e^2 / sum w / 3.
- SSIM_w: mean of the map over the mask. paper: of the whole image, mirrored at its edges; released: an edge
  of 5 pixels left out, where the window does not fit.
- PSNR_a, SSIM_a. paper: after RealBlur, over what both images show; released: over the whole image, and what
  only one of them shows counts as equal.

All work on images rounded to 8 bits, as the authors' code does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.errors import ImageMismatch, MetricUndefined, RegistrationFailed
from processing.quality.similarity import REACH, SSIM_WINDOW, check_sizes, ssim_sums

Image = NDArray[np.uint8]
Reading = Literal["paper", "released"]
READINGS: Final[tuple[Reading, ...]] = ("paper", "released")

ROUNDING_ERROR: Final = 1 / 12
"""Mean squared error of rounding, in grey levels squared.

The printed PSNR_w averages the PSNR of single pixels, which is infinite where an error is zero; one such
pixel would make the whole figure infinite. Equal 8-bit values only say that the error is below half a level,
so they count with the mean square of an error spread evenly over one level: 58.92 dB, above any pixel that
differs.
"""
ECC_ITERATIONS: Final = 100
_ECC_GAUSS: Final = 5
_BAND_ROWS: Final = 256


class LocalMetrics(TypedDict):
    """The four local figures of one reading; None where nothing was asked (no mask, no alignment)."""

    psnr_w_db: float | None
    ssim_w: float | None
    psnr_a_db: float | None
    ssim_a: float | None


def inside_mask(mask: NDArray[Any], image: Image) -> NDArray[np.uint8]:
    """Return 1 where a mask (H, W) is not zero and 0 elsewhere.

    Raises:
        ImageMismatch: if the mask has not the size of the image.
        MetricUndefined: if it is empty.
    """
    if mask.shape != image.shape[:2]:
        raise ImageMismatch(f"a mask of {mask.shape} for images of {image.shape}")
    inside = (mask > 0).astype(np.uint8)
    if not inside.any():
        raise MetricUndefined("the mask is empty: there is nothing to weigh")
    return inside


def _decibels(mean_square: float, peak: float) -> float:
    return float("inf") if mean_square == 0 else float(10 * np.log10(peak * peak / mean_square))


def weighted_psnr(sharp: Image, other: Image, mask: NDArray[Any], reading: Reading = "released") -> float:
    """Return PSNR_w in dB: the peak signal to noise ratio inside a mask.

    Args:
        sharp: (H, W, 3) or (H, W) uint8, the ground truth.
        other: of the same shape: what is judged.
        mask: (H, W), not zero inside.
        reading: "paper" averages the PSNR of every pixel (its squared error is the mean over the channels;
            see `ROUNDING_ERROR` for equal pixels); "released" takes the PSNR of the mean squared error,
            infinity for equal images.

    Raises:
        ImageMismatch: if sizes differ.
        MetricUndefined: if the mask is empty.
    """
    check_sizes(sharp, other)
    inside = inside_mask(mask, sharp)
    channels = sharp[0, 0].size
    if reading == "released":
        squares = float(cv2.norm(sharp, other, cv2.NORM_L2SQR, inside))
        return _decibels(squares / (cv2.countNonZero(inside) * channels), 255.0)
    counts = np.zeros(255 * 255 * channels + 1, np.int64)  # how often each sum of squares occurs
    for top in range(0, len(sharp), _BAND_ROWS):
        band = slice(top, top + _BAND_ROWS)
        where = inside[band] > 0
        error = sharp[band][where].astype(np.int32) - other[band][where]
        sums = np.sum((error * error).reshape(len(error), channels), axis=1)
        counts += np.bincount(sums, minlength=counts.size)
    occurring = np.flatnonzero(counts)
    decibels = 10 * np.log10(255.0**2 / np.maximum(occurring / channels, ROUNDING_ERROR))
    return float(np.sum(decibels * counts[occurring]) / counts.sum())


def weighted_ssim(
    sharp: Image, other: Image, mask: NDArray[Any], reading: Reading = "released", *, threads: int = 2
) -> float:
    """Return SSIM_w: the mean of the structural similarity map inside a mask, over pixels and channels.

    Args:
        sharp: (H, W, 3) or (H, W) uint8 of 11 pixels or more, the ground truth.
        other: of the same shape: what is judged.
        mask: (H, W), not zero inside.
        reading: "paper" takes the map of the whole image, mirrored at the edges; "released" only where the
            window lies inside the image, the mask cut by the same 5 pixels.
        threads: size of the thread pool.

    Raises:
        ImageMismatch: if sizes differ, or an image is smaller than the window.
        MetricUndefined: if the mask is empty (where it is used).
    """
    check_sizes(sharp, other)
    valid = reading == "released"
    total, weights = ssim_sums(sharp, other, inside_mask(mask, sharp), valid=valid, threads=threads)
    if weights == 0:
        raise MetricUndefined(f"the mask lies in the outermost {REACH} pixels, which the reading leaves out")
    return total / weights


@dataclass(frozen=True)
class Alignment:
    """Two images brought onto each other by the scheme of Koehler et al. 2012, as RealBlur uses it.

    Attributes:
        sharp: ground truth in [0, 1], float32, zero where the other image shows nothing.
        other: the other image, brought to the truth's brightness and place; likewise.
        seen: float32 0 or 1, of the same shape: what both show.
        matrix: (3, 3) homography from the truth's pixels to the other image's.
        gain: factor on the other image's values.
    """

    sharp: NDArray[np.float32]
    other: NDArray[np.float32]
    seen: NDArray[np.float32]
    matrix: NDArray[np.float32]
    gain: float

    @classmethod
    def of(cls, sharp: Image, other: Image, *, iterations: int = ECC_ITERATIONS) -> Alignment:
        """Align `other` with `sharp`: one gain, then a homography that maximises the correlation.

        Args:
            sharp: (H, W, 3) or (H, W) uint8.
            other: of the same shape.
            iterations: of the enhanced correlation coefficient; all are made, as in the original.

        Raises:
            ImageMismatch: if sizes differ or the images are smaller than 11 pixels.
            MetricUndefined: if the other image is black.
            RegistrationFailed: if the correlation finds no maximum (flat or unrelated images).
        """
        check_sizes(sharp, other)
        if min(sharp.shape[:2]) < SSIM_WINDOW:
            raise ImageMismatch("images too small to be aligned", hint=f"{SSIM_WINDOW} pixels at least")
        truth, moved = (np.asarray(i, np.float32) / np.float32(255) for i in (sharp, other))
        power = float(np.sum(moved * moved, dtype=np.float64))
        if power == 0:
            raise MetricUndefined("a black image cannot be aligned")
        gain = float(np.sum(truth * moved, dtype=np.float64)) / power
        moved *= np.float32(gain)
        matrix = _homography(truth, moved, iterations)
        size = (truth.shape[1], truth.shape[0])
        ones = np.ones(truth.shape, np.float32)
        nearest = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        seen = cv2.warpPerspective(ones, matrix, size, flags=nearest, borderMode=cv2.BORDER_CONSTANT)
        cubic = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        warped = cv2.warpPerspective(moved, matrix, size, flags=cubic, borderMode=cv2.BORDER_REFLECT)
        common = np.asarray(seen, np.float32).reshape(truth.shape)
        if not common.any():
            raise RegistrationFailed("after alignment the images have nothing in common")
        return cls(truth * common, np.asarray(warped, np.float32) * common, common, matrix, gain)

    def psnr(self, reading: Reading = "released") -> float:
        """Return PSNR_a in dB; see the top of this file."""
        squares = float(np.sum((self.sharp - self.other) ** 2, dtype=np.float64))
        counted = float(np.sum(self.seen, dtype=np.float64)) if reading == "paper" else self.seen.size
        return _decibels(squares / counted, 1.0)

    def ssim(self, reading: Reading = "released", *, threads: int = 2) -> float:
        """Return SSIM_a; see the top of this file.

        Raises:
            MetricUndefined: if only an edge of 5 pixels is seen in both.
        """
        weight = self.seen if reading == "paper" else None
        total, weights = ssim_sums(self.sharp, self.other, weight, threads=threads)
        if weights == 0:
            raise MetricUndefined("after alignment the images share no more than their edges")
        return total / weights


def _homography(
    truth: NDArray[np.float32], moved: NDArray[np.float32], iterations: int
) -> NDArray[np.float32]:
    grey = [cv2.cvtColor(i, cv2.COLOR_RGB2GRAY) if i.ndim == 3 else i for i in (truth, moved)]
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, iterations, 0.0)
    start = np.eye(3, dtype=np.float32)
    hint = "the images must show the same scene, less than some pixels apart"
    try:
        found, matrix = cv2.findTransformECC(
            grey[0], grey[1], start, cv2.MOTION_HOMOGRAPHY, criteria, None, _ECC_GAUSS
        )  # type: ignore[call-overload]
    except cv2.error as error:
        raise RegistrationFailed("the images cannot be aligned by correlation", hint=hint) from error
    if not (np.isfinite(found) and np.isfinite(matrix).all()):
        raise RegistrationFailed("the images are too flat to be aligned by correlation", hint=hint)
    return np.asarray(matrix, np.float32)


def aligned_psnr(sharp: Image, other: Image, reading: Reading = "released") -> float:
    """Return PSNR_a in dB of `other` against `sharp`; arguments and errors of `Alignment.of`."""
    return Alignment.of(sharp, other).psnr(reading)


def aligned_ssim(sharp: Image, other: Image, reading: Reading = "released", *, threads: int = 2) -> float:
    """Return SSIM_a of `other` against `sharp`; arguments and errors of `Alignment.of`."""
    return Alignment.of(sharp, other).ssim(reading, threads=threads)


def local_metrics(
    sharp: Image, other: Image, mask: NDArray[Any] | None = None, *, align: bool = True, threads: int = 2
) -> dict[Reading, LocalMetrics]:
    """Return the weighted and the aligned figures in both readings; the alignment is made once.

    Args:
        sharp: (H, W, 3) or (H, W) uint8, the ground truth.
        other: of the same shape: what is judged.
        mask: (H, W), not zero inside; None leaves the weighted figures out.
        align: also compute the aligned figures (100 iterations over the image: seconds).
        threads: size of the thread pools.

    Raises:
        ImageMismatch, MetricUndefined, RegistrationFailed: as the single figures.
    """
    alignment = Alignment.of(sharp, other) if align else None
    return {
        reading: {
            "psnr_w_db": None if mask is None else weighted_psnr(sharp, other, mask, reading),
            "ssim_w": None if mask is None else weighted_ssim(sharp, other, mask, reading, threads=threads),
            "psnr_a_db": None if alignment is None else alignment.psnr(reading),
            "ssim_a": None if alignment is None else alignment.ssim(reading, threads=threads),
        }
        for reading in READINGS
    }

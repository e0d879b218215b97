"""Octave bands and noise of the blur model, as functions of the frequency along the motion."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.errors import BlurNotMeasurable

Array = NDArray[np.float64]

PERIOD: Final = 1024
NOISE_LAGS: Final = 16
DOG_RATIO: Final = 1.6
"""Width of a band's outer Gaussian over its inner one's."""
FREQUENCIES: Final = np.fft.rfftfreq(PERIOD)
# Power spectrum of noise from its autocovariance; its product with |response|^2 is a variance.
COSINES: Final = (
    np.cos(2 * np.pi * FREQUENCIES[:, None] * np.arange(NOISE_LAGS))
    * np.where(np.arange(NOISE_LAGS) == 0, 1, 2)
    * np.where((FREQUENCIES == 0) | (FREQUENCIES == 0.5), 1, 2)[:, None]
    / PERIOD
)


@cache
def band_responses(sigmas: tuple[float, ...]) -> Array:
    """Return (bands, F) frequency responses of the octave bands."""
    sigma = np.asarray(sigmas)[:, None]
    return np.asarray(
        np.exp(-2 * (np.pi * sigma * FREQUENCIES) ** 2)
        - np.exp(-2 * (np.pi * sigma * DOG_RATIO * FREQUENCIES) ** 2)
    )


def autocovariance(noise: NDArray[np.float32], where: NDArray[np.bool_]) -> Array:
    """Return the autocovariance along x of (h, w) noise at lags 0.. of the pixels where it is pure."""
    weight = where.astype(np.float32)
    values = noise * weight
    values -= weight * np.float32(values.sum() / max(float(weight.sum()), 1.0))
    values = np.clip(values, -6 * float(values.std()), 6 * float(values.std()))
    size = int(2 ** np.ceil(np.log2(noise.shape[1] + NOISE_LAGS)))
    power = np.fft.irfft((np.abs(np.fft.rfft(values, size, axis=1)) ** 2).sum(axis=0), size)[:NOISE_LAGS]
    pairs = np.fft.irfft((np.abs(np.fft.rfft(weight, size, axis=1)) ** 2).sum(axis=0), size)[:NOISE_LAGS]
    if pairs[0] < 500:
        raise BlurNotMeasurable("too little static background about the moving object to measure the noise")
    return np.asarray(power / np.maximum(pairs, 1), np.float64)

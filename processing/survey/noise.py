"""A sensor's noise: from its profile's numbers, or measured on two frames of one scene (photon transfer).

Of two frames of the same scene the difference holds nothing but noise, and its variance grows linearly with
the light: var = read^2 + gain * signal. Fixed pattern noise cancels, a lamp that flickers shifts whole blocks
only, and what moves is an outlier among thousands of blocks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing.checks.blocks import BLOCK, PHASES, check_same_kind, clipped_blocks, means, plane
from processing.errors import ProcessingError
from rig.raw_image import RawImage

F64 = NDArray[np.float64]

QUANTISATION_DN2: Final = 1 / 12
"""Variance that rounding to whole codes adds."""

_BINS: Final = 24
_LEAST_BLOCKS: Final = 60
_DEGREES: Final = BLOCK * BLOCK - 1
_MEDIAN_TO_MEAN: Final = (1 - 2 / (9 * _DEGREES)) ** 3
"""The median of a variance from 256 samples lies so far below its mean (chi-squared, Wilson-Hilferty)."""


@dataclass(frozen=True)
class NoiseModel:
    """Noise of a sensor at one gain.

    Attributes:
        gain_dn_per_e: Codes per electron.
        read_dn: Standard deviation without light, rounding included, in DN.
        source: Where the numbers come from: "profile" or "photon transfer".
    """

    gain_dn_per_e: float
    read_dn: float
    source: str

    @property
    def read_e(self) -> float:
        """Read noise in electrons, rounding included."""
        return self.read_dn / self.gain_dn_per_e

    def sigma_dn(self, signal_dn: float) -> float:
        """Return the standard deviation of a pixel at a signal above black, in DN."""
        return math.sqrt(self.read_dn**2 + self.gain_dn_per_e * max(signal_dn, 0.0))

    def snr(self, signal_dn: float) -> float:
        """Return signal over noise of one pixel."""
        return signal_dn / self.sigma_dn(signal_dn)

    def signal_for(self, snr: float) -> float:
        """Return the signal above black, in DN, that has this signal-to-noise ratio."""
        shot = snr**2 * self.gain_dn_per_e
        return (shot + math.sqrt(shot**2 + 4 * snr**2 * self.read_dn**2)) / 2

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"gain_dn_per_e": self.gain_dn_per_e, "read_noise_e": self.read_e, "source": self.source}


def photon_transfer(first: RawImage, second: RawImage) -> NoiseModel:
    """Measure gain and read noise on two frames of one camera, scene and exposure.

    Raises:
        ImageMismatch: The frames differ in kind.
        ProcessingError: Too little of the frames is usable: clipped, black, or nearly all of it moves.
    """
    check_same_kind(first, second)
    signals, variances = [], []
    for phase in PHASES:
        a, b = plane(first, phase), plane(second, phase)
        level_a, level_b = means(a), means(b)
        usable = ~(clipped_blocks(a, first) | clipped_blocks(b, second))
        lit = usable & (level_a > 4) & (level_b > 4)
        # A lamp that dims would leave the texture in the difference.
        scale = float(np.median(level_a[lit] / level_b[lit])) if lit.any() else 1.0
        difference = a - b * np.float32(scale)
        shift = means(difference)
        spread = (means(difference * difference) - shift * shift) * ((_DEGREES + 1) / _DEGREES)
        signals.append(((level_a + scale**2 * level_b) / (1 + scale**2))[usable])
        variances.append(spread[usable] / (1 + scale**2))
    signal, variance = (np.concatenate(part).astype(np.float64) for part in (signals, variances))
    real = variance > 0
    signal, variance = signal[real], variance[real]
    if signal.size < _LEAST_BLOCKS:
        raise ProcessingError(
            "the sensor's noise cannot be measured: too little of the frame is neither black nor clipped",
            hint="choose another exposure",
        )
    gain, floor = _line(*_binned(signal, variance))
    if gain <= 0:
        raise ProcessingError(
            "the sensor's noise does not grow with the light", hint="the frame is too dark, or of one code"
        )
    return NoiseModel(gain, math.sqrt(max(floor, QUANTISATION_DN2)), "photon transfer")


def _binned(signal: F64, variance: F64) -> tuple[F64, F64]:
    """Return the median variance of the blocks of each level; movers are no half of any level's blocks."""
    order = np.array_split(np.argsort(signal), min(_BINS, signal.size // 10))
    level = np.array([float(np.mean(signal[part])) for part in order])
    return level, np.array([float(np.median(variance[part])) for part in order]) / _MEDIAN_TO_MEAN


def _line(level: F64, variance: F64) -> tuple[float, float]:
    """Return slope and intercept; each level counts by its relative error, which all have alike."""
    if level.max() < 1.5 * max(level.min(), 1e-9):  # an even board: one level, read noise not to be seen
        return float(np.median((variance - QUANTISATION_DN2) / level)), QUANTISATION_DN2
    keep = np.ones(level.size, bool)
    slope = floor = 0.0
    for _ in range(4):
        weight = 1 / variance[keep]
        design = np.stack([level[keep], np.ones(int(keep.sum()))], axis=1) * weight[:, None]
        slope, floor = (float(v) for v in np.linalg.lstsq(design, variance[keep] * weight, rcond=None)[0])
        if floor < QUANTISATION_DN2:
            slope, floor = (
                float(np.median((variance[keep] - QUANTISATION_DN2) / level[keep])),
                QUANTISATION_DN2,
            )
        off = np.abs(variance - slope * level - floor) / variance
        keep = off <= 4 * max(float(np.median(off)), 0.005)
        if keep.sum() < 4:
            break
    return slope, floor

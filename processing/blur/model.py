"""The two blur lengths that make B * box(n_S) = S * box(n_B) hold best, as a fit of quadratic forms.

For filters a, b along the motion, the energy of a * B - b * S over the object's interior is a quadratic
form in the filter taps; its matrix of lagged products is summed once, after which a trial of lengths
costs next to nothing. The energy is taken in octave bands (differences of Gaussians) and each is divided
by what noise alone would give through the same filters: longer boxes average more noise, and without that
the fit would run away to ever longer ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from processing.blur.motion_axis import TurnedViews
from processing.blur.spectra import (
    COSINES,
    DOG_RATIO,
    FREQUENCIES,
    PERIOD,
    autocovariance,
    band_responses,
)
from processing.errors import BlurNotMeasurable
from processing.products import WHOLE, whole_products

Array = NDArray[np.float64]

ACROSS_SIGMA_PX: Final = 1.0
LONGEST_S_PX: Final = 14.0
STARTS: Final = 3
_REACH_SIGMAS: Final = 3.0
_SMALLEST_BLOCK_PX: Final = 1500
_CHUNK: Final = 8192


@dataclass(frozen=True)
class Block:
    """Sums over one half of one pair's object.

    Attributes:
        products: (L, L) lagged products of [B lags | S lags], summed over the interior.
        noise_b, noise_s: (NOISE_LAGS,) autocovariance of the noise along x.
        pixels: number of pixels summed.
    """

    products: Array
    noise_b: Array
    noise_s: Array
    pixels: int

    @cached_property
    def spectrum_b(self) -> Array:
        """Power spectrum of B's noise, (F,)."""
        return np.asarray(COSINES @ self.noise_b)

    @cached_property
    def spectrum_s(self) -> Array:
        """Power spectrum of S's noise, (F,)."""
        return np.asarray(COSINES @ self.noise_s)


@dataclass(frozen=True)
class BlurModel:
    """Lags and bands for a blur of about a known growth n_B - n_S.

    Attributes:
        sigmas: widths of the inner Gaussians of the bands, px.
        lags_b, lags_s: lags at which B and S are needed.
    """

    sigmas: tuple[float, ...]
    lags_b: NDArray[np.int64]
    lags_s: NDArray[np.int64]

    @classmethod
    def for_motion(cls, growth_px: float, shift_px: float, widest_px: float = 8.0) -> BlurModel:
        """Choose bands and lags for a rough n_B - n_S and a rough lead of B's middle before S's.

        Args:
            growth_px: rough n_B - n_S.
            shift_px: rough lead.
            widest_px: widest band allowed; narrow bands need less room inside the object.
        """
        limit = min(widest_px, max(2.0, 0.15 * growth_px))
        sigmas = tuple(sigma for sigma in (1.0, 2.0, 4.0, 8.0) if sigma <= limit)
        reach = int(np.ceil(_REACH_SIGMAS * DOG_RATIO * sigmas[-1]))
        side = int(LONGEST_S_PX / 2) + reach
        # S is needed where B's object has been: n_B wide about the lead; the rough growth is some px short.
        width = int(np.ceil(0.62 * growth_px + LONGEST_S_PX / 2 + 4)) + reach
        lead = round(shift_px)
        return cls(sigmas, np.arange(-side, side + 1), np.arange(lead - width, lead + width + 1))

    def collect(self, view: TurnedViews, *, row_step: int = 2, bands: int = 2) -> list[Block]:
        """Sum the lagged products of one pair, in bands from top to bottom; empty for too small an object."""
        inside = np.asarray(cv2.erode(view.inside.astype(np.uint8), np.ones((9, 17), np.uint8)), np.uint8)
        first, last = int(self.lags_s[0]), int(self.lags_s[-1])
        # x - lag must be inside for every lag of S; the anchor expresses the uneven reach.
        line = np.ones((1, last - first + 1), np.uint8)
        anchor = (min(max(last, 0), last - first), 0)
        inside = np.asarray(
            cv2.erode(inside, line, anchor=anchor, borderType=cv2.BORDER_CONSTANT, borderValue=0), np.uint8
        )
        low, high = min(int(self.lags_b[0]), first), max(int(self.lags_b[-1]), last)
        inside[:, :high] = 0
        inside[:, inside.shape[1] + low :] = 0
        ys, xs = np.nonzero(inside[::row_step])
        if len(ys) * row_step < _SMALLEST_BLOCK_PX:
            return []
        b, s = _smooth_across(view.b), _smooth_across(view.s)
        level = np.float32(s[::row_step][ys, xs].mean())
        if level <= 0:
            return []
        b, s = b / level - np.float32(1), s / level - np.float32(1)
        # In steps so fine (1e-5 of the object's light) that noise hides them, products can be summed exactly.
        steps = WHOLE / 2.0 ** np.ceil(np.log2(max(float(np.abs(b).max()), float(np.abs(s).max()), 1e-6)))
        b, s = np.rint(b * np.float32(steps)), np.rint(s * np.float32(steps))
        outside = cv2.erode(view.outside.astype(np.uint8), np.ones((9, 1), np.uint8)) > 0
        noise_b = autocovariance(_smooth_across(view.noise_b) / level, outside)
        noise_s = autocovariance(_smooth_across(view.noise_s) / level, outside)
        lags_b = sliding_window_view(b[::row_step], len(self.lags_b), axis=1)
        lags_s = sliding_window_view(s[::row_step], len(self.lags_s), axis=1)
        blocks = []
        for half in np.array_split(np.arange(len(ys)), bands):
            count = len(self.lags_b) + len(self.lags_s)
            products = np.zeros((count, count))
            for part in np.array_split(half, max(1, len(half) // _CHUNK)):
                y, x = ys[part], xs[part]
                data = np.empty((len(part), count))
                data[:, : len(self.lags_b)] = lags_b[y, x - self.lags_b[-1]][:, ::-1]
                data[:, len(self.lags_b) :] = lags_s[y, x - self.lags_s[-1]][:, ::-1]
                products += whole_products(data)
            blocks.append(Block(products / steps**2, noise_b, noise_s, len(half)))
        return blocks

    def _responses(self, lengths: Array) -> tuple[Array, NDArray[np.complex128]]:
        """Return (bands, F) frequency responses of the filters on B and on S for (n_B, n_S, shift)."""
        n_b, n_s, shift = lengths
        bands = band_responses(self.sigmas)
        on_s = bands * (np.sinc(n_b * FREQUENCIES) * np.exp(-2j * np.pi * FREQUENCIES * shift))
        return bands * np.sinc(n_s * FREQUENCIES), on_s

    def cost(self, blocks: list[Block], lengths: Array) -> float:
        """Return the energy of a * B - b * S against that of noise, mean over bands: 1 where all is noise."""
        merged = merge(blocks)[0] if len(blocks) > 1 else blocks[0]
        return float(self._costs([merged], lengths)[0])

    def _costs(self, blocks: list[Block], lengths: Array) -> Array:
        """Return `cost` of each block for itself."""
        on_b, on_s = self._responses(lengths)
        taps = np.fft.irfft(np.concatenate([on_b, on_s]), PERIOD, axis=1)
        count = len(self.sigmas)
        filters = np.concatenate([taps[:count, self.lags_b], -taps[count:, self.lags_s]], axis=1)
        return np.array([self._cost(block, filters, on_b, on_s) for block in blocks])

    def _cost(self, merged: Block, filters: Array, on_b: Array, on_s: NDArray[np.complex128]) -> float:
        energies = np.einsum("ki,ki->k", filters @ merged.products, filters)
        noises = on_b**2 @ merged.spectrum_b + np.abs(on_s) ** 2 @ merged.spectrum_s
        weights = 1 / np.asarray(self.sigmas)
        return float(weights @ (energies / noises)) / merged.pixels / float(weights.sum())

    def fit(self, blocks: list[Block], growth_px: float, shift_px: float) -> Array:
        """Return (n_B, n_S, shift) of least cost: a coarse search, then Newton steps."""
        merged = merge(blocks)
        trials: list[tuple[float, Array]] = []
        for n_s in (0.7, 2.0, 4.0, 6.0, 9.0, 12.0):
            # The object's outline fades at both ends, so the growth seen is a few px short.
            of_this: list[tuple[float, Array]] = []
            for growth in np.linspace(0.9 * growth_px, 1.25 * growth_px + 6, 9):
                for shift in (growth / 2, *(shift_px + np.array([-1.0, 0.0, 1.0, 2.5]))):
                    trial = np.array([growth + n_s, n_s, shift])
                    of_this.append((self.cost(merged, trial), trial))
            trials.append(min(of_this, key=_first))
        # The cost has side minima where n_S is off; the true one is among the best three starts.
        fits = [self.refine(merged, trial) for _, trial in sorted(trials, key=_first)[:STARTS]]
        return min(fits, key=lambda fit: self.cost(merged, fit))

    def refine(self, blocks: list[Block], start: Array, *, steps: int = 40) -> Array:
        """Walk downhill from a start by damped Newton steps with numeric derivatives.

        Raises:
            BlurNotMeasurable: if the steps do not settle.
        """
        here = start.copy()
        value = self.cost(blocks, here)
        h = np.array([0.05, 0.05, 0.05])
        damping = 1e-3
        for _ in range(steps):
            gradient, hessian = self._derivatives(blocks, here, value, h)
            while True:
                lifted = hessian + damping * np.diag(np.abs(np.diag(hessian)) + 1e-9)
                step = -np.linalg.solve(lifted, gradient)
                trial = here + np.clip(step, -2, 2)
                trial[:2] = np.clip(trial[:2], 0.2, None)
                trial[1] = min(trial[1], LONGEST_S_PX)
                lower = self.cost(blocks, trial)
                if lower <= value or damping > 1e6:
                    break
                damping *= 8
            moved = float(np.abs(trial - here).max())
            if lower <= value:
                here, value = trial, lower
                damping = max(damping / 8, 1e-6)
            if moved < 2e-3 or damping > 1e6:
                return here
        raise BlurNotMeasurable(
            "the blur lengths did not settle", hint="more pairs, or an object with more texture"
        )

    def _derivatives(self, blocks: list[Block], at: Array, value: float, h: Array) -> tuple[Array, Array]:
        unit = np.diag(h)
        plus = np.array([self.cost(blocks, at + unit[i]) for i in range(3)])
        minus = np.array([self.cost(blocks, at - unit[i]) for i in range(3)])
        hessian = np.diag((plus + minus - 2 * value) / h**2)
        for i in range(3):
            for j in range(i):
                both = self.cost(blocks, at + unit[i] + unit[j])
                mixed = (both - plus[i] - plus[j] + value) / (h[i] * h[j])
                hessian[i, j] = hessian[j, i] = mixed
        low, vectors = np.linalg.eigh(hessian)
        hessian = vectors @ np.diag(np.maximum(np.abs(low), 1e-9)) @ vectors.T
        return (plus - minus) / (2 * h), hessian

    def errors(self, blocks: list[Block], best: Array) -> Array:
        """Return standard errors of (n_B, n_S, shift) from how the blocks pull at them; much cheaper.

        Each block's pixels have a gradient of their own at the common best; their scatter, through the common
        curvature, is that of the fit ("sandwich" estimate: White, Econometrica 50 (1982) 1). The blocks must
        be of one pair, so that their noise is one.
        """
        step = 0.05
        share = np.array([block.pixels for block in blocks], np.float64)
        share /= share.sum()
        merged = merge(blocks)
        h = np.full(3, step)
        _, hessian = self._derivatives(merged, best, self.cost(merged, best), h)
        pulls = np.stack(
            [
                (self._costs(blocks, best + step * unit) - self._costs(blocks, best - step * unit))
                / (2 * step)
                for unit in np.eye(3)
            ],
            axis=1,
        )
        pulls = share[:, None] * (pulls - share @ pulls)
        scatter = pulls.T @ pulls * len(blocks) / max(len(blocks) - 1, 1)
        inverse = np.linalg.inv(hessian)
        return np.asarray(np.sqrt(np.diag(inverse @ scatter @ inverse)), np.float64)

    def jackknife(self, blocks: list[Block], best: Array, *, groups: int = 8) -> Array:
        """Return the standard errors of (n_B, n_S, shift): spread of the fits that leave one group out."""
        groups = min(groups, len(blocks))
        if groups < 2:
            return np.full(3, np.nan)
        fits = []
        for left_out in range(groups):
            rest = [block for i, block in enumerate(blocks) if i % groups != left_out]
            fits.append(self.refine(merge(rest), best))
        spread = np.array(fits) - np.mean(fits, axis=0)
        return np.asarray(np.sqrt((groups - 1) / groups * np.sum(spread**2, axis=0)), np.float64)


def _smooth_across(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smooth a view across the motion, which takes noise and touches neither length."""
    kernel = cv2.getGaussianKernel(9, ACROSS_SIGMA_PX, cv2.CV_32F)
    return np.asarray(cv2.sepFilter2D(image, cv2.CV_32F, np.ones(1, np.float32), kernel), np.float32)


def _first(item: tuple[float, Array]) -> float:
    return item[0]


def sum_products(blocks: list[Block]) -> Array:
    """Return the sum of the blocks' matrices."""
    return blocks[0].products if len(blocks) == 1 else np.sum([block.products for block in blocks], axis=0)


def merge(blocks: list[Block]) -> list[Block]:
    """Return the blocks as one, for repeated evaluation."""
    pixels = sum(block.pixels for block in blocks)
    noise_b = np.sum([block.noise_b * block.pixels for block in blocks], axis=0) / pixels
    noise_s = np.sum([block.noise_s * block.pixels for block in blocks], axis=0) / pixels
    return [Block(np.asarray(sum_products(blocks)), noise_b, noise_s, pixels)]

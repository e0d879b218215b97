"""The real transmittance of the path to camera B, from pairs of a scene that stands still.

Per colour: tau = (B's light / S's light) * (t_S / t_L), black subtracted first, clipped pixels left out. It
holds the filter, the split of the plate (how far from 50:50) and the ratio of the two sensors' response: all
that makes B darker than S at the centre of the frame, which is what the exposure plan needs. The filter alone
cannot be told from the rest by the images of one filter.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.checks.blocks import BLOCK, COLOURS, check_same_kind, plane
from processing.colour import PHASES, exponents
from processing.errors import ProcessingError
from rig.raw_image import RawImage
from rig.records import RawPair

F64 = NDArray[np.float64]

LABEL_TOLERANCE: Final = 0.10
"""What may lie between label and images: 5 % of the filter, 2 % of the plate, 3 % of the sensors."""

DEGREE: Final = 3
SYSTEMATIC: Final = 1e-3
"""Share of tau that no number of pixels betters: black levels by 0.1 DN, what a cubic leaves of the cast."""

_MARGIN_CELLS: Final = 4
_LEAST_SIGNAL_DN: Final = 8.0
_LEAST_BLOCKS: Final = 60


@dataclass(frozen=True)
class Transmittance:
    """The transmittance as measured, at the centre of the frame.

    Attributes:
        tau: Of R, G and B.
        error: Standard error of each.
        overall: Mean of R, G, G, B, as the sensor has them.
        overall_error: Its standard error.
        label: What stands on the filter; None when not compared.
        pairs: How many pairs it is from.
        blocks: How many blocks of 32x32 pixels were used of each colour at least.
    """

    tau: dict[str, float]
    error: dict[str, float]
    overall: float
    overall_error: float
    label: float | None
    pairs: int
    blocks: int

    @property
    def off_label(self) -> float | None:
        """By which share it is off the label; None without one."""
        return None if not self.label else self.overall / self.label - 1

    @property
    def fits_label(self) -> bool:
        """Whether label and images agree within the tolerance and three standard errors."""
        off = self.off_label
        return off is None or abs(off) <= LABEL_TOLERANCE + 3 * self.overall_error / self.overall

    def text(self) -> str:
        """Return the result in one line."""
        said = ", ".join(f"{name} {self.tau[name]:.4f}" for name in COLOURS)
        line = f"τ = {self.overall:.4f} ± {self.overall_error:.4f} ({said})"
        off = self.off_label
        if off is None:
            return line
        verdict = "fits" if self.fits_label else "does not fit"
        return f"{line}; {off:+.1%} off the label {self.label:g}, {verdict}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "tau": self.overall,
            "tau_error": self.overall_error,
            "channels": {n: {"tau": self.tau[n], "error": self.error[n]} for n in COLOURS},
            "label": self.label,
            "off_label": self.off_label,
            "fits_label": self.fits_label,
            "pairs": self.pairs,
            "blocks": self.blocks,
        }


def exposure_factor(b: RawImage, s: RawImage) -> float:
    """Return by how much more B would collect than S without filter: exposure and gain of each frame."""
    return float(b.exposure_us / s.exposure_us * 10 ** ((b.gain_db - s.gain_db) / 20))


def measure_tau(
    pairs: Iterable[RawPair],
    label: float | None = None,
    *,
    black_dn: Mapping[str, float] | None = None,
    still: NDArray[np.bool_] | None = None,
) -> Transmittance:
    """Measure the transmittance on pairs of a static scene or an even board.

    Args:
        pairs: One or more, of one set-up; read one after the other.
        label: Transmittance on the filter's label, to compare with.
        black_dn: Black level of "B" and "S" from dark frames; the frames' own when None.
        still: (rows, columns) bool of 32x32-px blocks where nothing moves; all when None.

    Raises:
        ImageMismatch: The frames differ in kind.
        ProcessingError: No pair, or too little of the frames is usable.
    """
    sums: dict[str, list[F64]] = {}
    size = (0, 0)
    count = 0
    for pair in pairs:
        check_same_kind(pair.b, pair.s)
        size = (pair.s.pixels.shape[0] // 2, pair.s.pixels.shape[1] // 2)
        for phase in PHASES:
            found = _block_sums(pair, phase, black_dn)
            sums[phase] = [a + b for a, b in zip(sums[phase], found, strict=True)] if count else found
        count += 1
    if not count:
        raise ProcessingError("no pair to measure the transmittance on", hint="record a static take first")
    values, errors, blocks = {}, {}, []
    for phase in PHASES:
        values[phase], errors[phase], used = _at_centre(sums[phase], size, still, count)
        blocks.append(used)
    tau = {"R": values["R"], "G": (values["Gr"] + values["Gb"]) / 2, "B": values["B"]}
    error = {"R": errors["R"], "G": (errors["Gr"] + errors["Gb"]) / 2, "B": errors["B"]}
    overall = sum(values.values()) / 4
    overall_error = sum(errors.values()) / 4  # what they have in common does not average out
    return Transmittance(tau, error, overall, overall_error, label, count, min(blocks))


def tau_of_filter(with_filter: Transmittance, without: Transmittance) -> float:
    """Return the filter's own transmittance from two takes: plate and sensors are in both and cancel."""
    return sum(with_filter.tau[name] / without.tau[name] for name in ("R", "G", "G", "B")) / 4


def _block_sums(pair: RawPair, phase: str, black_dn: Mapping[str, float] | None) -> list[F64]:
    """Return sums over each block: B, S (DN per unit of exposure), cells used, slopes of S along x and y."""
    b, s = plane(pair.b, phase), plane(pair.s, phase)
    over = (b >= pair.b.white_level - pair.b.black_level) | (s >= pair.s.white_level - pair.s.black_level)
    side = 2 * _MARGIN_CELLS + 1  # a clipped cell spoils its neighbours: B is a few pixels beside S
    use = cv2.dilate(over.astype(np.uint8), np.ones((side, side), np.uint8)) == 0
    if black_dn is not None:
        b -= np.float32(black_dn["B"] - pair.b.black_level)
        s -= np.float32(black_dn["S"] - pair.s.black_level)
    b /= np.float32(exposure_factor(pair.b, pair.s))
    height, width = b.shape[0] // BLOCK, b.shape[1] // BLOCK
    return [
        np.sum(
            np.where(use, part, np.float32(0)).reshape(height, BLOCK, width, BLOCK),
            axis=(1, 3),
            dtype=np.float64,
        )
        for part in (
            b,
            s,
            np.ones_like(b),
            cv2.Sobel(s, -1, 1, 0, ksize=1) / 2,
            cv2.Sobel(s, -1, 0, 1, ksize=1) / 2,
        )
    ]


def _at_centre(
    sums: Sequence[F64], size: tuple[int, int], still: NDArray[np.bool_] | None, pairs: int
) -> tuple[float, float, int]:
    """Fit the ratio of the blocks with a polynomial (the plate's cast) and return its value at the centre.

    B lies a pixel or three beside S, so a block of B shows a little of its neighbours: to first order
    ln(B/S) rises by shift times slope of S over S. Shift and its drift over the frame are fitted along;
    without them a scene that is bright on one side lends its slope to the cast.
    """
    b, s, cells, along_x, along_y = sums
    usable = (cells > 0.5 * pairs * BLOCK * BLOCK) & (b > 0)
    usable &= s > _LEAST_SIGNAL_DN * np.maximum(cells, 1)
    if still is not None:
        usable &= still
    if np.count_nonzero(usable) < _LEAST_BLOCKS:
        raise ProcessingError(
            "the transmittance cannot be measured: nearly all of the frame is dark, clipped or moving",
            hint="choose another exposure, or a scene that stands still",
        )
    rows, columns = b.shape
    y, x = np.meshgrid(_normalised(rows, size[0]), _normalised(columns, size[1]), indexing="ij")
    terms = np.stack([x[usable] ** i * y[usable] ** j for i, j in exponents(DEGREE)], axis=1)
    for slope in (along_x[usable] / s[usable], along_y[usable] / s[usable]):
        terms = np.hstack([np.stack([slope, slope * x[usable], slope * y[usable]], axis=1), terms])
    ratio = np.log(b[usable] / s[usable])
    weight = np.ones(ratio.size)
    solution = np.zeros(terms.shape[1])
    for _ in range(8):
        root = np.sqrt(weight)[:, None]
        solution = np.linalg.lstsq(terms * root, ratio * root[:, 0], rcond=None)[0]
        off = ratio - terms @ solution
        scale = max(1.4826 * float(np.median(np.abs(off))), 1e-6)
        weight = np.where(np.abs(off) < 4 * scale, 1 / np.maximum(1, np.abs(off) / (1.5 * scale)), 0)
    spread = float(np.sum(weight * off**2) / max(weight.sum() - terms.shape[1], 1))
    covariance = np.linalg.pinv((terms * weight[:, None]).T @ terms) * spread
    value = math.exp(float(solution[-1]))  # the last term is the constant
    error = math.hypot(math.sqrt(max(float(covariance[-1, -1]), 0.0)), SYSTEMATIC)
    return value, value * error, int(usable.sum())


def _normalised(count: int, cells: int) -> F64:
    """Return where blocks lie, in -1..1 over a frame of so many cells: it need not be whole blocks."""
    return np.asarray(((np.arange(count) + 0.5) * BLOCK - cells / 2) / (cells / 2), np.float64)

"""Clocks against each other: straight lines through times, and what they say about two cameras and the box.

A camera's clock is taken as linear: an offset and a rate. Two cameras, or a camera and the box, are related
by a least-squares line; what is left of a time beside the line is its residual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
DRIFT_SEEN_PPM: Final = 2.0
"""Clocks of one machine, or related by PTP, run closer together than this."""

ClockKind = Literal["common", "fitted", "none"]


@dataclass(frozen=True)
class Line:
    """A least-squares line y = offset + rate x.

    Attributes:
        rate: Slope; 0 where fewer than two different x leave it open.
        offset: Value at x = 0.
        residual: y minus the line, of each point, (N,).
    """

    rate: float
    offset: float
    residual: F64

    def drifts(self, span: float) -> bool:
        """Whether the slope of times in ns stands out of their scatter, over a span of time in ns."""
        scatter = float(self.residual.std()) if len(self.residual) > 2 else 0.0
        return abs(self.rate) > DRIFT_SEEN_PPM * 1e-6 and abs(self.rate) * span > max(10 * scatter, 1000.0)


@dataclass(frozen=True)
class Clocks:
    """How the clocks of a burst ran.

    Attributes:
        kind: "common" where both cameras' times are of one clock, "fitted" where two clocks were related by
            a line, "none" without a pair.
        rate_ppm: How much faster S's clock ran than B's; None with fewer than three pairs.
        offset_us: S's clock minus B's at the first pair, less the planned delay of S; None without a pair.
        grid_rate_ppm: How much faster than the box each camera ("B", "S") ran; None with fewer than three
            frames.
        warning: Set when the clocks that were known to be one are not; the pairs do not depend on it.
    """

    kind: ClockKind = "none"
    rate_ppm: float | None = None
    offset_us: float | None = None
    grid_rate_ppm: Mapping[str, float | None] = field(default_factory=dict)
    warning: str = ""


def fit_line(x: Sequence[float] | F64, y: Sequence[float] | F64) -> Line:
    """Fit a line through points, O(N); large common offsets are to be taken off before.

    Args:
        x: Abscissas, (N,), N >= 1.
        y: Ordinates, (N,).
    """
    at, value = np.asarray(x, float), np.asarray(y, float)
    from_middle = at - at.mean()
    spread = float(from_middle @ from_middle)
    rate = float(from_middle @ (value - value.mean())) / spread if spread > 0 else 0.0
    offset = float(value.mean() - rate * at.mean())
    return Line(rate, offset, value - offset - rate * at)


def against_box(indices: Sequence[int], times_ns: Sequence[int], period_ns: int) -> tuple[float | None, F64]:
    """Relate a camera's exposure starts to the box's pulses.

    Args:
        indices: Trigger index of each frame, (N,).
        times_ns: The camera's times of the starts, in ns, (N,).
        period_ns: Period of the box.

    Returns:
        The camera's rate against the box in ppm, and the residuals in us, (N,); with fewer than three frames
        the rate is None and the residuals say nothing.
    """
    if not indices:
        return None, np.zeros(0)
    late = [
        time - times_ns[0] - (index - indices[0]) * period_ns
        for index, time in zip(indices, times_ns, strict=True)
    ]
    line = fit_line([index - indices[0] for index in indices], late)
    rate_ppm = line.rate / period_ns * 1e6 if len(indices) > 2 else None
    return rate_ppm, line.residual / 1e3

"""Pairs by trigger index: the two frames of one pulse with the proof, or a rejected shot with its reason.

Pure functions over what the cameras said; nothing here waits, reads or writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from rig.capture.indexing import DRIFT_PPM, Assignment, Burst, FrameStamp, Trace, assign

__all__ = ["Burst", "FrameStamp", "Match", "Pairing", "Refusal", "Rejection", "Trace", "pair"]

COMMON_CLOCK_NS: Final = 1_000_000
"""Two clocks that differ by less than this in every pair are taken as one clock."""


@dataclass(frozen=True)
class Match:
    """One proven pair.

    Attributes:
        index: Trigger index.
        b: Position of the frame in B's trace.
        s: Position of the frame in S's trace.
        skew_us: How much later than planned S started, against B. With two clocks only its change over the
            take can be seen: then it is the same as ``residual_us``. None where nothing can be seen: one pair
            on two clocks.
        residual_us: Deviation from the linear relation of the two clocks over the take; None as above.
    """

    index: int
    b: int
    s: int
    skew_us: float | None
    residual_us: float | None


@dataclass(frozen=True)
class Rejection:
    """One pulse that gave no proven pair: its index, the frames that it did give, and why."""

    index: int
    reason: str
    b: int | None = None
    s: int | None = None


@dataclass(frozen=True)
class Refusal:
    """A frame that belongs to no pulse for sure: of which camera, its position in the trace, and why."""

    camera: Literal["B", "S"]
    position: int
    reason: str


@dataclass(frozen=True)
class Pairing:
    """The outcome of a burst; every fired pulse is in ``pairs`` or in ``rejected``, every frame in one place.

    Attributes:
        fired: How many pulses were fired; after a cancelled take, as many as are known to have been.
        pairs: Proven pairs by index.
        rejected: The other pulses by index.
        refused: Frames without an index.
        clock: Whether the cameras share a clock, or two clocks were related by a linear fit.
    """

    fired: int
    pairs: tuple[Match, ...]
    rejected: tuple[Rejection, ...]
    refused: tuple[Refusal, ...]
    clock: Literal["common", "fitted", "none"]


def pair(burst: Burst, b: Trace, s: Trace) -> Pairing:
    """Pair the frames of a burst of counted pulses.

    Args:
        burst: What the box was told.
        b: What camera B delivered.
        s: What camera S delivered.

    Returns:
        Proven pairs, rejected pulses and refused frames.
    """
    of_b, of_s = assign(burst, b), assign(burst, s)
    at_b = {index: position for position, index in of_b.index.items()}
    at_s = {index: position for position, index in of_s.index.items()}
    fired = burst.pulses if burst.complete else _known_fired(b, s, at_b, at_s)
    both = sorted(at_b.keys() & at_s.keys())
    matches, clock, failure = _relate_clocks(
        burst, b, s, [(index, at_b[index], at_s[index]) for index in both]
    )
    good = {match.index: match for match in matches}
    rejected = []
    for index in range(fired):
        if index in good:
            continue
        reason = failure.get(index) or "; ".join(
            f"camera {name}: {_why(of, index)}"
            for name, of, at in (("B", of_b, at_b), ("S", of_s, at_s))
            if index not in at
        )
        rejected.append(Rejection(index, reason, at_b.get(index), at_s.get(index)))
    refused = [Refusal("B", position, why) for position, why in sorted(of_b.refused.items())]
    refused += [Refusal("S", position, why) for position, why in sorted(of_s.refused.items())]
    return Pairing(fired, tuple(matches), tuple(rejected), tuple(refused), clock)


def _why(of: Assignment, index: int) -> str:
    return of.failure or of.missing.get(index, "it delivered no frame")


def _known_fired(b: Trace, s: Trace, at_b: dict[int, int], at_s: dict[int, int]) -> int:
    """After a cancelled burst: each index seen, and each frame delivered, proves a pulse."""
    last = max([*at_b, *at_s], default=-1)
    return max(last + 1, *(len(set(trace.frames)) for trace, at in ((b, at_b), (s, at_s)) if not at), 0)


def _relate_clocks(
    burst: Burst, b: Trace, s: Trace, both: Sequence[tuple[int, int, int]]
) -> tuple[list[Match], Literal["common", "fitted", "none"], dict[int, str]]:
    """Check that S's clock is linear in B's; return matches, kind of clock, and failures by index."""
    if not both:
        return [], "none", {}
    times = np.array(
        [b.frames[at_b].timestamp_ns - b.frames[both[0][1]].timestamp_ns for _, at_b, _ in both], float
    )
    apart = np.array(
        [
            s.frames[at_s].timestamp_ns - b.frames[at_b].timestamp_ns - burst.s_delay_ns
            for _, at_b, at_s in both
        ]
    )
    middle = int(np.median(apart))
    common = bool(np.abs(apart).max() <= min(COMMON_CLOCK_NS, burst.period_ns // 4))
    periods = round(middle / burst.period_ns)
    if (
        not common
        and 0 < abs(periods) <= burst.pulses
        and abs(middle - periods * burst.period_ns) <= COMMON_CLOCK_NS
    ):
        reason = f"the two cameras' times differ by exactly {periods} periods: one of them is shifted"
        return [], "none", {index: reason for index, _, _ in both}
    late = (apart - middle).astype(float)
    fit = np.zeros_like(late)
    if len(both) > 2:
        rate, offset = np.polyfit(times, late, 1)
        fit = offset + rate * times
        if abs(rate) > 2 * DRIFT_PPM * 1e-6:
            reason = f"the two cameras' clocks drift apart by {rate * 1e6:.0f} ppm"
            return [], "none", {index: reason for index, _, _ in both}
    matches: list[Match] = []
    failure: dict[int, str] = {}
    for (index, at_b, at_s), raw_ns, residual_ns in zip(both, apart, late - fit, strict=True):
        skew_us = float(raw_ns if common else residual_ns) / 1e3
        if not common and len(both) == 1:  # zero by construction, which is no measurement
            matches.append(Match(index, at_b, at_s, None, None))
        elif abs(residual_ns) > burst.jitter_ns or (common and abs(raw_ns) > COMMON_CLOCK_NS):
            failure[index] = f"the exposures started {skew_us:.1f} us apart from what the other pairs say"
        else:
            matches.append(Match(index, at_b, at_s, skew_us, float(residual_ns) / 1e3))
    return matches, "common" if common else "fitted", failure

"""Pairs by trigger index: the two frames of one pulse with the proof, or a rejected shot with its reason.

Pure functions over what the cameras said; nothing here waits, reads or writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np

from rig.capture.clocks import ClockKind, Clocks, Line, against_box, fit_line
from rig.capture.indexing import Assignment, Burst, FrameStamp, Trace, assign
from rig.capture.reference import DRIFT_PPM

__all__ = ["Burst", "FrameStamp", "Match", "Pairing", "Refusal", "Rejection", "Trace", "pair"]

COMMON_CLOCK_NS: Final = 1_000_000
"""Two clocks that differ by less than this in every pair are taken as one clock."""

SKEW_NS: Final = 100_000
"""A larger distance of the two starts from the planned one is worth a warning (inputs differ by some us)."""


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
        grid_residual_us: Deviation of the start in each camera ("B", "S") from the box's pulses, seen through
            the camera's clock; None with fewer than three frames.
    """

    index: int
    b: int
    s: int
    skew_us: float | None
    residual_us: float | None
    grid_residual_us: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def warning(self) -> str:
        """Say when S started notably later or earlier than planned; the pair is one all the same."""
        if self.skew_us is None or abs(self.skew_us) * 1e3 <= SKEW_NS:
            return ""
        return (
            f"S started {abs(self.skew_us):.0f} us {'later' if self.skew_us > 0 else 'earlier'} than planned"
        )


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
        clocks: How the clocks ran.
        off_ns: By how much the pairs contradict the burst's reference and are rejected for it; None where
            they do not.
    """

    fired: int
    pairs: tuple[Match, ...]
    rejected: tuple[Rejection, ...]
    refused: tuple[Refusal, ...]
    clock: ClockKind
    clocks: Clocks = field(default_factory=Clocks)
    off_ns: int | None = None


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
    couples = [(index, at_b[index], at_s[index]) for index in both]
    found, clocks, failure = _relate_clocks(burst, b, s, couples)
    off_ns = _against_reference(burst, b, s, couples)
    if off_ns is not None:
        found = []
        failure = dict.fromkeys(
            both,
            f"its frames lie {off_ns / 1e6:.3f} ms further apart than those of the pair before:"
            " one of them is of no pulse",
        )
    rate_b, residual_b = _against_box(burst, b, at_b)
    rate_s, residual_s = _against_box(burst, s, at_s)
    clocks = replace(clocks, grid_rate_ppm={"B": rate_b, "S": rate_s})
    matches = tuple(
        replace(one, grid_residual_us={"B": residual_b.get(one.index), "S": residual_s.get(one.index)})
        for one in found
    )
    good = {match.index for match in matches}
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
    return Pairing(fired, matches, tuple(rejected), tuple(refused), clocks.kind, clocks, off_ns)


def _against_reference(burst: Burst, b: Trace, s: Trace, both: Sequence[tuple[int, int, int]]) -> int | None:
    """Return by how much the pair in the middle contradicts the reference; None where it fits or has none."""
    if burst.reference is None or not both:
        return None
    apart = [
        (s.frames[at_s].timestamp_ns - b.frames[at_b].timestamp_ns - burst.s_delay_ns, at_b)
        for _, at_b, at_s in both
    ]
    apart_ns, at_b = sorted(apart)[len(apart) // 2]
    common_ns = min(COMMON_CLOCK_NS, burst.period_ns // 4)
    if abs(apart_ns) <= common_ns and abs(burst.reference.apart_ns) <= common_ns:
        return None  # it looks like one clock, which tells the distance of each pair by itself
    return burst.reference.off_ns(b.frames[at_b].timestamp_ns, apart_ns, burst.jitter_ns)


def _why(of: Assignment, index: int) -> str:
    return of.failure or of.missing.get(index, "it delivered no frame")


def _known_fired(b: Trace, s: Trace, at_b: dict[int, int], at_s: dict[int, int]) -> int:
    """After a cancelled burst: each index seen, and each frame delivered, proves a pulse."""
    last = max([*at_b, *at_s], default=-1)
    return max(last + 1, *(len(set(trace.frames)) for trace, at in ((b, at_b), (s, at_s)) if not at), 0)


def _relate_clocks(
    burst: Burst, b: Trace, s: Trace, both: Sequence[tuple[int, int, int]]
) -> tuple[list[Match], Clocks, dict[int, str]]:
    """Check that S's clock is linear in B's; return matches, how the clocks ran, and failures by index."""
    if not both:
        return [], Clocks(), {}
    first_b, first_s = b.frames[both[0][1]].timestamp_ns, s.frames[both[0][2]].timestamp_ns
    first_ns = first_s - first_b - burst.s_delay_ns
    at_ns = np.array([b.frames[at_b].timestamp_ns - first_b for _, at_b, _ in both], float)
    # Python's integers take the clocks' large offset off before anything is rounded.
    late_ns = np.array([s.frames[at_s].timestamp_ns - first_s for _, _, at_s in both], float) - at_ns
    line = fit_line(at_ns, late_ns) if len(both) > 2 else Line(0.0, 0.0, late_ns - np.median(late_ns))
    apart_ns = late_ns + float(first_ns)
    largest_ns = float(np.abs(apart_ns).max())
    drifts = burst.shared_clock and line.drifts(float(np.ptp(at_ns)))
    shared = burst.shared_clock and not drifts
    # Where two clocks are known to be one their distance may be told; else it must be small to say so.
    common = largest_ns <= (COMMON_CLOCK_NS if shared else min(COMMON_CLOCK_NS, burst.period_ns // 4))
    middle_ns = first_ns + round(float(np.median(late_ns)))
    if not common and (wrong := _wrong_clock(burst, middle_ns, line.rate, shared=shared)):
        return [], Clocks(), {index: wrong for index, _, _ in both}
    clocks = Clocks(
        "common" if common else "fitted",
        rate_ppm=line.rate * 1e6 if len(both) > 2 else None,
        offset_us=first_ns / 1e3,
        warning=f"the cameras' clocks are not one: they drift apart by {line.rate * 1e6:.1f} ppm"
        if drifts
        else "",
    )
    matches: list[Match] = []
    failure: dict[int, str] = {}
    for (index, at_b, at_s), raw_ns, residual_ns in zip(both, apart_ns, line.residual, strict=True):
        skew_us = float(raw_ns if common else residual_ns) / 1e3
        if not common and len(both) == 1:  # zero by construction, which is no measurement
            matches.append(Match(index, at_b, at_s, None, None))
        elif abs(residual_ns) > burst.jitter_ns:
            failure[index] = f"the exposures started {skew_us:.1f} us apart from what the other pairs say"
        else:
            matches.append(Match(index, at_b, at_s, skew_us, float(residual_ns) / 1e3))
    return matches, clocks, failure


def _wrong_clock(burst: Burst, apart_ns: int, rate: float, *, shared: bool) -> str:
    """Say why times so far apart, or running apart at that rate, cannot be believed; empty when they can."""
    periods = round(apart_ns / burst.period_ns)
    if 0 < abs(periods) <= burst.pulses and abs(apart_ns - periods * burst.period_ns) <= COMMON_CLOCK_NS:
        return f"the two cameras' times differ by exactly {periods} periods: one of them is shifted"
    if shared:
        return (
            f"S started {apart_ns / 1e3:.0f} us later than planned, by the clock that both cameras share "
            "(as the rig's profile says with shared_clock)"
        )
    if abs(rate) > 2 * DRIFT_PPM * 1e-6:
        return f"the two cameras' clocks drift apart by {rate * 1e6:.0f} ppm"
    return ""


def _against_box(burst: Burst, trace: Trace, at: Mapping[int, int]) -> tuple[float | None, dict[int, float]]:
    """Return a camera's rate against the box in ppm, and the residual of each index in us."""
    indices = sorted(at)
    times = [trace.frames[at[index]].timestamp_ns for index in indices]
    rate_ppm, residual_us = against_box(indices, times, burst.period_ns)
    known = residual_us.tolist() if rate_ppm is not None else []
    return rate_ppm, dict(zip(indices, known, strict=False))

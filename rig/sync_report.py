"""What a sync test found, in numbers and in words: spreads, cameras, edges, the shortest period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from rig.capture.indexing import Burst, Trace

if TYPE_CHECKING:
    from rig.capture.probe import Seen


@dataclass(frozen=True)
class Spread:
    """How far values spread, in us: of their sizes p50, p95 and the largest, and the median with its sign."""

    median_us: float
    p50_us: float
    p95_us: float
    max_us: float


@dataclass(frozen=True)
class CameraReport:
    """What one camera made of the pulses.

    Attributes:
        frames: Frames delivered.
        first_id: Number of the first; None without a frame.
        last_id: Number of the last.
        missing_ids: Numbers between them that did not come.
        ignored: Triggers that the camera ignored; None where it does not count them.
        underruns: Frames for which its producer had no buffer.
        incomplete: Frames that arrived damaged.
        rate_ppm: How much faster than the box its clock runs, in ppm; None with fewer than three frames.
        residual: Deviation of its starts from the box's pulses, seen through its clock; None as above.
    """

    frames: int
    first_id: int | None
    last_id: int | None
    missing_ids: int
    ignored: int | None
    underruns: int | None
    incomplete: int | None
    rate_ppm: float | None
    residual: Spread | None


@dataclass(frozen=True)
class EdgeReport:
    """Send N, expect N.

    Attributes:
        sent: Pulses.
        frames: Different frames that came.
        good: Whether there is one for each pulse.
        verdict: What the camera does with the edges, in words.
    """

    sent: int
    frames: int
    good: bool
    verdict: str


@dataclass(frozen=True)
class PeriodLimit:
    """How fast pulses may come.

    Attributes:
        shortest_s: Shortest period found at which every pulse gave a pair, in s; None when none did.
        ignored_at_s: Longest period found at which one did not; None when the pulses were the limit.
        plan_min_s: The shortest period that the plan allows.
        plan_holds: Whether every pulse gave a pair at the plan's shortest period.
        tried: Every period tried, with whether all was well.
    """

    shortest_s: float | None
    ignored_at_s: float | None
    plan_min_s: float
    plan_holds: bool
    tried: tuple[tuple[float, bool], ...]


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram: from, to, and how many."""

    low_us: float
    high_us: float
    count: int


def spread(values_us: Sequence[float]) -> Spread | None:
    """Return how far values spread; None without a value."""
    if not values_us:
        return None
    sizes = np.abs(values_us)
    p50, p95 = (float(np.percentile(sizes, share)) for share in (50, 95))
    return Spread(float(np.median(values_us)), p50, p95, float(sizes.max()))


def histogram(values_us: Sequence[float], bars: int = 11) -> list[Bar]:
    """Count values into bars of equal width of at least 0.1 us; empty without a value."""
    if not values_us:
        return []
    low, high = min(values_us), max(values_us)
    missing = max(0.1 * bars - (high - low), 0.0)
    counts, edges = np.histogram(values_us, bars, (low - missing / 2, high + missing / 2))
    return [Bar(float(a), float(b), int(n)) for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)]


def camera_report(name: Literal["B", "S"], seen: Seen) -> CameraReport:
    """Say what one camera made of a burst."""
    frames = seen.traces[name].frames
    ids = sorted({frame.frame_id for frame in frames})
    residuals = [
        residual for match in seen.pairing.pairs if (residual := match.grid_residual_us.get(name)) is not None
    ]
    losses = seen.losses[name]
    return CameraReport(
        frames=len(frames),
        first_id=ids[0] if ids else None,
        last_id=ids[-1] if ids else None,
        missing_ids=ids[-1] - ids[0] + 1 - len(ids) if ids else 0,
        ignored=losses["ignored_triggers"],
        underruns=losses["underruns"],
        incomplete=losses["incomplete"],
        rate_ppm=seen.pairing.clocks.grid_rate_ppm.get(name),
        residual=spread(residuals),
    )


def edge_report(burst: Burst, trace: Trace) -> EdgeReport:
    """Say what a camera does with the edges that it got, from the number and the intervals of its frames.

    A camera that arms with one pulse and exposes with the next (`TriggerArmed`) gives a frame every other
    period; one that takes both edges of a pulse gives two frames a period.
    """
    stamps = sorted(set(trace.frames), key=lambda stamp: stamp.timestamp_ns)
    sent, came = burst.pulses, len(stamps)

    def report(verdict: str, *, good: bool = False) -> EdgeReport:
        return EdgeReport(sent, came, good, verdict)

    steps = Counter(
        round(2 * (later.timestamp_ns - before.timestamp_ns) / burst.period_ns) / 2
        for before, later in pairwise(stamps)
    )
    step = steps.most_common(1)[0][0] if steps else 1.0
    if came == sent:
        return report(f"{sent} pulses, {came} frames", good=True)
    if not came:
        return report(f"{sent} pulses, no frame: look at trigger line, cable, level and TriggerSource")
    if came > sent:
        twice = came >= 2 * sent - 1
        why = (
            "it takes both edges of a pulse (TriggerActivation AnyEdge?)"
            if twice
            else "the line rings or bounces"
        )
        return report(f"{sent} pulses, {came} frames: {why}")
    if step >= 2 and came <= -(-sent // round(step)):
        why = (
            "every other trigger comes too early and is ignored"
            if trace.ignored
            else "the first arms, the next exposes (TriggerArmed?)"
        )
        return report(f"{sent} pulses, {came} frames: {step:g} pulses a frame; {why}")
    lost = f", {trace.ignored} triggers ignored" if trace.ignored else ""
    return report(f"{sent} pulses, {came} frames{lost}")

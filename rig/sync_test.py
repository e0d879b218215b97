"""The sync test: does every pulse give one frame in each camera, how far apart, how fast may they come?

Nothing is recorded. Bursts of counted pulses with the plan in force: ten for the edges ("send 10, expect
10"), a longer one for pairs, skew and clocks, and short ones at shorter and shorter periods to find the one
at which the first trigger is ignored. Cameras and box are at rest afterwards.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from rig.capture.pairing import SKEW_NS
from rig.capture.probe import Prober, Seen
from rig.profiles import CAMERAS, BoxLimits, load_profile
from rig.rig import Rig
from rig.sync_report import CameraReport, EdgeReport, PeriodLimit, Spread, camera_report, edge_report, spread

EDGES: Final = 10
_SEARCH_PULSES: Final = 12
_SEARCH_SHARE: Final = 0.01
_MOST_BURSTS: Final = 12
_DEAD_S: Final = 1e-5
Verdict = Literal["good", "bad", "cancelled"]
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class SyncTest:
    """The outcome of a sync test.

    Attributes:
        verdict: "good", "bad", or "cancelled" by the operator.
        reasons: Why it is bad, a line each; empty when it is good.
        pulses: Pulses fired for the pairs.
        paired: Proven pairs among them.
        period_s: Their period as the box read it back, in s.
        placement: Where S lies in B.
        s_delay_us: Delay of S's pulse as the box read it back, in us.
        clock: "common", "fitted" or "none", see :class:`rig.capture.clocks.Clocks`.
        clock_rate_ppm: How much faster S's clock runs than B's, in ppm; None where unknown.
        clock_offset_us: S's clock minus B's, in us; None where unknown.
        skew: How much later than planned S started, in us; with two clocks only how that changes.
        skews_us: The same of each pair.
        cameras: What each camera ("B", "S") delivered.
        edges: The edge test of each camera.
        box_shots: Pulses by the box's own counter; None where it has none.
        limit: The shortest period; None when it was not looked for.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    pulses: int
    paired: int
    period_s: float
    placement: str
    s_delay_us: float
    clock: str
    clock_rate_ppm: float | None
    clock_offset_us: float | None
    skew: Spread | None
    skews_us: tuple[float, ...]
    cameras: dict[str, CameraReport]
    edges: dict[str, EdgeReport]
    box_shots: int | None
    limit: PeriodLimit | None

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain data."""
        return dataclasses.asdict(self)


def sync_test(
    rig: Rig,
    pulses: int = 50,
    *,
    period_s: float | None = None,
    search: bool = True,
    cancel: threading.Event | None = None,
    on_progress: OnProgress | None = None,
) -> SyncTest:
    """Test the synchrony of an open rig with the plan in force.

    Args:
        rig: The rig, with a plan applied.
        pulses: Pulses for pairs and skew.
        period_s: Their period, in s; None takes the plan's.
        search: Whether to look for the shortest period.
        cancel: When set, the test ends soon with verdict "cancelled".
        on_progress: Called with what is being done, how much of it is done, and of how much; from other
            threads, must not raise.

    Raises:
        CaptureError: No plan is in force, or the period is too short for it.
        DeviceError: A camera was lost or refused the plan.
        TriggerError: The box does not obey.
    """
    tell = on_progress or (lambda part, done, total: None)
    limits = load_profile(rig.profile.trigger_box.profile, "trigger_box").limits
    with rig.bench(period_s) as (bench, plan):
        prober = Prober(bench, plan, cancel)
        period = plan.period_s if period_s is None else period_s

        def fire(part: str, count: int, at_s: float) -> Seen:
            tell(part, 0, count)
            return prober.fire(
                count,
                at_s,
                lambda camera, number: tell(part, min(number, count), count) if camera == "S" else None,
            )

        edges = fire("edges", EDGES, period)
        seen = edges if prober.cancel.is_set() else fire("pairs", pulses, period)
        limit = None
        if search and not prober.cancel.is_set():
            limit = _shortest(prober, plan.min_period_s, limits, tell)
    return _judged(seen, edges, limit, plan.placement, cancelled=prober.cancel.is_set())


def _judged(
    seen: Seen, edges: Seen, limit: PeriodLimit | None, placement: str, *, cancelled: bool
) -> SyncTest:
    pairing, count = seen.pairing, seen.burst.pulses
    cameras = {str(name): camera_report(name, seen) for name in CAMERAS}
    of_edges = {str(name): edge_report(edges.burst, edges.traces[name]) for name in CAMERAS}
    skews_us = tuple(match.skew_us for match in pairing.pairs if match.skew_us is not None)
    skew = spread(skews_us)
    reasons = [f"camera {name}: {of.verdict}" for name, of in of_edges.items() if not of.good]
    if len(pairing.pairs) < count:
        first = pairing.rejected[0].reason if pairing.rejected else "the burst was cut short"
        reasons.append(f"{len(pairing.pairs)} of {count} pulses gave a pair; the first that did not: {first}")
    refused = Counter((one.camera, one.reason) for one in pairing.refused)
    reasons += [
        f"camera {name}: {f'{times} frames were' if times > 1 else 'a frame was'} refused: {why}"
        for (name, why), times in refused.most_common(3)
    ]
    broken = {name: of for name, of in cameras.items() if of.missing_ids or of.incomplete}
    reasons += [_lost(name, of, seen.pulses.period_s) for name, of in broken.items()]
    if skew is not None and max(abs(skew.p95_us), abs(skew.median_us)) * 1e3 > SKEW_NS:
        reasons.append(
            f"S starts {skew.median_us:.0f} us off its time (95 % within {skew.p95_us:.0f} us); look at"
            " cables, input types and TriggerDelay of the two cameras"
        )
    if pairing.clocks.warning:
        reasons.append(pairing.clocks.warning)
    if seen.box_shots not in (None, count):
        reasons.append(f"the box counted {seen.box_shots} pulses of {count}")
    if limit is not None and not limit.plan_holds:
        reasons.append(
            f"at the plan's shortest period of {limit.plan_min_s * 1e3:.4g} ms triggers are ignored"
        )
    return SyncTest(
        verdict="cancelled" if cancelled else "bad" if reasons else "good",
        reasons=tuple(reasons),
        pulses=count,
        paired=len(pairing.pairs),
        period_s=seen.pulses.period_s,
        placement=placement,
        s_delay_us=seen.burst.s_delay_ns / 1e3,
        clock=pairing.clock,
        clock_rate_ppm=pairing.clocks.rate_ppm,
        clock_offset_us=pairing.clocks.offset_us,
        skew=skew,
        skews_us=skews_us,
        cameras=cameras,
        edges=of_edges,
        box_shots=seen.box_shots,
        limit=limit,
    )


def _lost(name: str, of: CameraReport, period_s: float) -> str:
    """Say that frames were exposed and did not come, with what is known of why."""
    known = [f"{of.incomplete} arrived in part"] if of.incomplete else []
    known += [f"for {of.underruns} there was no buffer"] if of.underruns else []
    return (
        f"camera {name}: {of.missing_ids} of its frames did not arrive"
        f"{' (' + ', '.join(known) + ')' if known else ''}; is computer or link too slow for a pulse every "
        f"{period_s * 1e3:.4g} ms? Close other programs, or try a longer period"
    )


def _shortest(prober: Prober, plan_min_s: float, limits: BoxLimits, tell: OnProgress) -> PeriodLimit | None:
    """Halve the way between a period that works and one that does not, down to 1 % of it."""
    tried: list[tuple[float, bool]] = []

    def works(period_s: float) -> bool:
        tell("shortest period", len(tried), _MOST_BURSTS)
        seen = prober.fire(_SEARCH_PULSES, period_s, hasty=True)
        tried.append((period_s, len(seen.pairing.pairs) == _SEARCH_PULSES and not seen.pairing.refused))
        return tried[-1][1]

    good: float | None = None
    bad: float | None = None
    for factor in (1.0, 1.5, 2.0, 4.0):  # beyond the first one the plan does not hold
        if prober.cancel.is_set():
            return None
        period_s = plan_min_s * factor
        if works(period_s):
            good = period_s
            break
        bad = period_s
    # Below this no box can fire: its pulses would overlap.
    low = bad or max(limits.min_period_s, prober.pulse_end_s + _DEAD_S)
    while good is not None and good - low > _SEARCH_SHARE * good and len(tried) < _MOST_BURSTS:
        step = limits.period_resolution_s
        middle = float(f"{round((low + good) / 2 / step) * step:.12g}")
        if prober.cancel.is_set():
            return None
        if not low < middle < good:
            break
        if works(middle):
            good = middle
        else:
            low = bad = middle
    if prober.cancel.is_set():
        return None
    return PeriodLimit(good, bad, plan_min_s, plan_holds=tried[0][1], tried=tuple(tried))

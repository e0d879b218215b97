"""Pairs that are proven while the burst still runs, as long as nothing at all is wrong.

At the end of a burst `rig.capture.pairing.pair` weighs everything. Until then a pair is proven early when the
evidence is spotless: each camera numbers its frames on from its first exposure, each frame starts one period
after the one before, no trigger was ignored when the counter was read after the frame, and the two cameras'
clocks keep their relation. The first three frames of each camera wait for each other: one alone could be an
exposure that no pulse made. At the first doubt nothing more is proven here, and the end of the burst decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from rig.capture.clocks import Clocks
from rig.capture.indexing import DRIFT_PPM, Burst, FrameStamp, Trace
from rig.capture.pairing import COMMON_CLOCK_NS, Match

CONFIRMED: Final = 3
"""Frames of each camera that must agree before the first pair is proven."""


@dataclass
class _Sums:
    """A least-squares line that grows point by point; times in ns since the first point."""

    count: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0

    def add(self, x: float, y: float) -> None:
        self.count += 1
        self.x += x
        self.y += y
        self.xx += x * x
        self.xy += x * y

    @property
    def rate(self) -> float:
        spread = self.xx - self.x * self.x / self.count if self.count else 0.0
        return (self.xy - self.x * self.y / self.count) / spread if spread > 0 else 0.0

    def residual(self, x: float, y: float) -> float:
        return y - self.y / self.count - self.rate * (x - self.x / self.count)


@dataclass
class _Camera:
    """What one camera said so far."""

    first_id: int | None
    stamps: list[FrameStamp] = field(default_factory=list)
    vouched: int = 0
    grid: _Sums = field(default_factory=_Sums)


class Steady:
    """Takes the frames of both cameras as they come, and proves pairs in order. Not thread-safe.

    Args:
        burst: What the box was told.
        first_id: Number that each camera ("B", "S") gives to its first exposure; None where not known.

    Attributes:
        spoiled: Why nothing more is proven before the end of the burst; empty while all is well.
        proven: How many pairs were proven, from index 0 on.
    """

    def __init__(self, burst: Burst, first_id: dict[str, int | None]) -> None:
        self._burst = burst
        self._of = {name: _Camera(first_id[name]) for name in ("B", "S")}
        self._relation = _Sums()
        self.proven = 0
        self.spoiled = "one pulse has no intervals" if burst.pulses < CONFIRMED else ""

    def frame(self, camera: Literal["B", "S"], stamp: FrameStamp, ignored: int | None) -> None:
        """Take one frame.

        Args:
            camera: Which camera.
            stamp: What it says of the frame; only times of its own clock.
            ignored: By how much its counter of ignored triggers has risen since before the burst, read after
                this frame came; None where it has no counter, which proves nothing early.
        """
        mine = self._of[camera]
        wrong = self._doubt(mine, stamp, ignored)
        if wrong:
            self.spoiled = self.spoiled or f"camera {camera}: {wrong}"
            return
        mine.stamps.append(stamp)
        index = len(mine.stamps) - 1
        mine.grid.add(index, stamp.timestamp_ns - mine.stamps[0].timestamp_ns - index * self._burst.period_ns)

    def taken(self, camera: Literal["B", "S"]) -> int:
        """Return how many frames of a camera were taken without a doubt."""
        return len(self._of[camera].stamps)

    def ready(self) -> list[Match]:
        """Return the pairs that were proven since the last call, in order."""
        b, s = self._of["B"], self._of["S"]
        both = min(len(b.stamps), len(s.stamps))
        found: list[Match] = []
        while not self.spoiled and both >= CONFIRMED and self.proven < both:
            for index in range(self._relation.count, both):
                self._relation.add(*self._apart(index))
            match = self._match(self.proven)
            if match is None:
                self.spoiled = "the two cameras' times do not fit together"
                break
            found.append(match)
            self.proven += 1
        return found

    @property
    def clocks(self) -> Clocks:
        """How the clocks ran so far."""
        b, s = self._of["B"], self._of["S"]
        if not self.proven:
            return Clocks()
        return Clocks(
            "common" if self._common(self.proven - 1) else "fitted",
            rate_ppm=self._relation.rate * 1e6,
            offset_us=self._offset_ns() / 1e3,
            grid_rate_ppm={
                name: of.grid.rate / self._burst.period_ns * 1e6 for name, of in (("B", b), ("S", s))
            },
        )

    def _doubt(self, mine: _Camera, stamp: FrameStamp, ignored: int | None) -> str:
        burst, index = self._burst, len(mine.stamps)
        if mine.first_id is None or ignored is None:
            return "it has no numbers or no counter that could prove a pair before the end of the burst"
        if ignored:
            return "it ignored a trigger"
        if index >= burst.pulses or stamp.frame_id != mine.first_id + index:
            return f"frame {stamp.frame_id} came where {mine.first_id + index} was due"
        if burst.earliest_ns is not None and (stamp.arrived_ns or burst.earliest_ns) < burst.earliest_ns:
            return "a frame came before the first pulse"
        if not index:
            return ""
        step_ns = stamp.timestamp_ns - mine.stamps[-1].timestamp_ns
        slack_ns = burst.jitter_ns + burst.period_ns * DRIFT_PPM * 1e-6
        late_ns = stamp.timestamp_ns - mine.stamps[0].timestamp_ns - index * burst.period_ns
        # The line itself must hold, too: small steps in one direction would add up to a period.
        beside_ns = mine.grid.residual(index, late_ns) if index >= CONFIRMED else 0.0
        if abs(step_ns - burst.period_ns) > slack_ns or abs(beside_ns) > 2 * burst.jitter_ns:
            return f"frame {stamp.frame_id} started {step_ns / 1e6:.3f} ms after the one before"
        if abs(late_ns) > burst.jitter_ns + abs(index) * burst.period_ns * DRIFT_PPM * 1e-6:
            return f"its clock drifts by more than {DRIFT_PPM:g} ppm"
        return ""

    def _offset_ns(self) -> int:
        b, s = (self._of[name].stamps[0].timestamp_ns for name in ("B", "S"))
        return s - b - self._burst.s_delay_ns

    def _apart(self, index: int) -> tuple[float, float]:
        b, s = self._of["B"].stamps, self._of["S"].stamps
        since_b = b[index].timestamp_ns - b[0].timestamp_ns
        return float(since_b), float(s[index].timestamp_ns - s[0].timestamp_ns - since_b)

    def _common(self, index: int) -> bool:
        limit_ns = (
            COMMON_CLOCK_NS if self._burst.shared_clock else min(COMMON_CLOCK_NS, self._burst.period_ns // 4)
        )
        return abs(self._offset_ns() + self._apart(index)[1]) <= limit_ns

    def _match(self, index: int) -> Match | None:
        burst = self._burst
        since_b, late_ns = self._apart(index)
        apart_ns = self._offset_ns() + late_ns
        common = self._common(index)
        periods = round(apart_ns / burst.period_ns)
        shifted = periods != 0 and abs(apart_ns - periods * burst.period_ns) <= COMMON_CLOCK_NS
        residual_ns = self._relation.residual(since_b, late_ns)
        if (
            (not common and (burst.shared_clock or (shifted and abs(periods) <= burst.pulses)))
            or abs(residual_ns) > burst.jitter_ns
            or abs(self._relation.rate)
            > 2 * DRIFT_PPM * 1e-6 + 2 * burst.jitter_ns / max(since_b, burst.period_ns)
        ):
            return None
        grid = {}
        for name, of in self._of.items():
            at_ns = of.stamps[index].timestamp_ns - of.stamps[0].timestamp_ns - index * burst.period_ns
            grid[name] = of.grid.residual(index, at_ns) / 1e3
        skew_ns = apart_ns if common else residual_ns
        return Match(index, index, index, skew_ns / 1e3, residual_ns / 1e3, grid)


def spotless(burst: Burst, trace: Trace) -> int:
    """Return how many frames of a camera, from the first on, are proven before the end of the burst.

    Args:
        burst: What the box was told.
        trace: What the camera delivered so far, and its count of ignored triggers read afterwards.
    """
    if not trace.clocked:
        return 0
    steady = Steady(burst, {"B": trace.first_id, "S": trace.first_id})
    for stamp in trace.frames:
        steady.frame("B", stamp, trace.ignored)
        if steady.spoiled:
            break
    count = steady.taken("B")
    return count if count >= CONFIRMED else 0

"""Proof while the burst still runs: stretches of it are proven by `pair` as soon as they are closed.

The proof of :mod:`rig.capture.pairing` looks at a whole burst. In a burst of thousands of pulses nothing
could be recorded as a pair before its end, and one power cut would cost all of it. So stretches are
closed earlier:

* *Spotless*: from both cameras the frames came in order, numbered without a gap from the first one, and
  each camera's count of ignored triggers, read after the newest of them, has not moved since the burst
  began. Then every exposure up to there has its frame here and no pulse before it was ignored, so the
  stretch is a full burst of its own, and `pair` proves it, seeing up to `2 * OVERLAP` pulses that were
  proven before. The first
  pulses wait for the third: one frame has no interval, two have no line, and only the second one shows up an
  exposure by a spike before the burst.
* *Explained*: when anything else was seen, nothing is settled until both cameras have delivered
  `MARGIN_S` more of pulses: a frame that is late has come by then. When `pair` then accounts for every
  pulse of the stretch, and finds no more ignored triggers than the camera counted, it is closed, too. (A
  spike during an exposure is counted as an ignored trigger, but costs no pulse.)
* What is left is proven at the end of the burst, together with the last pulses proven before.

No proof looks at more than the pulses since the last closed stretch and some before it. That also holds
for the end of a long burst: clocks are linear over a minute, not over an hour of warming up.

A camera that does not count its ignored triggers cannot take part: one that missed pulse 0 would number
and time its frames as one that missed none, and only the full house at the end of the burst tells them
apart.

Later evidence that contradicts what was settled is an alarm (:attr:`Rolling.alarm`): then nothing of the
burst is trusted. Pure functions over what the cameras said; nothing here waits, reads or writes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from rig.capture.contradiction import contradiction, too_many
from rig.capture.indexing import Burst, Trace, latest_start
from rig.capture.pairing import COMMON_CLOCK_NS, Match, Pairing, Refusal, Rejection, pair
from rig.capture.sight import Sight, Window, vouched_frames

OVERLAP: Final = 16
"""Pulses proven before that every proof sees again, at least (fewer only near the start of the burst)."""

CONFIRMED: Final = 3
"""Pulses that the first proof needs: with fewer a line through their times says nothing."""

MARGIN_S: Final = 5.0
"""How much later than its exposure and readout a frame may arrive before it counts as lost."""

_TAIL: Final = 4
_TRIES: Final = 8
CAMERAS: Final[tuple[Literal["B", "S"], ...]] = ("B", "S")
TOO_LATE: Final = "it came when its shot was settled already"


@dataclass(frozen=True)
class Settled:
    """One pulse whose fate is sealed; index and positions count from the start of the burst."""

    one: Match | Rejection
    pairing: Pairing


@dataclass(frozen=True)
class Closing:
    """The end of a burst.

    Attributes:
        settled: The pulses that were still open.
        refused: Frames without an index.
        fired: How many pulses were fired; after an early stop, as many as are known to have been.
    """

    settled: tuple[Settled, ...]
    refused: tuple[Refusal, ...]
    fired: int


@dataclass
class Rolling:
    """Settles the pulses of one burst while it runs.

    Args:
        burst: What the box was told.
        first_id: The number that each camera gives to the first exposure of the burst; None when unknown.
        sound: Whether both cameras count ignored triggers and give times of their own.

    Attributes:
        settled: How many pulses are settled; they are the first ones.
        alarm: Why what was settled cannot be trusted; empty as long as it can.
    """

    burst: Burst
    first_id: Mapping[str, int | None]
    sound: bool
    settled: int = 0
    alarm: str = ""
    _base: int = 0
    _tries: int = 0
    _patience_until: int | None = None
    _windows: dict[str, Window] = field(default_factory=dict)
    _refused: list[Refusal] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sound = self.sound and all(number is not None for number in self.first_id.values())
        self._windows = {name: Window(0, self.first_id[name] or 0) for name in CAMERAS}

    # ---- while the burst runs

    def advance(self, sights: Mapping[str, Sight]) -> list[Settled]:
        """Settle what the evidence so far proves; call it again and again."""
        if not self.sound or self.alarm:
            return []
        if self._patience_until is not None:
            return self._explained(sights)
        spotless = [self._windows[name].look(sights[name]) for name in CAMERAS]
        found = self._spotless(sights)
        if found is None or not all(spotless):
            seen = max(window.clean for window in self._windows.values())
            self._patience_until = self._base + seen + self._patience
        return found or []

    @property
    def _patience(self) -> int:
        return math.ceil(MARGIN_S * 1e9 / self.burst.period_ns) + _TAIL

    @property
    def _anchored(self) -> bool:
        """Whether the pulse of the windows' first frames is known."""
        return self.settled > self._base

    def _spotless(self, sights: Mapping[str, Sight]) -> list[Settled] | None:
        """Settle the spotless frames; None when `pair` sees a spot."""
        count = min(*(window.clean for window in self._windows.values()), self.burst.pulses - self._base)
        if self._base + count <= self.settled or count < min(CONFIRMED, self.burst.pulses):
            return []
        clean: dict[str, int] = {name: window.start + window.clean for name, window in self._windows.items()}
        if not self._anchored and not self._begun(sights, clean):
            return []
        if not self._anchored and self._shifted(sights):
            self.sound = False
            return []
        traces = {
            name: Trace(
                tuple(sights[name].frames[window.start : window.start + count]),
                ignored=0,
                first_id=window.first_id,
                anchored=self._anchored,
            )
            for name, window in self._windows.items()
        }
        pairing = pair(replace(self.burst, pulses=count, complete=True), traces["B"], traces["S"])
        if pairing.rejected or pairing.refused or not all(self._beyond_doubt(one) for one in pairing.pairs):
            return None
        starts = {name: range(window.start, window.start + count) for name, window in self._windows.items()}
        found = self._fresh(pairing, starts)
        self.settled = self._base + count
        if count > 2 * OVERLAP:
            self._move(count - OVERLAP)
        return found

    def _begun(self, sights: Mapping[str, Sight], upto: Mapping[str, int]) -> bool:
        """Whether a frame of each camera came so early that its number is that of its pulse.

        Then no edge was lost before it that nobody counted. Without a frame nothing is known.
        """
        if self.burst.earliest_ns is None:
            return True
        for name, window in self._windows.items():
            frames = sights[name].frames[window.start : upto[name]]
            numbers = [stamp.frame_id - window.first_id for stamp in frames]
            latest = latest_start(self.burst, frames, numbers)
            if latest is None or latest > 0:
                return False
        return True

    def _shifted(self, sights: Mapping[str, Sight]) -> bool:
        """Clocks whole periods apart look like one clock and a shift; the burst's end decides then."""
        b, s = (sights[name].frames[0].timestamp_ns for name in CAMERAS)
        apart = s - b - self.burst.s_delay_ns
        periods = round(apart / self.burst.period_ns)
        near = abs(apart - periods * self.burst.period_ns) <= COMMON_CLOCK_NS
        return near and 0 < abs(periods) <= 2 * OVERLAP + self._patience

    def _beyond_doubt(self, one: Match) -> bool:
        """Leave room: what is settled now must also stand when later pulses have their say in the fit."""
        off_ns = 0.0 if one.residual_us is None else abs(one.residual_us) * 1e3
        return one.index == one.b == one.s and off_ns <= self.burst.jitter_ns / 2

    def _move(self, pulses: int) -> None:
        self._base += pulses
        for window in self._windows.values():
            window.start += pulses
            window.first_id += pulses
            window.clean -= pulses

    def _explained(self, sights: Mapping[str, Sight]) -> list[Settled]:
        """Close a stretch in which something was seen, once enough came after it."""
        reach = [self._reach(self._windows[name], sights[name]) for name in CAMERAS]
        upto = min((-1 if one is None else one for one in reach), default=-1) + 1
        upto = min(upto, self.burst.pulses - self._base)
        if self._patience_until is None or self._base + upto <= self._patience_until:
            return []
        vouched: dict[str, int] = {name: vouched_frames(sights[name]) for name in CAMERAS}
        if not self._anchored and not self._begun(sights, vouched):
            return []
        self._tries += 1
        if self._tries > _TRIES:
            return []  # it does not clear up; each try takes longer than the one before
        self._patience_until = self._base + upto + self._patience
        traces: dict[str, Trace] = {}
        places: dict[str, list[int]] = {}
        for name, window in self._windows.items():
            seen, _ = window.places(
                sights[name].frames, vouched_frames(sights[name]), anchored=self._anchored
            )
            places[name] = [place for place in seen if self._index(window, sights[name], place) < upto]
            ignored = sights[name].ignored
            traces[name] = Trace(
                tuple(sights[name].frames[place] for place in places[name]),
                ignored=None if ignored is None else ignored - window.ignored,
                first_id=window.first_id,
                anchored=self._anchored,
            )
        pairing = pair(replace(self.burst, pulses=upto, complete=True), traces["B"], traces["S"])
        last = pairing.pairs[-1] if pairing.pairs else None
        if last is None or last.index < upto - _TAIL:
            return []
        self.alarm = self._contradicted(pairing, places)
        if self.alarm:
            return []
        ends = {"B": places["B"][last.b], "S": places["S"][last.s]}
        spare = {}
        for name, window in self._windows.items():
            exposed = sights[name].frames[ends[name]].frame_id - window.first_id
            counted = (sights[name].ignored or 0) - window.ignored + window.spare
            spare[name] = counted - (last.index - exposed)
            if spare[name] < 0 or (spare[name] and not self._anchored):
                return []  # nobody counted such a trigger, or the beginning is open
        found = self._fresh(pairing, places, last.index)
        for one in pairing.refused:
            place = places[one.camera][one.position]
            if place < ends[one.camera]:
                self._refused.append(replace(one, position=place))
        for name in CAMERAS:
            window, sight = self._windows[name], sights[name]
            _, late = window.places(sight.frames, ends[name], anchored=self._anchored)
            self._refused += [Refusal(name, place, TOO_LATE) for place in late]
            number = sight.frames[ends[name]].frame_id
            self._windows[name] = Window(ends[name], number, sight.ignored or 0, spare=spare[name])
        self._base += last.index
        self.settled, self._patience_until, self._tries = self._base + 1, None, 0
        return found

    def _reach(self, window: Window, sight: Sight) -> int | None:
        """Return which pulse, from the window's first, the newest frame seems to be of."""
        seen = vouched_frames(sight)
        if seen <= window.start or sight.ignored is None:
            return None
        if not self._anchored and sight.ignored != window.ignored:
            return None  # nothing is proven yet, and nobody can tell where the burst began
        return max(
            self._index(window, sight, place) for place in range(max(window.start, seen - _TAIL), seen)
        )

    def _index(self, window: Window, sight: Sight, place: int) -> int:
        """Return a frame's pulse, from the window's first, by its time, or else by its number."""
        if not self._anchored:
            return sight.frames[place].frame_id - window.first_id
        elapsed = sight.frames[place].timestamp_ns - sight.frames[window.start].timestamp_ns
        return round(elapsed / self.burst.period_ns)

    def _fresh(
        self, pairing: Pairing, places: Mapping[str, Sequence[int]], last: int | None = None
    ) -> list[Settled]:
        """Return the outcomes that are new, with positions and indices of the burst, in order."""
        every: list[Match | Rejection] = [*pairing.pairs, *pairing.rejected]
        found = []
        for one in sorted(every, key=lambda item: item.index):
            index = self._base + one.index
            if index < self.settled or (last is not None and one.index > last):
                continue
            b = None if one.b is None else places["B"][one.b]
            s = None if one.s is None else places["S"][one.s]
            if isinstance(one, Match):
                found.append(
                    Settled(replace(one, index=index, b=places["B"][one.b], s=places["S"][one.s]), pairing)
                )
            else:
                found.append(Settled(replace(one, index=index, b=b, s=s), pairing))
        return found

    def _contradicted(self, pairing: Pairing, places: Mapping[str, Sequence[int]]) -> str:
        starts = {name: window.start for name, window in self._windows.items()}
        return contradiction(pairing, places, starts, self._base, self.settled - self._base)

    # ---- when it is over

    def close(self, traces: Mapping[str, Trace], *, complete: bool, at_most: int | None = None) -> Closing:
        """Settle the rest with all that both cameras delivered.

        Args:
            traces: All of it, of "B" and "S", over the whole burst.
            complete: Whether all pulses were surely fired.
            at_most: How many there was time for before the box was stopped; None where it was not.
        """
        pulses = self.burst.pulses if at_most is None else min(self.burst.pulses, at_most)
        burst = self.burst = replace(self.burst, pulses=max(pulses, self.settled, 1), complete=complete)
        if self.settled == 0:
            pairing = pair(burst, traces["B"], traces["S"])
            every: list[Match | Rejection] = [*pairing.pairs, *pairing.rejected]
            rest = tuple(Settled(one, pairing) for one in sorted(every, key=lambda item: item.index))
            return Closing(rest, pairing.refused, pairing.fired)
        places: dict[str, list[int]] = {}
        tails: dict[str, Trace] = {}
        for name in CAMERAS:
            window, trace = self._windows[name], traces[name]
            places[name], late = window.places(trace.frames, len(trace.frames), anchored=True)
            self._refused += [Refusal(name, place, TOO_LATE) for place in late]
            tails[name] = replace(
                trace,
                frames=tuple(trace.frames[place] for place in places[name]),
                ignored=None if trace.ignored is None else trace.ignored - window.ignored,
                first_id=window.first_id,
                anchored=True,
            )
        pairing = pair(replace(burst, pulses=burst.pulses - self._base), tails["B"], tails["S"])
        self.alarm = (
            self.alarm or self._contradicted(pairing, places) or too_many(self.burst, self._base, tails)
        )
        fired = max(self._base + pairing.fired, self.settled)
        rest = tuple(self._fresh(pairing, places))
        if self.alarm:
            rest = tuple(self._doubted(one) for one in rest)
        refused = [replace(one, position=places[one.camera][one.position]) for one in pairing.refused]
        told = {(one.camera, one.position) for one in self._refused}
        settled_here = {name: self._windows[name].start + self.settled - self._base for name in CAMERAS}
        new = [
            one
            for one in refused
            if (one.camera, one.position) not in told and one.position >= settled_here[one.camera]
        ]
        return Closing(rest, (*self._refused, *new), fired)

    def _doubted(self, settled: Settled) -> Settled:
        one = settled.one
        if isinstance(one, Rejection):
            return settled
        return replace(settled, one=Rejection(one.index, self.alarm, one.b, one.s))

"""Bursts with faults and a known truth, told frame by frame as the two cameras would tell them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import strategies as st

from rig.capture.indexing import Burst, FrameStamp, Trace
from rig.capture.rolling import CAMERAS, Closing, Rolling, Settled
from rig.capture.sight import Sight

PERIOD_NS = 1_000_000_000
"""Long, so that the patience of the rolling proof is a few pulses only."""


@dataclass
class FaultyCamera:
    """What happens in one camera, by pulse, and what it says over time."""

    ignored: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    doubled: dict[int, int] = field(default_factory=dict)
    late: dict[int, int] = field(default_factory=dict)
    strays_ns: tuple[int, ...] = ()
    offset_ns: int = 0
    drift_ppm: float = 0.0
    jitter_ns: int = 0
    counts: bool = True
    first_id: int | None = 0
    truth: dict[FrameStamp, int | None] = field(default_factory=dict)
    frames: list[FrameStamp] = field(default_factory=list)
    vouched: dict[int, int] = field(default_factory=dict)

    def prepare(self, pulses: int) -> None:
        starts: list[tuple[int, int | None]] = [(time, None) for time in self.strays_ns]
        for index in range(pulses):
            if index not in self.ignored:
                starts.append((index * PERIOD_NS + (-1) ** index * self.jitter_ns, index))
        self._due: list[tuple[int, int, FrameStamp]] = []
        for number, (time, index) in enumerate(sorted(starts, key=lambda item: item[0])):
            seen = self.offset_ns + round(time * (1 + self.drift_ppm * 1e-6))
            stamp = FrameStamp(number + (self.first_id or 0), seen)
            self.truth[stamp] = index
            if index is None or index not in self.lost:
                came = time + PERIOD_NS // 3 + self.late.get(-1 if index is None else index, 0) * PERIOD_NS
                self._due.append((came, number, stamp))
                if index in self.doubled:
                    self._due.append((came + self.doubled[index] * PERIOD_NS + 1, number, stamp))
        self._due.sort(key=lambda item: item[:2])

    def come(self, now_ns: int) -> None:
        """Deliver what is due and read the counter after each frame, as a collector does."""
        count = sum(index * PERIOD_NS <= now_ns for index in self.ignored)
        while self._due and self._due[0][0] <= now_ns:
            self.frames.append(self._due.pop(0)[2])
        self.vouched[count] = len(self.frames)
        self.count = count

    def sight(self) -> Sight:
        return Sight(self.frames, self.vouched, self.count if self.counts else None)

    def trace(self) -> Trace:
        ignored = self.count if self.counts else None
        return Trace(tuple(self.frames), ignored, self.first_id)


def tell(
    rolling: Rolling, cameras: dict[str, FaultyCamera], pulses: int, fired: int
) -> Iterator[list[Settled]]:
    """Tell the story of a burst up to the pulse at which it was stopped; yields what is settled."""
    for camera in cameras.values():
        camera.prepare(fired)
    for tick in range(2 * (fired + 12)):
        for camera in cameras.values():
            camera.come(tick * PERIOD_NS // 2)
        yield rolling.advance({name: camera.sight() for name, camera in cameras.items()})


def play(
    b: FaultyCamera, s: FaultyCamera, pulses: int, fired: int | None = None
) -> tuple[list[Settled], Rolling, Closing]:
    """Play a burst to its end and check what must hold whatever happened.

    Returns:
        What was settled while it ran, the proof, and its end.
    """
    cameras = {"B": b, "S": s}
    sound = b.counts and s.counts
    rolling = Rolling(Burst(pulses, PERIOD_NS), {name: one.first_id for name, one in cameras.items()}, sound)
    early = [
        one for step in tell(rolling, cameras, pulses, pulses if fired is None else fired) for one in step
    ]
    closing = rolling.close({name: cameras[name].trace() for name in CAMERAS}, complete=fired is None)
    outcomes = [*early, *closing.settled]
    assert [one.one.index for one in outcomes] == list(range(closing.fired))
    used: dict[str, set[int]] = {"B": set(), "S": set()}
    for outcome in outcomes:
        for name, place in (("B", outcome.one.b), ("S", outcome.one.s)):
            if place is not None:
                assert place not in used[name]
                used[name].add(place)
    refused = [(one.camera, one.position) for one in closing.refused]
    assert len(set(refused)) == len(refused)
    for name in CAMERAS:
        places = used[name] | {place for camera, place in refused if camera == name}
        assert places == set(range(len(cameras[name].frames))), "a frame is nowhere"
    return early, rolling, closing


@st.composite
def faulty_cameras(draw: st.DrawFn, pulses: int, offset_ns: int = 0) -> FaultyCamera:
    # A sensor cannot start twice within one exposure: a stray keeps its distance from the pulses.
    stray = st.tuples(st.integers(-2, pulses), st.floats(0.1, 0.9)).map(lambda at: round(sum(at) * PERIOD_NS))
    index = st.integers(0, pulses - 1)
    some = st.sets(index, max_size=2)
    return FaultyCamera(
        ignored=draw(some),
        lost=draw(some),
        doubled=draw(st.dictionaries(index, st.integers(0, 9), max_size=1)),
        late=draw(st.dictionaries(index, st.integers(1, 9), max_size=2)),
        strays_ns=draw(st.lists(stray, max_size=1).map(tuple)) if pulses > 1 else (),
        offset_ns=offset_ns,
        drift_ppm=draw(st.floats(-50, 50)),
        jitter_ns=draw(st.integers(0, 20_000)),
        counts=draw(st.sampled_from([True, True, True, False])),
        first_id=draw(st.sampled_from([0, 1, 7, None])),
    )

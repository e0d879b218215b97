"""Simulated bursts whose truth is known: what happens to the pulses in each camera, and what it then says."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from hypothesis import strategies as st

from rig.capture.pairing import Burst, FrameStamp, Pairing, Trace, pair

PERIOD_NS = 200_000_000


@dataclass
class Camera:
    """What happens to the pulses in one camera, and what it will say."""

    ignored: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    doubled: set[int] = field(default_factory=set)
    strays_ns: tuple[int, ...] = ()
    offset_ns: int = 0
    drift_ppm: float = 0.0
    jitter_ns: int = 0
    counts_ignored: bool = True
    first_id: int | None = 0
    late: dict[int, int] = field(default_factory=dict)
    truth: dict[FrameStamp, int | None] = field(default_factory=dict)

    def trace(self, pulses: int, fired: int | None = None) -> Trace:
        exposures: list[tuple[int, int | None]] = [(time, None) for time in self.strays_ns]
        for index in range(pulses if fired is None else fired):
            if index not in self.ignored:
                exposures.append((index * PERIOD_NS + (-1) ** index * self.jitter_ns, index))
        frames = []
        for number, (time, index) in enumerate(sorted(exposures, key=lambda item: item[0])):
            stamp = FrameStamp(
                number + (self.first_id or 0), self.offset_ns + round(time * (1 + self.drift_ppm * 1e-6))
            )
            self.truth[stamp] = index
            if index not in self.lost:
                frames += [stamp] * (2 if index in self.doubled else 1)
        for index, by in self.late.items():  # overtaken by so many others on the way to the computer
            if index < len(frames):
                frames.insert(index + by, frames.pop(index))
        return Trace(tuple(frames), len(self.ignored) if self.counts_ignored else None, self.first_id)


def run(pulses: int, b: Camera, s: Camera, **burst: object) -> Pairing:
    """Pair, and check what must hold whatever happened."""
    trace_b, trace_s = b.trace(pulses), s.trace(pulses)
    result = pair(Burst(pulses, PERIOD_NS, **burst), trace_b, trace_s)  # type: ignore[arg-type]
    for match in result.pairs:
        assert b.truth[trace_b.frames[match.b]] == match.index
        assert s.truth[trace_s.frames[match.s]] == match.index
    assert sorted([m.index for m in result.pairs] + [r.index for r in result.rejected]) == list(
        range(result.fired)
    )
    assert all(rejection.reason for rejection in result.rejected)
    return result


@st.composite
def faulty(draw: st.DrawFn, pulses: int, offset_ns: int) -> Camera:
    # A sensor cannot start twice within one exposure: a stray keeps its distance from the pulses.
    places = st.tuples(st.integers(-3, pulses), st.floats(0.1, 0.9))
    stray = places.map(lambda place: round((place[0] + place[1]) * PERIOD_NS))
    strays = st.lists(stray, max_size=1).map(tuple)
    some = st.sets(st.integers(0, pulses - 1), max_size=3)
    return Camera(
        ignored=draw(some),
        lost=draw(some),
        doubled=draw(some),
        strays_ns=draw(strays) if pulses > 1 else (),
        offset_ns=offset_ns,
        drift_ppm=draw(st.floats(-50, 50)),
        jitter_ns=draw(st.integers(0, 20_000)),
        late=draw(st.dictionaries(st.integers(0, pulses), st.integers(1, 3), max_size=2)),
        counts_ignored=draw(st.booleans()),
        first_id=draw(st.sampled_from([0, 1, None])),
    )


def at_random(chance: random.Random, pulses: int, offset_ns: int) -> Camera:
    """Draw a camera with faults; the same faults as `faulty`, much faster."""

    def some() -> set[int]:
        return {chance.randrange(pulses) for _ in range(chance.choice((0, 0, 1, 1, 2, 3)))}

    stray = round((chance.randrange(-3, pulses + 1) + chance.uniform(0.1, 0.9)) * PERIOD_NS)
    return Camera(
        ignored=some(),
        lost=some(),
        doubled=some(),
        strays_ns=(stray,) if pulses > 1 and chance.random() < 0.2 else (),
        offset_ns=offset_ns,
        drift_ppm=chance.uniform(-90, 90),
        jitter_ns=chance.choice((0, 100, 5_000, 40_000)),
        counts_ignored=chance.random() < 0.7,
        first_id=chance.choice((0, 0, 1, None)),
        late={chance.randrange(pulses): chance.randint(1, 3)} if chance.random() < 0.3 else {},
    )

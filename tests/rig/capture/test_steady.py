"""Pairs that are proven while the burst runs: never a wrong one, and all of them when nothing is wrong."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.capture.pairing import Burst, FrameStamp, Match, Trace, pair
from rig.capture.steady import Steady, spotless
from tests.rig.capture.bursts import PERIOD_NS, Camera, at_random, faulty


def ignored_so_far(camera: Camera, upto: int) -> int | None:
    """What the counter says when it is read just after the frame of pulse ``upto`` came."""
    return sum(index < upto for index in camera.ignored) if camera.counts_ignored else None


def stream(burst: Burst, b: Camera, s: Camera, chance: random.Random) -> tuple[Steady, list[Match]]:
    """Feed both traces as they come, in some interleaving, and check every pair against the truth."""
    steady = Steady(burst, {"B": b.first_id, "S": s.first_id})
    traces = {"B": (b, list(b.trace(burst.pulses).frames)), "S": (s, list(s.trace(burst.pulses).frames))}
    given_out = {"B": 0, "S": 0}
    matches: list[Match] = []
    while any(given_out[name] < len(traces[name][1]) for name in traces):
        name = chance.choice([name for name in traces if given_out[name] < len(traces[name][1])])
        camera, frames = traces[name]
        stamp = frames[given_out[name]]
        given_out[name] += 1
        upto = camera.truth[stamp]
        counted = ignored_so_far(camera, burst.pulses if upto is None else upto)
        steady.frame("B" if name == "B" else "S", stamp, counted)
        matches += steady.ready()
    for number, match in enumerate(matches):
        assert match.index == number
        assert b.truth[traces["B"][1][match.b]] == match.index
        assert s.truth[traces["S"][1][match.s]] == match.index
    return steady, matches


@given(st.data(), st.integers(1, 12), st.integers(-(10**15), 10**15), st.booleans(), st.integers())
def test_no_fault_ever_leads_to_a_wrong_pair(
    data: st.DataObject, pulses: int, offset_ns: int, shared: bool, seed: int
) -> None:
    b, s = (data.draw(faulty(pulses, offset)) for offset in (0, offset_ns))
    stream(Burst(pulses, PERIOD_NS, shared_clock=shared), b, s, random.Random(seed))


def test_two_thousand_random_bursts_give_no_wrong_pair() -> None:
    chance = random.Random(5)
    found = 0
    for _ in range(2000):
        pulses, offset_ns = chance.randint(1, 30), chance.choice((0, 10**9 + 7, -(10**14) - PERIOD_NS // 3))
        b, s = at_random(chance, pulses, 0), at_random(chance, pulses, offset_ns)
        found += len(stream(Burst(pulses, PERIOD_NS), b, s, chance)[1])
    assert found > 300


@given(
    st.integers(3, 60), st.sampled_from([0, 1]), st.integers(10**9, 10**15), st.floats(-80, 80), st.integers()
)
def test_without_faults_all_are_proven_on_the_way_with_the_figures_of_the_end(
    pulses: int, first_id: int, offset_ns: int, drift_ppm: float, seed: int
) -> None:
    offset_ns += PERIOD_NS // 3 - offset_ns % PERIOD_NS
    b, s = Camera(), Camera(offset_ns=offset_ns, drift_ppm=drift_ppm, first_id=first_id)
    burst = Burst(pulses, PERIOD_NS)
    steady, matches = stream(burst, b, s, random.Random(seed))
    assert (len(matches), steady.spoiled) == (pulses, "")
    end = pair(burst, b.trace(pulses), s.trace(pulses))
    assert [(match.index, match.b, match.s) for match in end.pairs] == [
        (match.index, match.b, match.s) for match in matches
    ]
    assert steady.clocks.kind == end.clocks.kind
    assert steady.clocks.rate_ppm == pytest.approx(end.clocks.rate_ppm, abs=0.01)
    assert matches[-1].residual_us == pytest.approx(end.pairs[-1].residual_us, abs=0.1)


def test_an_ignored_trigger_ends_the_early_proofs_and_names_itself() -> None:
    steady, matches = stream(Burst(9, PERIOD_NS), Camera(), Camera(ignored={5}), random.Random(1))
    assert [match.index for match in matches] == [0, 1, 2, 3, 4]
    assert steady.spoiled == "camera S: it ignored a trigger"


def test_one_exposure_before_the_pulses_proves_nothing_early() -> None:
    stray = Camera(strays_ns=(-PERIOD_NS // 3,))
    assert stream(Burst(9, PERIOD_NS), Camera(), stray, random.Random(1))[1] == []


def test_a_camera_without_a_counter_waits_for_the_end() -> None:
    _, matches = stream(Burst(9, PERIOD_NS), Camera(), Camera(counts_ignored=False), random.Random(1))
    assert matches == []


def test_spotless_counts_the_frames_that_are_proven() -> None:
    trace = Camera().trace(6)
    assert spotless(Burst(20, PERIOD_NS), trace) == 6
    assert spotless(Burst(20, PERIOD_NS), Trace(trace.frames[:2], 0)) == 0
    assert spotless(Burst(20, PERIOD_NS), Trace(trace.frames, 1)) == 0
    assert spotless(Burst(20, PERIOD_NS), Trace((*trace.frames, FrameStamp(9, 10**10)), 0)) == 6

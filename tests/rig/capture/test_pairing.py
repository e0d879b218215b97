"""Pairing against simulated bursts whose truth is known: no pair is ever wrong, good shots are kept."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.capture.pairing import Burst, FrameStamp, Trace, pair
from tests.rig.capture.bursts import PERIOD_NS, Camera, at_random, faulty, run


@given(st.data(), st.integers(1, 12), st.integers(-(10**15), 10**15))
def test_no_fault_ever_leads_to_a_wrong_pair(data: st.DataObject, pulses: int, offset_ns: int) -> None:
    b, s = (data.draw(faulty(pulses, offset)) for offset in (0, offset_ns))
    run(pulses, b, s)


def test_two_thousand_random_bursts_give_no_wrong_pair() -> None:
    chance = random.Random(4)
    found = 0
    for _ in range(2000):
        pulses, offset_ns = chance.randint(1, 30), chance.choice((0, 10**9 + 7, -(10**14) - PERIOD_NS // 3))
        b, s = at_random(chance, pulses, 0), at_random(chance, pulses, offset_ns)
        found += len(run(pulses, b, s, shared_clock=offset_ns == 0 and chance.random() < 0.5).pairs)
    assert found > 4000


@given(
    st.integers(2, 40),
    st.sampled_from([0, 1]),
    st.integers(10**9, 10**15),
    st.floats(-80, 80),
    st.integers(0, 50_000),
)
def test_without_faults_every_pulse_gives_a_pair_on_any_two_clocks(
    pulses: int, first_id: int, offset_ns: int, drift_ppm: float, jitter_ns: int
) -> None:
    offset_ns += PERIOD_NS // 3 - offset_ns % PERIOD_NS
    s = Camera(offset_ns=offset_ns, drift_ppm=drift_ppm, jitter_ns=jitter_ns, first_id=first_id)
    result = run(pulses, Camera(), s)
    assert len(result.pairs) == pulses
    assert result.clock == "fitted"


@given(st.integers(3, 20), st.data())
def test_a_lost_frame_costs_its_own_shot_only(pulses: int, data: st.DataObject) -> None:
    lost = data.draw(st.integers(0, pulses - 1))
    result = run(pulses, Camera(), Camera(lost={lost}))
    assert [rejection.index for rejection in result.rejected] == [lost]
    assert result.rejected[0].reason.startswith("camera S:")


@given(st.integers(4, 20), st.data())
def test_an_ignored_trigger_inside_the_burst_costs_its_own_shot_only(
    pulses: int, data: st.DataObject
) -> None:
    ignored = data.draw(st.integers(1, pulses - 2))
    result = run(pulses, Camera(ignored={ignored}), Camera())
    assert [rejection.reason for rejection in result.rejected] == ["camera B: it ignored the trigger"]


def test_when_the_first_or_the_last_trigger_was_ignored_nobody_can_tell_which() -> None:
    result = run(8, Camera(), Camera(ignored={0}))
    assert result.pairs == ()
    assert "may belong to any of the pulses 0 to 1" in result.rejected[0].reason


def test_one_pulse_is_proven_by_its_number() -> None:
    assert len(run(1, Camera(), Camera()).pairs) == 1
    stale = Trace((FrameStamp(5, 0),), 0)
    assert pair(Burst(1, PERIOD_NS), stale, Trace((FrameStamp(0, 0),), 0)).pairs == ()


def test_one_frame_of_several_pulses_proves_nothing() -> None:
    result = run(4, Camera(), Camera(lost={0, 1, 3}))
    assert result.pairs == ()


def test_a_frame_delivered_twice_is_used_once() -> None:
    result = run(5, Camera(), Camera(doubled={2}))
    assert len(result.pairs) == 5
    assert [(refusal.camera, refusal.reason) for refusal in result.refused] == [
        ("S", "it was delivered twice")
    ]


def test_a_frame_between_the_pulses_is_refused_and_the_others_are_kept() -> None:
    result = run(6, Camera(), Camera(strays_ns=(2 * PERIOD_NS + PERIOD_NS // 3,)))
    assert len(result.pairs) == 6
    assert [refusal.reason for refusal in result.refused] == [
        "it started at a time at which the box gave no pulse"
    ]


def test_a_stray_exposure_together_with_a_lost_frame_proves_nothing() -> None:
    result = run(6, Camera(), Camera(strays_ns=(-PERIOD_NS // 3,), lost={5}))
    assert result.pairs == ()


def test_frames_that_come_in_another_order_are_paired_by_their_times() -> None:
    b = Camera().trace(4)
    s = Trace(tuple(reversed(Camera().trace(4).frames)), 0)
    result = pair(Burst(4, PERIOD_NS), b, s)
    assert [(match.index, match.b, match.s) for match in result.pairs] == [
        (0, 0, 3),
        (1, 1, 2),
        (2, 2, 1),
        (3, 3, 0),
    ]


def test_times_that_are_shifted_by_whole_periods_are_not_trusted() -> None:
    result = run(6, Camera(), Camera(offset_ns=PERIOD_NS))
    assert result.pairs == ()
    assert "exactly 1 periods" in result.rejected[0].reason


def test_on_one_clock_the_skew_is_the_true_distance_of_the_two_starts() -> None:
    result = run(6, Camera(), Camera(offset_ns=37_000))
    assert result.clock == "common"
    assert [match.skew_us for match in result.pairs] == [37.0] * 6


def test_a_planned_delay_of_s_is_not_a_skew() -> None:
    result = run(6, Camera(), Camera(offset_ns=4_000_000), s_delay_ns=4_000_000)
    assert [match.skew_us for match in result.pairs] == [0.0] * 6


@given(st.integers(2, 10), st.integers(2, 10))
def test_after_a_cancel_the_shots_that_were_fired_are_kept(pulses: int, fired: int) -> None:
    fired = min(fired, pulses)
    trace = Camera().trace(pulses, fired)
    result = pair(Burst(pulses, PERIOD_NS, complete=False), trace, trace)
    assert (result.fired, len(result.pairs)) == (fired, fired)


def test_a_camera_that_was_silent_is_named_in_every_shot() -> None:
    result = pair(Burst(3, PERIOD_NS), Camera().trace(3), Trace((), 0))
    assert {rejection.reason for rejection in result.rejected} == {"camera S: it delivered no frame"}
    assert [rejection.b for rejection in result.rejected] == [0, 1, 2]


def test_a_camera_on_another_period_is_refused() -> None:
    wrong = Trace(tuple(FrameStamp(number, number * PERIOD_NS * 3 // 4) for number in range(6)), 0)
    result = pair(Burst(6, PERIOD_NS), Camera().trace(6), wrong)
    assert result.pairs == ()
    assert "do not fit the period" in result.rejected[0].reason


def test_one_pair_on_two_clocks_has_no_skew_that_could_be_told() -> None:
    result = run(1, Camera(), Camera(offset_ns=10**12))
    assert [(match.skew_us, match.residual_us) for match in result.pairs] == [(None, None)]


def test_ten_thousand_frames_are_paired_in_no_time_also_when_nothing_fits() -> None:
    pulses = 10_000
    b = Camera(drift_ppm=3, jitter_ns=1000).trace(pulses)
    s = Camera(drift_ppm=-20, offset_ns=10**12 + 5, lost={17, 4000}, jitter_ns=1000).trace(pulses)
    alien = Trace(tuple(FrameStamp(n, n * PERIOD_NS * 3 // 4) for n in range(pulses)), 0)
    begun = time.process_time()
    assert len(pair(Burst(pulses, PERIOD_NS), b, s).pairs) == pulses - 2
    assert pair(Burst(pulses, PERIOD_NS), b, alien).pairs == ()
    assert time.process_time() - begun < 10  # an algorithm that compares all with all takes minutes


@given(st.integers(3, 30), st.floats(-150, 150), st.floats(-150, 150))
def test_the_rates_of_the_clocks_are_told(pulses: int, ppm_b: float, ppm_s: float) -> None:
    offset_ns = 10**12 + PERIOD_NS // 3
    result = run(pulses, Camera(drift_ppm=ppm_b), Camera(drift_ppm=ppm_s, offset_ns=offset_ns))
    assert result.clocks.grid_rate_ppm == {
        "B": pytest.approx(ppm_b, abs=0.01),
        "S": pytest.approx(ppm_s, abs=0.01),
    }
    assert result.clocks.rate_ppm == pytest.approx(ppm_s - ppm_b, abs=0.1)
    assert result.clocks.offset_us == pytest.approx(offset_ns / 1e3)
    for match in result.pairs:
        assert match.residual_us == pytest.approx(0, abs=0.01)
        assert match.grid_residual_us == {"B": pytest.approx(0, abs=0.01), "S": pytest.approx(0, abs=0.01)}


def test_the_residual_of_one_unsteady_start_is_told_in_both_relations() -> None:
    frames = list(Camera().trace(21).frames)
    frames[10] = FrameStamp(10, frames[10].timestamp_ns + 50_000)
    result = pair(Burst(21, PERIOD_NS), Camera().trace(21), Trace(tuple(frames), 0))
    odd = result.pairs[10]
    assert odd.skew_us == 50
    assert odd.residual_us == pytest.approx(50 * 20 / 21, abs=0.1)
    assert odd.grid_residual_us["S"] == pytest.approx(50 * 20 / 21, abs=0.1)
    assert odd.grid_residual_us["B"] == 0


def test_a_constant_skew_on_a_clock_known_to_be_shared_is_no_pair() -> None:
    late = Camera(offset_ns=5_000_000)
    assert len(run(6, Camera(), late).pairs) == 6  # two clocks: nobody can see it
    result = run(6, Camera(), late, shared_clock=True)
    assert result.pairs == ()
    assert "S started 5000 us later than planned" in result.rejected[0].reason


def test_a_notable_skew_is_a_pair_with_a_warning() -> None:
    result = run(6, Camera(), Camera(offset_ns=-300_000), shared_clock=True)
    assert {match.warning for match in result.pairs} == {"S started 300 us earlier than planned"}
    assert all(not match.warning for match in run(6, Camera(), Camera(offset_ns=20_000)).pairs)


def test_a_drift_of_a_clock_said_to_be_shared_is_named_and_costs_no_pair() -> None:
    s = Camera(offset_ns=500_000, drift_ppm=60)
    result = run(200, Camera(jitter_ns=1000), s, shared_clock=True)
    assert (result.clock, len(result.pairs)) == ("fitted", 200)
    assert result.clocks.warning == "the cameras' clocks are not one: they drift apart by 60.0 ppm"


def test_a_frame_that_came_before_the_first_pulse_is_refused() -> None:
    """A stray exactly one period early looks like a pulse; only the computer's clock gives it away."""
    starts = [-PERIOD_NS, *(index * PERIOD_NS for index in range(5))]
    frames = tuple(FrameStamp(n, start, arrived_ns=start + 10**9) for n, start in enumerate(starts[:5]))
    told = Burst(5, PERIOD_NS, earliest_ns=10**9)
    assert pair(told, Camera().trace(5), Trace(frames, 0)).pairs == ()
    whole = tuple(FrameStamp(n, start, arrived_ns=start + 10**9) for n, start in enumerate(starts))
    result = pair(told, Camera().trace(5), Trace(whole, 0))
    assert [(match.index, match.s) for match in result.pairs] == [(n, n + 1) for n in range(5)]
    assert result.refused[0].reason == "it came before the first pulse"


def test_after_a_gap_that_is_too_long_to_count_the_periods_nothing_is_guessed() -> None:
    """1200 s without a frame: at 200 ppm the clock may have moved by a whole period."""
    frames = [*range(4), *range(6004, 6007)]
    b = Trace(tuple(FrameStamp(n, n * PERIOD_NS) for n in frames), 0)
    result = pair(Burst(6007, PERIOD_NS), b, b)
    assert [match.index for match in result.pairs] == []


def test_an_anchored_trace_keeps_its_start_when_later_triggers_were_ignored() -> None:
    s = Camera(ignored={7}).trace(8)
    assert pair(Burst(8, PERIOD_NS), Camera().trace(8), s).pairs == ()
    anchored = Trace(s.frames, s.ignored, s.first_id, anchored=True)
    result = pair(Burst(8, PERIOD_NS), Camera().trace(8), anchored)
    assert [match.index for match in result.pairs] == list(range(7))


def test_of_two_edges_nobody_knows_which_was_the_one_pulse() -> None:
    spike = Trace((FrameStamp(0, -5_000_000),), ignored=1)  # it made the camera miss the pulse
    result = pair(Burst(1, PERIOD_NS), Trace((FrameStamp(0, 0),), ignored=0), spike)
    assert result.pairs == ()
    assert "it took one trigger and ignored another" in result.rejected[0].reason


def test_a_computers_clock_that_runs_slow_does_not_hide_a_lost_first_edge() -> None:
    count, slow = 4000, 1 - 200e-6  # 0.8 of a period in all: unseen, the first edge would seem to have come
    came = [round((index + 1) * PERIOD_NS * slow) + 1_000_000 for index in range(count)]
    frames = tuple(FrameStamp(i, (i + 1) * PERIOD_NS + PERIOD_NS // 3, came[i]) for i in range(count))
    burst = Burst(count + 1, PERIOD_NS, earliest_ns=0)
    result = pair(
        burst, Trace(tuple(FrameStamp(i, i * PERIOD_NS, i * PERIOD_NS) for i in range(count))), Trace(frames)
    )
    assert result.pairs == ()

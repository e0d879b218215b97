"""Exposures that start apart, and cameras whose clocks are not one."""

from __future__ import annotations

import pytest

from tests.rig.faults.bench import PAIRS, Bench

ALL = list(range(PAIRS))


def test_a_skew_is_measured_for_every_pair(bench: Bench) -> None:
    outcome = bench.take("skew camera=S skew_us=300")
    assert outcome.paired == ALL
    assert outcome.skews_us == [300.0] * PAIRS


def test_jitter_of_a_trigger_input_is_measured_pair_by_pair(bench: Bench) -> None:
    outcome = bench.take("jitter camera=S jitter_us=150")
    assert outcome.paired == ALL
    true_us = [(s.t_start_ns - b.t_start_ns) / 1e3 for b, s in outcome.truth.values()]
    assert outcome.skews_us == pytest.approx(true_us)
    assert max(true_us) - min(true_us) > 10


def test_a_skew_beyond_belief_is_no_pair(bench: Bench) -> None:
    outcome = bench.take("skew camera=S skew_us=1500")
    assert outcome.paired == []
    assert set(outcome.reasons.values()) == {
        "S started 1500 us later than planned, by the clock that both cameras share "
        "(as the rig's profile says with shared_clock)"
    }


def test_jitter_beyond_belief_is_never_called_a_pair_on_the_wrong_pulse(bench: Bench) -> None:
    outcome = bench.take("jitter camera=S jitter_us=3000")
    assert len(outcome.paired) < PAIRS
    assert outcome.lines


def test_clocks_that_should_be_one_and_drift_apart_are_warned_of(bench: Bench) -> None:
    outcome = bench.take("clock camera=S drift_ppm=40")
    assert outcome.paired == ALL
    assert "the cameras' clocks are not one: they drift apart by 40.0 ppm" in outcome.lines


def test_a_clock_that_is_set_in_the_middle_of_a_burst_proves_nothing_by_itself(bench: Bench) -> None:
    outcome = bench.take("clock camera=S offset_s=5 at=1", pairs=16)  # some pulses pass until it is set
    assert outcome.struck == 1
    assert 15 in outcome.reasons


def test_a_clock_that_is_shifted_by_a_whole_period_is_not_believed(bench: Bench) -> None:
    outcome = bench.take("clock camera=S offset_s=0.05")
    assert outcome.paired == []
    assert all("exactly 1 periods" in reason for reason in outcome.reasons.values())


@pytest.fixture
def apart(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The rig with a profile that promises no common clock."""
    source = bench.rig.source.model_copy(update={"shared_clock": False})
    monkeypatch.setattr(bench.rig, "source", source)
    return bench


def test_two_cameras_with_clocks_of_their_own_are_paired_and_the_proof_says_so(apart: Bench) -> None:
    outcome = apart.take("clock camera=S offset_s=1234.5 drift_ppm=30", "clock camera=B drift_ppm=-12")
    assert (outcome.paired, outcome.lines) == (ALL, [])
    assert {record.sync.clock for record in outcome.records.values()} == {"fitted"}
    b, s = outcome.truth[0]
    assert s.timestamp_ns - b.timestamp_ns == pytest.approx(1234.5e9, abs=1e6)
    assert b.t_start_ns == s.t_start_ns
    rates = [record.sync.clock_rate_ppm for record in outcome.records.values()]
    known = [rate for rate in rates if rate is not None]  # the first pairs are proven before it is known
    assert len(known) >= PAIRS - 2
    assert known == pytest.approx([42.0] * len(known), abs=0.1)


def test_jitter_is_seen_through_two_clocks(apart: Bench) -> None:
    outcome = apart.take("clock camera=S offset_s=77 drift_ppm=40", "jitter camera=S jitter_us=100")
    assert outcome.paired == ALL
    skews = [skew for skew in outcome.skews_us if skew is not None]
    true_us = [(s.t_start_ns - b.t_start_ns) / 1e3 for b, s in outcome.truth.values()]
    assert max(skews) - min(skews) == pytest.approx(max(true_us) - min(true_us), rel=0.8)


def test_a_clock_that_no_quartz_can_have_proves_nothing(apart: Bench) -> None:
    outcome = apart.take("clock camera=S offset_s=3 drift_ppm=900")
    assert outcome.paired == []
    assert all("ppm" in reason or "camera S" in reason for reason in outcome.reasons.values())


@pytest.mark.parametrize("camera", ["B", "S"])
def test_a_first_edge_that_never_reached_the_camera_shifts_no_pair_of_two_clocks(
    apart: Bench, camera: str
) -> None:
    outcome = apart.take(
        "clock camera=S offset_s=100.0213 drift_ppm=20", f"ignore_trigger camera={camera} at=0 counted=no"
    )
    assert outcome.struck == 2
    assert outcome.paired == []
    (reason,) = {reason for reason in outcome.reasons.values() if reason}
    assert reason in {  # the second one on a busy computer
        f"camera {camera}: the first frame may belong to any of the pulses 0 to 1",
        f"camera {camera}: the first frame came more than a period late, and not every pulse has a frame",
    }


def test_a_last_frame_that_is_lost_costs_its_own_shot_on_two_clocks_too(apart: Bench) -> None:
    outcome = apart.take(
        "clock camera=S offset_s=100.0213 drift_ppm=20", f"lose_frame camera=S at={PAIRS - 1}"
    )
    assert list(outcome.reasons) == [PAIRS - 1]

"""Pulses that a camera does not take, and edges that were no pulse."""

from __future__ import annotations

import pytest

from tests.rig.faults.bench import PAIRS, Bench
from tests.rig.faults.told import is_documented

ALL = list(range(PAIRS))


def test_a_rig_without_a_fault_pairs_everything_and_says_nothing(bench: Bench) -> None:
    outcome = bench.take()
    assert (outcome.result.state, outcome.paired, outcome.lines) == ("complete", ALL, [])
    assert outcome.skews_us == [0.0] * PAIRS


@pytest.mark.parametrize("camera", ["B", "S"])
def test_an_ignored_trigger_costs_its_own_shot(bench: Bench, camera: str) -> None:
    outcome = bench.take(f"ignore_trigger camera={camera} at=3")
    assert outcome.reasons == {3: f"camera {camera}: it ignored the trigger"}
    assert is_documented(outcome.reasons[3])
    assert outcome.records[3].sync.ignored[camera] == 1


def test_two_cameras_that_ignore_the_same_trigger_lose_that_shot(bench: Bench) -> None:
    outcome = bench.take("ignore_trigger camera=both at=3")
    assert list(outcome.reasons) == [3]
    assert outcome.reasons[3].count("it ignored the trigger") == 2


def test_an_ignored_trigger_that_the_camera_does_not_count_never_shifts_the_pairs(bench: Bench) -> None:
    outcome = bench.take("ignore_trigger camera=S at=3 counted=no")
    assert outcome.struck == 1
    assert 3 in outcome.reasons
    assert all("camera S" in reason for reason in outcome.reasons.values())


@pytest.mark.parametrize("at", [0, PAIRS - 1])
def test_an_ignored_trigger_at_an_end_of_the_burst_never_shifts_the_pairs(bench: Bench, at: int) -> None:
    outcome = bench.take(f"ignore_trigger camera=S at={at}")
    assert at in outcome.reasons
    assert all("camera S" in reason for reason in outcome.reasons.values())


def test_an_edge_between_the_pulses_gives_a_frame_that_is_refused(bench: Bench) -> None:
    outcome = bench.take("duplicate_trigger camera=S at=3 delay_us=35000")
    assert outcome.paired == ALL
    assert len(outcome.result.refused) == 1
    assert "camera S, frame 4: it started" in outcome.result.refused[0]
    assert is_documented(outcome.result.refused[0]), outcome.result.refused[0]


def test_edges_between_the_pulses_of_both_cameras_never_make_a_pair(bench: Bench) -> None:
    outcome = bench.take("duplicate_trigger camera=both at=3 delay_us=35000")
    assert outcome.struck == 2
    assert len(outcome.result.refused) >= 2


def test_an_edge_during_the_exposure_changes_nothing(bench: Bench) -> None:
    outcome = bench.take("duplicate_trigger camera=both at=3 delay_us=50")
    assert (outcome.struck, outcome.paired) == (2, ALL)


def test_an_extra_edge_together_with_a_lost_frame_never_makes_a_wrong_pair(bench: Bench) -> None:
    outcome = bench.take("duplicate_trigger camera=S at=2 delay_us=35000", "lose_frame camera=S at=5")
    assert outcome.struck == 2
    assert len(outcome.paired) < PAIRS


def test_an_extra_edge_one_period_after_the_last_pulse_takes_no_pulses_place(bench: Bench) -> None:
    outcome = bench.take(
        "ignore_trigger camera=S at=0", f"duplicate_trigger camera=S at={PAIRS - 1} delay_us=50000"
    )
    assert outcome.struck == 2
    assert 0 in outcome.reasons

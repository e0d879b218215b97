"""Frames that a pulse made, and what may happen to them on their way to the computer."""

from __future__ import annotations

import numpy as np
import pytest

from rig.records import PairRecord
from tests.rig.faults.bench import PAIRS, Bench
from tests.rig.faults.told import is_documented

ALL = list(range(PAIRS))


@pytest.mark.parametrize("camera", ["B", "S"])
@pytest.mark.parametrize("kind", ["lose_frame", "incomplete_frame"])
def test_a_frame_that_does_not_arrive_whole_costs_its_own_shot(bench: Bench, kind: str, camera: str) -> None:
    outcome = bench.take(f"{kind} camera={camera} at=3")
    assert outcome.reasons == {3: f"camera {camera}: its frame was lost on the way to the computer"}
    assert is_documented(outcome.reasons[3])


@pytest.mark.parametrize("at", [0, PAIRS - 1])
def test_the_loss_of_the_first_or_last_frame_shifts_no_pair(bench: Bench, at: int) -> None:
    outcome = bench.take(f"lose_frame camera=S at={at}")
    assert list(outcome.reasons) == [at]


def test_different_frames_lost_by_both_cameras_cost_both_shots(bench: Bench) -> None:
    outcome = bench.take("lose_frame camera=B at=2", "lose_frame camera=S at=5")
    assert [reason[:9] for _, reason in sorted(outcome.reasons.items())] == ["camera B:", "camera S:"]
    assert sorted(outcome.reasons) == [2, 5]


def test_a_late_frame_is_waited_for(bench: Bench) -> None:
    outcome = bench.take(f"late_frame camera=S at={PAIRS - 1} seconds=0.4")
    assert (outcome.struck, outcome.paired, outcome.lines) == (1, ALL, [])


def test_a_frame_that_comes_after_the_end_of_patience_is_given_up_and_does_not_disturb(bench: Bench) -> None:
    outcome = bench.take(f"late_frame camera=S at={PAIRS - 1} seconds=6")
    assert list(outcome.reasons) == [PAIRS - 1]


def test_a_frame_that_is_delivered_twice_is_used_once(bench: Bench) -> None:
    outcome = bench.take("repeat_frame camera=S at=3")
    assert outcome.paired == ALL
    assert outcome.result.refused == ("camera S, frame 3: it was delivered twice",)
    assert is_documented(outcome.result.refused[0])


def test_frames_that_overtake_each_other_are_paired_by_their_numbers_and_times(bench: Bench) -> None:
    outcome = bench.take("swap_frames camera=S at=3", "swap_frames camera=B at=5")
    assert (outcome.struck, outcome.paired) == (2, ALL)


def test_the_pixels_of_a_black_or_frozen_frame_are_recorded_as_they_came(bench: Bench) -> None:
    outcome = bench.take("black_frame camera=S at=2", "frozen_frame camera=B at=5")
    assert outcome.paired == ALL
    pairs = [outcome.records[index] for index in ALL]
    raw = [pair.load() for pair in pairs if isinstance(pair, PairRecord)]
    assert int(raw[2].s.pixels.max()) == 64
    assert np.array_equal(raw[5].b.pixels, raw[4].b.pixels)
    assert not np.array_equal(raw[6].b.pixels, raw[5].b.pixels)
    assert [outcome.truth[2][1].faults, outcome.truth[5][0].faults] == [("black_frame",), ("frozen_frame",)]

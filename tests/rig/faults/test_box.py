"""The trigger box falls silent, talks nonsense or is unplugged, before a burst and within one."""

from __future__ import annotations

import pytest

from rig.errors import BeamrigError, TriggerError
from tests.rig.faults.bench import Bench
from tests.rig.faults.told import is_documented

FAULTS = ("silent", "garbage", "wrong_baud", "unplug")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_box_that_fails_in_a_burst_ends_the_take_and_the_proven_pairs_stay(
    bench: Bench, fault: str
) -> None:
    outcome = bench.take(f"box {fault} at=fire after=1")
    assert outcome.failure is not None
    assert isinstance(outcome.failure.__cause__, TriggerError)
    assert is_documented(outcome.failure.one_line()), outcome.failure.one_line()
    assert bench.rig.status().box in ("fault", "lost")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_box_that_fails_before_a_burst_is_told_and_nothing_is_fired(bench: Bench, fault: str) -> None:
    pulses = len(bench.world.pulses())
    refused = bench.trial(f"box {fault}")
    assert isinstance(refused, BeamrigError)
    assert is_documented(refused.one_line()), refused.one_line()
    assert len(bench.world.pulses()) == pulses

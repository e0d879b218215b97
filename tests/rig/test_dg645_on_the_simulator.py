"""The driver against the virtual rig's DG645, which was written from the manual and not from the driver."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from rig.errors import TriggerError
from rig.profiles import TriggerSlot, list_profiles, load_profile
from rig.trigger import BoxState, Pulse, PulsePlan, TriggerBox, open_box
from rig.virtual.dg645 import DG645
from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.pty import SerialPort

BOXES = [
    entry.name
    for entry in list_profiles()
    if entry.kind == "trigger_box" and load_profile(entry.name, "trigger_box").driver == "dg645"
]
PLAN = PulsePlan(8, 0.02, {"AB": Pulse(0.0, 0.008), "CD": Pulse(0.0, 0.001)})


@pytest.fixture
def slot(engine: PulseEngine, tmp_path: Path) -> Iterator[TriggerSlot]:
    port = SerialPort(tmp_path / "box", DG645(engine))
    port.start()
    yield TriggerSlot(profile="dg645", port=str(port.path), outputs={"B": "AB", "S": "CD"})
    port.close()


@pytest.fixture(params=BOXES)
def box(request: pytest.FixtureRequest, slot: TriggerSlot) -> Iterator[TriggerBox]:
    with open_box(slot, load_profile(request.param, "trigger_box")) as opened:
        yield opened


def test_exactly_the_pulses_asked_for_come_out(box: TriggerBox, engine: PulseEngine) -> None:
    assert box.configure(PLAN) == PLAN
    box.arm()
    assert engine.recent() == []  # nothing before the trigger, whatever was configured
    box.fire()
    assert box.wait_done(timeout_s=5) == 8

    for output, pulse in PLAN.outputs.items():
        out = [(seen.rise_ns, seen.fall_ns) for seen in engine.recent() if seen.output == output]
        assert [fall - rise for rise, fall in out] == [round(pulse.width_s * 1e9)] * 8
        assert [late[0] - early[0] for early, late in pairwise(out)] == [20_000_000] * 7


def test_safe_stops_a_running_burst(box: TriggerBox, engine: PulseEngine) -> None:
    box.configure(PulsePlan(1000, 1.0, {"AB": Pulse(0.0, 0.5)}))
    box.arm()
    box.fire()
    box.safe()
    assert not engine.busy()
    assert box.state() is BoxState.SAFE


def test_a_take_after_a_stopped_one_is_whole(box: TriggerBox, engine: PulseEngine) -> None:
    box.configure(PulsePlan(1000, 1.0, {"AB": Pulse(0.0, 0.5)}))
    box.arm()
    box.fire()
    before = len(engine.recent())
    box.configure(PLAN)
    box.arm()
    box.fire()
    assert box.wait_done(timeout_s=5) == 8
    assert len(engine.recent()) - before == 16


def test_a_level_that_only_the_box_can_judge_is_refused_by_it(slot: TriggerSlot) -> None:
    good = load_profile("dg645", "trigger_box")
    wrong = good.model_copy(
        update={"levels": good.levels.model_copy(update={"offset_v": 1.5})}
    )  # up to 6.5 V
    with open_box(slot, wrong) as box:
        with pytest.raises(TriggerError, match=r"refused 'LOFF 1,1.5': illegal value \(10\)"):
            box.configure(PLAN)
        assert box.state() is BoxState.SAFE

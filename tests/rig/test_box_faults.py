"""What each driver makes of a box that is silent, slow, garbled, refusing, unplugged or plugged in again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rig.errors import NotArmed, ProtocolError, TriggerError
from rig.profiles import TriggerBoxProfile, TriggerSlot, load_profile
from rig.trigger import BoxLost, BoxState, Pulse, PulsePlan, open_box
from rig.trigger.driver import BoxDriver
from rig.virtual.boxes import VirtualBox
from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.kernel import WorldError

OUTPUTS = {
    "dg645": ("AB", "CD"),
    "qc9520": ("A", "B"),
    "highland_t560": ("A", "B"),
    "prawnblaster": ("GPIO9", "GPIO11"),
}
SETUP_COMMAND = {"dg645": "BURC", "qc9520": ":PULSE0:BCO", "highland_t560": "TD", "prawnblaster": "set 0 0"}
REFUSED = {"dg645": r"illegal delay \(12\)", "qc9520": r"\(\?12\)"}
FIRE_COMMAND = {
    "dg645": "*TRG",
    "qc9520": ":PULSE0:STATE ON",
    "highland_t560": "TR SYN",
    "prawnblaster": "start",
}
HURRY_S = 0.1


@pytest.fixture(params=OUTPUTS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def profile(name: str) -> TriggerBoxProfile:
    return load_profile(name, "trigger_box")


@pytest.fixture
def virtual(profile: TriggerBoxProfile, engine: PulseEngine, tmp_path: Path) -> Iterator[VirtualBox]:
    box = VirtualBox(tmp_path / "port", profile, engine)
    box.start()
    yield box
    box.close()


@pytest.fixture
def box(virtual: VirtualBox, profile: TriggerBoxProfile) -> Iterator[BoxDriver]:
    opened = open_at(virtual.path, profile)
    yield opened
    virtual.fault("clear")
    opened.link.lost = True  # nothing is to be said to it any more
    opened.close()


def open_at(path: Path, profile: TriggerBoxProfile) -> BoxDriver:
    b, s = OUTPUTS[profile.name]
    box = open_box(TriggerSlot(profile=profile.name, port=str(path), outputs={"B": b, "S": s}), profile)
    assert isinstance(box, BoxDriver)
    return box


def plan(name: str, count: int, period_s: float) -> PulsePlan:
    return PulsePlan(count, period_s, {output: Pulse(0.0, 0.005) for output in OUTPUTS[name]})


def hurry(box: BoxDriver) -> None:
    """Wait no longer than needed for answers that will not come."""
    box.link._serial.timeout = HURRY_S


def mend(virtual: VirtualBox, box: BoxDriver) -> None:
    """End the fault, and hear out what the box still has to say before waiting properly again."""
    virtual.fault("clear")
    hurry(box)
    box.link._await_silence()
    box.link._serial.timeout = 1.0


def takes_a_burst(box: BoxDriver, name: str, engine: PulseEngine) -> None:
    """Prove that work goes on: a whole burst comes out."""
    before = len(engine.recent())
    box.configure(plan(name, 2, 0.1))
    box.arm()
    box.fire()
    assert box.wait_done(timeout_s=10) == 2
    assert len(engine.recent()) - before == 4


@pytest.mark.parametrize(("fault", "said"), [("silent", "no answer to"), ("garbage", "garbled")])
def test_a_box_that_stops_answering_is_in_fault_until_it_obeys_again(
    box: BoxDriver, virtual: VirtualBox, engine: PulseEngine, name: str, fault: str, said: str
) -> None:
    hurry(box)
    virtual.fault(fault, after=3)
    with pytest.raises(ProtocolError, match=said) as error:
        box.configure(plan(name, 2, 0.2))
    assert "baud rate" in error.value.hint
    assert box.state() is BoxState.FAULT
    with pytest.raises(NotArmed):
        box.arm()
    mend(virtual, box)
    box.safe()
    assert box.state() is BoxState.SAFE
    takes_a_burst(box, name, engine)


def test_a_burst_whose_start_is_not_answered_is_stopped_when_the_box_answers_again(
    box: BoxDriver, virtual: VirtualBox, engine: PulseEngine, name: str
) -> None:
    box.configure(plan(name, 1000, 1.0))
    box.arm()
    hurry(box)
    virtual.fault("silent", at="fire", deaf=True)
    with pytest.raises(ProtocolError, match="no answer to"):
        box.fire()
    assert box.state() is BoxState.FAULT
    assert engine.busy()
    mend(virtual, box)
    box.safe()
    assert not engine.busy()


def test_a_burst_is_stopped_even_where_the_answers_do_not_come_through(
    box: BoxDriver, virtual: VirtualBox, engine: PulseEngine, name: str
) -> None:
    box.configure(plan(name, 1000, 1.0))
    box.arm()
    hurry(box)
    virtual.fault("silent", at="fire")
    with pytest.raises(ProtocolError, match="no answer to"):
        box.fire()
    assert box.state() is BoxState.FAULT  # nobody can know
    assert not engine.busy()


def test_an_answer_that_is_slow_but_in_time_is_fine(box: BoxDriver, virtual: VirtualBox, name: str) -> None:
    virtual.fault("slow", seconds=0.2, times=2)
    assert box.configure(plan(name, 2, 0.2)).count == 2


def test_an_answer_that_comes_too_late_is_never_taken_for_another(
    box: BoxDriver, virtual: VirtualBox, engine: PulseEngine, name: str
) -> None:
    hurry(box)
    virtual.fault("slow", seconds=1.5 * HURRY_S, times=1, after=2)
    with pytest.raises(ProtocolError, match="no answer to"):
        box.configure(plan(name, 2, 0.2))
    mend(virtual, box)
    box.safe()
    takes_a_burst(box, name, engine)


def test_a_box_at_another_baud_rate_is_not_understood(
    virtual: VirtualBox, profile: TriggerBoxProfile, name: str
) -> None:
    if name == "prawnblaster":  # USB has no baud rate
        with pytest.raises(WorldError, match="no baud rate"):
            virtual.fault("wrong_baud")
        return
    virtual.fault("wrong_baud", baudrate=19200)
    quick = profile.serial.model_copy(update={"timeout_s": 0.1})
    with pytest.raises(ProtocolError, match=r"no answer|garbled") as error:
        open_at(virtual.path, profile.model_copy(update={"serial": quick}))
    assert "baud rate" in error.value.hint
    virtual.fault("clear")
    patiently = profile.serial.model_copy(update={"timeout_s": 0.4})
    open_at(virtual.path, profile.model_copy(update={"serial": patiently})).close()


def test_an_error_on_one_setting_is_told_in_words_and_leaves_the_box_safe(
    box: BoxDriver, virtual: VirtualBox, engine: PulseEngine, name: str
) -> None:
    virtual.fault("error", code=12, command=SETUP_COMMAND[name], times=1)
    with pytest.raises(TriggerError, match=f"refused '{SETUP_COMMAND[name]}.*{REFUSED.get(name, '')}"):
        box.configure(plan(name, 2, 0.2))
    assert box.state() is BoxState.SAFE
    takes_a_burst(box, name, engine)


def test_a_refused_start_leaves_the_box_safe(
    box: BoxDriver, virtual: VirtualBox, engine: PulseEngine, name: str
) -> None:
    box.configure(plan(name, 1000, 1.0))
    box.arm()
    virtual.fault("error", command=FIRE_COMMAND[name], times=1)
    with pytest.raises(TriggerError, match="refused"):
        box.fire()
    assert box.state() is BoxState.SAFE
    assert not engine.busy()


def test_unplugged_when_idle_and_plugged_in_again(
    box: BoxDriver, virtual: VirtualBox, engine: PulseEngine, name: str
) -> None:
    virtual.fault("unplug")
    with pytest.raises(BoxLost, match="is gone") as error:
        box.safe()
    assert "cable" in error.value.hint
    assert box.state() is BoxState.LOST
    with pytest.raises(TriggerError, match="cannot open"):
        box.reopen()
    assert box.state() is BoxState.LOST
    virtual.fault("replug")
    assert box.reopen(patience_s=5) == box.info
    assert box.state() is BoxState.SAFE
    takes_a_burst(box, name, engine)


def test_unplugged_in_a_burst_and_plugged_in_again(
    box: BoxDriver, virtual: VirtualBox, engine: PulseEngine, name: str
) -> None:
    box.configure(plan(name, 1000, 1.0))
    box.arm()
    virtual.fault("unplug", at="fire", after=2)
    with pytest.raises(BoxLost, match=r"is gone: (it was unplugged|Input/output error)"):
        _fire_and_poll(box)
    assert box.state() is BoxState.LOST
    assert engine.busy() is (name != "prawnblaster")  # the others have a mains plug of their own
    virtual.fault("replug")
    box.reopen()
    assert not engine.busy()
    takes_a_burst(box, name, engine)


def test_a_box_that_lost_its_power_has_forgotten_everything_and_is_set_up_anew(
    box: BoxDriver, virtual: VirtualBox, engine: PulseEngine, name: str
) -> None:
    box.configure(plan(name, 1000, 1.0))
    box.arm()
    box.fire()
    virtual.fault("unplug", power=False)
    assert not engine.busy()
    virtual.fault("replug")
    box.reopen()
    takes_a_burst(box, name, engine)


def _fire_and_poll(box: BoxDriver) -> None:
    box.fire()
    box.wait_done(timeout_s=10)


@pytest.mark.parametrize("name", ["qc9520", "highland_t560"], indirect=True)
def test_a_box_is_made_safe_when_the_program_ends_by_an_error(
    virtual: VirtualBox, engine: PulseEngine, name: str, tmp_path: Path
) -> None:
    programme = tmp_path / "programme.py"
    programme.write_text(
        "import sys\n"
        "from rig.profiles import TriggerSlot, load_profile\n"
        "from rig.trigger import Pulse, PulsePlan, open_box\n"
        "name, port, b, s = sys.argv[1:]\n"
        "slot = TriggerSlot(profile=name, port=port, outputs={'B': b, 'S': s})\n"
        "box = open_box(slot, load_profile(name, 'trigger_box'))\n"
        "box.configure(PulsePlan(1000, 1.0, {b: Pulse(0.0, 0.005)}))\n"
        "box.arm()\n"
        "box.fire()\n"
        "raise RuntimeError('the program went wrong')\n"
    )
    command = [sys.executable, str(programme), name, str(virtual.path), *OUTPUTS[name]]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "the program went wrong" in ended.stderr
    assert engine.cycles + len(engine.recent()) > 0 or name == "highland_t560"  # a burst had begun
    assert not engine.busy()


def _error_of_a_burst(box: BoxDriver, name: str) -> TriggerError | None:
    try:
        box.configure(plan(name, 2, 0.1))
        box.arm()
        box.fire()
        fired = box.wait_done(timeout_s=10)
    except TriggerError as error:
        return error
    return None if fired == 2 else TriggerError(f"{fired} pulses")


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fault=st.sampled_from(["silent", "garbage", "error"]), after=st.integers(0, 70))
@example(fault="error", after=1)
def test_one_bad_answer_anywhere_gives_an_error_or_the_whole_burst(
    box: BoxDriver, virtual: VirtualBox, engine: PulseEngine, name: str, fault: str, after: int
) -> None:
    box.safe()
    before = len(engine.recent())
    hurry(box)
    virtual.fault(fault, after=after, times=1)
    error = _error_of_a_burst(box, name)
    if error is None:
        assert len(engine.recent()) - before == 4
    else:
        assert error.hint
        assert box.state() is not BoxState.DONE
    mend(virtual, box)
    box.safe()
    assert not engine.busy()


def test_a_closed_box_is_not_opened_again(box: BoxDriver) -> None:
    box.close()
    with pytest.raises(TriggerError, match="is closed"):
        box.reopen()

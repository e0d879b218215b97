"""The driver of the Quantum Composers 9520/9530 and the BNC 575, byte by byte."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from rig.errors import NotArmed, ProfileError, ProtocolError, TriggerError
from rig.profiles import TriggerBoxProfile, load_profile, profile_text
from rig.trigger import BoxLost, BoxState, Pulse, PulsePlan, TriggerBox
from tests.rig.qc9520_script import (
    ARM,
    BNC,
    CONFIGURE,
    ECHO,
    END,
    FIRE,
    FOUND,
    HELLO,
    PLAN,
    QC,
    SAFE,
    SLOW,
    SLOW_PLAN,
    SYSTEM,
    WHO,
    impatient,
    open_on,
    sets,
)
from tests.rig.scripted_box import ScriptedBox, scripted

# --------------------------------------------------------------------------------------- connecting


def test_connecting_stops_the_echo_identifies_the_box_and_switches_all_outputs_off() -> None:
    with scripted([*HELLO, *SAFE], command_end=END) as line, open_on(line) as box:
        assert (box.info.vendor, box.info.model, box.info.serial_number) == ("QC", "9522", "02311")
        assert box.state() is BoxState.SAFE


def test_an_echo_that_was_on_is_survived() -> None:
    echoed = [(ECHO, f"{ECHO}\r\nok"), *HELLO[1:]]
    with scripted([*echoed, *SAFE], command_end=END) as line, open_on(line) as box:
        assert box.state() is BoxState.SAFE


@pytest.mark.parametrize(
    ("profile", "identity"),
    [
        (QC, "QC,9412,1,1.0"),
        (QC, "BNC,575-4,31707,2.4.2-2.0.11"),
        (QC, "QC,9524,02311"),
        (BNC, "QC,9524,02311,1.2.2-1.2.0"),
        (BNC, "Stanford Research Systems,DG645,s/n001234,ver1.16.116"),
    ],
)
def test_a_stranger_is_refused(profile: TriggerBoxProfile, identity: str) -> None:
    with (
        scripted([(ECHO, "ok"), ("*IDN?", identity), ("*IDN?", identity)], command_end=END) as line,
        pytest.raises(TriggerError, match=f"is '{identity}', not {profile.title}"),
    ):
        open_on(line, profile)


def test_the_bnc_575_speaks_the_same_dialect_under_another_name() -> None:
    hello = [(ECHO, "ok"), ("*IDN?", "BNC,575-2,31707,2.4.2-2.0.11"), *WHO[2:], *FOUND, *SAFE]
    assert BNC.serial.baudrate == 115200
    with scripted([*hello, *CONFIGURE, *SAFE], command_end=END) as line, open_on(line, BNC) as box:
        assert box.configure(PLAN) == PLAN


def test_a_profile_for_this_driver_must_say_which_models_it_is_for(tmp_path: Path) -> None:
    file = tmp_path / "box.yaml"
    file.write_text(profile_text("qc9520").replace("vendor: ^QC$, ", ""))
    with pytest.raises(ProfileError, match="match must name vendor and model"):
        load_profile(file, "trigger_box")


def test_nobody_at_home() -> None:
    with (
        scripted([(ECHO, None)] * 2 + [("*IDN?", None)] * 2, command_end=END) as line,
        pytest.raises(ProtocolError, match="no answer to \\*IDN\\?"),
    ):
        open_on(line, impatient(QC))


def test_a_list_of_channels_that_makes_no_sense_is_an_error() -> None:
    with (
        scripted([*WHO[:2], (":INST:CAT?", "T0, CH1")], command_end=END) as line,
        pytest.raises(ProtocolError, match="answered 'T0, CH1' to :INST:CAT\\?"),
    ):
        open_on(line)


# -------------------------------------------------------------------------------------- configuring


def test_a_burst_is_set_up_and_every_value_read_back() -> None:
    with scripted([*HELLO, *CONFIGURE, *SAFE], command_end=END) as line, open_on(line) as box:
        assert box.configure(PLAN) == PLAN
        assert box.state() is BoxState.CONFIGURED


def test_another_amplitude_takes_the_adjustable_output() -> None:
    levels = QC.levels.model_copy(update={"amplitude_v": 3.3, "polarity": "negative"})
    plan = PulsePlan(3, 0.02, {"A": Pulse(0.0, 0.01)})
    adjustable = [
        *sets(":PULSE1:CMODE", "NORM"),
        *sets(":PULSE1:SYNC", "T0"),
        *sets(":PULSE1:POL", "INV"),
        *sets(":PULSE1:OUTP:MODE", "ADJ"),
        *sets(":PULSE1:OUTP:AMPL", "3.30"),
        *sets(":PULSE1:DEL", "0.000000000"),
        *sets(":PULSE1:WIDT", "0.010000000"),
    ]
    profile = QC.model_copy(update={"levels": levels})
    script = [*HELLO, *SAFE, *SYSTEM, *adjustable, *SAFE]
    with scripted(script, command_end=END) as line, open_on(line, profile) as box:
        assert box.configure(plan) == plan


@pytest.mark.parametrize(
    ("code", "said"),
    [(1, "prefix"), (3, "invalid keyword"), (5, "invalid parameter"), (8, "present state"), (9, "error")],
)
def test_a_refused_value_is_an_error_in_words_and_leaves_the_box_safe(code: int, said: str) -> None:
    refused = [(":PULSE0:TRIG:MODE DIS", f"?{code}")]
    with scripted([*HELLO, *SAFE, *refused, *SAFE, *SAFE], command_end=END) as line, open_on(line) as box:
        with pytest.raises(TriggerError, match=rf"refused ':PULSE0:TRIG:MODE DIS': .*{said}.*\(\?{code}\)"):
            box.configure(PLAN)
        assert box.state() is BoxState.SAFE


@pytest.mark.parametrize(
    ("step", "answer", "said"),
    [
        (":PULSE0:MODE?", "NORM", "applied NORM after ':PULSE0:MODE BURS'"),
        (":PULSE0:BCO?", "4", "applied 4.0 after ':PULSE0:BCO 3'"),
        (":PULSE0:BCO?", "many", "answered 'many' to :PULSE0:BCO\\?"),
        (":PULSE0:PER?", "0.030000000", "applied 0.03 after ':PULSE0:PER 0.020000000'"),
        (":PULSE0:MODE BURS", "yes", "answered 'yes' to :PULSE0:MODE BURS"),
    ],
)
def test_another_answer_than_expected_is_an_error(step: str, answer: str, said: str) -> None:
    at = next(index for index, (command, _) in enumerate(SYSTEM) if command == step)
    wrong = [*SYSTEM[:at], (step, answer)]
    script = [*HELLO, *SAFE, *wrong, *SAFE, *SAFE]
    with (
        scripted(script, command_end=END) as line,
        open_on(line) as box,
        pytest.raises(TriggerError, match=said),
    ):
        box.configure(PLAN)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (PulsePlan(1_000_001, 0.02, PLAN.outputs), "cannot fire 1000001 pulses"),
        (PulsePlan(3, 0.02, {"AB": Pulse(0.0, 0.01)}), "no output 'AB'"),
        (PulsePlan(3, 0.02, {"C": Pulse(0.0, 0.01)}), "this 9522 has no channel 'C'"),
        (PulsePlan(3, 0.02, {"A": Pulse(0.0, 0.02)}), "the next one comes after 0.02 s"),
    ],
)
def test_what_the_box_cannot_do_is_not_sent(plan: PulsePlan, said: str) -> None:
    with (
        scripted([*HELLO, *SAFE], command_end=END) as line,
        open_on(line) as box,
        pytest.raises(TriggerError, match=said),
    ):
        box.configure(plan)


# ------------------------------------------------------------------------------------------- firing


def test_a_burst_has_ended_when_its_time_is_over_and_the_box_still_has_its_count() -> None:
    over = [(":PULSE0:STATE?", "1"), (":PULSE0:BCO?", "3")]
    script = [*HELLO, *CONFIGURE, *ARM, *FIRE, *over, *ARM, *FIRE, *over, *SAFE]
    with scripted(script, command_end=END) as line, open_on(line) as box:
        box.configure(PLAN)
        for _ in range(2):
            box.arm()
            assert box.state() is BoxState.ARMED
            box.fire()
            assert box.state() is BoxState.RUNNING
            time.sleep(PLAN.duration_s)
            assert box.wait_done(timeout_s=0) == 3
            assert box.shots() is None  # its counter is of the pulses at its input
            assert box.done()  # and the box is not asked again
            with pytest.raises(NotArmed, match="is done, not armed"):
                box.fire()


def test_a_burst_in_progress_has_not_ended_and_can_be_stopped() -> None:
    running = [(":PULSE0:STATE?", "1"), (":PULSE0:STATE?", "1")]
    script = [*HELLO, *SLOW, *ARM, *FIRE, *running, *SAFE, *SAFE]
    with scripted(script, command_end=END) as line, open_on(line) as box:
        box.configure(SLOW_PLAN)
        box.arm()
        box.fire()
        assert not box.done()
        with pytest.raises(TriggerError, match="has not ended its burst"):
            box.wait_done(timeout_s=0)
        box.safe()
        assert box.state() is BoxState.SAFE


def test_a_burst_that_was_stopped_by_hand_is_no_burst() -> None:
    script = [*HELLO, *SLOW, *ARM, *FIRE, (":PULSE0:STATE?", "0"), *SAFE]
    with scripted(script, command_end=END) as line, open_on(line) as box:
        box.configure(SLOW_PLAN)
        box.arm()
        box.fire()
        for _ in range(2):  # and the box is asked only once
            with pytest.raises(TriggerError, match="stopped before the end of the burst"):
                box.wait_done(timeout_s=5)


def test_a_count_changed_at_the_panel_spoils_the_burst() -> None:
    changed = [(":PULSE0:STATE?", "1"), (":PULSE0:BCO?", "7")]
    script = [*HELLO, *CONFIGURE, *ARM, *FIRE, *changed, *SAFE]
    with scripted(script, command_end=END) as line, open_on(line) as box:
        box.configure(PLAN)
        box.arm()
        box.fire()
        time.sleep(PLAN.duration_s)
        with pytest.raises(TriggerError, match="burst count is now 7"):
            box.done()


def test_nothing_is_fired_that_is_not_configured_and_armed() -> None:
    with scripted([*HELLO, *CONFIGURE, *SAFE], command_end=END) as line, open_on(line) as box:
        with pytest.raises(NotArmed):
            box.arm()
        box.configure(PLAN)
        with pytest.raises(NotArmed):
            box.fire()
        with pytest.raises(TriggerError, match="no burst is running"):
            box.done()


def test_a_refused_start_is_an_error() -> None:
    script = [*HELLO, *CONFIGURE, *ARM, (":PULSE0:STATE ON", "?8"), *SAFE, *SAFE]
    with scripted(script, command_end=END) as line, open_on(line) as box:
        box.configure(PLAN)
        box.arm()
        with pytest.raises(TriggerError, match="not possible in its present state"):
            box.fire()


# ------------------------------------------------------------------------------------------ the end


@pytest.mark.parametrize("act", [lambda box: box.configure(PLAN), lambda box: box.safe()])
def test_an_unplugged_box_is_lost_and_can_still_be_closed(act: Callable[[TriggerBox], object]) -> None:
    line = ScriptedBox([*HELLO], command_end=END)
    box = open_on(line)
    line.unplug()
    with pytest.raises(BoxLost, match="is gone"):
        act(box)
    assert box.state() is BoxState.LOST
    box.close()
    assert box.state() is BoxState.CLOSED


def test_the_error_of_a_take_is_not_hidden_by_that_of_closing() -> None:
    line = ScriptedBox([*HELLO], command_end=END)
    with pytest.raises(ValueError, match="the take went wrong"), open_on(line, impatient(QC)):
        _unplug_and_fail(line)


def _unplug_and_fail(line: ScriptedBox) -> NoReturn:
    line.unplug()
    raise ValueError("the take went wrong")

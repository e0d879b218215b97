"""The driver of the PrawnBlaster, byte by byte and on its simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from rig.errors import NotArmed, ProtocolError, TriggerError
from rig.profiles import TriggerBoxProfile, TriggerSlot, load_profile
from rig.trigger import BoxLost, BoxState, Pulse, PulsePlan, TriggerBox, open_box
from rig.virtual.boxes import simulated_box
from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.prawnblaster import PrawnBlaster
from rig.virtual.pty import SerialPort
from tests.rig.scripted_box import Script, ScriptedBox, scripted

PROFILE = load_profile("prawnblaster", "trigger_box")
END = b"\r\n"


def open_at(port: str, profile: TriggerBoxProfile = PROFILE) -> TriggerBox:
    return open_box(
        TriggerSlot(profile="prawnblaster", port=port, outputs={"B": "GPIO9", "S": "GPIO11"}), profile
    )


def status(run: int, clock: int = 0) -> Script:
    return [("status", f"run-status:{run} clock-status:{clock}")]


CLEAR: Script = [("setclock 0 100000000 1200000000 6 2", "ok"), ("setnumpseudoclocks 4", "ok")]
for number, pin in enumerate((9, 11, 13, 15)):
    CLEAR += [(f"setoutpin {number} {pin}", "ok"), (f"getoutpin {number}", str(pin))]
    CLEAR += [(f"get {number} 0", "0 0"), (f"go low {number}", "ok")]
SAFE: Script = [*status(0), *CLEAR]
WHO: Script = [("version", "version: 1.1.1"), *status(0), ("get 0 0", "500 20"), ("get 0 1", "0 0")]
HELLO: Script = [*WHO, *SAFE]
TABLE: Script = [
    ("set 0 0 1000000 8", "ok"),
    ("get 0 0", "1000000 8"),
    ("set 0 1 0 0", "ok"),
    ("get 0 1", "0 0"),
    ("set 2 0 1000000 8", "ok"),
    ("get 2 0", "1000000 8"),
    ("set 2 1 0 0", "ok"),
    ("get 2 1", "0 0"),
]
CONFIGURE: Script = [*SAFE, *TABLE]
FIRE: Script = [("start", "ok")]
PLAN = PulsePlan(8, 0.02, {"GPIO9": Pulse(0.0, 0.008), "GPIO13": Pulse(0.0, 0.001)})
APPLIED = PulsePlan(8, 0.02, {"GPIO9": Pulse(0.0, 0.01), "GPIO13": Pulse(0.0, 0.01)})


# --------------------------------------------------------------------------------------- connecting


def test_connecting_identifies_the_box_and_clears_its_table() -> None:
    with scripted([*HELLO, *SAFE], command_end=END) as line, open_at(line.port) as box:
        assert (box.info.model, box.info.firmware) == ("PrawnBlaster", "1.1.1")
        assert box.state() is BoxState.SAFE


def test_a_burst_of_an_earlier_program_is_aborted() -> None:
    abort = [*status(2), ("abort", "ok"), *status(4), *status(5)]
    script = [*WHO, *abort, *CLEAR, *SAFE]
    with scripted(script, command_end=END) as line, open_at(line.port) as box:
        assert box.state() is BoxState.SAFE


def test_a_burst_that_ends_before_it_is_aborted_is_no_trouble() -> None:
    late = [*status(2), ("abort", "Can only abort when status is 1 or 2"), *status(0)]
    with scripted([*WHO, *late, *CLEAR, *SAFE], command_end=END) as line, open_at(line.port) as box:
        assert box.state() is BoxState.SAFE


@pytest.mark.parametrize("answer", ["invalid request", "QC,9524,02311,1.2.2-1.2.0", "version: new"])
def test_a_stranger_is_refused(answer: str) -> None:
    with (
        scripted([("version", answer)] * 2, command_end=END) as line,
        pytest.raises(TriggerError, match=f"is '{answer}', not PrawnBlaster"),
    ):
        open_at(line.port)


def test_nobody_at_home() -> None:
    serial = PROFILE.serial.model_copy(update={"timeout_s": 0.2})
    with (
        scripted([("version", None), ("version", None)], command_end=END) as line,
        pytest.raises(ProtocolError, match="no answer to version"),
    ):
        open_at(line.port, PROFILE.model_copy(update={"serial": serial}))


# ----------------------------------------------------------------------------- configuring and firing


def test_a_burst_is_one_instruction_and_the_applied_widths_are_half_a_period() -> None:
    with scripted([*HELLO, *CONFIGURE, *SAFE], command_end=END) as line, open_at(line.port) as box:
        assert box.configure(PLAN) == APPLIED
        assert box.state() is BoxState.CONFIGURED


@pytest.mark.parametrize("said", ["invalid request", "half-period too short"])
def test_a_refused_value_is_an_error_in_words_and_leaves_the_box_safe(said: str) -> None:
    refused = [("set 0 0 1000000 8", said)]
    script = [*HELLO, *SAFE, *refused, *SAFE, *SAFE]
    with scripted(script, command_end=END) as line, open_at(line.port) as box:
        with pytest.raises(TriggerError, match=f"refused 'set 0 0 1000000 8': {said}"):
            box.configure(PLAN)
        assert box.state() is BoxState.SAFE


def test_another_value_than_asked_is_an_error() -> None:
    wrong = [TABLE[0], ("get 0 0", "1000000 9")]
    with (
        scripted([*HELLO, *SAFE, *wrong, *SAFE, *SAFE], command_end=END) as line,
        open_at(line.port) as box,
        pytest.raises(TriggerError, match="applied 1000000 9 after 'set 0 0 1000000 8'"),
    ):
        box.configure(PLAN)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (PulsePlan(0, 0.02, PLAN.outputs), "cannot fire 0 pulses"),
        (PulsePlan(8, 86.0, PLAN.outputs), "cannot fire every 86 s"),
        (PulsePlan(8, 0.02, {"AB": Pulse(0.0, 0.001)}), "no output 'AB'"),
        (PulsePlan(8, 0.02, {"GPIO9": Pulse(0.001, 0.001)}), "cannot delay a pulse by 0.001 s"),
    ],
)
def test_what_the_box_cannot_do_is_not_sent(plan: PulsePlan, said: str) -> None:
    with (
        scripted([*HELLO, *SAFE], command_end=END) as line,
        open_at(line.port) as box,
        pytest.raises(TriggerError, match=said),
    ):
        box.configure(plan)


def test_a_whole_burst() -> None:
    running = [*status(1), *status(2), *status(6), *status(0)]
    script = [*HELLO, *CONFIGURE, *status(0), *FIRE, *running, *SAFE]
    with scripted(script, command_end=END) as line, open_at(line.port) as box:
        with pytest.raises(NotArmed):
            box.arm()
        box.configure(PLAN)
        with pytest.raises(NotArmed):
            box.fire()
        box.arm()
        assert box.state() is BoxState.ARMED
        box.fire()
        assert box.wait_done(timeout_s=5) == 8
        assert box.state() is BoxState.DONE
        assert box.shots() is None  # it has no counter


@pytest.mark.parametrize(
    ("said", "spoiled"), [(status(5), "burst was aborted"), (status(2, 1), "left its own clock")]
)
def test_a_burst_with_a_fault_is_no_burst(said: Script, spoiled: str) -> None:
    stop = [("abort", "ok"), *status(5), *CLEAR]
    script = [*HELLO, *CONFIGURE, *status(0), *FIRE, *said, *stop]
    with scripted(script, command_end=END) as line, open_at(line.port) as box:
        box.configure(PLAN)
        box.arm()
        box.fire()
        for _ in range(2):
            with pytest.raises(TriggerError, match=spoiled):
                box.wait_done(timeout_s=5)


@pytest.mark.parametrize("act", [lambda box: box.configure(PLAN), lambda box: box.safe()])
def test_an_unplugged_box_is_lost_and_can_still_be_closed(act: Callable[[TriggerBox], object]) -> None:
    line = ScriptedBox([*HELLO], command_end=END)
    box = open_at(line.port)
    line.unplug()
    with pytest.raises(BoxLost, match="is gone"):
        act(box)
    assert box.state() is BoxState.LOST
    box.close()
    assert box.state() is BoxState.CLOSED


# -------------------------------------------------------------------------------- on the simulator


@pytest.fixture
def box(engine: PulseEngine, tmp_path: Path) -> Iterator[TriggerBox]:
    simulated = simulated_box(PROFILE, engine)
    assert simulated.pairs == {"GPIO9": "AB", "GPIO11": "CD", "GPIO13": "EF", "GPIO15": "GH"}
    port = SerialPort(tmp_path / "box", simulated.instrument)
    port.start()
    with open_at(str(port.path)) as opened:
        yield opened
    port.close()


def test_exactly_the_pulses_asked_for_come_out(box: TriggerBox, engine: PulseEngine) -> None:
    assert box.configure(PLAN) == APPLIED
    box.arm()
    assert engine.recent() == []
    box.fire()
    assert box.wait_done(timeout_s=5) == 8
    assert {seen.output for seen in engine.recent()} == {"AB", "EF"}
    for output in ("AB", "EF"):
        out = [(seen.rise_ns, seen.fall_ns) for seen in engine.recent() if seen.output == output]
        assert [fall - rise for rise, fall in out] == [10_000_000] * 8
        assert [late[0] - early[0] for early, late in pairwise(out)] == [20_000_000] * 7


def test_safe_stops_a_running_burst_and_the_next_one_is_whole(box: TriggerBox, engine: PulseEngine) -> None:
    box.configure(PulsePlan(1000, 1.0, {"GPIO9": Pulse(0.0, 0.5)}))
    box.arm()
    box.fire()
    box.safe()
    assert not engine.busy()
    before = len(engine.recent())
    box.configure(PLAN)
    box.arm()
    box.fire()
    assert box.wait_done(timeout_s=5) == 8
    assert len(engine.recent()) - before == 16


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"version", b"version: 1.2.0"),
        (b"status", b"run-status:0 clock-status:0"),
        (b"", b"invalid request"),
        (b"set 0 0 5", b"invalid request"),
        (b"set 4 0 5 1", b"The specified pseudoclock must be between 0 and 3 (inclusive)"),
        (b"set 0 0 4 1", b"half-period too short"),
        (b"set 0 99999 5 1", b"invalid address"),
        (b"setnumpseudoclocks 5", b"The number of pseudoclocks must be between 1 and 4 (inclusive)"),
        (b"setoutpin 0 20", b"OUT pin must be between 0 and 19 (inclusive) or 25 (LED for debugging)"),
        (b"getoutpin 1", b"default"),
        (b"abort", b"Can only abort when status is 1 or 2 (transitioning to running or running)"),
        (b"setclock 1 50000000", b"ok"),
    ],
)
def test_the_simulator_answers_like_the_firmware(sent: bytes, answered: bytes) -> None:
    assert PrawnBlaster(PulseEngine(lambda *_: None)).feed(sent + b"\r\n") == answered + b"\r\n"


def test_the_simulator_refuses_changes_while_it_runs(engine: PulseEngine) -> None:
    pico = PrawnBlaster(engine)
    assert pico.feed(b"set 0 0 100000000 3\r\nstart\r\n") == b"ok\r\nok\r\n"
    assert pico.feed(b"status\r\n") == b"run-status:2 clock-status:0\r\n"
    assert pico.feed(b"set 0 0 5 1\r\n").startswith(b"Cannot execute command set 0 0 5 1 during")
    assert pico.feed(b"abort\r\nstatus\r\n") == b"ok\r\nrun-status:5 clock-status:0\r\n"

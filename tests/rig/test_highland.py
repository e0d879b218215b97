"""The driver of the Highland T560/T564, byte by byte and on its simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from rig.errors import NotArmed, ProfileError, ProtocolError, TriggerError
from rig.profiles import TriggerBoxProfile, TriggerSlot, load_profile, profile_text
from rig.trigger import BoxLost, BoxState, Pulse, PulsePlan, TriggerBox, open_box
from rig.virtual.boxes import simulated_box
from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.highland import T560
from rig.virtual.pty import SerialPort
from tests.rig.scripted_box import Script, ScriptedBox, scripted

PROFILE = load_profile("highland_t560", "trigger_box")
END = b"\r"


def open_at(port: str, profile: TriggerBoxProfile = PROFILE) -> TriggerBox:
    return open_box(TriggerSlot(profile="highland", port=port, outputs={"B": "A", "S": "B"}), profile)


def said(*commands: str) -> Script:
    return [(command, "OK") for command in commands]


def trigger(mode: str, divider: int = 0, synth: str = "00010000.00") -> Script:
    return [("TR", f"Trig {mode} HIZ Level 1.250 Div {divider:010d} SYN {synth}")]


def gate(shots: int) -> Script:
    return [("GA", f"Gate OFF POS HIZ Shots {shots:010d}")]


def channel(
    name: str, state: str, delay: str = "00.000,000,000,000", width: str = "00.000,002,000,000"
) -> Script:
    return [(f"{name}S", f"Ch {name}  POS  {state:<3}    Dly  {delay}  Wid  {width}")]


SAFE: Script = [*said("TR OFF", "VE 0", "AU 1"), *trigger("OFF")]
for each in "ABCD":
    SAFE += [*said(f"{each}S OFF"), *channel(each, "OFF")]
FOUND: Script = [*trigger("SYN"), *gate(12), *(pair for name in "ABCD" for pair in channel(name, "ON"))]
HELLO: Script = [("ID", "Highland Technology T560-1 22E560-D"), *FOUND, *SAFE]
A, B = ("00.000,000,000,000", "00.010,000,000,000"), ("00.000,500,000,000", "00.001,250,000,000")
RATE: Script = [
    *said("GA OFF"),
    *gate(66),
    *said("SY 1000000", "TD 60000"),
    *trigger("OFF", 60000, "01000000.00"),
]
PULSES: Script = [
    *said("AD 0n", "AW 10000000n", "AS POS"),
    *channel("A", "OFF", *A),
    *said("BD 500000n", "BW 1250000n", "BS POS"),
    *channel("B", "OFF", *B),
]
CONFIGURE: Script = [*SAFE, *RATE, *PULSES]
ARM: Script = [*said("AS ON"), *channel("A", "ON", *A), *said("BS ON"), *channel("B", "ON", *B), *gate(66)]
FIRE: Script = said("TR SYN")
PLAN = PulsePlan(2, 0.06, {"A": Pulse(0.0, 0.01), "B": Pulse(0.0005, 0.00125)})


# --------------------------------------------------------------------------------------- connecting


def test_connecting_identifies_the_box_and_switches_all_outputs_off() -> None:
    with scripted([*HELLO, *SAFE], command_end=END) as line, open_at(line.port) as box:
        assert (box.info.vendor, box.info.model) == ("Highland Technology", "T560")
        assert box.state() is BoxState.SAFE


@pytest.mark.parametrize("answer", ["??", "Highland Technology T340"])
def test_a_stranger_is_refused(answer: str) -> None:
    with (
        scripted([("ID", answer)] * 2, command_end=END) as line,
        pytest.raises(TriggerError, match="not Highland T560/T564 delay generator"),
    ):
        open_at(line.port)


def test_nobody_at_home() -> None:
    serial = PROFILE.serial.model_copy(update={"timeout_s": 0.2})
    with (
        scripted([("ID", None), ("ID", None)], command_end=END) as line,
        pytest.raises(ProtocolError, match="no answer to ID"),
    ):
        open_at(line.port, PROFILE.model_copy(update={"serial": serial}))


def test_a_profile_for_this_driver_must_say_which_models_it_is_for(tmp_path: Path) -> None:
    file = tmp_path / "box.yaml"
    file.write_text(profile_text("highland_t560").replace('match: {model: "T56[04]"}', ""))
    with pytest.raises(ProfileError, match="match must name the model"):
        load_profile(file, "trigger_box")


# ----------------------------------------------------------------------------- configuring and firing


def test_a_burst_is_set_up_read_back_and_says_how_exact_its_period_is() -> None:
    with scripted([*HELLO, *CONFIGURE, *SAFE], command_end=END) as line, open_at(line.port) as box:
        applied = box.configure(PLAN)
        assert (applied.count, applied.period_s, applied.outputs) == (2, 0.06, PLAN.outputs)
        assert applied.period_error_s == pytest.approx(0.06 * 0.0186 / 2 * 1e-6, rel=0.01)


def test_a_refused_value_is_an_error_and_leaves_the_box_safe() -> None:
    refused = [*RATE[:3], ("TD 60000", "??")]
    script = [*HELLO, *SAFE, *refused, *SAFE, *SAFE]
    with scripted(script, command_end=END) as line, open_at(line.port) as box:
        with pytest.raises(TriggerError, match=r"refused 'TD 60000': \?\?"):
            box.configure(PLAN)
        assert box.state() is BoxState.SAFE


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([*RATE[:-1], *trigger("OFF", 60001, "01000000.00")], "applied .*60001.* after 'TD 60000'"),
        ([*RATE[:-1], ("TR", "Trig OFF")], "answered 'Trig OFF' to TR"),
        ([*RATE, *PULSES[:3], *channel("A", "OFF", A[0], "00.011,000,000,000")], "after 'AW 10000000n'"),
        ([*RATE, *PULSES[:3], ("AS", channel("B", "OFF", *A)[0][1])], "answered for channel B to AS"),
    ],
)
def test_another_answer_than_expected_is_an_error(wrong: Script, message: str) -> None:
    with (
        scripted([*HELLO, *SAFE, *wrong, *SAFE, *SAFE], command_end=END) as line,
        open_at(line.port) as box,
        pytest.raises(TriggerError, match=message),
    ):
        box.configure(PLAN)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (PulsePlan(2, 0.04, PLAN.outputs), "cannot fire every 0.04 s"),
        (PulsePlan(2, 0.2, {"E": Pulse(0.0, 0.01)}), "no output 'E'"),
    ],
)
def test_what_the_box_cannot_do_is_not_sent(plan: PulsePlan, message: str) -> None:
    with (
        scripted([*HELLO, *SAFE], command_end=END) as line,
        open_at(line.port) as box,
        pytest.raises(TriggerError, match=message),
    ):
        box.configure(plan)


def test_the_trigger_is_taken_away_when_the_box_has_counted_the_last_pulse() -> None:
    counting = [*gate(67), *gate(67), *gate(68), *said("TR OFF"), *gate(68)]
    script = [*HELLO, *CONFIGURE, *ARM, *FIRE, *counting, *SAFE]
    with scripted(script, command_end=END) as line, open_at(line.port) as box:
        with pytest.raises(NotArmed):
            box.arm()
        box.configure(PLAN)
        box.arm()
        assert box.shots() is None
        box.fire()
        assert box.wait_done(timeout_s=5) == 2
        assert box.state() is BoxState.DONE
        assert box.shots() == 2  # by the box's own counter, 66 before and 68 after


def test_a_pulse_too_many_is_no_burst() -> None:
    counting = [*gate(68), *said("TR OFF"), *gate(69)]
    script = [*HELLO, *CONFIGURE, *ARM, *FIRE, *counting, *SAFE]
    with scripted(script, command_end=END) as line, open_at(line.port) as box:
        box.configure(PLAN)
        box.arm()
        box.fire()
        for _ in range(2):
            with pytest.raises(TriggerError, match="fired 3 pulses instead of 2"):
                box.wait_done(timeout_s=5)
        assert box.shots() == 3


def test_an_error_while_counting_is_that_of_the_burst() -> None:
    script = [*HELLO, *CONFIGURE, *ARM, *FIRE, ("GA", "??"), *SAFE]
    with scripted(script, command_end=END) as line, open_at(line.port) as box:
        box.configure(PLAN)
        box.arm()
        box.fire()
        with pytest.raises(ProtocolError, match=r"answered '\?\?' to GA"):
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
def port(engine: PulseEngine, tmp_path: Path) -> Iterator[SerialPort]:
    port = SerialPort(tmp_path / "box", simulated_box(PROFILE, engine).instrument)
    port.start()
    yield port
    if port.path.exists():
        port.close()


@pytest.fixture
def box(port: SerialPort) -> Iterator[TriggerBox]:
    with open_at(str(port.path)) as opened:
        yield opened


def test_exactly_the_pulses_asked_for_come_out(box: TriggerBox, engine: PulseEngine) -> None:
    plan = PulsePlan(4, 0.2, PLAN.outputs)
    assert box.configure(plan).outputs == plan.outputs
    box.arm()
    assert engine.recent() == []
    for _ in range(2):
        box.arm()
        before = len(engine.recent())
        box.fire()
        assert box.wait_done(timeout_s=5) == 4
        assert len(engine.recent()) - before == 8
    out = [seen.rise_ns for seen in engine.recent() if seen.output == "CD"][-4:]
    assert [late - early for early, late in pairwise(out)] == [200_000_000] * 3


def test_safe_stops_a_running_burst(box: TriggerBox, engine: PulseEngine) -> None:
    box.configure(PulsePlan(1000, 1.0, {"A": Pulse(0.0, 0.5)}))
    box.arm()
    box.fire()
    box.safe()
    assert not engine.busy()
    assert box.state() is BoxState.SAFE


def test_unplugged_in_a_burst(box: TriggerBox, port: SerialPort) -> None:
    box.configure(PulsePlan(2, 0.1, {"A": Pulse(0.0, 0.01)}))
    box.arm()
    box.fire()
    port.close()
    with pytest.raises(BoxLost):
        box.wait_done(timeout_s=5)
    assert box.state() is BoxState.LOST


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"TR", b"Trig OFF HIZ Level 1.250 Div 0000000000 SYN 00010000.00"),
        (b"GA", b"Gate OFF POS HIZ Shots 0000000000"),
        (b"AS", b"Ch A  POS  OFF    Dly  00.000,000,000,000  Wid  00.000,002,000,000"),
        (b"aw 20m;AW", b"OK;00.020,000,000,000"),
        (
            b"BDELAY 500u;BS ON;BS",
            b"OK;OK;Ch B  POS  ON     Dly  00.000,500,000,000  Wid  00.000,002,000,000",
        ),
        (b"TR RE;FI;GA", b"OK;OK;Gate OFF POS HIZ Shots 0000000001"),
        (b"FI", b"??"),
        (b"SY 17000000", b"??"),
        (b"AW 11", b"??"),
        (b"TL 1.5;XX 1;TL 2", b"OK;??"),
    ],
)
def test_the_simulator_answers_like_the_box(sent: bytes, answered: bytes) -> None:
    assert T560(PulseEngine(lambda *_: None)).feed(sent + b"\r") == answered + b"\r\n"

"""The driver against the simulated Quantum Composers 9524, which was written from the manual's texts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from rig.errors import TriggerError
from rig.profiles import TriggerSlot, load_profile
from rig.trigger import BoxLost, BoxState, Pulse, PulsePlan, TriggerBox, open_box
from rig.virtual.boxes import simulated_box
from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.pty import SerialPort
from rig.virtual.qc9520 import QC9524

PLAN = PulsePlan(8, 0.02, {"A": Pulse(0.0, 0.008), "B": Pulse(0.0005, 0.001)})


@pytest.fixture(params=["qc9520", "bnc575"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def port(engine: PulseEngine, tmp_path: Path, name: str) -> Iterator[SerialPort]:
    box = simulated_box(load_profile(name, "trigger_box"), engine)
    assert box.pairs == {"A": "AB", "B": "CD", "C": "EF", "D": "GH"}
    port = SerialPort(tmp_path / "box", box.instrument)
    port.start()
    yield port
    if port.path.exists():
        port.close()


@pytest.fixture
def box(port: SerialPort, name: str) -> Iterator[TriggerBox]:
    slot = TriggerSlot(profile=name, port=str(port.path), outputs={"B": "A", "S": "B"})
    with open_box(slot, load_profile(name, "trigger_box")) as opened:
        yield opened


def test_exactly_the_pulses_asked_for_come_out(box: TriggerBox, engine: PulseEngine) -> None:
    assert box.configure(PLAN) == PLAN
    box.arm()
    assert engine.recent() == []
    box.fire()
    assert box.wait_done(timeout_s=5) == 8
    for output, pulse in zip(("AB", "CD"), PLAN.outputs.values(), strict=True):
        out = [(seen.rise_ns, seen.fall_ns) for seen in engine.recent() if seen.output == output]
        assert [fall - rise for rise, fall in out] == [round(pulse.width_s * 1e9)] * 8
        assert [late[0] - early[0] for early, late in pairwise(out)] == [20_000_000] * 7


def test_safe_stops_a_running_burst_and_the_next_one_is_whole(box: TriggerBox, engine: PulseEngine) -> None:
    box.configure(PulsePlan(1000, 1.0, {"A": Pulse(0.0, 0.5)}))
    box.arm()
    box.fire()
    box.safe()
    assert not engine.busy()
    before = len(engine.recent())
    box.configure(PLAN)
    for _ in range(2):
        box.arm()
        box.fire()
        assert box.wait_done(timeout_s=5) == 8
    assert len(engine.recent()) - before == 32


def test_a_value_that_only_the_box_can_judge_is_refused_by_it(port: SerialPort, name: str) -> None:
    good = load_profile(name, "trigger_box")
    wrong = good.model_copy(update={"levels": good.levels.model_copy(update={"amplitude_v": 1.0})})
    slot = TriggerSlot(profile=name, port=str(port.path), outputs={"B": "A", "S": "B"})
    with open_box(slot, wrong) as box:
        with pytest.raises(
            TriggerError, match=r"refused ':PULSE1:OUTP:AMPL 1.00': invalid parameter \(\?5\)"
        ):
            box.configure(PLAN)
        assert box.state() is BoxState.SAFE


def test_unplugged_in_a_burst(box: TriggerBox, port: SerialPort) -> None:
    box.configure(PulsePlan(1000, 1.0, {"A": Pulse(0.0, 0.5)}))
    box.arm()
    box.fire()
    port.close()
    with pytest.raises(BoxLost):
        box.done()
    assert box.state() is BoxState.LOST


# ------------------------------------------------------------------------- the simulator by itself


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"*IDN?", b"QC,9524,02311,1.2.2-1.2.0"),
        (b":inst:cat?", b"T0, CHA, CHB, CHC, CHD"),
        (b":PULSE1:WIDT 0.00012", b"ok"),
        (b":PULSe1:WIDTh?", b"0.000010000"),
        (b":SPULSE0:STATE?", b"0"),
        (b":PULSE1:POL?", b"NORM"),
        (b"PULSE1:POL?", b"?1"),
        (b":PULSE1", b"?2"),
        (b":PULSE1:POLAR NORM", b"?3"),
        (b":PULSE7:POL NORM", b"?3"),
        (b":PULSE1:POL", b"?4"),
        (b":PULSE1:POL UP", b"?5"),
        (b":PULSE1:WIDT long", b"?5"),
        (b":PULSE0:BCO 0", b"?5"),
        (b"*IDN", b"?6"),
        (b"*RST?", b"?7"),
        (b"*TRG", b"?8"),
    ],
)
def test_the_simulator_answers_like_the_manual(sent: bytes, answered: bytes) -> None:
    unit = QC9524(PulseEngine(lambda *_: None))
    unit.echo = False
    assert unit.feed(sent + b"\r\n") == answered + b"\r\n"


def test_the_simulators_echo_is_on_until_it_is_switched_off() -> None:
    unit = QC9524(PulseEngine(lambda *_: None))
    assert unit.feed(b":PULSE0:STATE?\r\n") == b":PULSE0:STATE?\r\n0\r\n"
    assert unit.feed(b":SYST:COMM:SER:ECHO OFF\r\n") == b":SYST:COMM:SER:ECHO OFF\r\nok\r\n"
    assert unit.feed(b":PULSE0:STA") == b""
    assert unit.feed(b"TE?\r\n") == b"0\r\n"


def test_the_simulators_continuous_and_triggered_modes(engine: PulseEngine) -> None:
    unit = QC9524(engine)
    unit.echo = False
    assert unit.feed(b":PULSE0:PER 0.5\r\n:PULSE1:STATE ON\r\n:PULSE0:STATE ON\r\n") == b"ok\r\n" * 3
    assert engine.busy()
    assert unit.feed(b":PULSE0:STATE OFF\r\n") == b"ok\r\n"
    assert not engine.busy()
    unit.feed(b":PULSE0:MODE SING\r\n:PULSE0:TRIG:MODE TRIG\r\n:PULSE0:STATE ON\r\n")
    assert not engine.busy()
    before = len(engine.recent())
    assert unit.feed(b"*TRG\r\n") == b"ok\r\n"
    assert len(engine.recent()) == before + 1

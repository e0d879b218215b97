"""Faults to order of the simulated boxes: when they begin and end, and what a wrong speed does to bytes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from rig.profiles import load_profile
from rig.virtual.boxes import VirtualBox
from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.kernel import WorldError
from rig.virtual.uart import through

IDENTITY = b"Stanford Research Systems,DG645,s/n004711,ver1.16.116\r\n"
SPEEDS = [4800, 9600, 19200, 38400, 57600, 115200]


@pytest.fixture
def box(engine: PulseEngine, tmp_path: Path) -> Iterator[VirtualBox]:
    box = VirtualBox(tmp_path / "port", load_profile("dg645", "trigger_box"), engine)
    box.start()
    yield box
    box.close()


@pytest.fixture
def line(box: VirtualBox) -> Iterator[serial.Serial]:
    with serial.Serial(str(box.path), 9600, timeout=0.2) as line:
        yield line


def ask(line: serial.Serial, command: bytes) -> bytes:
    line.write(command + b"\n")
    return bytes(line.read_until(b"\r\n"))


# ------------------------------------------------------------------------------- bytes at a wrong speed


@given(data=st.binary(max_size=40), speed=st.sampled_from(SPEEDS), off=st.floats(0.97, 1.03))
def test_speeds_that_differ_by_three_percent_are_the_same(data: bytes, speed: int, off: float) -> None:
    assert through(data, speed, round(speed * off)) == data


@pytest.mark.parametrize(
    ("sent", "sent_baud", "received_baud", "received"),
    [
        (b"\xff", 9600, 19200, b"\xfe"),  # the start bit lasts two: start, a zero, then ones
        (b"\x00", 9600, 19200, b"\x00"),  # low through the stop bit: a break
        (b"\xf0", 9600, 19200, b"\x00"),  # ten zeros: the stop bit is missing
        (b"\xff", 115200, 9600, b""),  # a twelfth of a bit is no start bit
        (b"\x00", 38400, 9600, b"\xfe"),  # nine low bits are two and a quarter: start, a zero, then ones
    ],
)
def test_what_a_uart_makes_of_another_speed(
    sent: bytes, sent_baud: int, received_baud: int, received: bytes
) -> None:
    assert through(sent, sent_baud, received_baud) == received


@given(speeds=st.permutations(SPEEDS))
def test_a_name_sent_at_another_speed_is_not_understood(speeds: list[int]) -> None:
    assert IDENTITY not in through(IDENTITY, speeds[0], speeds[1])


def test_the_box_does_not_understand_a_computer_at_another_speed(box: VirtualBox) -> None:
    with serial.Serial(str(box.path), 38400, timeout=0.2) as line:
        assert IDENTITY not in ask(line, b"*IDN?")
        line.baudrate = 9600
        line.write(b"\n")  # ends what the box has heard until now
        line.read(100)
        assert ask(line, b"*IDN?") == IDENTITY


# --------------------------------------------------------------------------------------- when and how long


def test_a_fault_begins_after_a_number_of_commands_and_holds_for_a_number(
    box: VirtualBox, line: serial.Serial
) -> None:
    box.fault("silent", after="1", times="2")
    assert [bool(ask(line, b"*IDN?")) for _ in range(4)] == [True, False, False, True]


def test_a_fault_may_hit_one_kind_of_command_only(box: VirtualBox, line: serial.Serial) -> None:
    box.fault("error", code=12, command="burc")
    assert ask(line, b"BURP 0.5\nLERR?") == b"0\r\n"
    assert ask(line, b"BURC 7\nLERR?") == b"12\r\n"
    assert ask(line, b"BURC?") == b""  # a question is a command, too
    box.fault("clear")
    assert ask(line, b"BURC?") == b"5\r\n"  # it did not obey


def test_a_deaf_box_does_not_obey_and_a_silent_one_does(box: VirtualBox, line: serial.Serial) -> None:
    box.fault("silent", times=1, deaf="true")
    line.write(b"BURC 7\n")
    assert ask(line, b"BURC?") == b"5\r\n"
    box.fault("silent", times=1)
    line.write(b"BURC 8\n")
    assert ask(line, b"BURC?") == b"8\r\n"


def test_garbage_is_as_long_as_the_answer_was(box: VirtualBox, line: serial.Serial) -> None:
    box.fault("garbage")
    line.write(b"*IDN?\n")
    noise = line.read(len(IDENTITY) + 1)
    assert len(noise) == len(IDENTITY)
    assert noise != IDENTITY


def test_a_slow_answer_comes_late_and_clearing_lets_it_go(box: VirtualBox, line: serial.Serial) -> None:
    box.fault("slow", seconds=30)
    assert ask(line, b"*IDN?") == b""
    box.fault("clear")
    line.timeout = 5
    assert line.read_until(b"\r\n") == IDENTITY


def test_a_fault_may_wait_for_the_start_of_a_burst(box: VirtualBox, line: serial.Serial) -> None:
    box.fault("silent", at="fire", after=1)
    assert ask(line, b"TSRC 5;BURM 1;BURC 100;BURP 1;DLAY 3,2,0.1;LERR?") == b"0\r\n"
    assert ask(line, b"*TRG\nLERR?") == b"0\r\n"
    assert ask(line, b"LERR?") == b""


def opened(box: VirtualBox) -> serial.Serial:
    """Open a port that has just come; it may not be ready for a moment."""
    deadline = time.monotonic() + 5
    while True:
        try:
            return serial.Serial(str(box.path), 9600, timeout=2)
        except serial.SerialException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def test_an_unplugged_box_has_no_port_and_a_replugged_one_the_same(
    box: VirtualBox, line: serial.Serial
) -> None:
    box.fault("unplug", after=1)
    line.timeout = 5  # before the plug is pulled: pyserial asks the port again
    line.write(b"BURC 7\n*IDN?\n")
    with pytest.raises(serial.SerialException):
        line.read(1)
    assert not os.path.lexists(box.path)
    box.fault("replug")
    with opened(box) as again:
        assert ask(again, b"BURC?") == b"7\r\n"  # it had power all the time


def test_a_box_without_power_forgets(box: VirtualBox, line: serial.Serial) -> None:
    assert ask(line, b"BURC 7\nLERR?") == b"0\r\n"
    box.fault("unplug", power="false")
    box.fault("replug")
    with serial.Serial(str(box.path), 9600, timeout=2) as again:
        assert ask(again, b"BURC?") == b"5\r\n"


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("fire", {}, "no fault 'fire'"),
        ("silent", {"seconds": 3}, "no option seconds"),
        ("slow", {"seconds": "soon"}, "seconds=soon makes no sense"),
        ("error", {"at": "noon"}, "at=noon makes no sense"),
        ("replug", {}, "plugged in already"),
        ("clear", {"after": 1}, "no options"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    box: VirtualBox, name: str, options: dict[str, object], said: str
) -> None:
    with pytest.raises(WorldError, match=said):
        box.fault(name, **options)

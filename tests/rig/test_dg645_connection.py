"""Finding, keeping and losing the DG645 on a serial line opened by pyserial."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NoReturn

import pytest

from rig.errors import ProtocolError, TriggerError
from rig.profiles import TriggerSlot
from rig.trigger import BoxLost, BoxState, SerialLink, TriggerBox, open_box
from tests.rig.dg645_script import FOUND, HELLO, IDN, IMPATIENT, PLAN, PROFILE, SAFE, open_on
from tests.rig.scripted_box import ScriptedBox, scripted

# --------------------------------------------------------------------------------------- connecting


def test_connecting_identifies_the_box_forgets_the_past_and_makes_it_safe() -> None:
    assert PROFILE.serial.rtscts  # and a pseudo-terminal can be opened with it
    with scripted([*HELLO, *SAFE]) as line, open_on(line) as box:
        assert (box.info.model, box.info.serial_number, box.info.firmware) == ("DG645", "001234", "1.16.116")
        assert box.state() is BoxState.SAFE


def test_a_stranger_is_refused() -> None:
    with (
        scripted([("*IDN?", "Stanford Research Systems,DG535,s/n1,ver1")] * 2) as line,
        pytest.raises(TriggerError, match="not SRS DG645"),
    ):
        open_on(line, IMPATIENT)


def test_errors_of_an_earlier_program_are_forgotten() -> None:
    hello = [
        ("*IDN?", IDN),
        *FOUND,
        ("*RST", None),
        ("*CLS", None),
        ("LERR?", "111"),
        ("LERR?", "12"),
        ("LERR?", "0"),
    ]
    with scripted([*hello, *SAFE, *SAFE]) as line, open_on(line) as box:
        assert box.state() is BoxState.SAFE


def test_half_a_command_left_by_a_killed_program_is_survived() -> None:
    """The box has 'BUR' in its buffer: it takes 'BUR*IDN?' for an unknown command and does not answer."""
    line = ScriptedBox([("*IDN?", None), *HELLO, *SAFE])
    try:
        with open_on(line, IMPATIENT) as box:
            assert box.info.model == "DG645"
    finally:
        line.unplug()
    assert not line.left


def test_nobody_at_home() -> None:
    with (
        scripted([("*IDN?", None), ("*IDN?", None)]) as line,
        pytest.raises(ProtocolError, match="no answer to \\*IDN\\?") as error,
    ):
        open_on(line, IMPATIENT)
    assert "is the box on" in error.value.hint


@pytest.mark.parametrize("noise", ["\x80\xfe\x00", "Stanford\xb5"])
def test_a_wrong_baud_rate_is_recognised_as_noise(noise: str) -> None:
    with (
        scripted([("*IDN?", noise), ("*IDN?", noise)]) as line,
        pytest.raises(ProtocolError, match="garbled") as error,
    ):
        open_on(line, IMPATIENT)
    assert "baud rate" in error.value.hint


def test_an_answer_without_its_end_is_not_taken_for_whole() -> None:
    with (
        scripted([("*IDN?", IDN[:20]), ("*IDN?", IDN[:20])], answer_end=b"") as line,
        pytest.raises(ProtocolError, match="garbled"),
    ):
        open_on(line, IMPATIENT)


def test_a_port_that_is_not_there() -> None:
    slot = TriggerSlot(profile="dg645", port="/dev/ttyNOSUCH9", outputs={"B": "AB", "S": "CD"})
    with pytest.raises(TriggerError, match="cannot open the trigger box port /dev/ttyNOSUCH9") as error:
        open_box(slot, PROFILE)
    assert "plugged in" in error.value.hint


def test_two_programs_do_not_share_a_line() -> None:
    with scripted([*HELLO, *SAFE]) as line, open_on(line):
        with pytest.raises(TriggerError, match="cannot open") as error:
            open_on(line)
        assert "another program" in error.value.hint


# ---------------------------------------------------------------------------------------- the end


def test_closing_makes_the_box_safe_and_frees_the_port() -> None:
    with scripted([*HELLO, *SAFE, *HELLO, *SAFE]) as line:
        box = open_on(line)
        box.close()
        box.close()
        assert box.state() is BoxState.CLOSED
        with open_on(line) as second:
            assert second.state() is BoxState.SAFE


@pytest.mark.parametrize("act", [lambda box: box.configure(PLAN), lambda box: box.safe()])
def test_an_unplugged_box_is_lost_and_can_still_be_closed(act: Callable[[TriggerBox], object]) -> None:
    line = ScriptedBox([*HELLO])
    box = open_on(line)
    line.unplug()
    with pytest.raises(BoxLost, match="is gone") as error:
        act(box)
    assert "cable" in error.value.hint
    assert box.state() is BoxState.LOST
    box.close()
    assert box.state() is BoxState.CLOSED


def test_the_error_of_a_take_is_not_hidden_by_that_of_closing() -> None:
    line = ScriptedBox([*HELLO])
    with pytest.raises(ValueError, match="the take went wrong"), open_on(line, IMPATIENT):
        _unplug_and_fail(line)


def test_late_answers_are_thrown_away_by_draining() -> None:
    with scripted([("TSRC?", "5")]) as line:
        link = SerialLink(line.port, timeout_s=2)
        line.say(b"0\r\n")
        assert _arrived(link)
        link.drain()
        assert link.query("TSRC?") == "5"
        link.close()


def test_what_a_board_says_while_it_starts_is_waited_for_and_thrown_away() -> None:
    with scripted([("TSRC?", "5")]) as line:
        banner = threading.Timer(0.1, line.say, [b"ready\r\n"])
        banner.start()
        link = SerialLink(line.port, timeout_s=2, settle_s=0.5)
        banner.join()
        assert link.query("TSRC?") == "5"
        link.close()


@pytest.mark.parametrize("command", ["*TRG\n*TRG", "BURC 8\r", "LÄMP 1,5"])
def test_a_command_is_one_line_of_ascii(command: str) -> None:
    with scripted([]) as line:
        link = SerialLink(line.port)
        with pytest.raises(ProtocolError, match="is no command"):
            link.write(command)
        link.close()


def _arrived(link: SerialLink) -> bool:
    """Wait until bytes have come in, by reading the first of them."""
    return bool(link._serial.read(1))


def _unplug_and_fail(line: ScriptedBox) -> NoReturn:
    line.unplug()
    raise ValueError("the take went wrong")


def test_a_late_answer_is_never_taken_for_that_to_the_next_question() -> None:
    with scripted([("LERR?", None), ("TSRC?", "5")]) as line:
        link = SerialLink(line.port, timeout_s=0.3)
        with pytest.raises(ProtocolError, match="no answer"):
            link.query("LERR?")
        line.say(b"0\r\n")
        assert link.query("TSRC?") == "5"
        link.close()

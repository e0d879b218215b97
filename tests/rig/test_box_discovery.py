"""Finding trigger boxes on serial ports: what is there, which profile fits, what is wrong with it."""

from __future__ import annotations

import fcntl
import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.profiles import TriggerSlot, load_profile
from rig.trigger import open_box
from rig.trigger.discovery import PortReport, find_boxes
from rig.virtual.boxes import VirtualBox
from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.pty import SerialPort
from rig.virtual.qc9520 import QC9524

QUICK_S = 0.15


def look(path: Path | str, patience_s: float = QUICK_S) -> PortReport:
    (report,) = find_boxes([str(path)], search=False, patience_s=patience_s)
    assert report.port == str(path)
    return report


@pytest.fixture
def plugged(engine: PulseEngine, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[VirtualBox]:
    box = VirtualBox(tmp_path / "port", load_profile(request.param, "trigger_box"), engine)
    box.start()
    yield box
    box.close()


class Stranger:
    """A device that answers every line, and remembers what it was told."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heard = b""

    def feed(self, data: bytes) -> bytes:
        self.heard += data
        return self.answer * sum(data.count(end) for end in (b"\n", b"\r")) if b"\n" in data else b""

    def lost_answer(self) -> None:
        """It does not mind."""


@pytest.mark.parametrize(
    ("plugged", "model"),
    [
        ("dg645", "DG645"),
        ("qc9520", "9524"),
        ("bnc575", "575-4"),
        ("highland_t560", "T560"),
        ("prawnblaster", "PrawnBlaster"),
    ],
    indirect=["plugged"],
)
def test_each_box_is_found_and_named_with_the_profile_that_fits(plugged: VirtualBox, model: str) -> None:
    report = look(plugged.path)
    assert (report.state, report.problem) == ("box", "")
    assert report.box is not None
    assert report.box.model == model
    (name,) = report.profiles
    with open_box(
        TriggerSlot(profile=name, port=report.port, outputs={"B": "A", "S": "B"}),
        load_profile(name, "trigger_box"),
    ) as opened:
        assert opened.info == report.box


def test_a_box_of_the_users_own_profile_is_found(engine: PulseEngine, tmp_path: Path) -> None:
    standard = load_profile("qc9520", "trigger_box")
    serial = standard.serial.model_copy(update={"baudrate": 4800})
    own = standard.model_copy(update={"name": "mine", "serial": serial})
    box = VirtualBox(tmp_path / "port", own, engine)
    box.start()
    (found,) = find_boxes([str(box.path)], search=False, more=[("mine.yaml", own)])
    box.close()
    assert (found.state, found.profiles) == ("box", ("mine.yaml",))


@pytest.mark.parametrize("plugged", ["dg645"], indirect=True)
def test_an_error_in_the_boxs_queue_is_told(plugged: VirtualBox) -> None:
    plugged.instrument.feed(b"BURC 0\n")
    report = look(plugged.path)
    assert report.state == "box"
    assert "illegal value (10)" in report.problem


@pytest.mark.parametrize("plugged", ["dg645"], indirect=True)
def test_a_box_at_a_wrong_speed_is_garbled_or_silent_and_its_baud_rate_is_asked_for(
    plugged: VirtualBox,
) -> None:
    plugged.fault("wrong_baud", baudrate=19200)
    report = look(plugged.path, 0.05)
    assert report.state in ("garbled", "silent")
    assert "baud rate" in report.hint


def test_noise_is_garbled(tmp_path: Path) -> None:
    port = SerialPort(tmp_path / "port", Stranger(b"\xf8\x00\xe6"))
    port.start()
    report = look(port.path, 0.05)
    port.close()
    assert report.state == "garbled"
    assert "9600, 38400, 115200 baud" in report.problem


@pytest.mark.parametrize("plugged", ["highland_t560"], indirect=True)
def test_a_silent_port(plugged: VirtualBox) -> None:
    plugged.fault("silent")
    report = look(plugged.path, 0.05)
    assert (report.state, report.problem) == ("silent", "no answer")


def test_a_stranger_hears_nothing_but_questions_for_its_name(tmp_path: Path) -> None:
    stranger = Stranger(b"ACME Furnace controller\r\n")
    port = SerialPort(tmp_path / "port", stranger)
    port.start()
    report = look(port.path)
    port.close()
    assert (report.state, report.answer) == ("unknown", "ACME Furnace controller")
    assert set(stranger.heard.split()) == {b"*IDN?", b"ID", b"version"}
    assert stranger.heard.index(b"ID\r") > stranger.heard.rindex(b"*IDN?")


@pytest.mark.parametrize(
    "identity", ["Stanford Research Systems,DG535,s/n1,ver1", "QC,9412,1,1.0", "BNC,505-4,1,1"]
)
def test_another_model_of_a_known_maker_is_told_apart_from_a_stranger(
    engine: PulseEngine, tmp_path: Path, identity: str
) -> None:
    port = SerialPort(tmp_path / "port", QC9524(engine, identity))
    port.start()
    report = look(port.path)
    port.close()
    assert (report.state, report.answer, report.profiles) == ("unsupported", identity, ())


@pytest.mark.parametrize("plugged", ["prawnblaster"], indirect=True)
def test_a_port_that_another_program_has_taken_is_not_written_to(plugged: VirtualBox) -> None:
    handle = os.open(plugged.path, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    plugged.fault("unplug", after=0, at="fire")  # the fault's line counts what is said
    report = look(plugged.path)
    os.close(handle)
    assert report.state == "busy"
    assert "another program" in report.problem


def test_a_port_that_is_not_there() -> None:
    report = look("/dev/ttyNOSUCH9")
    assert report.state == "missing"
    assert "plugged in" in report.hint


def test_a_file_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert look(tmp_path / "file").state == "failed"


def test_several_ports_are_reported_in_their_order(tmp_path: Path) -> None:
    near, far = os.openpty()
    tty.setraw(far)
    ports = ["/dev/ttyNOSUCH9", os.ttyname(far), str(tmp_path / "none")]
    reports = find_boxes(ports, search=False, patience_s=0.05)
    os.close(near)
    os.close(far)
    assert [report.port for report in reports] == ports
    assert [report.state for report in reports] == ["missing", "silent", "missing"]


@pytest.mark.parametrize("plugged", ["dg645"], indirect=True)
def test_a_port_that_is_to_be_left_alone_is_not_touched_by_any_of_its_names(
    plugged: VirtualBox, tmp_path: Path
) -> None:
    other_name = tmp_path / "same port"
    other_name.symlink_to(plugged.path)
    for name in (plugged.path, other_name):
        found = find_boxes([str(plugged.path)], search=False, leave=[str(name)], patience_s=QUICK_S)
        assert found == []

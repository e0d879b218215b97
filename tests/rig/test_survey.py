"""What the survey says of cameras, and of a rig that expects them and a trigger box."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from rig.camera.types import DeviceInfo
from rig.cli.devices import devices
from rig.profile_match import fitting_profiles, is_generic
from rig.profiles import load_profile, profile_text
from rig.survey import report_camera
from rig.virtual.boxes import VirtualBox
from rig.virtual.dg645_pulses import PulseEngine


def camera(cti: str = "/a.cti", **said: str) -> DeviceInfo:
    known = {
        "vendor": "beamrig",
        "model": "VR-5M",
        "serial_number": "1",
        "tl_type": "GEV",
        "access_status": "readwrite",
    }
    return DeviceInfo(**{"cti": cti, "id": "one", "user_name": "", **known, **said})


# ------------------------------------------------------------------------------------ cameras


def test_the_profile_of_a_model_comes_before_the_generic_one() -> None:
    assert fitting_profiles("beamrig", "VR-5M")[0] == "virtual_camera"
    assert not is_generic("virtual_camera")
    for name in fitting_profiles("Nobody", "knows it"):
        assert is_generic(name)


def test_a_pattern_must_be_found_in_what_the_camera_says() -> None:
    assert "virtual_camera" not in fitting_profiles("beamrig", "VR-5M2")
    assert "virtual_camera" not in fitting_profiles("", "VR-5M")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"access_status": "busy"}, "another program has it open"),
        ({"access_status": "readonly"}, "another program controls it"),
        ({"access_status": "noaccess"}, "access denied"),
        ({"vendor": "Nobody"}, "profile"),
        ({"serial_number": ""}, "no serial number"),
        ({"tl_type": ""}, "does not say how it is connected"),
        ({"tl_type": "XYZ"}, "unknown transport 'XYZ'"),
    ],
)
def test_what_is_wrong_with_a_camera_is_said(said: dict[str, str], problem: str) -> None:
    good, bad = camera(), camera(id="two", **{"serial_number": "2", **said})
    assert report_camera(good, [good, bad]).problems == ()
    (only,) = report_camera(bad, [good, bad]).problems
    assert problem in only


@pytest.mark.parametrize(("cti", "problem"), [("/a.cti", "two cameras"), ("/b.cti", "two producers")])
def test_a_serial_number_seen_twice_is_a_problem_of_both(cti: str, problem: str) -> None:
    pair = [camera(), camera(cti, id="two")]
    for one in pair:
        (only,) = report_camera(one, pair).problems
        assert problem in only


# ------------------------------------------------------------------------------------ a whole rig


@pytest.fixture
def port(engine: PulseEngine, tmp_path: Path) -> Iterator[Path]:
    box = VirtualBox(tmp_path / "port", load_profile("prawnblaster", "trigger_box"), engine)
    box.start()
    yield box.path
    box.close()


def a_rig(folder: Path, port: Path, box: str, outputs: str, serial_number: str) -> Path:
    text = profile_text("virtual")
    start, end = text.index("# Holds the scene"), text.index("cameras:")
    text = text[:start] + text[end : text.index("# On a real rig")]
    for old, new in (
        ("profile: dg645", f"profile: {box}"),
        ("${run_dir}/dg645", str(port)),
        ("{B: AB, S: CD}", outputs),
        ("VR-S-0002", serial_number),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = folder / "rig.yaml"
    path.write_text(text)
    return path


def parts_of(rig: Path) -> dict[str, dict[str, str]]:
    result = CliRunner().invoke(devices, ["--rig", str(rig), "--no-ports", "--json"])
    assert result.exit_code == 0, result.output
    return {part["part"]: part for part in json.loads(result.stdout)["rig"]}


def test_a_rig_whose_devices_are_all_there(port: Path, tmp_path: Path) -> None:
    parts = parts_of(a_rig(tmp_path, port, "prawnblaster", "{B: GPIO9, S: GPIO11}", "VR-S-0002"))
    assert [part["problem"] for part in parts.values()] == ["", "", ""]
    assert parts["camera B"]["found"] == "beamrig VR-5M, VR-B-0001"
    assert parts["trigger box"]["found"] == "labscript suite PrawnBlaster"


def test_a_rig_with_a_missing_camera_and_another_box(port: Path, tmp_path: Path) -> None:
    parts = parts_of(a_rig(tmp_path, port, "dg645", "{B: AB, S: CD}", "VR-S-0009"))
    assert parts["camera B"]["problem"] == ""
    assert parts["camera S"]["problem"] == "missing; its producer shows VR-B-0001, VR-S-0002"
    assert parts["trigger box"]["problem"] == "another box than the rig's; prawnblaster fits it"


def test_a_rig_whose_box_is_not_plugged_in(tmp_path: Path) -> None:
    rig = a_rig(tmp_path, Path("/dev/ttyNOSUCH9"), "dg645", "{B: AB, S: CD}", "VR-S-0002")
    assert "cannot be opened" in parts_of(rig)["trigger box"]["problem"]


def test_the_listing_for_people_names_box_and_profile(port: Path) -> None:
    said = CliRunner().invoke(devices, ["--no-ports", "--port", str(port)], env={"COLUMNS": "160"}).stdout
    assert "labscript suite PrawnBlaster" in said
    assert "prawnblaster" in said


def test_a_port_asked_for_by_name_that_cannot_be_opened_is_an_error() -> None:
    result = CliRunner().invoke(devices, ["--no-ports", "--port", "/dev/ttyNOSUCH9"])
    assert "/dev/ttyNOSUCH9: it cannot be opened" in str(result.exception)

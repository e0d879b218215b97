from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner, Result

from rig.camera.paths import SEARCH_VARIABLE
from rig.cli.devices import devices
from rig.errors import BeamrigError, FeatureRejected


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(devices, [str(arg) for arg in args])


def refused(*args: str | Path) -> str:
    """Run a command that must fail with one foreseen error, and return its line."""
    error = run(*args).exception
    assert isinstance(error, BeamrigError)
    return error.one_line()


def test_devices_lists_each_producer_with_its_cameras(viky: Path, virtual_cti: Path) -> None:
    result = run("--cti", viky, "--cti", virtual_cti, "--no-ports", "--json")
    assert result.exit_code == 0
    first, second = json.loads(result.stdout)["producers"]
    assert (first["cti"], first["error"], len(first["devices"])) == (str(viky), None, 3)
    assert [one["serial_number"] for one in second["devices"]] == ["VR-B-0001", "VR-S-0002"]
    assert set(second["devices"][0]) == {
        "cti", "id", "vendor", "model", "serial_number", "user_name", "tl_type", "access_status",
        "profiles", "problems",
    }  # fmt: skip
    assert [(one["profiles"][0], one["problems"]) for one in second["devices"]] == [
        ("virtual_camera", [])
    ] * 2


def test_devices_of_a_rig_are_those_of_its_producers(virtual_cti: Path) -> None:
    producers = json.loads(run("--rig", "virtual", "--no-ports", "--json").stdout)["producers"]
    assert [one["cti"] for one in producers] == [str(virtual_cti)]


def test_devices_looks_where_the_makers_installers_say(viky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENICAM_GENTL64_PATH", f"/nonexistent:{viky.parent}")
    producers = json.loads(run("--no-ports", "--json").stdout)["producers"]
    assert [one["cti"] for one in producers] == [str(viky)]
    monkeypatch.delenv("GENICAM_GENTL64_PATH")
    nothing = json.loads(run("--no-ports", "--json").stdout)
    assert nothing == {"producers": [], "ports": [], "rig": None}
    assert "--rig" in run("--no-ports").stdout


def test_one_bad_producer_does_not_hide_the_good_one_but_is_an_error(viky: Path, tmp_path: Path) -> None:
    result = run("--cti", viky, "--cti", tmp_path / "none.cti", "--no-ports", "--json")
    good, bad = json.loads(result.stdout)["producers"]
    assert len(good["devices"]) == 3
    assert "none.cti" in bad["error"]
    assert isinstance(result.exception, BeamrigError)


def test_a_producer_that_is_none_is_refused_with_its_reason(tmp_path: Path) -> None:
    text = tmp_path / "text.cti"
    text.write_text("hello")
    assert "there is no GenTL producer" in refused("--cti", tmp_path / "none.cti", "--no-ports")
    assert "no file" in refused("--cti", tmp_path, "--no-ports")
    assert "cannot be loaded" in refused("--cti", text, "--no-ports")
    assert "no GenTL producer" in refused("--no-ports", "--cti", np.__path__[0] + "/_core/" + _a_library())


def _a_library() -> str:
    return next(Path(np.__path__[0], "_core").glob("_multiarray_umath*.so")).name


def test_grab_reports_each_frame(viky: Path) -> None:
    result = run("grab", "--cti", viky, "--id", "VikyTL_DEV_red", "--frames", "4", "--json")
    assert result.exit_code == 0
    grabbed = json.loads(result.stdout)
    assert grabbed["delivered"] == len(grabbed["frames"]) == 4
    assert grabbed["fps"] == pytest.approx(20, rel=0.3)
    frame = grabbed["frames"][0]
    assert (frame["width"], frame["height"], frame["exposure_us"]) == (400, 400, None)
    assert frame["min"] <= frame["mean"] <= frame["max"]


def test_grab_saves_the_codes_it_reports(virtual_cti: Path, tmp_path: Path) -> None:
    where = ["--cti", virtual_cti, "--id", "VR-S-0002", "--frames", "2", "--out", tmp_path / "new"]
    result = run("grab", *where, "--set", "Width=64", "--set", "Height=66", "--json")
    frames = json.loads(result.stdout)["frames"]
    pictures = [tifffile.imread(path) for path in sorted((tmp_path / "new").iterdir())]
    assert [picture.shape for picture in pictures] == [(66, 64)] * 2
    assert [int(picture.max()) for picture in pictures] == [frame["max"] for frame in frames]
    assert frames[0]["exposure_us"] == 10_000.0


def test_grab_prints_a_table_for_people(virtual_cti: Path) -> None:
    result = run(
        "grab", "--cti", virtual_cti, "--id", "VR-B-0001", "--frames", "1", "--set", "ExposureTime=500"
    )
    assert result.exit_code == 0
    assert "delivered 1" in result.stdout


def test_an_unknown_camera_or_value_is_one_clear_error(viky: Path) -> None:
    assert "VikyTL_DEV_red" in refused("grab", "--cti", viky, "--id", "nobody")
    assert "VikyTL_DEV_red" in refused("features", "--cti", viky)
    assert isinstance(run("grab", "--cti", viky, "--id", "0", "--set", "Width=1").exception, FeatureRejected)
    assert run("grab", "--cti", viky, "--id", "0", "--set", "Width").exit_code == 2
    assert run("grab", "--cti", viky, "--frames", "0").exit_code == 2


def test_the_only_producer_that_is_installed_needs_no_naming(
    virtual_cti: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ["features", "--id", "VR-B-0001", "--search", "TriggerMode", "--json"]
    monkeypatch.delenv(SEARCH_VARIABLE, raising=False)
    none = run(*where)
    assert (none.exit_code, "name one by --cti" in none.stderr) == (2, True)
    (tmp_path / "only.cti").symlink_to(virtual_cti)
    monkeypatch.setenv(SEARCH_VARIABLE, str(tmp_path))
    assert json.loads(run(*where).stdout)["features"][0]["name"] == "TriggerMode"
    (tmp_path / "other.cti").touch()
    assert "other.cti" in run(*where).stderr


def test_features_can_be_searched(viky: Path) -> None:
    found = json.loads(run("features", "--cti", viky, "--id", "0", "--search", "WIDTH", "--json").stdout)
    width = next(one for one in found["features"] if one["name"] == "Width")
    assert (width["value"], width["minimum"], width["maximum"], width["access"]) == (
        400,
        100,
        800,
        "read/write",
    )
    texts = ("name", "display_name", "tooltip", "description")
    assert all("width" in " ".join(one[key] for key in texts).lower() for one in found["features"])
    assert "Width" in run("features", "--cti", viky, "--id", "0").stdout


def test_features_are_shown_by_category_and_level_of_user(virtual_cti: Path) -> None:
    where = ["features", "--cti", virtual_cti, "--id", "VR-B-0001"]
    analog = json.loads(run(*where, "--category", "analogcontrol", "--json").stdout)["features"]
    assert [one["name"] for one in analog] == ["Gain", "GainAuto", "BlackLevel"]
    tree = run(*where, "--tree", "--visibility", "beginner").stdout
    assert "BlackLevel" in tree
    assert "TLParamsLocked" not in tree
    wrong = run(*where, "--category", "Nonsense")
    assert wrong.exit_code == 2
    assert "AnalogControl" in wrong.stderr


def test_features_are_saved_and_compared(virtual_cti: Path, tmp_path: Path) -> None:
    where = ["features", "--cti", virtual_cti, "--id", "VR-B-0001"]
    assert run(*where, "--save", tmp_path / "now.json").exit_code == 0
    assert "no setting differs" in run(*where, "--diff", tmp_path / "now.json").stdout
    saved = json.loads((tmp_path / "now.json").read_text())
    saved["features"]["Gain"]["value"] = 3.0
    (tmp_path / "now.json").write_text(json.dumps(saved))
    (gain,) = json.loads(run(*where, "--diff", tmp_path / "now.json", "--json").stdout)["differences"]
    assert (gain["key"], gain["before"], gain["after"], gain["unit"]) == ("Gain", 3.0, 0.0, "dB")
    from_profile = json.loads(run(*where, "--diff-profile", "virtual_camera", "--json").stdout)["differences"]
    assert "ChunkModeActive" in [one["key"] for one in from_profile]
    assert run(*where, "--diff", tmp_path / "now.json", "--diff-profile", "virtual_camera").exit_code == 2

"""Profiles that are fine by the schema and wrong for the rig that is there: each is refused in one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.faults.outside import OutsideWorld
from tests.rig.faults.told import capture, is_documented


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OutsideWorld]:
    with OutsideWorld(tmp_path_factory.mktemp("wrong")) as running:
        yield running


@pytest.fixture(autouse=True)
def _world_of_this_process(world: OutsideWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEAMRIG_WORLD", world.env["BEAMRIG_WORLD"])


Changes = tuple[tuple[str, str], ...]
LINE = "VR-B-0001\n    trigger_line: Line"
WRONG: dict[str, tuple[str, Changes, str]] = {
    "serial number": ("rig", (("VR-S-0002", "VR-S-0007"),), "VR-S-0007"),
    "producer": ("rig", (("beamrig_virtual.cti", "another.cti"),), "another.cti"),
    "port": ("rig", (("world/dg645", "world/ttyUSB9"),), "ttyUSB9"),
    "output": ("rig", (("{B: AB, S: CD}", "{B: A, S: CD}"),), "has no output 'A'"),
    "trigger box": (
        "rig",
        (("profile: dg645", "profile: qc9520"), ("{B: AB, S: CD}", "{B: A, S: B}")),
        "*IDN?",
    ),
    "period": ("rig", (("period_s: 0.05", "period_s: 100000"),), "period"),
    "line": ("rig", ((f"{LINE}0", f"{LINE}77"),), "Line77"),
    "width": ("camera", (("Width, to: 304", "Width, to: 1000000"),), "Width"),
    "feature": ("camera", (("Width, to: 304", "Widht, to: 304"),), "Widht"),
    "entry": ("camera", (("TriggerMode, to: On", "TriggerMode, to: Maybe"),), "TriggerMode"),
    "maker": ("camera", (("vendor: ^beamrig$", "vendor: ^Nobody$"),), "Nobody"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_profile_that_is_wrong_for_this_rig_is_refused_in_one_line_before_a_pulse(
    what: str, world: OutsideWorld, tmp_path: Path
) -> None:
    where, changes, named = WRONG[what]
    folder = world.path.parent
    texts = {"rig": world.path.read_text(), "camera": (folder / "small_camera.yaml").read_text()}
    texts["rig"] = texts["rig"].replace(f'"{folder / "small_box.yaml"}"', "dg645")
    for right, wrong in changes:
        assert right in texts[where]
        texts[where] = texts[where].replace(right, wrong)
    (tmp_path / "small_camera.yaml").write_text(texts["camera"])
    rig = tmp_path / "small.yaml"
    rig.write_text(
        texts["rig"].replace(str(folder / "small_camera.yaml"), str(tmp_path / "small_camera.yaml"))
    )
    pulses = len(world.truth().pulses["AB"])
    code, line = capture(rig, tmp_path / "session")
    assert (code, line[:7]) == (2, "error: ")
    assert named in line
    assert is_documented(line), line
    assert len(world.truth().pulses["AB"]) == pulses
    assert not list(tmp_path.rglob("*.dng*"))

"""`beamrig process` and `beamrig masks` from the shell."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from processing.jobs.cli import masks, process
from rig.session import Session
from tests.shell import assert_loads_nothing_heavy, assert_refused, beamrig


@pytest.fixture
def folder(recorded: Session, tmp_path: Path) -> Path:
    shutil.copytree(recorded.root, tmp_path / "session")
    return tmp_path / "session"


def test_process_prints_the_figures_as_json(folder: Path) -> None:
    result = CliRunner().invoke(process, [str(folder), "--json", "--bits", "8"], catch_exceptions=False)
    report = json.loads(result.stdout)
    (scene,) = report["scenes"]
    assert scene["developed"] == 6
    assert scene["static_pair"]["after"]["psnr_db"] > scene["static_pair"]["before"]["psnr_db"]


def test_process_prints_a_table_for_people(folder: Path) -> None:
    result = CliRunner().invoke(process, [str(folder), "--scene", "s01"], catch_exceptions=False)
    assert "PSNR" in result.stdout
    assert "after" in result.stdout
    assert result.exit_code == 0


def test_masks_makes_masks_alone(folder: Path) -> None:
    result = CliRunner().invoke(masks, [str(folder), "--json"], catch_exceptions=False)
    assert json.loads(result.stdout)["scenes"][0]["masks"] == 3
    assert not list((folder / "derived").rglob("*_B.png"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["process", "nowhere"],
        ["masks", "nowhere"],
        ["process", ".", "--bits", "12"],
        ["process"],
        ["masks", ".", "--profile", "x"],
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path: Path, arguments: list[str]) -> None:
    assert_refused(beamrig(*arguments, folder=tmp_path))


def test_the_commands_help_loads_no_opencv() -> None:
    assert_loads_nothing_heavy("processing.jobs.cli")

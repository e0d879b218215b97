"""`beamrig process` and `beamrig masks` from the shell."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from processing.jobs.cli import masks, process
from rig.session import Session


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
    done = subprocess.run(
        [sys.executable, "-m", "beamrig", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_the_commands_help_loads_no_opencv() -> None:
    code = "import sys, processing.jobs.cli; assert 'cv2' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)

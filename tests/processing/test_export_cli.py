"""`beamrig export` from the shell."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from processing.dataset.cli import export
from rig.session import Session
from tests.shell import assert_loads_nothing_heavy, assert_refused, beamrig


def test_a_fresh_session_is_developed_exported_and_checked(recorded: Session, tmp_path: Path) -> None:
    shutil.copytree(recorded.root, tmp_path / "monday")
    asked = [str(tmp_path / "monday"), "--out", str(tmp_path / "set")]
    early = CliRunner().invoke(export, asked)
    assert "run beamrig process" in str(early.exception.hint)  # type: ignore[union-attr]
    done = CliRunner().invoke(export, [*asked, "--process", "--json"], catch_exceptions=False)
    report = json.loads(done.stdout)
    assert sum(report["statistics"]["pairs"].values()) == 3
    assert report["check"]["broken"] is False
    good = CliRunner().invoke(export, ["--check", str(tmp_path / "set")], catch_exceptions=False)
    assert good.exit_code == 0
    assert "good; " in good.stdout
    next((tmp_path / "set" / "masks").rglob("*.png")).unlink()
    bad = CliRunner().invoke(export, ["--check", str(tmp_path / "set")], catch_exceptions=False)
    assert bad.exit_code == 1
    assert "is missing" in bad.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["export"],
        ["export", "nowhere"],
        ["export", "nowhere", "--out", "set"],
        ["export", "--check", "nowhere"],
        ["export", "--check", ".", "--out", "set"],
        ["export", ".", "--out", "set", "--test-share", "much"],
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path: Path, arguments: list[str]) -> None:
    assert_refused(beamrig(*arguments, folder=tmp_path))
    assert not (tmp_path / "set").exists()


def test_the_commands_help_loads_no_opencv() -> None:
    assert_loads_nothing_heavy("processing.dataset.cli")

"""What an operator does wrong at the shell ends in one line that says what to do, and leaves nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from beamrig.cli import COMMANDS
from tests.shell import assert_refused, beamrig

PLAN = ("plan", "--speed", "1.4 m/s", "--blur-s", "4")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with things in it that are not what a command wants."""
    (tmp_path / "file.txt").write_text("no folder")
    (tmp_path / "folder").mkdir()
    (tmp_path / "junk").write_bytes(bytes(range(256)) * 8)
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8)
    cv2.imwrite(str(tmp_path / "good ü.png"), np.full((48, 64, 3), 90, np.uint8))
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ("capture", "--session", "", "--scene", "s01", "--kind", "static", *PLAN[1:]),
        ("process", ""),
        ("masks", ""),
        ("demo", "--out", ""),
        ("run", "--session", ""),
        ("profiles", "check", ""),
        ("devices", "--cti", ""),
        ("deblur", "good ü.png", "--out", ""),
        ("virtual", "world", "--run-dir", ""),
    ],
    ids=" ".join,
)
def test_an_empty_path_is_not_the_present_folder(folder: Path, words: tuple[str, ...]) -> None:
    before = sorted(folder.iterdir())
    assert_refused(beamrig(*words, folder=folder), "empty")
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("demo", "--blur-s", "nan"), "blur_s_px is nan"),
        (("demo", "--speed", "1000 m/s"), "ask for at least"),
        (("demo", "--out", "file.txt/x"), "--out"),
        (("deblur", "good ü.png", "--out", "file.txt"), "--out"),
        (("deblur", "torn.png", "--out", "o"), "torn.png"),
        (("deblur", "/dev/zero", "--out", "o"), "/dev/zero"),
        (("plan", "--rig", "/dev/zero", *PLAN[1:]), "/dev/zero"),
        (("plan", "--rig", "./junk", *PLAN[1:]), "not UTF-8 text"),
        (("plan", "--rig", "folder/", *PLAN[1:]), "folder"),
        ((*PLAN, "--filter", ""), "ND 0.9"),
        (("devices", "--rig", ""), "no profile named ''"),
        (("process", "folder"), "no session"),
        (("virtual", "world", "--run-dir", "file.txt"), "file.txt"),
        (("run", "--after", "nan"), "--after"),
        (("run", "--size", "99999999999x5"), "--size"),
        (("run", "--size", "0x0"), "--size"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_argument_is_refused_before_anything_is_made(
    folder: Path, words: tuple[str, ...], told: str
) -> None:
    before = sorted(folder.iterdir())
    assert_refused(beamrig(*words, folder=folder), told)
    assert sorted(folder.iterdir()) in (before, sorted([*before, folder / "o"]))


def test_without_a_screen_the_app_says_so(folder: Path) -> None:
    assert_refused(beamrig("run", folder=folder), "DISPLAY")
    assert_refused(beamrig("run", folder=folder, env={"DISPLAY": ":4711"}), ":4711")


def test_alone_it_shows_its_help(folder: Path) -> None:
    answer = beamrig(folder=folder)
    assert answer.returncode == 0
    assert all(name in answer.stdout for name in COMMANDS)


def test_a_group_without_its_command_names_the_choice(folder: Path) -> None:
    assert_refused(beamrig("virtual", folder=folder), "stage", "truth")


def test_a_full_disk_under_stdout_is_one_line(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        answer = beamrig(*PLAN, folder=folder, stdout=full)
    assert answer.returncode == 2
    assert answer.stderr == "error: No space left on device\n"


def test_a_locale_without_greek_letters_gets_the_table_all_the_same(folder: Path) -> None:
    answer = beamrig(*PLAN, folder=folder, env={"PYTHONIOENCODING": "ascii"})
    assert answer.returncode == 0
    assert "camera" in answer.stdout


def test_json_is_ascii_and_holds_a_file_name_that_is_no_text(folder: Path) -> None:
    odd = os.fsdecode(b"odd \xff.cti")
    (folder / odd).write_bytes(b"no library")
    (folder / "empty.cti").write_bytes(b"")
    answer = beamrig("devices", "--no-ports", "--cti", odd, "--cti", "empty.cti", "--json", folder=folder)
    assert answer.stdout.isascii()
    producers = json.loads(answer.stdout)["producers"]
    assert producers[0]["cti"].endswith(odd)
    assert [producer["devices"] for producer in producers] == [[], []]


def test_the_keys_of_a_plan_are_those_that_its_help_names(folder: Path) -> None:
    keys = json.loads(beamrig(*PLAN, "--json", folder=folder).stdout)
    told = " ".join(beamrig("plan", "--help", folder=folder).stdout.partition("JSON:")[2].split())
    assert [key for key in keys if key not in told] == []


@pytest.mark.parametrize(
    "name", ["plan", "profiles", "devices", "capture", "virtual", "process", "masks", "develop", "deblur"]
)
def test_help_of_a_command_waits_for_no_heavy_library(name: str) -> None:
    program = (
        "import sys; from beamrig.cli import cli; cli.main([sys.argv[1], '--help'], standalone_mode=False);"
        "print(sorted({'PySide6', 'torch', 'cv2', 'numpy', 'genicam', 'tifffile'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, name], capture_output=True, text=True, timeout=60, check=True
    )
    assert answer.stdout.splitlines()[-1] == "[]"

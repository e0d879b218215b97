"""``beamrig virtual`` from the shell: quick to start, one line for bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.virtual.client import WorldClient

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("shell") / "run"
    command = [sys.executable, "-m", "rig.virtual.cli", "world", "--run-dir", str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        assert json.loads(process.stdout.readline())["ready"] is True
        yield folder
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_the_stage_is_set_from_the_shell(run_dir: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "rig.virtual.cli",
        "stage",
        "lightbox",
        "--run-dir",
        str(run_dir),
        "--json",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["stage"] == "lightbox"
    assert WorldClient(run_dir).state()["state"]["stage"] == "lightbox"


def test_the_shell_command_loads_nothing_heavy() -> None:
    code = (
        "import sys, rig.virtual.cli, rig.virtual.client;"
        "print(sorted({'numpy', 'cv2', 'pydantic', 'torch', 'harvesters'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["stage", "nowhere", "--run-dir", "RUN"], "nowhere"),
        (["set", "speed_mps=fast", "--run-dir", "RUN"], "fast"),
        (["set", "speed_mps=-3", "--run-dir", "RUN"], "speed_mps"),
        (["set", "colour=3", "--run-dir", "RUN"], "colour"),
        (["truth", "--run-dir", "/nonexistent"], "no world answers"),
    ],
)
def test_bad_input_gives_one_line_and_exit_code_2(run_dir: Path, arguments: list[str], words: str) -> None:
    filled = [str(run_dir) if a == "RUN" else a for a in arguments]
    command = [sys.executable, "-m", "rig.virtual.cli", *filled]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr

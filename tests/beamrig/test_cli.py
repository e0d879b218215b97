"""The root command: instant help, one clear line for bad input, exit code 2."""

from __future__ import annotations

import importlib
import subprocess
import sys

import click
import pytest

from beamrig.cli import COMMANDS


def beamrig(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "beamrig", *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_help_names_every_command() -> None:
    answer = beamrig("--help")
    assert answer.returncode == 0
    assert all(name in answer.stdout for name in COMMANDS)


def test_help_loads_neither_qt_nor_torch_nor_opencv() -> None:
    program = (
        "import sys; from beamrig.cli import cli; cli.main(['--help'], standalone_mode=False);"
        "print(sorted({'PySide6', 'torch', 'cv2', 'numpy'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert answer.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_named_command_exists_where_the_table_says(name: str) -> None:
    module, _, attribute = COMMANDS[name].target.partition(":")
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command)


def test_unknown_command_is_one_line_with_the_nearest_name_and_exit_code_2() -> None:
    answer = beamrig("captur")
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    assert "did you mean 'capture'" in answer.stderr


def test_unknown_option_is_one_line_and_exit_code_2() -> None:
    answer = beamrig("plan", "--speeed", "1 m/s")
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert "--speed" in answer.stderr


def test_a_typed_error_is_one_line_and_exit_code_2() -> None:
    answer = beamrig("plan", "--rig", "no-such-rig", "--speed", "1.4 m/s", "--blur-s", "4")
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert answer.stderr.startswith("error: ")
    assert "no-such-rig" in answer.stderr


def test_version_is_the_distributions() -> None:
    from importlib.metadata import version

    assert version("beamrig") in beamrig("--version").stdout

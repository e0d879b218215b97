"""The command as an operator starts it: a program of its own, without a screen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]


def beamrig(
    *words: str, folder: Path, env: dict[str, str] | None = None, stdout: int | IO[str] = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """Run the command in `folder`."""
    environment = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    environment |= {"QT_QPA_PLATFORM": "", "PYTHONPATH": str(ROOT), **(env or {})}
    return subprocess.run(
        [sys.executable, "-m", "beamrig", *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )


def assert_refused(answer: subprocess.CompletedProcess[str], *told: str) -> None:
    """The answer is one line that tells what is wrong."""
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr.startswith("error: ")
    assert answer.stderr.count("\n") == 1
    for words in told:
        assert words in answer.stderr


def assert_loads_nothing_heavy(module: str) -> None:
    """Importing the module of a command, as its help does, loads neither numpy nor OpenCV."""
    code = f"import sys, {module}; assert not {{'cv2', 'numpy', 'torch', 'PySide6'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)

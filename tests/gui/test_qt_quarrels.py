"""cv2 brings a Qt 5 of its own; PySide6 6.12.0 (excluded) loses None on Python 3.11. Neither may end us."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gui import CV2_VARIABLES

ROOT = Path(__file__).resolve().parents[2]
OPEN_A_WINDOW = """
import sys
from PySide6.QtWidgets import QLabel
from gui.app import BeamrigApp
app = BeamrigApp(sys.argv[:1])
label = QLabel("open")
label.show()
app.processEvents()
import cv2, os
theirs = os.path.dirname(cv2.__file__)
assert theirs not in os.environ.get("QT_QPA_PLATFORM_PLUGIN_PATH", "") + os.environ.get("QT_QPA_FONTDIR", "")
print(app.platformName(), label.isVisible())
"""


def python(
    code: str, *, platform: str, wrap: tuple[str, ...] = (), **env: str
) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in CV2_VARIABLES}
    return subprocess.run(
        [*wrap, sys.executable, "-c", code],
        cwd=ROOT,
        env={**clean, "QT_QPA_PLATFORM": platform, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("first", ["import cv2, gui", "import gui, cv2"])
def test_a_window_opens_after_cv2_is_imported(first: str) -> None:
    done = python(first + OPEN_A_WINDOW, platform="offscreen")
    assert done.stdout.split() == ["offscreen", "True"], done.stderr


@pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="needs a virtual X server")
def test_a_window_opens_on_x11_after_cv2_is_imported() -> None:
    done = python("import cv2, gui" + OPEN_A_WINDOW, platform="xcb", wrap=("xvfb-run", "-a"))
    assert done.stdout.split() == ["xcb", "True"], done.stderr


def test_a_value_that_the_user_set_himself_survives(tmp_path: Path) -> None:
    code = "import gui, os; print(os.environ['QT_QPA_FONTDIR'], os.environ['LD_LIBRARY_PATH'])"
    done = python(code, platform="offscreen", QT_QPA_FONTDIR=str(tmp_path), LD_LIBRARY_PATH="/opt/theirs")
    assert done.stdout.split() == [str(tmp_path), "/opt/theirs"], done.stderr


def test_child_processes_do_not_search_their_working_directory_for_libraries() -> None:
    done = python("import gui, os; print(repr(os.environ.get('LD_LIBRARY_PATH')))", platform="offscreen")
    assert done.stdout.strip() == "None", done.stderr


def test_many_thousand_calls_without_result_do_not_use_up_none() -> None:
    code = """
import gui, sys
from PySide6.QtCore import QObject
thing = QObject()
for _ in range(200_000):
    thing.setObjectName("x")
    thing.blockSignals(False)
print("alive")
"""
    done = python(code, platform="offscreen")
    assert done.stdout.strip() == "alive", done.stderr

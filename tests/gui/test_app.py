from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui.app import BeamrigApp, log_path, start_logging
from gui.widgets.error_banner import ErrorBanner
from gui.workers import Trouble
from rig.errors import DiskFull

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def app(qapp: BeamrigApp, monkeypatch: pytest.MonkeyPatch) -> BeamrigApp:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    qapp.install_hooks()
    return qapp


def test_an_uncaught_error_is_told_and_logged_and_the_app_goes_on(
    app: BeamrigApp, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    with qtbot.waitSignal(app.reporter.trouble) as told:
        try:
            raise ZeroDivisionError("by nothing")
        except ZeroDivisionError:
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    assert "by nothing" in told.args[0].message
    assert "Traceback" in told.args[0].details
    assert "by nothing" in caplog.text


def test_an_error_in_any_thread_is_told_too(app: BeamrigApp, qtbot: QtBot) -> None:
    def fail() -> None:
        raise DiskFull("no room left", hint="delete something")

    with qtbot.waitSignal(app.reporter.trouble) as told:
        threading.Thread(target=fail).start()
    assert told.args[0] == Trouble("no room left", "delete something")


def test_the_banner_shows_message_and_hint_and_counts_instead_of_growing(qtbot: QtBot) -> None:
    banner = ErrorBanner()
    qtbot.addWidget(banner)
    assert banner.message == ""
    banner.show_message("camera <B> lost", "plug it in")
    assert "camera &lt;B&gt; lost" in banner.message
    assert "plug it in" in banner.message
    for _ in range(4):
        banner.show_message("again")
    assert "5 messages" in banner.message
    banner.dismiss()
    assert banner.message == ""


def test_the_log_goes_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        path = start_logging()
        logging.getLogger("gui").info("a line")
        assert path == log_path()
        assert "a line" in log_path().read_text(encoding="utf-8")
    finally:
        for handler in set(root.handlers) - set(handlers):
            root.removeHandler(handler)
            handler.close()
        root.setLevel(level)


def run(*args: str, home: Path) -> subprocess.CompletedProcess[str]:

    env = {
        **os.environ,
        "HOME": str(home),
        "XDG_STATE_HOME": str(home),
        "BEAMRIG_SETTINGS": str(home / "s.json"),
    }
    command = [sys.executable, "-m", "beamrig", "run", *args]
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100, check=False
    )


def test_a_wrong_rig_is_one_line_in_the_terminal_and_no_window(tmp_path: Path) -> None:
    done = run("--rig", "moonbase", home=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_wrong_size_is_refused(tmp_path: Path) -> None:
    done = run("--size", "large", home=tmp_path)
    assert done.returncode == 2
    assert "1280x800" in done.stderr


def test_the_command_opens_the_app_and_saves_a_picture_of_it(tmp_path: Path) -> None:
    from PySide6.QtGui import QImage

    picture = tmp_path / "plan.png"
    done = run(
        *("--page", "plan", "--size", "1280x800", "--after", "1", "--screenshot", str(picture)), home=tmp_path
    )
    assert done.returncode == 0, done.stderr
    image = QImage(str(picture))
    assert (image.width(), image.height()) == (1280, 800)
    shades = {image.pixelColor(x, y).name() for x in range(0, 1280, 40) for y in range(0, 800, 40)}
    assert len(shades) > 3
    assert not (tmp_path / "beamrig").joinpath("sessions").exists()  # no session before the first capture


def test_the_window_opens_without_loading_torch() -> None:
    code = "import sys, gui.launch; print({'torch', 'processing.pipeline'} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "set()", done.stderr

"""Qt without a screen, settings of its own for each test, and no window left behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before Qt is asked for a platform

import pytest
from PySide6.QtCore import QCoreApplication, QDeadlineTimer, QEvent, QEventLoop
from PySide6.QtWidgets import QApplication

import gui  # noqa: F401  (settles cv2 before Qt starts, as in the app)
from gui.app import BeamrigApp


@pytest.fixture(scope="session")
def qapp_cls() -> type[BeamrigApp]:
    return BeamrigApp


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEAMRIG_SETTINGS", str(tmp_path / "gui.json"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What engines measure and remember stays in the tests' folder, and is measured once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _no_window_left(qapp: QApplication) -> Iterator[None]:
    before = set(QApplication.topLevelWidgets())
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    left = [
        widget for widget in QApplication.topLevelWidgets() if widget not in before and widget.isVisible()
    ]
    assert not left, f"windows left open: {left}"


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., None]:
    return _wait_until


def _wait_until(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Run the event loop until something is so; the deadline is only there to end a hang."""
    deadline = QDeadlineTimer(int(seconds * 1000))
    while not condition():
        assert not deadline.hasExpired(), f"waited in vain for {what}"
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 20)

"""Puts application, window and rig service together and runs them."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from PySide6.QtCore import QTimer

from gui.app import BeamrigApp, start_logging
from gui.main_window import MainWindow
from gui.settings import load_settings
from rig.errors import BeamrigError

logger = logging.getLogger(__name__)


class ScreenshotError(BeamrigError):
    """The picture of the window could not be saved."""


def launch(
    rig_name: str,
    *,
    session_dir: Path | None = None,
    page: str | None = None,
    screenshot: Path | None = None,
    after_s: float = 8.0,
    size: tuple[int, int] | None = None,
) -> int:
    """Open the window and run until it is closed.

    Args:
        rig_name: Rig profile, a name or a file.
        session_dir: Session folder; None takes today's.
        page: First page; None takes the one of the last run.
        screenshot: Where to save a picture of the window; the app then quits.
        after_s: How long to wait for it.
        size: Size of the window in pixels; None takes that of the last run.

    Returns:
        The exit code.

    Raises:
        ScreenshotError: The picture could not be saved.
    """
    app = BeamrigApp(sys.argv[:1])
    log = start_logging()
    settings, complaint = load_settings()
    if page:
        settings.page = page
    if size:
        settings.geometry = ""
    window = MainWindow(settings, rig_name=rig_name, session_dir=session_dir)
    app.reporter.trouble.connect(window.show_trouble)
    app.install_hooks()
    app.let_signals_through()
    if complaint:
        window.banner.show_message(complaint, level="warning")
    if size:
        window.resize(*size)
    window.show()
    logger.info("window open, log in %s", log)
    QTimer.singleShot(0, window.open_rig)
    saved: list[bool] = []
    if screenshot is not None:
        where = screenshot

        def take() -> None:
            saved.append(window.grab().save(str(where)))
            window.close()

        QTimer.singleShot(int(after_s * 1000), take)
    code = app.exec()
    if screenshot is not None and not any(saved):
        raise ScreenshotError(
            f"the picture could not be saved to {screenshot}", hint="does the folder exist?"
        )
    return code

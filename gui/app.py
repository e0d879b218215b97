"""The application object: theme, log, and an exception hook that tells and goes on instead of dying."""

from __future__ import annotations

import logging
import logging.handlers
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

from gui import theme
from gui.workers import Trouble

logger = logging.getLogger(__name__)

LOG_BYTES = 1_000_000


class Reporter(QObject):
    """Carries errors from any thread to the window."""

    trouble = Signal(object)


class BeamrigApp(QApplication):
    """QApplication that shows unexpected errors in a banner, logs them, and stays alive."""

    def __init__(self, argv: list[str]) -> None:
        super().__init__(argv)
        self.setApplicationName("beamrig")
        self.setApplicationDisplayName("beamrig")
        self.setOrganizationName("beamrig")
        self.reporter = Reporter()
        theme.apply(self)

    def install_hooks(self) -> None:
        """Route uncaught exceptions of the main thread and of Python threads to the banner and the log."""
        sys.excepthook = self._uncaught
        threading.excepthook = self._uncaught_in_thread

    def let_signals_through(self) -> None:
        """End orderly on Ctrl+C and SIGTERM: Python sees signals only when it runs, so a timer helps."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end_on_signal)
        timer = QTimer(self)
        timer.timeout.connect(self._tick)
        timer.start(200)

    def _tick(self) -> None:
        """Give Python a moment to run signal handlers."""

    def _end_on_signal(self, number: int, frame: object) -> None:
        logger.info("signal %d: closing", number)
        for window in self.topLevelWidgets():
            window.close()
        self.quit()

    def _uncaught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self.quit()
            return
        logger.critical("uncaught: %s", "".join(traceback.format_exception(kind, error, trace)))
        self.reporter.trouble.emit(Trouble.of(error))

    def _uncaught_in_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self._uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def log_path() -> Path:
    """Return where the log of the window is."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "beamrig" / "gui.log"


def start_logging() -> Path | None:
    """Log to a file that is kept small; warnings also to the terminal.

    Returns:
        The file, or None when the disk refused it (the app runs without).
    """
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    root.addHandler(terminal)
    path = log_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8")
    except OSError as error:
        logger.warning("no log file: %s", error)
        return None
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(file)
    return path

"""Develops a scene of the session in a thread of its own."""

from __future__ import annotations

import threading
from typing import Any

from PySide6.QtCore import QObject, Signal

from gui.sessions import SessionKeeper
from gui.workers import Trouble, Worker
from rig.errors import SessionError


class ProcessingJob(QObject):
    """Runs `processing.batch.process_session` for one scene at a time, cancellable."""

    progressed = Signal(str, float)
    finished = Signal(str)
    failed = Signal(object)

    def __init__(self, keeper: SessionKeeper, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._cancel = threading.Event()
        self._running = False
        self._worker = Worker("processing", limit=1, parent=self)
        self._worker.failed.connect(self._worker_failed)

    @property
    def running(self) -> bool:
        """Whether a scene is being processed."""
        return self._running

    def start(self, scene: str) -> bool:
        """Process a scene; False when one is being processed."""
        if self._running:
            return False
        self._cancel.clear()
        self._running = self._worker.submit(lambda: self._process(scene), "process")
        return self._running

    def cancel(self) -> None:
        """Stop after the pair at hand."""
        self._cancel.set()

    def end(self) -> None:
        """Stop and end the thread."""
        self._cancel.set()
        self._worker.end()

    def _process(self, scene: str) -> None:
        try:
            from processing.batch import process_session

            session = self._keeper.session
            if session is None:
                raise SessionError("no session is open", hint="capture something, or open one with Ctrl+O")
            report = process_session(session, [scene], progress=self._tell, cancel=self._cancel)
            text = "Stopped" if self._cancel.is_set() else summary(scene, report)
        finally:
            self._running = False
        self.finished.emit(text)

    def _tell(self, *args: Any) -> None:
        text, done = progress_of(*args)
        self.progressed.emit(text, done)

    def _worker_failed(self, trouble: Trouble) -> None:
        self._running = False
        self.failed.emit(trouble)


def progress_of(text: str, done: float) -> tuple[str, float]:
    """Return the words and the done fraction of a progress call."""
    return text, done


def summary(scene: str, report: Any) -> str:
    """Return one line about a processed scene."""
    return f"{scene} processed"

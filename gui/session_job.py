"""Long work on the open session, in a thread of its own: one thing at a time, cancellable."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from gui.sessions import SessionKeeper
from gui.workers import Trouble, Worker
from rig.errors import SessionError
from rig.session import Session


class SessionJob(QObject):
    """What all long work on the open session has.

    Args:
        keeper: The session.
        name: Of the thread, for the log.
        parent: The Qt parent.
    """

    progressed = Signal(str, float)
    finished = Signal(str)
    failed = Signal(object)

    def __init__(self, keeper: SessionKeeper, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._cancel = threading.Event()
        self._running = False
        self._worker = Worker(name, limit=1, parent=self)
        self._worker.failed.connect(self._worker_failed)

    @property
    def running(self) -> bool:
        """Whether something is being made."""
        return self._running

    def cancel(self) -> None:
        """Stop after the part at hand."""
        self._cancel.set()

    def end(self) -> None:
        """Stop and end the thread."""
        self._cancel.set()
        self._worker.end()

    def _start(self, work: Callable[[Session], str], key: str) -> bool:
        """Do `work` in the thread; what it returns is told at the end. False when something is being made."""
        if self._running:
            return False
        self._cancel.clear()
        self._running = self._worker.submit(lambda: self._run(work), key)
        return self._running

    def _run(self, work: Callable[[Session], str]) -> None:
        from processing.errors import Cancelled

        try:
            session = self._keeper.session
            if session is None:
                raise SessionError("no session is open", hint="capture something, or open one with Ctrl+O")
            text = work(session)
        except Cancelled as stop:
            text = f"Stopped: {stop.hint or 'nothing was written'}"
        finally:
            self._running = False
        self.finished.emit(text)

    def _tell(self, done: float, text: str) -> None:
        self.progressed.emit(text, done)

    def _worker_failed(self, trouble: Trouble) -> None:
        self._running = False
        self.failed.emit(trouble)

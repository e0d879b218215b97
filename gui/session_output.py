"""Makes the session's report, or a data set of it, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from gui.sessions import SessionKeeper
from gui.workers import Trouble, Worker
from rig.errors import SessionError
from rig.session import Session


@dataclass(frozen=True)
class ExportOrder:
    """What the operator chose for a data set.

    Attributes:
        out: Its folder.
        test_scenes: Scenes of the test split; empty to divide them by a hash.
        author: Its author; empty for the session's operator.
        license_text: Its licence.
    """

    out: Path
    test_scenes: tuple[str, ...] = ()
    author: str = ""
    license_text: str = ""


Tell = Callable[[float, str], None]


class SessionOutput(QObject):
    """Runs `processing.page.page` and `processing.dataset.export`, one at a time, cancellable."""

    progressed = Signal(str, float)
    made = Signal(object)
    """The page of a finished report."""
    finished = Signal(str)
    failed = Signal(object)

    def __init__(self, keeper: SessionKeeper, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._cancel = threading.Event()
        self._running = False
        self._worker = Worker("output", limit=1, parent=self)
        self._worker.failed.connect(self._worker_failed)

    @property
    def running(self) -> bool:
        """Whether a report or a data set is being made."""
        return self._running

    def report(self) -> bool:
        """Make the report; False when something is being made."""
        return self._start(self._report, "report")

    def export(self, order: ExportOrder) -> bool:
        """Make a data set; False when something is being made."""
        return self._start(lambda session: self._export(session, order), "export")

    def cancel(self) -> None:
        """Stop after the part at hand."""
        self._cancel.set()

    def end(self) -> None:
        """Stop and end the thread."""
        self._cancel.set()
        self._worker.end()

    def _start(self, work: Callable[[Session], str], key: str) -> bool:
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

    def _report(self, session: Session) -> str:
        from processing.page.page import make_report

        path, _ = make_report(session, None, self._tell, self._cancel)
        self.made.emit(path)
        return f"Report written: {path}"

    def _export(self, session: Session, order: ExportOrder) -> str:
        from processing.dataset.export import export_sessions
        from processing.dataset.plan import Wishes

        wishes = Wishes(
            test_scenes=order.test_scenes,
            license=order.license_text,
            authors=(order.author,) if order.author else (),
        )
        report = export_sessions([session], order.out, wishes, self._tell, self._cancel)
        pairs = report.description["Statistics"]["pairs"]
        words = f"Exported and checked: {pairs['train']} pairs to train, {pairs['test']} to test"
        if report.plan.left_out:
            words += f", {len(report.plan.left_out)} left out"
        return f"{words}: {order.out}"

    def _tell(self, done: float, text: str) -> None:
        self.progressed.emit(text, done)

    def _worker_failed(self, trouble: Trouble) -> None:
        self._running = False
        self.failed.emit(trouble)


def show_page(path: Path) -> bool:
    """Open a page in the desktop's browser; False where there is none."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

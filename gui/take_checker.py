"""Looks at every take that was made, in a thread of its own: the rig goes on meanwhile."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from gui.scene_check import check_and_record
from gui.sessions import SessionKeeper
from gui.workers import Worker
from rig.capture.result import TakeResult
from rig.take_check import TakeCheck, overrule


class TakeChecker(QObject):
    """Checks takes one after the other; what is found is in the session's journal.

    Args:
        keeper: The session.
        parent: The Qt parent.
    """

    checking = Signal(str)
    """Kind of the take that is looked at now; empty when it is done."""
    recorded = Signal()
    failed = Signal(object)

    def __init__(self, keeper: SessionKeeper, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._worker = Worker("check", limit=8, parent=self)
        self._worker.failed.connect(self.failed)

    def check(self, result: TakeResult) -> None:
        """Look at a take that was just made; when too many wait, this one stays unchecked."""
        if result.paired:
            self._worker.submit(lambda: self._check(result), "check")

    def overrule(self, check: TakeCheck) -> None:
        """Go on in spite of what was found in a take; that is recorded."""
        self._worker.submit(lambda: self._overrule(check), "overrule")

    def end(self) -> None:
        """End the thread after the take under way; takes that wait stay unchecked."""
        self._worker.end()

    def _check(self, result: TakeResult) -> None:
        session = self._keeper.session
        if session is None or session.root != result.session:
            return  # the operator went over to another session
        self.checking.emit(result.kind)
        try:
            check_and_record(session, result)
        finally:
            self.checking.emit("")
        self.recorded.emit()

    def _overrule(self, check: TakeCheck) -> None:
        session = self._keeper.session
        if session is not None:
            overrule(session.journal, check)
            self.recorded.emit()

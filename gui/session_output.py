"""Makes the session's report, or a data set of it, in a thread of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from gui.session_job import SessionJob
from gui.sessions import SessionKeeper
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


class SessionOutput(SessionJob):
    """Runs `processing.page.page` and `processing.dataset.export`, one at a time, cancellable."""

    made = Signal(object)
    """The page of a finished report."""

    def __init__(self, keeper: SessionKeeper, parent: QObject | None = None) -> None:
        super().__init__(keeper, "output", parent)

    def report(self) -> bool:
        """Make the report; False when something is being made."""
        return self._start(self._report, "report")

    def export(self, order: ExportOrder) -> bool:
        """Make a data set; False when something is being made."""
        return self._start(lambda session: self._export(session, order), "export")

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


def show_page(path: Path) -> bool:
    """Open a page in the desktop's browser; False where there is none."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

"""The window of the sync test: progress and Cancel while it runs, then its outcome."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui.planning import sentence
from gui.widgets.sync_result import SyncResultView
from gui.workers import Trouble
from rig.sync_test import SyncTest

PARTS = {
    "edges": "Ten pulses: does each give one frame in each camera?",
    "pairs": "A longer burst: pairs, skew and clocks",
    "shortest period": "Shorter and shorter periods: when is a trigger ignored?",
}


class SyncDialog(QDialog):
    """Stays beside the work; one test at a time.

    Args:
        parent: The main window.
    """

    start_wanted = Signal()
    cancel_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Sync test")
        self.resize(820, 600)
        self.running = False
        self.part = QLabel("")
        self.part.setWordWrap(True)
        self.progress = QProgressBar()
        self.outcome = SyncResultView()
        self.again = QPushButton("Test again")
        self.again.clicked.connect(self.start_wanted)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(self._cancel)
        self.done_button = QPushButton("Close")
        self.done_button.clicked.connect(self.close)
        waiting = QWidget()
        waits = QVBoxLayout(waiting)
        waits.setContentsMargins(0, 0, 0, 0)
        waits.addWidget(self.part)
        waits.addWidget(self.progress)
        waits.addStretch(1)
        self.pages = QStackedWidget()
        self.pages.addWidget(waiting)
        self.pages.addWidget(self.outcome)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.again, self.cancel, self.done_button):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 16)
        column.setSpacing(10)
        column.addWidget(self.pages, 1)
        column.addLayout(buttons)
        self._show_state()

    def begin(self) -> None:
        """Show that a test begins; nothing is recorded by it."""
        self.running = True
        self.part.setText("Getting ready. Nothing is recorded; the live views rest meanwhile.")
        self.progress.setRange(0, 0)
        self.pages.setCurrentIndex(0)
        self._show_state()
        self.show()
        self.raise_()

    def show_progress(self, part: str, done: int, total: int) -> None:
        """Show what is being done and how much of it is done."""
        if self.running:
            self.part.setText(PARTS.get(part, sentence(part)))
            self.progress.setRange(0, total)
            self.progress.setValue(done)

    def finish(self, found: SyncTest) -> None:
        """Show the outcome."""
        self.running = False
        self.outcome.show_result(found)
        self.pages.setCurrentWidget(self.outcome)
        self._show_state()

    def fail(self, trouble: Trouble) -> None:
        """Show why there is no outcome."""
        self.running = False
        self._show_state()
        self.pages.setCurrentIndex(0)
        self.part.setText(f"{sentence(trouble.message)}. {sentence(trouble.hint)}")

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 (Qt's name)
        """A test that nobody waits for is cancelled."""
        if self.running:
            self._cancel()
        super().closeEvent(event)

    def reject(self) -> None:
        """Escape closes as the button does."""
        self.close()

    def _cancel(self) -> None:
        self.cancel.setEnabled(False)
        self.part.setText("Cancelling…")
        self.cancel_wanted.emit()

    def _show_state(self) -> None:
        self.progress.setVisible(self.running)
        self.cancel.setVisible(self.running)
        self.cancel.setEnabled(self.running)
        self.again.setVisible(not self.running)

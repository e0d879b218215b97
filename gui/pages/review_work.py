"""The row under the pictures of the Review page: process, report, export, and how far they are."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from gui import actions
from gui.processing_job import ProcessingJob
from gui.session_index import Listing
from gui.session_output import SessionOutput, show_page
from gui.sessions import SessionKeeper
from gui.widgets.elided import ElidedLabel
from gui.widgets.export_dialog import ExportDialog
from gui.widgets.fields import CalmComboBox
from gui.workers import Trouble
from processing.profile import PROFILES, Profile


class ReviewWork(QWidget):
    """Starts and stops what is made of a session; one thing at a time.

    Args:
        keeper: The session.
    """

    trouble = Signal(object)
    processed = Signal()

    def __init__(self, keeper: SessionKeeper) -> None:
        super().__init__()
        self._listing = Listing(keeper.folder)
        self._scene = ""
        self.job = ProcessingJob(keeper, self)
        self.output = SessionOutput(keeper, self)
        self.process_button = _button("Process scene", "review.process", self.process)
        self.process_button.setObjectName("primary")
        self.profile_box = CalmComboBox()
        self.profile_box.setAccessibleName("Profile of the pipeline")
        self.profile_box.setToolTip("best, or every step as the paper prints it")
        for profile in PROFILES:
            self.profile_box.addItem(profile, profile)
        self.cancel_button = _button("Stop", "capture.cancel", self.cancel)
        self.report_button = _button("Report", "review.report", self.report)
        self.export_button = _button("Export…", "review.export", self.export)
        self.deblur_button = QPushButton("Deblur")
        self.deblur_button.setToolTip("Open the developed B picture on the Deblur page")
        self.progress = QProgressBar()
        self.outcome = ElidedLabel()
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self.process_button)
        row.addWidget(self.profile_box)
        row.addWidget(self.cancel_button)
        row.addStretch(1)
        row.addWidget(self.report_button)
        row.addWidget(self.export_button)
        row.addWidget(self.deblur_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.progress)
        column.addWidget(self.outcome)
        column.addLayout(row)
        self.job.progressed.connect(self._progressed)
        self.job.finished.connect(self._processed)
        self.job.failed.connect(self._failed)
        self.output.progressed.connect(self._progressed)
        self.output.made.connect(self._show_page)
        self.output.finished.connect(self._output_made)
        self.output.failed.connect(self._failed)
        self.follow(self._listing, "")

    @property
    def running(self) -> bool:
        """Whether a scene is being processed, or a report or a data set made."""
        return self.job.running or self.output.running

    def follow(self, listing: Listing, scene: str) -> None:
        """Know the session and the scene that is chosen."""
        self._listing, self._scene = listing, scene
        running = self.running
        processed = any((listing.folder / "derived").glob("*/metrics.json"))
        for button in (self.report_button, self.export_button):
            button.setEnabled(processed and not running)
        self.process_button.setEnabled(bool(scene) and not running)
        self.process_button.setText(f"Process {scene}" if scene else "Process scene")
        self.profile_box.setVisible(not running)
        self.cancel_button.setVisible(running)
        self.progress.setVisible(running)
        self.outcome.setVisible(not running and bool(self.outcome.text()))

    def process(self) -> None:
        """Develop all pairs of the chosen scene in the background."""
        profile = cast("Profile", self.profile_box.currentData())
        if self._scene and not self.running and self.job.start(self._scene, profile):
            self._show_started(f"processing {self._scene}")

    def report(self) -> None:
        """Make the session's report in the background and open it in the browser."""
        if self.report_button.isEnabled() and self.output.report():
            self._show_started("making the report")

    def export(self) -> None:
        """Ask where to, and make a data set of the session in the background."""
        if not self.export_button.isEnabled():
            return
        folder = self._listing.folder
        dialog = ExportDialog(self, self._listing.scenes, folder.with_name(f"{folder.name}_set"))
        wanted = dialog.order() if dialog.exec() else None
        dialog.deleteLater()
        if wanted is not None and not self.running and self.output.export(wanted):
            self._show_started("exporting")

    def cancel(self) -> None:
        """Stop what is being made."""
        self.job.cancel()
        self.output.cancel()

    def end(self) -> None:
        """End the threads."""
        self.job.end()
        self.output.end()

    def _show_started(self, text: str) -> None:
        self.progress.setRange(0, 0)
        self.progress.setFormat(text)
        self.outcome.setText("")
        self.follow(self._listing, self._scene)

    def _progressed(self, text: str, done: float) -> None:
        self.progress.setRange(0, 1000)
        self.progress.setValue(int(done * 1000))
        self.progress.setFormat(text)

    def _processed(self, text: str) -> None:
        self._output_made(text)
        self.processed.emit()

    def _output_made(self, text: str) -> None:
        self.outcome.setText(text)
        self.follow(self._listing, self._scene)

    def _show_page(self, path: Path) -> None:
        if not show_page(path):
            self.trouble.emit(Trouble("No browser could be opened", f"The report is in {path}"))

    def _failed(self, trouble: Trouble) -> None:
        self._output_made(trouble.message)
        self.trouble.emit(trouble)


def _button(text: str, key: str, slot: object) -> QPushButton:
    made = QPushButton(text)
    made.setToolTip(actions.tooltip(key))
    made.clicked.connect(slot)
    return made

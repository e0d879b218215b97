"""Review page: shots of the session, both pictures of a pair under a slider, why they belong together."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSizeF, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui import actions, theme
from gui.pictures import PairView, derived_path, load_view
from gui.planning import sentence
from gui.processing_job import ProcessingJob
from gui.session_index import Listing, SessionIndex, Shot
from gui.session_output import SessionOutput, show_page
from gui.sessions import SessionKeeper
from gui.widgets.compare_slider import CompareSlider
from gui.widgets.elided import ElidedLabel
from gui.widgets.export_dialog import ExportDialog
from gui.widgets.shot_facts import ShotFacts
from gui.widgets.shot_list import ShotList
from gui.workers import NewestSlot, Trouble, Worker
from rig.records import PairRecord

NO_SESSION = "No session yet.\nIt is made at the first capture; Ctrl+O opens one from the disk."


class ReviewPage(QWidget):
    """List, slider and facts; pictures load in a worker, the newest wish wins."""

    trouble = Signal(object)
    deblur_wanted = Signal(object)
    _loaded = Signal()

    def __init__(self, keeper: SessionKeeper, index: SessionIndex) -> None:
        super().__init__()
        self.setObjectName("page")
        self._keeper = keeper
        self._index = index
        self.listing = Listing(keeper.folder)
        self.shots = ShotList()
        self.slider = CompareSlider("B", "S")
        self.slider.set_names("B  long, blurred", "S  short, sharp", (theme.CAMERA["B"], theme.CAMERA["S"]))
        self.slider.clear("Reading the session", busy=True)
        self.shown = ElidedLabel()
        self.facts = ShotFacts()
        self.process_button = QPushButton("Process scene")
        self.process_button.setObjectName("primary")
        self.process_button.setToolTip(actions.tooltip("review.process"))
        self.process_button.clicked.connect(self.process)
        self.cancel_button = QPushButton("Stop")
        self.cancel_button.setToolTip(actions.tooltip("capture.cancel"))
        self.cancel_button.clicked.connect(self.cancel)
        self.cancel_button.hide()
        self.deblur_button = QPushButton("Deblur this pair")
        self.deblur_button.setToolTip("Open the developed B picture on the Deblur page")
        self.deblur_button.clicked.connect(self._deblur)
        self.progress = QProgressBar()
        self.progress.hide()
        self.outcome = ElidedLabel()
        self.report_button = QPushButton("Report")
        self.report_button.setToolTip(actions.tooltip("review.report"))
        self.report_button.clicked.connect(self.report)
        self.export_button = QPushButton("Export…")
        self.export_button.setToolTip(actions.tooltip("review.export"))
        self.export_button.clicked.connect(self.export)
        self._view: NewestSlot[PairView] = NewestSlot()
        self._seen = 0
        self._waiting: PairRecord | None = None
        self._loader = Worker("review", limit=2, parent=self)
        self._loader.failed.connect(self._load_failed)
        self._job = ProcessingJob(keeper, self)
        self.output = SessionOutput(keeper, self)
        self._build()
        self._loaded.connect(self._take_view)
        self.shots.chosen.connect(self.show_shot)
        self._job.progressed.connect(self._progressed)
        self._job.finished.connect(self._processed)
        self._job.failed.connect(self._process_failed)
        self.output.progressed.connect(self._progressed)
        self.output.made.connect(self._show_page)
        self.output.finished.connect(self._output_made)
        self.output.failed.connect(self._process_failed)
        self._update_buttons()

    def _build(self) -> None:
        title = QLabel("Review")
        title.setObjectName("title")
        left = QFrame()
        left.setFixedWidth(286)
        left_column = QVBoxLayout(left)
        left_column.setContentsMargins(0, 0, 0, 0)
        left_column.addWidget(title)
        left_column.addWidget(self.shots, 1)
        middle = QVBoxLayout()
        middle.setSpacing(8)
        middle.addWidget(self.shown)
        middle.addWidget(self.slider, 1)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self.process_button)
        row.addWidget(self.cancel_button)
        row.addStretch(1)
        row.addWidget(self.report_button)
        row.addWidget(self.export_button)
        row.addWidget(self.deblur_button)
        middle.addWidget(self.progress)
        middle.addWidget(self.outcome)
        middle.addLayout(row)
        body = QHBoxLayout(self)
        body.setContentsMargins(16, 12, 16, 12)
        body.setSpacing(14)
        body.addWidget(left)
        body.addLayout(middle, 1)
        body.addWidget(self.facts)

    # ---- list

    def refresh(self) -> None:
        """Read the session anew."""
        self._index.refresh()

    def show_listing(self, listing: Listing) -> None:
        """Show what the session holds."""
        if listing.folder != self.listing.folder:
            self._clear_shot()
        self.listing = listing
        self.shots.show_listing(listing)
        if not listing.shots:
            self._clear_shot()
            self.slider.clear("The session holds no shots yet." if listing.made else NO_SESSION)
        self._update_buttons()

    def show_unreadable(self, trouble: Trouble) -> None:
        """Say why the session cannot be read, where its pictures would be."""
        if not self.listing.shots:
            self.slider.clear(f"{sentence(trouble.message)}\n{sentence(trouble.hint)}")

    def select_next(self) -> None:
        """Select the next shot."""
        self.shots.step(1)

    def select_previous(self) -> None:
        """Select the shot before."""
        self.shots.step(-1)

    # ---- shot

    def show_shot(self, shot: Shot) -> None:
        """Show the facts of a shot at once, its pictures as soon as they are loaded."""
        self.facts.show_shot(shot)
        self._update_buttons()
        if not isinstance(shot, PairRecord):
            self._waiting = None
            self._loader.drop("view")
            self.shown.setText(shot.id)
            self.slider.clear(f"Rejected: {shot.sync.reason}\nNo frame of it is kept as a pair.")
            return
        self.shown.setText(f"{shot.id}   loading")
        self.shown.set_colour(theme.MUTED)
        if not self.slider.has_image():
            self.slider.clear(f"Loading {shot.id}", busy=True)
        self._waiting = shot
        if self.isVisible():  # a take goes on undisturbed: pictures load when somebody looks
            self._load_waiting()

    def _load_waiting(self) -> None:
        pair, root = self._waiting, self.listing.folder
        self._waiting = None
        if pair is not None:
            self._loader.submit(lambda: self._load(root, pair), "view", newest_only=True)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """Load the picture that was selected meanwhile."""
        super().showEvent(event)
        self._load_waiting()

    def _load(self, root: Path, pair: PairRecord) -> None:
        self._view.put(load_view(root, pair))
        self._loaded.emit()

    def _take_view(self) -> None:
        found = self._view.take(self._seen)
        if found is None:
            return
        self._seen, view = found
        if view.pair_id != self.shots.current_id():
            return  # another shot was selected meanwhile
        self.slider.set_pair(view.b, view.s, QSizeF(*view.size))
        self.shown.setText(f"{view.pair_id}   {view.label}")
        self.shown.set_colour(theme.OK if view.developed else theme.MUTED)

    def _load_failed(self, trouble: Trouble) -> None:
        self.slider.clear(f"{sentence(trouble.message)}\n{sentence(trouble.hint)}")
        self.trouble.emit(trouble)

    def _clear_shot(self) -> None:
        self.facts.clear_shot()
        self.shown.setText("")

    # ---- processing

    @property
    def scene(self) -> str:
        """Scene of the selected shot; the last scene when none is selected."""
        shot = self.shots.current_shot()
        if shot is not None:
            return shot.scene
        return self.listing.scenes[-1] if self.listing.scenes else ""

    @property
    def processing(self) -> bool:
        """Whether a scene is being processed, or a report or a data set made."""
        return self._job.running or self.output.running

    def process(self) -> None:
        """Develop all pairs of the selected scene in the background."""
        if self.scene and not self.processing and self._job.start(self.scene):
            self._show_started(f"processing {self.scene}")

    def report(self) -> None:
        """Make the session's report in the background and open it in the browser."""
        if self.report_button.isEnabled() and self.output.report():
            self._show_started("making the report")

    def export(self) -> None:
        """Ask where to, and make a data set of the session in the background."""
        if not self.export_button.isEnabled():
            return
        folder = self.listing.folder
        dialog = ExportDialog(self, self.listing.scenes, folder.with_name(f"{folder.name}_set"))
        wanted = dialog.order() if dialog.exec() else None
        dialog.deleteLater()
        if wanted is not None and not self.processing and self.output.export(wanted):
            self._show_started("exporting")

    def _show_started(self, text: str) -> None:
        self.progress.setRange(0, 0)
        self.progress.setFormat(text)
        self.outcome.setText("")
        self._update_buttons()

    def cancel(self) -> None:
        """Stop what is being made."""
        self._job.cancel()
        self.output.cancel()

    def _progressed(self, text: str, done: float) -> None:
        self.progress.setRange(0, 1000)
        self.progress.setValue(int(done * 1000))
        self.progress.setFormat(text)

    def _processed(self, text: str) -> None:
        self.outcome.setText(text)
        self._update_buttons()
        self.refresh()
        shot = self.shots.current_shot()
        if shot is not None:
            self.show_shot(shot)

    def _show_page(self, path: Path) -> None:
        if not show_page(path):
            self.trouble.emit(Trouble("No browser could be opened", f"The report is in {path}"))

    def _output_made(self, text: str) -> None:
        self.outcome.setText(text)
        self._update_buttons()

    def _process_failed(self, trouble: Trouble) -> None:
        self.outcome.setText(trouble.message)
        self._update_buttons()
        self.trouble.emit(trouble)

    def _deblur(self) -> None:
        path = self._developed_b()
        if path is not None:
            self.deblur_wanted.emit(path)

    def _developed_b(self) -> Path | None:
        shot = self.shots.current_shot()
        return derived_path(self.listing.folder, shot, "B") if isinstance(shot, PairRecord) else None

    def _update_buttons(self) -> None:
        running = self.processing
        processed = any((self.listing.folder / "derived").glob("*/metrics.json"))
        for button in (self.report_button, self.export_button):
            button.setEnabled(processed and not running)
        self.process_button.setEnabled(bool(self.scene) and not running)
        self.process_button.setText(f"Process scene {self.scene}" if self.scene else "Process scene")
        self.cancel_button.setVisible(running)
        self.progress.setVisible(running)
        self.outcome.setVisible(not running and bool(self.outcome.text()))
        self.deblur_button.setEnabled(self._developed_b() is not None)

    def end(self) -> None:
        """End the threads of the page."""
        self._job.end()
        self.output.end()
        self._loader.end()

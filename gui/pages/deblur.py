"""Deblur page: the network's preview on a developed picture, before and after under a slider."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from gui import actions, theme
from gui.deblur_engine import default_engine
from gui.deblur_job import DeblurJob, DeblurView
from gui.deblur_save import ask_targets
from gui.pictures import PICTURE_FILES
from gui.planning import sentence
from gui.session_index import Listing
from gui.settings import Settings
from gui.widgets.compare_slider import CompareSlider
from gui.widgets.elided import ElidedLabel
from gui.widgets.engine_card import EngineCard
from gui.widgets.picture_list import PictureList
from gui.workers import Trouble

NOTHING = "Choose a developed pair on the left, or open a picture.\nPairs are developed on the Review page."


class DeblurPage(QWidget):
    """Pictures on the left, slider in the middle, engine and mask on the right."""

    trouble = Signal(object)

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.setObjectName("page")
        self._settings = settings
        self._view: DeblurView | None = None
        self._seen = 0
        self._wanted: Path | None = None
        self._folder: Path | None = None
        self._entered = False
        self.job = DeblurJob(default_engine, self)
        self.slider = CompareSlider("Before", "After")
        self.slider.set_names("Before  B", "After  LBAG", (theme.CAMERA["B"], theme.OK))
        self.slider.clear(NOTHING)
        self.pictures = PictureList()
        self.none_yet = QLabel("None yet. Process a scene on the Review page.")
        self.none_yet.setObjectName("muted")
        self.none_yet.setWordWrap(True)
        self.open_button = QPushButton("Open picture…")
        self.open_button.setToolTip("A developed PNG or TIFF, 8 or 16 bit")
        self.open_button.clicked.connect(self._choose_file)
        self.shown = ElidedLabel()
        self.engine = EngineCard()
        self.mask_box = QCheckBox("Show where the network sees blur")
        self.mask_box.setToolTip(actions.tooltip("deblur.mask"))
        self.mask_box.toggled.connect(self._show_mask)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setValue(settings.overlay_opacity)
        self.opacity.setAccessibleName("Opacity of the mask")
        self.opacity.valueChanged.connect(self._show_mask)
        self.run_button = QPushButton("Run deblur")
        self.run_button.setObjectName("primary")
        self.run_button.setToolTip(actions.tooltip("deblur.run"))
        self.run_button.clicked.connect(self.run)
        self.cancel_button = QPushButton("Stop")
        self.cancel_button.setToolTip(actions.tooltip("capture.cancel"))
        self.cancel_button.clicked.connect(self.cancel)
        self.save_button = QPushButton("Save result…")
        self.save_button.setToolTip(actions.tooltip("deblur.save"))
        self.save_button.clicked.connect(self.save)
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        self._build()
        self.pictures.chosen.connect(self.open_picture)
        self.job.changed.connect(self._take_view)
        self.job.engine_ready.connect(self.engine.show_info)
        self.job.saved.connect(self._saved)
        self.job.progressed.connect(self._progressed)
        self.job.finished.connect(self._finished)
        self.job.failed.connect(self._failed)
        self._update_buttons()

    def _build(self) -> None:
        title = QLabel("Deblur")
        title.setObjectName("title")
        left = QFrame()
        left.setFixedWidth(240)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(title)
        column.addSpacing(4)
        heading = QLabel("DEVELOPED PAIRS")
        heading.setObjectName("heading")
        column.addWidget(heading)
        column.addWidget(self.none_yet)
        column.addWidget(self.pictures, 1)
        column.addWidget(self.open_button)
        middle = QVBoxLayout()
        middle.setSpacing(8)
        middle.addWidget(self.shown)
        middle.addWidget(self.slider, 1)
        right = QFrame()
        right.setObjectName("panel")
        right.setFixedWidth(300)
        side = QVBoxLayout(right)
        side.setContentsMargins(16, 14, 16, 14)
        side.setSpacing(10)
        side.addWidget(self._heading("ENGINE"))
        side.addWidget(self.engine)
        side.addSpacing(8)
        side.addWidget(self._heading("MASK"))
        side.addWidget(self.mask_box)
        row = QHBoxLayout()
        name = QLabel("Opacity")
        name.setObjectName("muted")
        row.addWidget(name)
        row.addWidget(self.opacity, 1)
        side.addLayout(row)
        side.addStretch(1)
        side.addWidget(self.progress)
        buttons = QHBoxLayout()
        buttons.addWidget(self.run_button, 1)
        buttons.addWidget(self.cancel_button)
        side.addLayout(buttons)
        side.addWidget(self.save_button)
        body = QHBoxLayout(self)
        body.setContentsMargins(16, 12, 16, 12)
        body.setSpacing(14)
        body.addWidget(left)
        body.addLayout(middle, 1)
        body.addWidget(right)

    def _heading(self, text: str) -> QLabel:
        label = QLabel(text)
        label.setObjectName("heading")
        return label

    # ---- choice

    def enter(self) -> None:
        """Show something at once: start the engine, and open the last used or the first action pair."""
        self._entered = True
        self.engine.show_starting()
        self._open_first()
        self.job.prepare()

    def show_listing(self, listing: Listing) -> None:
        """List the developed pairs of the session; files appear as they are processed."""
        if listing.folder != self._folder:
            self._folder = listing.folder
            self._forget()
        self.pictures.show_listing(listing)
        self.pictures.mark(self._wanted)
        self.none_yet.setVisible(self.pictures.count() == 0)
        if self._entered:
            self._open_first()

    def _forget(self) -> None:
        """Let go of the picture of another session."""
        self.job.cancel()
        self._view, self._wanted = None, None
        self.slider.clear(NOTHING)
        self.shown.setText("")
        self._update_buttons()

    def _open_first(self) -> None:
        """Open the first action pair, else the first pair, where nothing is open."""
        first = self.pictures.first()
        if self._wanted is None and first is not None:
            self.open_picture(first)

    def open_picture(self, path: Path) -> None:
        """Open a picture file."""
        self._wanted = path
        self.pictures.mark(path)
        self.shown.setText(f"{path.name}   loading")
        if not self.slider.has_image():
            self.slider.clear(f"Loading {path.name}", busy=True)
        self.job.open(path)
        self.engine.show_starting()
        self.job.prepare()

    def _choose_file(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Open a developed picture", "", PICTURE_FILES)
        if chosen:
            self.open_picture(Path(chosen))

    # ---- run

    def run(self) -> None:
        """Deblur the open picture: preview first, then the whole."""
        if self._view is not None and self.job.run():
            self.progress.setRange(0, 0)
            self._update_buttons()

    def cancel(self) -> None:
        """Stop the run."""
        self.job.cancel()

    def save(self) -> None:
        """Ask where the result goes and write it in the background."""
        view = self._view
        if view is None or view.result is None:
            return
        answer = ask_targets(self, view.path)
        if answer is not None:
            self.job.save(view.result, answer[0].sharp, answer[0].mask, overwrite=answer[1])

    def _saved(self, sharp: Path, mask: Path) -> None:
        self.shown.setText(f"Saved {sharp.name} and {mask.name} in {sharp.parent}")

    def toggle_mask(self) -> None:
        """Show or hide the mask."""
        self.mask_box.toggle()

    def _take_view(self) -> None:
        found = self.job.view.take(self._seen)
        if found is None:
            return
        self._seen, view = found
        same = self._view is not None and self._view.path == view.path and self._view.before is view.before
        self._view = view
        if same:
            self.slider.set_right(view.after)
        else:
            self.slider.set_pair(view.before, view.after)
        after = "After  LBAG" if not view.after.isNull() else "After  not run yet"
        self.slider.set_names("Before  B", after, (theme.CAMERA["B"], theme.OK))
        self.shown.setText(f"{view.path.name}   {view.text}")
        self._show_mask()
        self._update_buttons()

    def _show_mask(self) -> None:
        self._settings.overlay_opacity = self.opacity.value()
        wanted = self.mask_box.isChecked() and self._view is not None
        mask = self._view.mask if wanted and self._view is not None else QImage()
        self.slider.set_overlay(mask, self.opacity.value() / 100)

    def _progressed(self, done: float) -> None:
        self.progress.setRange(0, 100)
        self.progress.setValue(int(done * 100))

    def _finished(self, text: str) -> None:
        if self._view is not None:
            self.shown.setText(f"{self._view.path.name}   {text}")
        self._update_buttons()

    def _failed(self, trouble: Trouble) -> None:
        if trouble.job == "open":
            self._view = None
            self.slider.clear(sentence(trouble.message))
            self.shown.setText("")
        elif trouble.job == "engine":
            self.engine.show_failed()
        self._update_buttons()
        self.trouble.emit(trouble)

    def _update_buttons(self) -> None:
        running = self.job.running
        self.run_button.setEnabled(self._view is not None and not running)
        self.save_button.setEnabled(self._view is not None and self._view.result is not None)
        self.cancel_button.setVisible(running)
        self.progress.setVisible(running)

    def end(self) -> None:
        """End the thread of the page."""
        self.job.end()

"""Deblur page: the network's preview on a developed picture, before and after under a slider."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from gui import actions, theme
from gui.deblur_engine import default_engine
from gui.deblur_job import DeblurJob, DeblurView
from gui.pictures import PICTURE_FILES, derived_path
from gui.session_index import Listing
from gui.settings import Settings
from gui.widgets.compare_slider import CompareSlider
from gui.widgets.elided import ElidedLabel
from gui.widgets.readout import ValueTable
from gui.workers import Trouble
from rig.records import PairRecord

if TYPE_CHECKING:
    from models.deblur import EngineInfo

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
        self.job = DeblurJob(default_engine, self)
        self.slider = CompareSlider("Before", "After")
        self.slider.set_names("Before  B", "After  LBAG", (theme.CAMERA["B"], theme.OK))
        self.slider.clear(NOTHING)
        self.pictures = QListWidget()
        self.none_yet = QLabel("None yet. Process a scene on the Review page.")
        self.none_yet.setObjectName("muted")
        self.none_yet.setWordWrap(True)
        self.open_button = QPushButton("Open picture…")
        self.open_button.setToolTip("A developed PNG or TIFF, 8 or 16 bit")
        self.open_button.clicked.connect(self._choose_file)
        self.shown = ElidedLabel()
        self.engine = ValueTable(("Device", "Precision", "Network", "Weights"))
        self.untrained = QLabel("")
        self.untrained.setObjectName("untrained")
        self.untrained.setWordWrap(True)
        self.untrained.hide()
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
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        self._build()
        self.pictures.currentItemChanged.connect(self._item_chosen)
        self.job.changed.connect(self._take_view)
        self.job.engine_ready.connect(self._show_engine)
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
        side.addWidget(self.untrained)
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

    def show_listing(self, listing: Listing) -> None:
        """List the developed pairs of the session; files appear as they are processed."""
        self.pictures.blockSignals(True)
        self.pictures.clear()
        for shot in listing.shots:
            path = derived_path(listing.folder, shot, "B") if isinstance(shot, PairRecord) else None
            if path is None:
                continue
            item = QListWidgetItem(shot.id)
            item.setData(Qt.ItemDataRole.UserRole, str(path))
            self.pictures.addItem(item)
            if path == self._wanted:
                self.pictures.setCurrentItem(item)
        self.pictures.blockSignals(False)
        self.none_yet.setVisible(self.pictures.count() == 0)

    def open_picture(self, path: Path) -> None:
        """Open a picture file."""
        self._wanted = path
        self.shown.setText(f"{path.name}: loading")
        self.job.open(path)
        self.job.prepare()

    def _choose_file(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Open a developed picture", "", PICTURE_FILES)
        if chosen:
            self.pictures.setCurrentRow(-1)
            self.open_picture(Path(chosen))

    def _item_chosen(self, item: QListWidgetItem | None, previous: QListWidgetItem | None) -> None:
        if item is not None:
            self.open_picture(Path(str(item.data(Qt.ItemDataRole.UserRole))))

    # ---- run

    def run(self) -> None:
        """Deblur the open picture: preview first, then the whole."""
        if self._view is not None and self.job.run():
            self.progress.setRange(0, 0)
            self._update_buttons()

    def cancel(self) -> None:
        """Stop the run."""
        self.job.cancel()

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
        self.shown.setText(f"{view.path.name}   {view.text}")
        self._show_mask()
        self._update_buttons()

    def _show_mask(self) -> None:
        self._settings.overlay_opacity = self.opacity.value()
        wanted = self.mask_box.isChecked() and self._view is not None
        mask = self._view.mask if wanted and self._view is not None else QImage()
        self.slider.set_overlay(mask, self.opacity.value() / 100)

    def _show_engine(self, info: EngineInfo) -> None:
        device = f"cpu, {info.threads} threads" if info.device == "cpu" else info.device
        self.engine.set("Device", device)
        self.engine.set("Precision", f"{info.precision}: {info.reason}")
        self.engine.set("Network", f"{info.architecture}, {info.parameters / 1e6:.2f} million parameters")
        self.engine.set(
            "Weights", Path(info.weights).name if info.weights else "none: random, from a fixed seed"
        )
        self.untrained.setVisible(not info.trained)
        self.untrained.setText(
            "<b>Untrained weights.</b> The right picture shows that the way from file to preview works, "
            "not what a trained network can do."
        )

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
            self.slider.clear(trouble.message)
            self.shown.setText("")
        self._update_buttons()
        self.trouble.emit(trouble)

    def _update_buttons(self) -> None:
        running = self.job.running
        self.run_button.setEnabled(self._view is not None and not running)
        self.cancel_button.setVisible(running)
        self.progress.setVisible(running)

    def end(self) -> None:
        """End the thread of the page."""
        self.job.end()

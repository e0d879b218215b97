"""Deblur page: the network on a developed pair or on what the cameras see, under a slider."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.deblur_engine import default_engine
from gui.deblur_job import DeblurJob
from gui.deblur_save import ask_targets
from gui.deblur_view import DeblurView
from gui.frames import FramePreparer
from gui.pages.deblur_adapt import AdaptMode
from gui.pages.deblur_live import LiveMode
from gui.pictures import PICTURE_FILES
from gui.planning import sentence
from gui.session_index import Listing
from gui.sessions import SessionKeeper
from gui.settings import Settings
from gui.widgets.deblur_panel import DeblurPanel
from gui.widgets.deblur_slider import DeblurSlider
from gui.widgets.elided import ElidedLabel
from gui.widgets.picture_list import PictureList
from gui.workers import NewestSlot, Trouble

NOTHING = (
    "Choose a developed pair on the left, open a picture, or switch Live on.\n"
    "Pairs are developed on the Review page."
)


class DeblurPage(QWidget):
    """Pictures on the left, slider in the middle, engine, switches and adaptation on the right.

    Args:
        settings: What is remembered.
        keeper: The session.
        preparer: Knows where live frames come from.
        scene: Returns the scene whose calibration aligns live pictures.
    """

    trouble = Signal(object)

    def __init__(
        self, settings: Settings, keeper: SessionKeeper, preparer: FramePreparer, scene: Callable[[], str]
    ) -> None:
        super().__init__()
        self.setObjectName("page")
        self._settings = settings
        self._view: DeblurView | None = None
        self._savable: DeblurView | None = None
        self._seen: dict[int, int] = {}
        self._wanted: Path | None = None
        self._folder: Path | None = None
        self._entered = False
        self.job = DeblurJob(default_engine, self)
        self.live = LiveMode(keeper, preparer, scene, self.job.prepare, self)
        self.slider = DeblurSlider()
        self.slider.forget(NOTHING)
        self.pictures = PictureList()
        self.none_yet = QLabel("None yet. Process a scene on the Review page.")
        self.none_yet.setObjectName("muted")
        self.none_yet.setWordWrap(True)
        self.open_button = QPushButton("Open picture…")
        self.open_button.setToolTip("A developed PNG or TIFF, 8 or 16 bit")
        self.open_button.clicked.connect(self._choose_file)
        self.shown = ElidedLabel()
        self.panel = panel = DeblurPanel(settings.overlay_opacity)
        self.engine, self.run_button, self.save_button = panel.engine, panel.run_button, panel.save_button
        self.mask_box, self.opacity = panel.mask_box, panel.opacity
        self.adapt = AdaptMode(keeper, panel.adapt, panel.weights, self.job, self)
        self._build()
        self._connect()
        self._show_mask()
        self._update_buttons()

    def _build(self) -> None:
        title = QLabel("Deblur")
        title.setObjectName("title")
        left = QFrame()
        left.setFixedWidth(220)
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
        middle.addWidget(self.live.bar)
        middle.addWidget(self.slider, 1)
        middle.addWidget(self.shown)
        body = QHBoxLayout(self)
        body.setContentsMargins(16, 12, 16, 12)
        body.setSpacing(14)
        body.addWidget(left)
        body.addLayout(middle, 1)
        body.addWidget(self.panel)

    def _connect(self) -> None:
        panel = self.panel
        panel.run_button.clicked.connect(self.run)
        panel.cancel_button.clicked.connect(self.cancel)
        panel.save_button.clicked.connect(self.save)
        panel.mask_box.toggled.connect(self._show_mask)
        panel.opacity.valueChanged.connect(self._show_mask)
        panel.sharp_box.toggled.connect(self.slider.compare_with_s)
        panel.moved_box.toggled.connect(self._wish)
        panel.weights.chosen.connect(self.adapt.use)
        self.pictures.chosen.connect(self.open_picture)
        self.job.changed.connect(lambda: self._take_view(self.job.view))
        self.job.engine_ready.connect(self.engine.show_info)
        self.job.engine_ready.connect(lambda: self.live.engine_ready(self.job.engine))
        self.job.saved.connect(self._saved)
        self.job.progressed.connect(self._progressed)
        self.job.finished.connect(self._finished)
        self.job.failed.connect(self._failed)
        self.live.job.changed.connect(lambda: self._take_view(self.live.job.view))
        self.live.changed.connect(self._live_changed)
        self.live.trouble.connect(self.trouble)
        self.live.bar.pace.currentIndexChanged.connect(self._wish)
        self.adapt.trouble.connect(self.trouble)

    # ---- choice

    def enter(self) -> None:
        """Show something at once: start the engine, and open the last used or the first action pair."""
        self._entered = True
        self.engine.show_starting()
        self._open_first()
        self.job.prepare()

    def leave(self) -> None:
        """Stop what only serves the eye."""
        self.live.switch(False)

    def show_listing(self, listing: Listing) -> None:
        """List the developed pairs of the session; files appear as they are processed."""
        if listing.folder != self._folder:
            self._folder = listing.folder
            self._forget()
        self.pictures.show_listing(listing)
        self.pictures.mark(self._wanted)
        self.none_yet.setVisible(self.pictures.count() == 0)
        self.adapt.show_listing(listing)
        self.live.follow()
        if self._entered:
            self._open_first()

    def _forget(self) -> None:
        """Let go of the picture of another session."""
        self.live.switch(False)
        self.job.cancel()
        self._view, self._savable, self._wanted = None, None, None
        self.slider.forget(NOTHING)
        self.panel.show_facts({})
        self.shown.setText("")
        self._update_buttons()

    def _open_first(self) -> None:
        """Open the first action pair, else the first pair, where nothing is open."""
        first = self.pictures.first()
        if self._wanted is None and first is not None and not self.live.on:
            self.open_picture(first)

    def open_picture(self, path: Path) -> None:
        """Open a picture file; live pictures make room for it."""
        self.live.switch(False)
        self._wanted = path
        self.pictures.mark(path)
        self.shown.setText(f"{path.name}   loading")
        if not self.slider.has_image():
            self.slider.forget(f"Loading {path.name}", busy=True)
        self.job.open(path)
        self.engine.show_starting()
        self.job.prepare()

    def _choose_file(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Open a developed picture", "", PICTURE_FILES)
        if chosen:
            self.open_picture(Path(chosen))

    # ---- run

    @property
    def busy(self) -> bool:
        """Whether a picture is computed, or live ones are."""
        return self.job.running or self.live.on

    def toggle_live(self) -> None:
        """Start or stop the live mode."""
        self.live.switch(not self.live.on)

    def toggle_hold(self) -> None:
        """Hold the live picture, or let newer ones come."""
        if self.live.on:
            self.live.bar.hold.toggle()

    def _live_changed(self, on: bool) -> None:
        if on:
            self.job.cancel()
            self._wanted, self._savable = None, None
            self.pictures.mark(None)
            self._wish()
            self.engine.show_starting()
        self._update_buttons()

    def _wish(self) -> None:
        self.live.set_wish(only_moved=self.panel.moved_box.isChecked())

    def run(self) -> None:
        """Deblur the open picture: preview first, then the whole."""
        ready = self._view is not None and not self.live.on
        if ready and self.job.run(only_moved=self.panel.moved_box.isChecked()):
            self.panel.progress.setRange(0, 0)
            self._update_buttons()

    def cancel(self) -> None:
        """Stop the run, or the live mode."""
        self.job.cancel()
        self.live.switch(False)

    def save(self) -> None:
        """Ask where the result goes and write it in the background."""
        view = self._savable
        if view is None or view.result is None:
            return
        if (answer := ask_targets(self, view.path)) is not None:
            self.job.save(view.result, answer[0].sharp, answer[0].mask, overwrite=answer[1])

    def _saved(self, sharp: Path, mask: Path) -> None:
        self.shown.setText(f"Saved {sharp.name} and {mask.name} in {sharp.parent}")

    # ---- what is shown

    def _take_view(self, slot: NewestSlot[DeblurView]) -> None:
        found = slot.take(self._seen.get(id(slot), 0))
        if found is None:
            return
        self._seen[id(slot)], view = found
        if (slot is self.live.job.view) != self.live.on:
            return  # of a mode that was left meanwhile
        self._view = view
        if view.result is not None:
            self.engine.show_info(view.result.info)  # measuring may have changed it
        if view.result is not None or not self.live.on:
            self._savable = None if view.result is None else view
        self.slider.show_view(view)
        self.panel.show_facts(view.facts)
        self.shown.setText(f"{'Live' if self.live.on else view.path.name}   {view.text}")
        self._update_buttons()

    def _show_mask(self) -> None:
        self._settings.overlay_opacity = self.opacity.value()
        self.slider.show_mask(self.mask_box.isChecked(), self.opacity.value() / 100)

    def _progressed(self, done: float) -> None:
        self.panel.progress.setRange(0, 100)
        self.panel.progress.setValue(int(done * 100))

    def _finished(self, text: str) -> None:
        if self._view is not None and not self.live.on:
            self.shown.setText(f"{self._view.path.name}   {text}")
        self._update_buttons()

    def _failed(self, trouble: Trouble) -> None:
        if trouble.job == "open":
            self._view, self._savable = None, None
            self.slider.forget(sentence(trouble.message))
            self.panel.show_facts({})
            self.shown.setText("")
        elif trouble.job == "engine":
            self.engine.show_failed()
            self.live.switch(False)
        self._update_buttons()
        self.trouble.emit(trouble)

    def _update_buttons(self) -> None:
        running, view, panel = self.job.running, self._view, self.panel
        panel.run_button.setEnabled(view is not None and not running and not self.live.on)
        panel.save_button.setEnabled(self._savable is not None)
        panel.cancel_button.setVisible(running)
        panel.progress.setVisible(running)
        paired = self.live.on or (view is not None and not view.sharp.isNull())
        panel.moved_box.setEnabled(paired)
        panel.sharp_box.setEnabled(paired)

    def end(self) -> None:
        """End the threads of the page."""
        self.live.end()
        self.adapt.end()
        self.job.end()

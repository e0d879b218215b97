"""The live mode of the Deblur page: switch, hold, pace, and how old the picture is that is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from gui import actions, theme
from gui.deblur_live import LiveDeblur
from gui.frames import FramePreparer
from gui.sessions import SessionKeeper
from gui.widgets.elided import ElidedLabel
from gui.widgets.fields import CalmComboBox
from gui.workers import Trouble, Worker
from processing.live import LiveChain, newest_chain

if TYPE_CHECKING:
    from models.deblur import DeblurEngine

STATUS_MS = 250
OLD_S = 2.0
REFINED, NEWEST = "Refine each picture", "Newest picture first"


class LiveBar(QWidget):
    """The switches of the live mode in a row."""

    def __init__(self) -> None:
        super().__init__()
        self.live = QPushButton("Live")
        self.live.setCheckable(True)
        self.live.setToolTip(actions.tooltip("deblur.live"))
        self.hold = QPushButton("Hold")
        self.hold.setCheckable(True)
        self.hold.setToolTip(actions.tooltip("deblur.hold"))
        self.pace = CalmComboBox()
        self.pace.addItems([REFINED, NEWEST])
        self.pace.setAccessibleName("Pace of the live preview")
        self.pace.setToolTip("Wait for the refined answer to each picture, or go on with the next at once")
        self.status = ElidedLabel()
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.live)
        row.addWidget(self.hold)
        row.addWidget(self.pace)
        row.addWidget(self.status, 1)
        self.show_on(False)

    def show_on(self, on: bool) -> None:
        """Show whether live pictures come."""
        self.live.setChecked(on)
        self.hold.setEnabled(on)
        self.hold.setChecked(False)
        if not on:
            self.status.setText("")


class LiveMode(QObject):
    """Runs the live preview while it is wanted, the page is shown and the rig is open.

    Args:
        keeper: The session; its calibration aligns the pair.
        preparer: Knows where frames come from.
        scene: Returns the scene whose calibration counts.
        need_engine: Called when the engine is needed; `engine_ready` answers.
    """

    trouble = Signal(object)
    changed = Signal(bool)

    _loaded = Signal(object)

    def __init__(
        self,
        keeper: SessionKeeper,
        preparer: FramePreparer,
        scene: Callable[[], str],
        need_engine: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._keeper, self._preparer = keeper, preparer
        self._scene, self._need_engine = scene, need_engine
        self._wanted = False
        self.bar = LiveBar()
        self.job = LiveDeblur(preparer.feed, lambda: keeper.folder, self)
        self._worker = Worker("live calibration", limit=2, parent=self)
        self._worker.failed.connect(self._not_aligned)
        self._loaded.connect(self.job.set_chain)
        self.job.stopped.connect(self._gave_up)
        self.bar.live.clicked.connect(self.switch)
        self.bar.hold.toggled.connect(self.job.hold)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._show_status)

    @property
    def on(self) -> bool:
        """Whether live pictures are wanted."""
        return self._wanted

    @property
    def refine_each(self) -> bool:
        """Whether the next picture waits for the refined answer of the one before."""
        return self.bar.pace.currentText() == REFINED

    def switch(self, on: bool) -> None:
        """Start or stop the live mode."""
        if on and self._preparer.feed()[0] is None:
            self.bar.show_on(False)
            self.trouble.emit(
                Trouble("There are no live pictures: the rig is not open", "reopen it with Ctrl+R")
            )
            return
        if on == self._wanted:
            return
        self._wanted = on
        self.bar.show_on(on)
        if on:
            self.bar.status.set_colour(theme.MUTED)
            self.bar.status.setText("starting")
            self._timer.start(STATUS_MS)
            self.follow()
            self._need_engine()
        else:
            self._timer.stop()
            self.job.rest()
        self.changed.emit(on)

    def follow(self) -> None:
        """Take the newest calibration of the scene."""
        if self._wanted:
            scene = self._scene()
            self._worker.submit(lambda: self._load(scene), "chain", newest_only=True)

    def engine_ready(self, engine: DeblurEngine | None) -> None:
        """Begin with an engine, or go over to it."""
        if self._wanted and engine is not None:
            self.job.begin(engine)
            self.job.hold(self.bar.hold.isChecked())

    def set_wish(self, *, only_moved: bool) -> None:
        """Say what of a frame is to be computed."""
        self.job.set_wish(only_moved=only_moved, refine_each=self.refine_each)

    def end(self) -> None:
        """End the threads."""
        self._timer.stop()
        self.job.end()
        self._worker.end()

    def _load(self, scene: str) -> None:
        """Read the calibration; in the thread."""
        session = self._keeper.open_existing()
        chain: LiveChain | None = None
        if session is not None and scene:
            chain = newest_chain(session.root / "calibration", scene)
        self._loaded.emit(chain)

    def _not_aligned(self, trouble: Trouble) -> None:
        self.job.set_chain(None)
        self.trouble.emit(trouble)

    def _gave_up(self, trouble: Trouble) -> None:
        self.switch(False)
        self.trouble.emit(trouble)

    def _show_status(self) -> None:
        """Say how many pictures come, and how old the shown one is; stop when the rig was closed."""
        if self._preparer.feed()[0] is None:
            self.switch(False)
            self.bar.status.setText("stopped: the rig is closed")
            return
        age_s = self.job.age_s()
        if age_s is None:
            return
        if self.bar.hold.isChecked():
            words, old = f"held, {age_s:.0f} s old", False
        else:
            old = age_s > OLD_S
            words = f"{self.job.rate_hz():.1f} pictures/s, this one {age_s:.1f} s old"
            if old:
                words = f"no new picture for {age_s:.0f} s: is the live view on?  [L]"
        self.bar.status.set_colour(theme.WARN if old else theme.MUTED)
        self.bar.status.setText(words)

"""The live views aligned: both cameras through the scene's latest calibration, B on S's grid."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from gui.prepare import ALIGNED
from gui.sessions import SessionKeeper
from gui.workers import Trouble, Worker
from processing.errors import ProcessingError, TakeMissing
from processing.live import LiveChain, newest_chain

if TYPE_CHECKING:
    from gui.main_window import MainWindow

STILL_TO_DO = "take whiteboard and static pairs, then process the scene on the Review page"


class AlignFlow(QObject):
    """Switches the live views between the cameras' own pictures and aligned ones.

    The calibration is read in a thread of its own. Another scene's calibration never stays in force: with
    another name the switch goes off.

    Args:
        window: The window.
        keeper: The session.
    """

    _loaded = Signal(object)
    _written = Signal(object)

    def __init__(self, window: MainWindow, keeper: SessionKeeper) -> None:
        super().__init__(window)
        self._window = window
        self._page = window.capture_page
        self._keeper = keeper
        self._worker = Worker("align", limit=2, parent=self)
        self._worker.failed.connect(self._refused)
        self._loaded.connect(self._show)
        self._written.connect(window.deblur_pair)
        self._folder = tempfile.TemporaryDirectory(prefix="beamrig-live-")
        self._count = 0
        self._page.bar.aligned.toggled.connect(self._toggled)
        self._page.panel.scene_edit.textChanged.connect(self.off)

    @property
    def wanted(self) -> bool:
        """Whether the switch is on."""
        return self._page.bar.aligned.isChecked()

    def off(self) -> None:
        """Show the cameras' own pictures."""
        self._page.bar.aligned.setChecked(False)

    def follow(self) -> None:
        """Take the newest calibration of the scene, if aligned pictures are wanted."""
        if self.wanted:
            scene = self._page.scene
            self._worker.submit(lambda: self._load(scene), "align", newest_only=True)

    def deblur(self) -> None:
        """Open the aligned picture that B sees now on the Deblur page."""
        newest = self._window.preparer.slots["B"].take(0)
        if newest is None or newest[1].note != ALIGNED["B"]:
            self._window.show_trouble(
                Trouble("No aligned picture of B is shown", "switch Aligned on first (A)")
            )
            return
        self._count += 1
        path, picture = Path(self._folder.name) / f"live_{self._count:03d}_B.png", newest[1].picture
        self._worker.submit(lambda: self._write(path, picture), "write", newest_only=True)

    def end(self) -> None:
        """End the thread."""
        self._worker.end()
        self._folder.cleanup()

    def _write(self, path: Path, picture: QImage) -> None:
        """Write the picture; in the thread."""
        if not picture.save(str(path)):
            raise ProcessingError(f"cannot write {path}", hint="check free disk space")
        self._written.emit(path)

    def _toggled(self, on: bool) -> None:
        if on:
            self.follow()
        else:
            self._window.preparer.set_chain(None)

    def _load(self, scene: str) -> None:
        """Read the calibration; in the thread."""
        session = self._keeper.open_existing()
        if session is None or scene not in {known.name for known in session.scenes()}:
            raise TakeMissing(f"scene {scene or 'without name'} has no pairs yet", hint=STILL_TO_DO)
        if not session.pairs(scene, "static"):
            raise TakeMissing(f"scene {scene} has no static take to align by", hint=STILL_TO_DO)
        chain = newest_chain(session.root / "calibration", scene)
        if chain is None:
            raise TakeMissing(f"scene {scene} is not calibrated yet", hint="process it on the Review page")
        self._loaded.emit((scene, chain))

    def _show(self, loaded: tuple[str, LiveChain]) -> None:
        scene, chain = loaded
        if self.wanted and scene == self._page.scene:
            self._window.preparer.set_chain(chain)

    def _refused(self, trouble: Trouble) -> None:
        """Say why there are no aligned pictures, or why one could not be written."""
        if trouble.job != "align":
            self._window.show_trouble(trouble)
            return
        self.off()
        message = trouble.message[:1].lower() + trouble.message[1:]
        self._window.show_trouble(Trouble(f"Not aligned: {message}", trouble.hint, trouble.details))

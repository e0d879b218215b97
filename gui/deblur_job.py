"""Runs the inference engine in a thread of its own: a quick preview first, then the full picture."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from gui import theme
from gui.frames import mask_image, rgb_image
from gui.pictures import Picture, read_picture
from gui.workers import NewestSlot, Trouble, Worker

if TYPE_CHECKING:
    from models.deblur import DeblurEngine, DeblurResult

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DeblurView:
    """What the page shows; each new one replaces the one before.

    Attributes:
        path: The picture.
        before: It.
        after: The result; null while there is none.
        mask: Overlay of where the network sees blur; null while there is none.
        stage: "opened", "preview" or "full".
        text: What is shown, in words.
        result: The result itself, for saving; only of the full picture.
    """

    path: Path
    before: QImage
    after: QImage
    mask: QImage
    stage: str
    text: str
    result: DeblurResult | None = field(default=None, repr=False)


class DeblurJob(QObject):
    """Opens pictures and runs the engine, one thing after the other.

    Args:
        make_engine: Makes the engine, in the worker's thread, at the first use: loading torch takes seconds.
    """

    changed = Signal()
    engine_ready = Signal(object)
    progressed = Signal(float)
    finished = Signal(str)
    failed = Signal(object)

    def __init__(self, make_engine: Callable[[], DeblurEngine], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view: NewestSlot[DeblurView] = NewestSlot()
        self._make_engine = make_engine
        self._engine: DeblurEngine | None = None
        self._picture: Picture | None = None
        self._before = QImage()
        self._path = Path()
        self._cancel = threading.Event()
        self._running = False
        self._worker = Worker("deblur", limit=4, parent=self)
        self._worker.failed.connect(self._worker_failed)

    @property
    def running(self) -> bool:
        """Whether the engine works or is about to."""
        return self._running

    def open(self, path: Path) -> None:
        """Read a picture; stops a run on another one."""
        self.cancel()
        self._worker.submit(lambda: self._open(path), "open", newest_only=True)

    def prepare(self) -> None:
        """Make the engine, so that its device and weights can be shown."""
        if self._engine is None:
            self._worker.submit(self._show_engine, "engine", newest_only=True)

    def run(self) -> bool:
        """Deblur the open picture; False when that is under way already."""
        if self._running:
            return False
        self._cancel.clear()
        self._running = self._worker.submit(self._run, "run")
        return self._running

    def cancel(self) -> None:
        """Stop the run, within a residual block."""
        self._cancel.set()

    def end(self) -> None:
        """End the thread."""
        self._cancel.set()
        self._worker.end()

    # ---- in the worker's thread

    def _open(self, path: Path) -> None:
        self._picture = read_picture(path)
        self._before, self._path = rgb_image(self._picture), path
        self._show(QImage(), QImage(), "opened", "Not deblurred yet")

    def _show_engine(self) -> None:
        self._need_engine()

    def _need_engine(self) -> DeblurEngine:
        if self._engine is None:
            self._engine = self._make_engine()
        self.engine_ready.emit(self._engine.describe())
        return self._engine

    def _run(self) -> None:
        from models.errors import Cancelled

        if self._picture is None:
            self._running = False
            return
        picture = self._picture
        try:
            engine = self._need_engine()
            quick = engine.preview(picture, cancel=self._cancel)
            text = f"Preview at {quick.scale:.0%} size, {quick.seconds:.1f} s; the full picture follows"
            self._show_result(quick, "preview", text)
            full = engine.run(picture, cancel=self._cancel, progress=self.progressed.emit)
            self._show_result(full, "full", f"Full picture in {full.seconds:.1f} s", full)
            done = f"Full picture in {full.seconds:.1f} s on {full.info.device}, {full.info.precision}"
        except Cancelled:
            done = "Stopped"
        finally:
            self._running = False
        self.finished.emit(done)

    def _show_result(
        self, result: DeblurResult, stage: str, text: str, keep: DeblurResult | None = None
    ) -> None:
        self._show(rgb_image(result.sharp), mask_image(result.mask, theme.MASK), stage, text, keep)

    def _show(
        self, after: QImage, mask: QImage, stage: str, text: str, keep: DeblurResult | None = None
    ) -> None:
        self.view.put(DeblurView(self._path, self._before, after, mask, stage, text, keep))
        self.changed.emit()

    def _worker_failed(self, trouble: Trouble) -> None:
        self._running = False
        self.failed.emit(trouble)

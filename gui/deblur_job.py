"""Runs the inference engine in a thread of its own: a quick preview first, then the full picture."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from gui import theme
from gui.images import mask_image, rgb_image
from gui.pictures import Picture, PictureError, read_picture
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


@dataclass(frozen=True)
class Opened:
    """A picture that was read: never changed, only replaced by the next one."""

    path: Path
    picture: Picture
    before: QImage


class DeblurJob(QObject):
    """Opens pictures in one thread and runs the engine in another: a picture shows while torch still loads.

    Args:
        make_engine: Makes the engine, in the worker's thread, at the first use: loading torch takes seconds.
    """

    changed = Signal()
    engine_ready = Signal(object)
    progressed = Signal(float)
    finished = Signal(str)
    saved = Signal(object, object)
    failed = Signal(object)

    def __init__(self, make_engine: Callable[[], DeblurEngine], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view: NewestSlot[DeblurView] = NewestSlot()
        self._make_engine = make_engine
        self._engine: DeblurEngine | None = None
        self._opened: Opened | None = None
        self._cancel = threading.Event()
        self._running = False
        self._worker = Worker("deblur", limit=4, parent=self)
        self._files = Worker("deblur files", limit=4, parent=self)
        for worker in (self._worker, self._files):
            worker.failed.connect(self._worker_failed)

    @property
    def running(self) -> bool:
        """Whether the engine works or is about to."""
        return self._running

    def open(self, path: Path) -> None:
        """Read a picture; stops a run on another one."""
        self.cancel()
        self._opened = None
        self._files.submit(lambda: self._open(path), "open", newest_only=True)

    def prepare(self) -> None:
        """Make the engine, so that its device and weights can be shown."""
        if self._engine is None:
            self._worker.submit(self._show_engine, "engine", newest_only=True)

    def save(self, result: DeblurResult, sharp: Path, mask: Path, *, overwrite: bool) -> None:
        """Write sharp picture (16 bit) and mask (8 bit) as PNG; existing files only where told so."""
        self._files.submit(lambda: self._save(result, sharp, mask, overwrite), "save")

    def run(self) -> bool:
        """Deblur the open picture; False when that is under way already, or none is open yet."""
        if self._running or self._opened is None:
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
        self._files.end()
        self._worker.end()

    # ---- in the workers' threads

    def _open(self, path: Path) -> None:
        picture = read_picture(path)
        opened = self._opened = Opened(path, picture, rgb_image(picture))
        self._show(opened, QImage(), QImage(), "opened", "Not deblurred yet")

    def _save(self, result: DeblurResult, sharp: Path, mask: Path, overwrite: bool) -> None:
        from models.images import write_png

        for path in (sharp, mask):
            if path.exists() and not overwrite:
                raise PictureError(f"{path.name} exists already", hint="save under another name")
        write_png(sharp, np.rint(result.sharp * 65535).astype(np.uint16), overwrite=overwrite)
        write_png(mask, np.rint(result.mask * 255).astype(np.uint8), overwrite=overwrite)
        self.saved.emit(sharp, mask)

    def _show_engine(self) -> None:
        self._need_engine()

    def _need_engine(self) -> DeblurEngine:
        if self._engine is None:
            self._engine = self._make_engine()
        self.engine_ready.emit(self._engine.describe())
        return self._engine

    def _run(self) -> None:
        from models.errors import Cancelled

        opened = self._opened
        if opened is None:
            self._running = False
            return
        picture = opened.picture
        try:
            engine = self._need_engine()
            quick = engine.preview(picture, cancel=self._cancel)
            text = f"Preview at {quick.scale:.0%} size, {quick.seconds:.1f} s; the full picture follows"
            self._show_result(opened, quick, "preview", text)
            full = engine.run(picture, cancel=self._cancel, progress=self.progressed.emit)
            self._show_result(opened, full, "full", f"Full picture in {full.seconds:.1f} s")
            done = f"Full picture in {full.seconds:.1f} s on {full.info.device}, {full.info.precision}"
        except Cancelled:
            done = "Stopped"
        finally:
            self._running = False
        self.finished.emit(done)

    def _show_result(self, opened: Opened, result: DeblurResult, stage: str, text: str) -> None:
        after, mask = rgb_image(result.sharp), mask_image(result.mask, theme.MASK)
        self._show(opened, after, mask, stage, text, result if stage == "full" else None)

    def _show(
        self,
        opened: Opened,
        after: QImage,
        mask: QImage,
        stage: str,
        text: str,
        keep: DeblurResult | None = None,
    ) -> None:
        if self._opened is opened:  # else another picture was opened meanwhile
            self.view.put(DeblurView(opened.path, opened.before, after, mask, stage, text, keep))
            self.changed.emit()

    def _worker_failed(self, trouble: Trouble) -> None:
        if trouble.job == "run":
            self._running = False
        self.failed.emit(trouble)

"""Runs the inference engine in a thread of its own: a quick preview first, then the full picture."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from gui.deblur_view import DeblurView, Opened, gain_fact, open_picture, result_images, run_facts
from gui.pictures import PictureError
from gui.workers import NewestSlot, Trouble, Worker

if TYPE_CHECKING:
    from models.deblur import DeblurEngine, DeblurResult

logger = logging.getLogger(__name__)


class DeblurJob(QObject):
    """Opens pictures in one thread and runs the engine in another: a picture shows while torch still loads.

    Args:
        make_engine: Makes the engine of some weights (None: those that are usual), in the worker's thread, at
            the first use: loading torch takes seconds.
    """

    changed = Signal()
    engine_ready = Signal(object)
    progressed = Signal(float)
    finished = Signal(str)
    saved = Signal(object, object)
    failed = Signal(object)

    def __init__(
        self, make_engine: Callable[[Path | None], DeblurEngine], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.view: NewestSlot[DeblurView] = NewestSlot()
        self._make_engine = make_engine
        self._weights: Path | None = None
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

    @property
    def engine(self) -> DeblurEngine | None:
        """The engine; None until `engine_ready`."""
        return self._engine

    @property
    def weights(self) -> Path | None:
        """The weights that were chosen; None for the usual ones."""
        return self._weights

    def use_weights(self, weights: Path | None) -> None:
        """Go over to other weights; a run under way is stopped."""
        if weights != self._weights:
            self.cancel()
            self._weights, self._engine = weights, None
            self.prepare()

    def open(self, path: Path) -> None:
        """Read a picture; stops a run on another one."""
        self.cancel()
        self._opened = None
        self._files.submit(lambda: self._open(path), "open", newest_only=True)

    def prepare(self) -> None:
        """Make the engine unless it is there, and tell `engine_ready`."""
        self._worker.submit(self._show_engine, "engine", newest_only=True)

    def save(self, result: DeblurResult, sharp: Path, mask: Path, *, overwrite: bool) -> None:
        """Write sharp picture (16 bit) and mask (8 bit) as PNG; existing files only where told so."""
        self._files.submit(lambda: self._save(result, sharp, mask, overwrite), "save")

    def run(self, *, only_moved: bool = False) -> bool:
        """Deblur the open picture; False when that is under way already, or none is open yet.

        Args:
            only_moved: Let the network see only where B differs from S, if the picture has its S beside it.
        """
        if self._running or self._opened is None:
            return False
        self._cancel.clear()
        self._running = self._worker.submit(lambda: self._run(only_moved), "run")
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
        opened = self._opened = open_picture(path)
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
        engine = self._engine
        while engine is None:
            weights = self._weights
            engine = self._make_engine(weights)
            if weights == self._weights:  # else others were chosen meanwhile
                self._engine = engine
            else:
                engine = None
        self.engine_ready.emit(engine.describe())
        return engine

    def _run(self, only_moved: bool) -> None:
        from models.errors import Cancelled

        opened = self._opened
        if opened is None:
            self._running = False
            return
        picture, reference = opened.picture, opened.reference
        try:
            engine = self._need_engine()
            quick = engine.preview(picture, cancel=self._cancel)
            text = f"Preview at {quick.scale:.0%} size, {quick.seconds:.1f} s; the full picture follows"
            self._show_result(opened, quick, "preview", text, {})
            full = engine.run(
                picture,
                cancel=self._cancel,
                progress=self.progressed.emit,
                reference=reference if only_moved else None,
                only_moved=only_moved and reference is not None,
            )
            gain = gain_fact(opened, full)
            self._show_result(opened, full, "full", f"Full picture in {full.seconds:.1f} s", gain)
            done = f"Full picture in {full.seconds:.1f} s on {full.info.device}, {full.info.precision}"
        except Cancelled:
            done = "Stopped"
        finally:
            self._running = False
        self.finished.emit(done)

    def _show_result(
        self, opened: Opened, result: DeblurResult, stage: str, text: str, gain: dict[str, str]
    ) -> None:
        after, mask = result_images(result)
        keep = result if stage == "full" else None
        self._show(opened, after, mask, stage, text, keep, {**run_facts(result), **gain})

    def _show(
        self,
        opened: Opened,
        after: QImage,
        mask: QImage,
        stage: str,
        text: str,
        keep: DeblurResult | None = None,
        facts: dict[str, str] | None = None,
    ) -> None:
        if self._opened is opened:  # else another picture was opened meanwhile
            made = DeblurView(
                opened.path, opened.before, after, mask, stage, text, keep, opened.sharp, facts or {}
            )
            self.view.put(made)
            self.changed.emit()

    def _worker_failed(self, trouble: Trouble) -> None:
        if trouble.job == "run":
            self._running = False
        self.failed.emit(trouble)

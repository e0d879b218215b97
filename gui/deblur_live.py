"""The live preview of the Deblur page: the newest pair of the running cameras through the network."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal
from PySide6.QtGui import QImage

from gui.deblur_view import DeblurView, result_images, run_facts
from gui.frames import FrameSource
from gui.images import rgb_image
from gui.imaging import RawFormat
from gui.live_pairs import LivePairs, LivePicture
from gui.workers import NewestSlot, Trouble
from models.errors import EngineError
from processing.live import LiveChain
from rig.errors import BeamrigError

if TYPE_CHECKING:
    from models.deblur import DeblurEngine
    from models.preview import LivePreview, PreviewAnswer

logger = logging.getLogger(__name__)

IDLE_S = 0.01
REFINED_PATIENCE_S = 5.0
"""How long the next picture waits for the refined answer of the one before, at most."""
RATE_OVER_S = 3.0

Feed = Callable[[], tuple[FrameSource | None, dict[str, RawFormat]]]
"""Where frames come from and how their codes are to be read; no source while the rig is closed."""


class LiveDeblur(QThread):
    """Feeds the preview, paced by what it answers, and leaves the newest answer in a slot.

    Args:
        feed: Where frames come from.
        folder: Where live pictures would be saved.
    """

    changed = Signal()
    stopped = Signal(object)

    def __init__(self, feed: Feed, folder: Callable[[], Path], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("live deblur")
        self.view: NewestSlot[DeblurView] = NewestSlot()
        self._feed, self._folder = feed, folder
        self._wake = threading.Condition()
        self._engine: DeblurEngine | None = None
        self._chain: LiveChain | None = None
        self._only_moved = True
        self._refine_each = True
        self._held = False
        self._ending = False
        self._answered = threading.Event()
        self._waiting: dict[int, tuple[LivePicture, QImage, QImage]] = {}
        self._shown_at: deque[float] = deque(maxlen=200)
        self._shown_ns = 0

    # ---- from the window; every call returns at once

    def begin(self, engine: DeblurEngine) -> None:
        """Start to show live pictures; with another engine, go over to it."""
        with self._wake:
            self._engine, self._held = engine, False
            self._shown_at.clear()
            self._shown_ns = 0
            self._wake.notify_all()
        if not self.isRunning() and not self._ending:
            self.start()

    def rest(self) -> None:
        """Stop; what is under way is given up."""
        with self._wake:
            self._engine = None
            self._answered.set()

    def end(self) -> None:
        """End the thread."""
        with self._wake:
            self._ending, self._engine = True, None
            self._answered.set()
            self._wake.notify_all()
        self.wait(10_000)

    @property
    def active(self) -> bool:
        """Whether live pictures are shown or about to be."""
        return self._engine is not None

    def set_chain(self, chain: LiveChain | None) -> None:
        """Align pictures by a calibration of the scene; None shows B alone."""
        self._chain = chain

    def set_wish(self, *, only_moved: bool, refine_each: bool) -> None:
        """Say what of a frame is to be computed, and whether the next one waits for the refined answer."""
        self._only_moved, self._refine_each = only_moved, refine_each

    def hold(self, held: bool) -> None:
        """Let no newer picture come, so that the shown one can be looked at."""
        self._held = held

    def age_s(self) -> float | None:
        """Return how long ago the frame that is shown was taken; None before the first."""
        return (time.monotonic_ns() - self._shown_ns) / 1e9 if self._shown_ns else None

    def rate_hz(self) -> float:
        """Return how many different frames a second were shown lately."""
        now = time.monotonic()
        lately = [at for at in list(self._shown_at) if now - at < RATE_OVER_S]
        return (len(lately) - 1) / (lately[-1] - lately[0]) if len(lately) > 1 else 0.0

    # ---- in the thread

    def run(self) -> None:
        """Show live pictures whenever there is an engine; runs in its own thread."""
        while True:
            with self._wake:
                while self._engine is None and not self._ending:
                    self._wake.wait()
                engine = self._engine
            if engine is None:
                return
            try:
                self._show_while(engine)
            except Exception as error:  # the thread outlives it, the operator is told
                logger.exception("live preview")
                self._give_up(engine, error)

    def _show_while(self, engine: DeblurEngine) -> None:
        """Feed one engine as long as it is wanted."""
        from models.preview import LivePreview

        pairs = LivePairs()
        preview = LivePreview(engine, self._answer)
        try:
            while self._engine is engine:
                if not self._step(pairs, preview):
                    time.sleep(IDLE_S)
        finally:
            preview.close()
            self._waiting.clear()

    def _step(self, pairs: LivePairs, preview: LivePreview) -> bool:
        """Submit the newest pair, if there is one, and wait for the answer; False without a new one."""
        source, formats = self._feed()
        if source is None or self._held:
            return False
        try:
            if not pairs.look(source):
                return False
        except BeamrigError:  # a lost camera is told by the status
            logger.debug("no live frame", exc_info=True)
            return False
        picture = pairs.picture(self._chain, formats.get("B", RawFormat()))
        sharp = QImage() if picture.s is None else rgb_image(picture.s)
        self._waiting = {picture.number: (picture, rgb_image(picture.b), sharp)}
        self._answered.clear()
        preview.submit(picture.b, picture.s if self._only_moved else None, picture.number)
        self._answered.wait(REFINED_PATIENCE_S)
        return True

    def _give_up(self, engine: DeblurEngine, error: BaseException) -> None:
        with self._wake:
            if self._engine is engine:
                self._engine = None
            self._answered.set()
        self.stopped.emit(Trouble.of(error, "live"))

    # ---- in the thread of the preview

    def _answer(self, answer: PreviewAnswer) -> None:
        """Make the view of an answer; an error ends the live mode."""
        found = self._waiting.get(answer.key) if isinstance(answer.key, int) else None
        engine = self._engine
        if engine is None:
            self._answered.set()  # the feeding thread may have begun to wait after the end was asked for
            return
        if found is None:
            return
        if answer.result is None:
            self._give_up(engine, answer.error or EngineError("the live preview gave no answer"))
            return
        picture, before, sharp = found
        after, mask = result_images(answer.result)
        refined = answer.stage == "refined"
        self.view.put(
            DeblurView(
                path=self._folder() / f"live_{datetime.now().astimezone():%H%M%S}_B.png",
                before=before,
                after=after,
                mask=mask,
                stage="full" if refined else "preview",
                text=picture.note,
                result=answer.result if refined else None,
                sharp=sharp,
                facts=run_facts(answer.result),
            )
        )
        if self._shown_ns != picture.taken_ns:
            self._shown_ns = picture.taken_ns
            self._shown_at.append(time.monotonic())
        self.changed.emit()
        if refined or not self._refine_each:
            self._answered.set()

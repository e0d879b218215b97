"""The thread that turns the newest RAW frame of each camera into something to look at."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QThread

from gui.imaging import RawFormat
from gui.prepare import CameraMemory, PreparedFrame, ViewWish, prepare
from gui.workers import NewestSlot
from processing.live import LiveChain
from rig.errors import BeamrigError

logger = logging.getLogger(__name__)

CAMERAS = ("B", "S")
IDLE_S = 0.012
"""Pause between two looks for new frames: well below a frame interval, little enough to cost nothing."""

FrameSource = Callable[[str, int], tuple[int, Any] | None]
"""(camera, after_seq) -> (sequence number, frame) of a newer frame, or None."""


class FramePreparer(QThread):
    """Pulls the newest frame of each camera, prepares it, leaves it in a slot for the window's timer.

    At most one prepared frame a camera exists; what the window does not fetch in time is overwritten. Where
    no newer frame comes, the last one is prepared again as soon as the view wants to see another part of it.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("frames")
        self.slots: dict[str, NewestSlot[PreparedFrame]] = {camera: NewestSlot() for camera in CAMERAS}
        self._lock = threading.Lock()
        self._source: FrameSource | None = None
        self._formats = {camera: RawFormat() for camera in CAMERAS}
        self._chain: LiveChain | None = None
        self._wishes = dict.fromkeys(CAMERAS, ViewWish())
        self._memories = {camera: CameraMemory() for camera in CAMERAS}
        self._ending = threading.Event()
        self._active = threading.Event()

    def set_source(self, source: FrameSource | None, formats: dict[str, RawFormat] | None = None) -> None:
        """Say where frames come from; None stops until there is another source."""
        with self._lock:
            self._source = source
            if formats:
                self._formats.update(formats)
            self._memories = {camera: CameraMemory() for camera in CAMERAS}
            for slot in self.slots.values():
                slot.clear()
        if source is not None and not self.isRunning() and not self._ending.is_set():
            self.start()

    def feed(self) -> tuple[FrameSource | None, dict[str, RawFormat]]:
        """Return where frames come from and how their codes are to be read; for another thread that looks."""
        with self._lock:
            return self._source, dict(self._formats)

    def set_active(self, active: bool) -> None:
        """Rest while nobody looks."""
        if active:
            self._active.set()
        else:
            self._active.clear()

    def set_wish(self, camera: str, wish: ViewWish) -> None:
        """Choose what is made of the next frames."""
        with self._lock:
            self._wishes[camera] = wish

    def set_chain(self, chain: LiveChain | None) -> None:
        """Show aligned pictures of a calibrated scene, or with None what each camera sees by itself."""
        with self._lock:
            self._chain = chain

    def end(self) -> None:
        """End the thread."""
        self._ending.set()
        self._active.set()
        self.wait(5000)

    def run(self) -> None:
        """Look for frames until told to end; runs in its own thread."""
        while not self._ending.is_set():
            self._active.wait()
            found = False
            for camera in CAMERAS:
                if self._ending.is_set():
                    return
                try:
                    found = self._look(camera) or found
                except BeamrigError:
                    # a lost camera is told by the status, in words; here there is only nothing to show
                    logger.debug("no frame of camera %s", camera, exc_info=True)
                except Exception:
                    logger.exception("frame of camera %s could not be prepared", camera)
                    self._ending.wait(0.5)
            if not found:
                self._ending.wait(IDLE_S)

    def _look(self, camera: str) -> bool:
        """Prepare the newest frame of a camera; return whether there was something to do."""
        with self._lock:
            source, memory = self._source, self._memories[camera]
            fmt, wish = self._formats[camera], self._wishes[camera]
            live = None if self._chain is None else self._chain.camera(camera)
        if source is None:
            return False
        newest = source(camera, memory.sequence)
        if newest is not None:
            memory.sequence, memory.frame = newest
        elif memory.frame is None or (memory.wish == wish and memory.live is live):
            return False
        memory.wish, memory.live = wish, live
        prepared = prepare(camera, memory.sequence, memory.frame, fmt, wish, memory, live)
        with self._lock:
            if self._memories[camera] is memory:  # else the rig was closed meanwhile
                self.slots[camera].put(prepared)
        return True

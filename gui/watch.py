"""Watches the open rig twice a second, and decides when a lost camera is to be restarted."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, QThread

from gui.workers import NewestSlot

logger = logging.getLogger(__name__)

INTERVAL_S = 0.4
PAUSES_S = (0.0, 1.0, 2.0, 5.0, 10.0)
"""Pauses before the automatic restarts of a lost camera; after the last one only the button is left."""
STABLE_S = 5.0
"""A camera that was well for so long starts with a clean record."""


T = TypeVar("T")


class StatusWatch(QThread, Generic[T]):
    """Asks for the rig's status in a thread of its own and keeps the newest answer in a slot."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("watch")
        self.slot: NewestSlot[T] = NewestSlot()
        self._ask: Callable[[], T] | None = None
        self._lock = threading.Lock()
        self._ending = threading.Event()

    def follow(self, ask: Callable[[], T] | None) -> None:
        """Watch a rig by its `status`; None rests. Returns after the answer under way, if any."""
        with self._lock:
            self._ask = ask
            self.slot.clear()
        if ask is not None and not self.isRunning() and not self._ending.is_set():
            self.start()

    def end(self) -> None:
        """End the thread."""
        self._ending.set()
        self.wait(5000)

    def run(self) -> None:
        """Ask until told to end; runs in its own thread."""
        while not self._ending.wait(INTERVAL_S):
            with self._lock:
                if self._ask is None:
                    continue
                try:
                    self.slot.put(self._ask())
                except Exception:
                    # the thread must outlive a rig that is being closed; a real loss shows in the next status
                    logger.exception("the rig's status could not be asked")


@dataclass
class Recovery:
    """What to do about one camera: pure bookkeeping, no clock and no thread of its own.

    Attributes:
        attempts: Restarts since the camera was last stable.
        lost: Whether it was lost when last looked at.
        gave_up: Whether all automatic restarts failed.
    """

    attempts: int = 0
    lost: bool = False
    gave_up: bool = False
    _not_before: float = field(default=0.0, repr=False)
    _well_since: float | None = field(default=None, repr=False)

    def look(self, state: str, restarting: bool, now: float | None = None) -> str:
        """Take in the camera's state.

        Args:
            state: State of the camera process.
            restarting: Whether a restart is under way or waiting.
            now: Time in seconds; the monotonic clock when None.

        Returns:
            "restart", "wait", "give up" (once), "back" (once) or "fine".
        """
        now = time.monotonic() if now is None else now
        if state == "lost":
            self._well_since = None
            if restarting:
                return "wait"
            if not self.lost:
                self.lost = True
                self._not_before = now + PAUSES_S[min(self.attempts, len(PAUSES_S) - 1)]
            if self.attempts >= len(PAUSES_S):
                if self.gave_up:
                    return "wait"
                self.gave_up = True
                return "give up"
            if now < self._not_before:
                return "wait"
            self.attempts += 1
            self._not_before = now + PAUSES_S[min(self.attempts, len(PAUSES_S) - 1)]
            return "restart"
        if restarting or state in ("opening", "closed"):
            return "wait" if self.lost else "fine"
        if self._well_since is None:
            self._well_since = now
        if self.attempts and now - self._well_since >= STABLE_S:
            self.attempts = 0
        if self.lost:
            self.lost = self.gave_up = False
            return "back"
        return "fine"

    def reset(self) -> None:
        """Start with a clean record, on the operator's wish."""
        self.attempts, self.gave_up = 0, False

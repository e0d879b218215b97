"""Adapts the weights to the open session, in the background."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gui.adapt_process import Adapted, AdaptOrder, AdaptProcess, new_folder
from gui.session_job import SessionJob
from gui.sessions import SessionKeeper
from rig.session import Session


class AdaptJob(SessionJob):
    """Runs `models.training.adapt` in a process of its own, one at a time, cancellable.

    Attributes:
        nicer: By how much that process gives way to cameras and window.
    """

    adapted = Signal(object)
    """What was gained, of an adaptation that came to its end."""

    def __init__(self, keeper: SessionKeeper, parent: QObject | None = None) -> None:
        super().__init__(keeper, "adapt", parent)
        self.nicer = 10
        self._process: AdaptProcess | None = None

    def start(self, minutes: float, weights: Path) -> bool:
        """Begin; False when something is being made.

        Args:
            minutes: How long it may learn.
            weights: What it begins with.
        """
        return self._start(lambda session: self._adapt(session, minutes, weights), "adapt")

    def cancel(self) -> None:
        """End the learning; the best until then counts."""
        super().cancel()
        if self._process is not None:
            self._process.stop()

    def end(self) -> None:
        """Stop and end the thread; a window that closes waits for no step of a training."""
        process = self._process
        if process is not None:
            process.kill()
        super().end()

    def _adapt(self, session: Session, minutes: float, weights: Path) -> str:
        out = new_folder(session.root, f"{datetime.now().astimezone():%Y-%m-%d_%H%M%S}")
        order = AdaptOrder(str(session.root), str(weights), minutes, str(out), self.nicer)
        self._process = process = AdaptProcess(order)
        if self._cancel.is_set():
            process.stop()
        try:
            gained: Adapted = process.run(self._tell)
        finally:
            self._process = None
        self.adapted.emit(gained)
        return gained.words()

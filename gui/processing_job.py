"""Develops a scene of the session in a thread of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from gui.sessions import SessionKeeper
from gui.workers import Trouble, Worker
from processing.profile import Profile
from rig.errors import SessionError

if TYPE_CHECKING:
    from processing.jobs.report import SceneReport


class ProcessingJob(QObject):
    """Runs `processing.jobs.batch.process_session` for one scene at a time, cancellable."""

    progressed = Signal(str, float)
    finished = Signal(str)
    failed = Signal(object)

    def __init__(self, keeper: SessionKeeper, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._cancel = threading.Event()
        self._running = False
        self._worker = Worker("processing", limit=1, parent=self)
        self._worker.failed.connect(self._worker_failed)

    @property
    def running(self) -> bool:
        """Whether a scene is being processed."""
        return self._running

    def start(self, scene: str, profile: Profile = "best") -> bool:
        """Process a scene; False when one is being processed."""
        if self._running:
            return False
        self._cancel.clear()
        self._running = self._worker.submit(lambda: self._process(scene, profile), "process")
        return self._running

    def cancel(self) -> None:
        """Stop after the pair at hand."""
        self._cancel.set()

    def end(self) -> None:
        """Stop and end the thread."""
        self._cancel.set()
        self._worker.end()

    def _process(self, scene: str, profile: Profile) -> None:
        try:
            from processing.calibration.chosen import chosen_paths
            from processing.jobs.batch import process_session

            session = self._keeper.session
            if session is None:
                raise SessionError("no session is open", hint="capture something, or open one with Ctrl+O")
            report = process_session(
                session,
                [scene],
                profile,
                progress=self._tell,
                cancel=self._cancel,
                calibrations=chosen_paths(session),
                polite=True,
            )
            text = "Stopped: what was finished stays" if report.cancelled else summary(report.scenes[scene])
        finally:
            self._running = False
        self.finished.emit(text)

    def _tell(self, done: float, text: str) -> None:
        self.progressed.emit(text, done)

    def _worker_failed(self, trouble: Trouble) -> None:
        self._running = False
        self.failed.emit(trouble)


def summary(report: SceneReport) -> str:
    """Return one line about a processed scene: how many pairs, and the agreement of the static pair."""
    words = f"{report.developed} developed"
    if report.skipped:
        words += f", {report.skipped} were there already"
    if report.failed:
        pair, why = next(iter(sorted(report.failed.items())))
        words += f", {len(report.failed)} failed ({pair}: {why})"
    before, after = report.static_pair.get("before", {}), report.static_pair.get("after", {})
    if "psnr_db" in before and "psnr_db" in after:
        words += f"; static pair {before['psnr_db']:.1f} to {after['psnr_db']:.1f} dB"
        words += f", Delta-L {before['delta_l_percent']:.2f} to {after['delta_l_percent']:.2f} %"
    return words

"""Develops a scene of the session in a thread of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from gui.session_job import SessionJob
from gui.sessions import SessionKeeper
from processing.profile import Profile
from rig.session import Session

if TYPE_CHECKING:
    from processing.jobs.report import SceneReport


class ProcessingJob(SessionJob):
    """Runs `processing.jobs.batch.process_session` for one scene at a time, cancellable."""

    def __init__(self, keeper: SessionKeeper, parent: QObject | None = None) -> None:
        super().__init__(keeper, "processing", parent)

    def start(self, scene: str, profile: Profile = "best") -> bool:
        """Process a scene; False when one is being processed."""
        return self._start(lambda session: self._process(session, scene, profile), "process")

    def _process(self, session: Session, scene: str, profile: Profile) -> str:
        from processing.calibration.chosen import chosen_paths
        from processing.jobs.batch import process_session

        report = process_session(
            session,
            [scene],
            profile,
            progress=self._tell,
            cancel=self._cancel,
            calibrations=chosen_paths(session),
            polite=True,
        )
        return "Stopped: what was finished stays" if report.cancelled else summary(report.scenes[scene])


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

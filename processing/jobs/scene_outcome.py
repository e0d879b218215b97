"""What came of a scene's tasks: counted for its report, told as progress, kept for the tasks that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from processing.calibration.scene import SceneCalibration
from processing.jobs.orders import PairResult, PairTask, SceneResult
from processing.jobs.pair_record import write_sealed
from processing.jobs.report import SceneReport
from processing.jobs.steps import MEASURING, Job, Steps
from rig.errors import BeamrigError
from rig.records import PairRecord


class SceneOutcome:
    """Collects the results of one scene.

    Args:
        report: to fill in.
        job: what is made.
        steps: told how it goes on.
    """

    def __init__(self, report: SceneReport, job: Job, steps: Steps) -> None:
        self.report = report
        self.error: BeamrigError | None = None
        self._scene = report.scene
        self._job = job
        self._steps = steps
        self._literal = job.masks and job.choices.masks == "literal"
        self._calibration: SceneCalibration | None = None
        self._calibration_path = ""
        self._waiting: dict[str, PairTask] = {}  # static pairs whose verdict is still to come
        self._there: set[str] = set()  # pairs that are finished

    @property
    def size(self) -> float:
        """What the scene counts for in the progress."""
        return MEASURING

    def _weight(self, record: PairRecord) -> int:
        """Steps that a pair takes: masks as printed are a step of their own."""
        return 2 if self._literal and record.kind == "action" else 1

    def _calibrated(self, result: SceneResult) -> None:
        self._calibration = calibration = SceneCalibration.load(Path(result.calibration))
        self._calibration_path = result.calibration
        self.report.notes = list(result.notes)
        self.report.calibration = calibration.id
        self.report.static_pair = dict(calibration.static_metrics)
        self.report.residual_px = {"mean": calibration.residual.mean_px, "p95": calibration.residual.p95_px}
        self._steps.say(f"{self._scene}: measured", passed=MEASURING / 2)

    def _not_calibrated(self, error: BeamrigError) -> None:
        self.error = error
        self.report.failure = error.one_line()
        self._steps.say(f"{self._scene}: {error.message}", passed=self.size)

    def _skip(self, record: PairRecord) -> None:
        self.report.skipped += 1
        self._steps.say(f"{record.id} was there", passed=self._weight(record))

    def _developed(self, task: PairTask, result: PairResult) -> None:
        self._spent(result.seconds)
        record = task.record
        if task.later:
            self._waiting[record.id] = replace(task, files=result.files)
            self._steps.say(f"{record.id} awaits its verdict")
            return
        self._there.add(record.id)
        if not task.write:
            self.report.skipped += 1
            self._steps.say(f"{record.id} was there", passed=1)
            return
        self.report.developed += 1
        self.report.masks += any(name.endswith("_mask.png") for name in result.files)
        self._steps.say(f"{record.id} developed", passed=1, made=1)

    def _masked(self, result: PairResult) -> None:
        self._spent(result.seconds)
        self.report.masks += 1
        self._steps.say(f"{result.pair} masked", passed=1, made=1)

    def _spent(self, seconds: Mapping[str, float]) -> None:
        for step, took in seconds.items():
            self.report.seconds[step] = self.report.seconds.get(step, 0.0) + took

    def _pair_failed(self, record: PairRecord, error: BeamrigError) -> None:
        self.report.failed[record.id] = error.one_line()
        self._steps.say(f"{record.id} failed: {error.message}", passed=1)

    def _measured(self, blur: dict[str, Any]) -> None:
        self.report.blur_px = blur

    def _not_measured(self, error: BeamrigError) -> None:
        self.report.blur_note = error.one_line()

    def _write_summary(self, calibration: SceneCalibration) -> None:
        """Write what the scene's report and its reader want to know."""
        metrics = {
            "scene": self._scene,
            "profile": self._job.profile,
            "calibration": calibration.id,
            "static_pair": calibration.static_metrics,
            "residual_px": self.report.residual_px,
            "blur": self.report.blur_px,
            "blur_note": self.report.blur_note,
            "notes": self.report.notes,
            "failed": dict(sorted(self.report.failed.items())),
            "pairs": sorted(self._recorded()),
        }
        write_sealed(self.report.folder / "metrics.json", metrics)
        write_sealed(
            self.report.folder / "pipeline.json",
            {"id": calibration.id, "created": calibration.created, **calibration.content()},
        )

    def _recorded(self) -> list[str]:
        """Return the pairs that have a record when the scene is done."""
        return []

    def _not_modelled(self, error: BeamrigError) -> None:
        """Do nothing: each pair then measures the background, and says itself what is wrong with it."""

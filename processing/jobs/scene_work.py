"""One scene as stages of tasks: measure it, develop its static pairs, then its action pairs."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from processing.calibration.scene import SceneCalibration
from processing.jobs.engine import Call, Stages
from processing.jobs.pair_record import (
    covers,
    files_are_there,
    made_with,
    mask_origin,
    parts_that_stay,
    read_record,
)
from processing.jobs.report import SceneReport
from processing.jobs.steps import MEASURING, Job, Steps
from processing.jobs.tasks import (
    BlurTask,
    PairResult,
    PairTask,
    SceneResult,
    SceneTask,
    calibrate_scene,
    develop_pair,
    mask_pair,
    measure_blur_task,
)
from processing.masks import STATIC_FRAMES
from processing.outputs import write_json
from rig.errors import BeamrigError
from rig.exposure import ExposurePlan
from rig.records import PairRecord, TakeRecord
from rig.session import Session, missing_files

FRAMES: Final = ".frames"
"""Folder within a scene's results for developed pairs that masks wait for; gone when the scene is done."""


class SceneWork:
    """Develops and measures one scene.

    Args:
        session: the recorded session.
        scene: name of the scene.
        job: what to make.
        steps: told how it goes on.
        threads: that developing a pair may use.
        scene_threads: that measuring the scene may use.
    """

    def __init__(
        self,
        session: Session,
        scene: str,
        job: Job,
        steps: Steps,
        threads: int | None = None,
        scene_threads: int | None = None,
    ) -> None:
        self.report = SceneReport(scene, session.root / "derived" / scene)
        self.error: BeamrigError | None = None
        self._session = session
        self._scene = scene
        self._job = job
        self._steps = steps
        self._threads = threads
        self._scene_threads = scene_threads
        self._frames = self.report.folder / FRAMES
        shots = [shot for shot in session.shots(scene) if isinstance(shot, PairRecord)]
        for record in shots:
            gone = missing_files(record) if record.kind in ("static", "action") else []
            if gone:
                self.report.failed[record.id] = f"{gone[0].name} is missing"
        self._static, self._action = (
            [r for r in shots if r.kind == kind and r.id not in self.report.failed]
            for kind in ("static", "action")
        )
        self._plans = {(take.kind, take.take): _plan(take) for take in session.takes(scene)}
        self._literal = job.masks and job.choices.masks == "literal"
        self._calibration: SceneCalibration | None = None
        self._calibration_path = ""

    @property
    def size(self) -> float:
        """What the scene counts for in the progress."""
        return sum(self._weight(record) for record in (*self._static, *self._action)) + MEASURING

    def _weight(self, record: PairRecord) -> int:
        """Steps that a pair takes: masks as printed are a step of their own."""
        return 2 if self._literal and record.kind == "action" else 1

    def stages(self) -> Stages:
        """Yield what is to be done, stage by stage."""
        shutil.rmtree(
            self._frames, ignore_errors=True
        )  # what a killed run left may be of another calibration
        try:
            self._steps.say(f"{self._scene}: measuring")
            yield [Call(calibrate_scene, self._scene_task(), self._calibrated, self._not_calibrated)]
            if self._calibration is None:
                return
            self._steps.begin_pairs()
            yield self._static_stage(self._calibration)
            yield self._action_stage(self._calibration)
            if self._literal:
                yield self._mask_stage(self._calibration)
            self._write_summary(self._calibration)
            self._steps.say(f"{self._scene}: done", passed=MEASURING / 2)
        finally:
            shutil.rmtree(self._frames, ignore_errors=True)

    # ---- the stages

    def _static_stage(self, calibration: SceneCalibration) -> list[Call]:
        """Develop static pairs: those that are missing, and those that this run's masks are made against."""
        origin = self._origin(self._action[0]) if self._action else None
        masks_wanted = any(self._todo(calibration, r, self._origin(r)) for r in self._action) and origin
        background = {record.id for record in self._background()} if masks_wanted else set()
        calls = []
        for record in self._static:
            todo = self._todo(calibration, record, None)
            if todo or record.id in background:
                calls.append(
                    self._develop(calibration, record, None, write=todo, keep_frame=record.id in background)
                )
            else:
                self._skip(record)
        return calls

    def _action_stage(self, calibration: SceneCalibration) -> list[Call]:
        """Measure the blur; develop the action pairs, with their masks where these need no other pair."""
        calls = []
        if self._job.masks and self._action and not self._background():
            self.report.failure = "no masks: not one of its static pairs is sound"
        if self._job.blur:
            task = BlurTask(
                str(self._session.root), self._scene, self._job, self._calibration_path, tuple(self._action),
                threads=self._threads,
            )  # fmt: skip
            calls.append(Call(measure_blur_task, task, self._measured, self._not_measured))
        todo = {record.id: self._todo(calibration, record, self._origin(record)) for record in self._action}
        for record in self._action:
            mask = None if self._literal else self._origin(record)
            if self._literal and any(todo.values()):
                write = self._todo(calibration, record, None)
                calls.append(self._develop(calibration, record, None, write=write, keep_frame=True))
            elif todo[record.id]:
                calls.append(self._develop(calibration, record, mask, write=True, keep_frame=False))
            else:
                self._skip(record)
        return calls

    def _mask_stage(self, calibration: SceneCalibration) -> list[Call]:
        """Make masks by Algorithm 1 as printed: each needs all other pairs, developed."""
        calls = []
        for record in self._sound(self._action):
            origin = self._origin(record)
            if origin is None or not self._todo(calibration, record, origin):
                continue
            task = self._pair_task(replace(self._job, images=False), calibration, record, origin)
            calls.append(Call(mask_pair, task, self._masked, partial(self._pair_failed, record)))
        return calls

    # ---- what a pair needs

    def _todo(self, calibration: SceneCalibration, record: PairRecord, mask: dict[str, Any] | None) -> bool:
        """Tell whether a pair's record is not what would be written now, or its files are not there."""
        if not self._job.images and mask is None:
            return False
        if self._job.again:
            return True
        stored = read_record(self.report.folder, record)
        wanted = made_with(record, self._job, calibration, mask)
        folder = self.report.folder
        return stored is None or not covers(stored, wanted) or not files_are_there(folder, record, stored)

    def _sound(self, records: Sequence[PairRecord]) -> list[PairRecord]:
        return [record for record in records if record.id not in self.report.failed]

    def _background(self) -> tuple[PairRecord, ...]:
        """Return the static pairs that masks are made against."""
        frames = 1 if self._literal else STATIC_FRAMES
        return tuple(self._sound(self._static)[:frames])

    def _others(self, record: PairRecord) -> tuple[PairRecord, ...]:
        return tuple(r for r in self._sound(self._action) if r.id != record.id) if self._literal else ()

    def _origin(self, record: PairRecord) -> dict[str, Any] | None:
        if not self._job.masks or not self._background():
            return None
        return mask_origin(self._job.choices.masks, self._background(), self._others(record))

    # ---- calls

    def _scene_task(self) -> SceneTask:
        return SceneTask(str(self._session.root), self._scene, self._job, self._scene_threads)

    def _pair_task(
        self, job: Job, calibration: SceneCalibration, record: PairRecord, mask: dict[str, Any] | None
    ) -> PairTask:
        stored = read_record(self.report.folder, record)
        return PairTask(
            str(self._session.root), self._scene, job, self._calibration_path, record, str(self._frames),
            mask=mask,
            background=self._background(),
            others=self._others(record),
            kept=parts_that_stay(stored, made_with(record, job, calibration, mask)),
            plan=self._plans.get((record.kind, record.take)),
            threads=self._threads,
        )  # fmt: skip

    def _develop(
        self,
        calibration: SceneCalibration,
        record: PairRecord,
        mask: dict[str, Any] | None,
        *,
        write: bool,
        keep_frame: bool,
    ) -> Call:
        task = self._pair_task(self._job, calibration, record, mask)
        task = replace(task, write=write, keep_frame=keep_frame)
        return Call(develop_pair, task, partial(self._developed, task), partial(self._pair_failed, record))

    # ---- what came of them

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
        self._count(result)
        record = task.record
        if not task.write:
            self.report.skipped += 1
            self._steps.say(f"{record.id} was there", passed=1)
            return
        self.report.developed += 1
        self.report.masks += any(name.endswith("_mask.png") for name in result.files)
        self._steps.say(f"{record.id} developed", passed=1, made=1)

    def _masked(self, result: PairResult) -> None:
        self._count(result)
        self.report.masks += 1
        self._steps.say(f"{result.pair} masked", passed=1, made=1)

    def _count(self, result: PairResult) -> None:
        for step, seconds in result.seconds.items():
            self.report.seconds[step] = self.report.seconds.get(step, 0.0) + seconds

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
        }
        write_json(self.report.folder / "metrics.json", metrics)
        write_json(
            self.report.folder / "pipeline.json",
            {"id": calibration.id, "created": calibration.created, **calibration.content()},
        )


def _plan(take: TakeRecord) -> ExposurePlan | None:
    """Return the plan of a take as the journal has it; None for takes without one."""
    plan = take.details.get("plan")
    return ExposurePlan.from_dict(plan) if plan else None

"""One scene as stages of tasks: measure it, develop its static pairs, then its action pairs."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from processing.calibration.scene import SceneCalibration
from processing.checks.static_reference import FRAMES as REFERENCE_FRAMES
from processing.jobs.engine import Call, Stages
from processing.jobs.orders import BackgroundTask, BlurTask, PairTask, SceneTask
from processing.jobs.pair_record import (
    covers,
    files_are_there,
    made_with,
    mask_origin,
    parts_that_stay,
    read_record,
)
from processing.jobs.report import SceneReport
from processing.jobs.scene_outcome import SceneOutcome
from processing.jobs.steps import MEASURING, Job, Steps
from processing.jobs.tasks import (
    calibrate_scene,
    develop_pair,
    judge_pair,
    mask_pair,
    measure_background,
    measure_blur_task,
)
from processing.masks import STATIC_FRAMES
from rig.exposure import ExposurePlan
from rig.records import PairRecord, TakeRecord
from rig.session import Session, missing_files

FRAMES: Final = ".frames"
"""Folder within a scene's results for developed pairs that masks wait for; gone when the scene is done."""


class SceneWork(SceneOutcome):
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
        super().__init__(SceneReport(scene, session.root / "derived" / scene), job, steps)
        self._session = session
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
        self._models = False

    @property
    def size(self) -> float:
        """What the scene counts for in the progress."""
        return sum(self._weight(record) for record in (*self._static, *self._action)) + MEASURING

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
            yield self._reference_stage(self._calibration)
            yield self._action_stage(self._calibration)
            if self._literal:
                yield self._mask_stage(self._calibration)
            self._write_summary(self._calibration)
            self._steps.say(f"{self._scene}: done", passed=MEASURING / 2)
        finally:
            shutil.rmtree(self._frames, ignore_errors=True)

    def _recorded(self) -> list[str]:
        pairs = self._sound((*self._static, *self._action))
        return [record.id for record in pairs if read_record(self.report.folder, record) is not None]

    # ---- the stages

    def _static_stage(self, calibration: SceneCalibration) -> list[Call]:
        """Develop the static pairs that all others are compared with: for masks, and for verdicts."""
        todo = {r.id: self._todo(calibration, r, self._origin(r)) for r in (*self._static, *self._action)}
        if not any(todo.values()):
            return []
        masks = any(todo[r.id] and self._origin(r) for r in self._action)
        first = {record.id for record in (*self._reference(), *(self._background() if masks else ()))}
        calls = []
        for record in self._static:
            if record.id in first:
                write = self._todo(calibration, record, None)
                calls.append(
                    self._develop(calibration, record, None, write=write, keep_frame=True, later=write)
                )
        if masks and not self._literal:
            self._models = True
        return calls

    def _reference_stage(self, calibration: SceneCalibration) -> list[Call]:
        """Measure the background of the masks; judge the static pairs, and develop those that are left."""
        calls = []
        if self._models and self._background():
            for camera in "BS":
                task = BackgroundTask(
                    str(self._session.root), self._scene, self._job, self._calibration_path, camera,
                    self._background(), str(self._frames), threads=self._threads,
                )  # fmt: skip
                calls.append(Call(measure_background, task, self._spent, self._not_modelled))
        for record in self._sound(self._static):
            if record.id in self._waiting:
                waiting = self._waiting[record.id]
                judged = replace(waiting, later=False, static=self._reference())
                failed = partial(self._pair_failed, record)
                calls.append(Call(judge_pair, judged, partial(self._developed, judged), failed))
            elif record.id in self._there:
                continue
            elif self._todo(calibration, record, None):
                calls.append(self._develop(calibration, record, None, write=True, keep_frame=False))
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

    def _reference(self) -> tuple[PairRecord, ...]:
        """Return the static pairs that verdicts compare with."""
        return tuple(self._sound(self._static)[:REFERENCE_FRAMES])

    def _others(self, record: PairRecord) -> tuple[PairRecord, ...]:
        return tuple(r for r in self._sound(self._action) if r.id != record.id) if self._literal else ()

    def _origin(self, record: PairRecord) -> dict[str, Any] | None:
        if not self._job.masks or not self._background():
            return None
        return mask_origin(
            self._job.choices.masks,
            self._background(),
            self._others(record),
            confidence=self._job.confidence,
        )

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
            static=self._reference(),
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
        later: bool = False,
    ) -> Call:
        task = self._pair_task(self._job, calibration, record, mask)
        task = replace(task, write=write, keep_frame=keep_frame, later=later)
        return Call(develop_pair, task, partial(self._developed, task), partial(self._pair_failed, record))


def _plan(take: TakeRecord) -> ExposurePlan | None:
    """Return the plan of a take as the journal has it; None for takes without one."""
    plan = take.details.get("plan")
    return ExposurePlan.from_dict(plan) if plan else None

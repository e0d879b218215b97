"""What a worker does, in another process or on another machine: one function a task, plain data in and out.

A task names everything it depends on; the worker opens it itself. So the result does not depend on which
worker did it, nor on how many there are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processing.blur.scene import measure_scene_blur
from processing.calibration.scene import SceneCalibration
from processing.calibration.source_files import is_sound, load_checked
from processing.checks.pair_verdict import judge
from processing.isp import to_16bit
from processing.jobs.opened import Opened, check_seen, keep_frame, open_pipeline, prepare
from processing.jobs.orders import BackgroundTask, BlurTask, PairResult, PairTask, SceneResult, SceneTask
from processing.jobs.pair_record import made_with, versions, write_sealed
from processing.jobs.steps import Stopwatch
from processing.masks import Pair, literal_mask
from processing.outputs import Encoded, encode_image, publish, withdraw
from processing.pipeline import Developed, ScenePipeline
from rig.records import RawPair
from rig.session import Session


def calibrate_scene(task: SceneTask) -> SceneResult:
    """Measure a scene, or find the calibration that was made from the same files.

    Raises:
        ProcessingError: if a step fails.
        SessionError: if there is no such scene.
    """
    prepare(task.threads)
    check_seen(task.session)
    with Session.open(task.session) as session:
        pipeline = ScenePipeline.from_session(
            session,
            task.scene,
            task.job.profile,
            calibrations=[Path(file) for file in task.job.calibrations],
            allow_old=task.job.allow_old,
            flow=task.job.flow,
        )
        path = pipeline.calibration.path(session.root / "calibration")
        return SceneResult(str(path), pipeline.notes)


def develop_pair(task: PairTask) -> PairResult:
    """Develop a pair, make its mask, write the files and, last, the record.

    Raises:
        SourceChanged: if a RAW file is not what the journal says.
        NoRoom: if the disk is full.
        ProcessingError: if a step fails.
    """
    watch, opened = _begin(task)
    with watch.step("read"):
        raw = load_checked(task.record)
    with watch.step("develop"):
        developed = opened.pipeline.develop(raw.b, raw.s, threads=task.threads or 2)
    return _deliver(task, opened, raw, developed, watch)


def measure_background(task: BackgroundTask) -> dict[str, float]:
    """Measure what the background of a scene is like in one camera, and leave it for all workers.

    Returns:
        Seconds that each step took.
    """
    watch, opened = _begin(task)
    with watch.step("background"):
        opened.camera_background(task.camera, task.records, Path(task.frames), keep=True)
    return watch.seconds


def judge_pair(task: PairTask) -> PairResult:
    """Judge a pair that `develop_pair` developed with `later`, and write its record.

    Raises:
        SourceChanged: if a RAW file is not what the journal says.
        NoRoom: if the disk is full.
        ProcessingError: if a step fails.
    """
    watch, opened = _begin(task)
    with watch.step("read"):
        raw = load_checked(task.record)
        eight = opened.eight_bit(task.record, Path(task.frames))
    told = {"mask_expected_iou": None, "verdict": _judge(task, opened, raw, eight, None, watch)}
    return _write(task, opened.pipeline.calibration, [], told, watch)


def mask_pair(task: PairTask) -> PairResult:
    """Make the mask of a pair by Algorithm 1 as printed, and write it and the record.

    Raises:
        NoRoom: if the disk is full.
        ProcessingError: if a step fails.
    """
    watch, opened = _begin(task)
    frames = Path(task.frames)
    with watch.step("mask"):
        static = opened.eight_bit(task.background[0], frames)
        others = (opened.eight_bit(record, frames) for record in task.others)
        mask = literal_mask(static, others, opened.eight_bit(task.record, frames))
    with watch.step("encode"):
        files = [encode_image(task.path("mask", ".png"), mask)]
    told: dict[str, Any] = {}
    if task.write:
        raw = load_checked(task.record)
        developed = opened.pipeline.develop(raw.b, raw.s, threads=task.threads or 2)
        verdict = _judge(task, opened, raw, developed.as_8bit(), mask, watch, developed)
        told = {"mask_expected_iou": None, "verdict": verdict}
    return _write(task, opened.pipeline.calibration, files, told, watch)


def measure_blur_task(task: BlurTask) -> dict[str, Any]:
    """Measure the blur lengths of a scene's moving object; pairs whose files are not sound are left out.

    Returns:
        Plain values of `BlurMeasurement`.

    Raises:
        BlurNotMeasurable: if no moving object is seen, or too little of it.
    """
    prepare(task.threads)
    opened = open_pipeline(task.session, task.calibration)
    sound = [record for record in task.records if is_sound(record)]
    return measure_scene_blur(opened.pipeline, sound).to_dict()


def _begin(task: PairTask | BackgroundTask) -> tuple[Stopwatch, Opened]:
    """Make the worker ready for a task, and open its pipeline on the clock."""
    prepare(task.threads)
    watch = Stopwatch()
    with watch.step("open"):
        opened = open_pipeline(task.session, task.calibration)
    return watch, opened


def _deliver(
    task: PairTask, opened: Opened, raw: RawPair, developed: Developed, watch: Stopwatch
) -> PairResult:
    """Round, make the frozen mask, encode, write."""
    job, frames = task.job, Path(task.frames)
    frozen = task.mask is not None and task.mask["method"] == "frozen"
    files: list[Encoded] = []
    eight: Pair | None = None
    if frozen or task.keep_frame or task.write or (job.images and job.bits == 8):
        with watch.step("round"):
            eight = developed.as_8bit()
    if job.images:
        for index, (camera, image) in enumerate((("B", developed.b), ("S", developed.s))):
            with watch.step("round"):
                rounded = eight[index] if job.bits == 8 and eight is not None else to_16bit(image)
            with watch.step("encode"):
                files.append(encode_image(task.path(camera, job.suffix), rounded))
    if eight is not None and task.keep_frame:
        with watch.step("frames for masks"):
            keep_frame(frames, task.record, eight)
    mask: NDArray[np.uint8] | None = None
    overlap: float | None = None
    if eight is not None and frozen:
        with watch.step("mask"):
            threads = task.threads or 2
            mask, confidence, overlap = opened.frozen_mask(eight, task.background, frames, threads=threads)
        with watch.step("encode"):
            files.append(encode_image(task.path("mask", ".png"), mask))
            if _with_confidence(task):
                files.append(encode_image(task.path("confidence", ".png"), confidence))
    told: dict[str, Any] = {}
    if eight is not None and task.write and not task.later:
        verdict = _judge(task, opened, raw, eight, mask, watch, developed)
        told = {"mask_expected_iou": overlap, "verdict": verdict}
    return _write(task, opened.pipeline.calibration, files, told, watch)


def _with_confidence(task: PairTask) -> bool:
    return task.mask is not None and bool(task.mask.get("confidence"))


def _judge(
    task: PairTask,
    opened: Opened,
    raw: RawPair,
    eight: Pair,
    mask: NDArray[np.uint8] | None,
    watch: Stopwatch,
    developed: Developed | None = None,
) -> dict[str, Any]:
    with watch.step("reference"):
        reference = opened.reference(task.static, Path(task.frames))
    with watch.step("checks"):
        return judge(
            opened.pipeline,
            raw,
            eight,
            mask,
            task.plan,
            reference=reference,
            unrounded=None if developed is None else (developed.b, developed.s),
            recorded=task.record.findings,
        ).to_dict()


def _write(
    task: PairTask,
    calibration: SceneCalibration,
    files: list[Encoded],
    told: dict[str, Any],
    watch: Stopwatch,
) -> PairResult:
    """Write the files, then the record that vouches for them."""
    with watch.step("hash"):
        facts = {**task.files, **{file.path.name: file.facts() for file in files}}
    if task.write and facts:
        with watch.step("write"):
            home = task.path("", ".json")
            record = made_with(task.record, task.job, calibration, task.mask)
            for part in ("images", "mask"):
                record[part] = record[part] or task.kept.get(part)
            withdraw(home)  # it vouches for files that are about to change
            if task.mask is not None and not _with_confidence(task):
                withdraw(task.path("confidence", ".png"))  # of an older mask
            publish(files)
            if task.later:
                return PairResult(task.record.id, facts, watch.seconds)
            every = {**task.kept.get("files", {}), **facts}
            write_sealed(home, {**record, "versions": versions(), "files": every, **told})
    return PairResult(task.record.id, facts, watch.seconds)

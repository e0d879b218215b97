"""What a worker does, in another process or on another machine: one function a task, plain data in and out.

A task names everything it depends on; the worker opens it itself. So the result does not depend on which
worker did it, nor on how many there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
from processing.jobs.pair_record import made_with, versions, write_record
from processing.jobs.report import derived_path
from processing.jobs.steps import Job, Stopwatch
from processing.masks import Pair, literal_mask
from processing.outputs import Encoded, encode_image, publish
from processing.pipeline import Developed, ScenePipeline
from rig.exposure import ExposurePlan
from rig.records import PairRecord, RawPair
from rig.session import Session


@dataclass(frozen=True)
class SceneTask:
    """A scene to be measured.

    Attributes:
        session: absolute path.
        scene: name.
        job: what to make of it.
        threads: a task may use, None for as many as the process uses anyway.
    """

    session: str
    scene: str
    job: Job
    threads: int | None = None


@dataclass(frozen=True)
class PairTask:
    """A pair to be developed.

    Attributes:
        session, scene, job, threads: as of `SceneTask`.
        calibration: path of the stored calibration to use.
        record: the RAW pair, with the hashes from the journal.
        mask: what its mask depends on (`pair_record.mask_origin`), or None where none is made.
        background: static pairs for the frozen background.
        others: action pairs that Algorithm 1 as printed sees besides this one, in order.
        frames: folder where developed 8-bit pairs of this run wait for the masks.
        keep_frame: leave the developed pair there.
        write: write files; otherwise only tell their hashes.
        plan: that the pair was taken with.
        kept: parts of an older record that stay: "images", "mask", "files".
    """

    session: str
    scene: str
    job: Job
    calibration: str
    record: PairRecord
    frames: str
    mask: Mapping[str, Any] | None = None
    background: tuple[PairRecord, ...] = ()
    others: tuple[PairRecord, ...] = ()
    keep_frame: bool = False
    write: bool = True
    kept: Mapping[str, Any] = field(default_factory=dict)
    plan: ExposurePlan | None = None
    threads: int | None = None

    def path(self, part: str, suffix: str) -> Path:
        """Return where a result of the pair belongs."""
        return derived_path(Path(self.session, "derived", self.scene), self.record, part, suffix)


@dataclass(frozen=True)
class BlurTask:
    """Blur lengths to be measured.

    Attributes:
        session, scene, job, threads: as of `SceneTask`.
        calibration: path of the stored calibration to use.
        records: action pairs.
    """

    session: str
    scene: str
    job: Job
    calibration: str
    records: tuple[PairRecord, ...]
    threads: int | None = None


@dataclass(frozen=True)
class PairResult:
    """What came of a pair.

    Attributes:
        pair: its id.
        files: name -> bytes and sha256 of each file.
        seconds: time that each step took.
    """

    pair: str
    files: dict[str, dict[str, Any]]
    seconds: dict[str, float]


@dataclass(frozen=True)
class SceneResult:
    """What came of measuring a scene.

    Attributes:
        calibration: path of the stored calibration.
        notes: what a person should know of it.
    """

    calibration: str
    notes: tuple[str, ...]


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
    prepare(task.threads)
    watch = Stopwatch()
    with watch.step("open"):
        opened = open_pipeline(task.session, task.calibration)
    with watch.step("read"):
        raw = load_checked(task.record)
    with watch.step("develop"):
        developed = opened.pipeline.develop(raw.b, raw.s)
    return _deliver(task, opened, raw, developed, watch)


def mask_pair(task: PairTask) -> PairResult:
    """Make the mask of a pair by Algorithm 1 as printed, and write it and the record.

    Raises:
        NoRoom: if the disk is full.
        ProcessingError: if a step fails.
    """
    prepare(task.threads)
    watch = Stopwatch()
    with watch.step("open"):
        opened = open_pipeline(task.session, task.calibration)
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
        developed = opened.pipeline.develop(raw.b, raw.s)
        told = {"mask_expected_iou": None, "verdict": _judge(task, opened, raw, developed, mask, watch)}
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


def _deliver(
    task: PairTask, opened: Opened, raw: RawPair, developed: Developed, watch: Stopwatch
) -> PairResult:
    """Round, make the frozen mask, encode, write."""
    job, frames = task.job, Path(task.frames)
    frozen = task.mask is not None and task.mask["method"] == "frozen"
    files: list[Encoded] = []
    eight: Pair | None = None
    if frozen or task.keep_frame or (job.images and job.bits == 8):
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
            mask, overlap = opened.frozen_mask(eight, task.background, frames)
        with watch.step("encode"):
            files.append(encode_image(task.path("mask", ".png"), mask))
    told: dict[str, Any] = {}
    if task.write:
        told = {"mask_expected_iou": overlap, "verdict": _judge(task, opened, raw, developed, mask, watch)}
    return _write(task, opened.pipeline.calibration, files, told, watch)


def _judge(
    task: PairTask,
    opened: Opened,
    raw: RawPair,
    developed: Developed,
    mask: NDArray[np.uint8] | None,
    watch: Stopwatch,
) -> dict[str, Any]:
    with watch.step("checks"):
        return judge(opened.pipeline, raw, developed, mask, task.plan).to_dict()


def _write(
    task: PairTask,
    calibration: SceneCalibration,
    files: list[Encoded],
    told: dict[str, Any],
    watch: Stopwatch,
) -> PairResult:
    """Write the files, then the record that vouches for them."""
    with watch.step("hash"):
        facts = {file.path.name: file.facts() for file in files}
    if task.write and files:
        with watch.step("write"):
            home = task.path("", ".json")
            record = made_with(task.record, task.job, calibration, task.mask)
            for part in ("images", "mask"):
                record[part] = record[part] or task.kept.get(part)
            home.unlink(missing_ok=True)  # it vouches for files that are about to change
            publish(files)
            every = {**task.kept.get("files", {}), **facts}
            write_record(home, {**record, "versions": versions(), "files": every, **told})
    return PairResult(task.record.id, facts, watch.seconds)

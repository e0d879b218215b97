"""Developing whole sessions: every pair to two images and a mask, with figures; stops and resumes.

Beside each pair's images lies a small record of what they were made from and with. A pair whose record is
what would be written now, and whose files are there, is skipped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from processing.blur import BlurMeasurement
from processing.errors import BlurNotMeasurable, ProcessingError
from processing.isp import to_8bit, to_16bit
from processing.masks import STATIC_FRAMES, FrozenBackground, Pair, literal_masks
from processing.outputs import Bits, Format, read_json, write_image, write_json
from processing.pipeline import Developed, ScenePipeline
from processing.profile import Profile
from processing.report import SceneReport, SessionReport, derived_path
from processing.scene_blur import measure_scene_blur
from processing.steps import Job, Progress, Steps, Stopped
from rig.records import PairRecord
from rig.session import Session

DEVELOPED_KINDS: Final = ("static", "action")


def process_session(
    session: Session,
    scenes: Sequence[str] | None = None,
    profile: Profile = "best",
    bits: Bits = 16,
    format: Format = "png",  # noqa: A002
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    *,
    images: bool = True,
    masks: bool = True,
    blur: bool = True,
) -> SessionReport:
    """Develop the static and action pairs of a session and make the masks of the action pairs.

    Writes SESSION/derived/<scene>/<kind>/<pair>_B.png, _S.png, _mask.png and <pair>.json, and per scene
    metrics.json and pipeline.json.

    Args:
        session: the recorded session.
        scenes: names of scenes; all without it.
        profile: `best` or `paper`.
        bits: 8 or 16 bits a channel.
        format: "png" or "tiff".
        progress: called with (done fraction, text).
        cancel: set it to stop after the pair in work.
        images: write the developed images.
        masks: make masks.
        blur: measure the blur lengths of each scene's moving object.

    Raises:
        ProcessingError: if an argument is not allowed or a scene cannot be processed.
        SessionError: if a scene does not exist.
    """
    if bits not in get_args(Bits) or format not in get_args(Format):
        raise ProcessingError(f"cannot write {bits}-bit {format}", hint="8 or 16 bits, png or tiff")
    job = Job(profile, bits, format, images, masks, blur)
    begun = time.monotonic()
    names = list(scenes) if scenes else [scene.name for scene in session.scenes()]
    report = SessionReport(session.root / "derived")
    steps = Steps(progress, cancel or threading.Event(), len(names))
    try:
        for name in names:
            session.scene(name)
            report.scenes[name] = _SceneWork(session, name, job, steps).run()
    except Stopped as stop:
        report.cancelled = True
        if stop.report is not None:
            report.scenes[stop.report.scene] = stop.report
    report.seconds = time.monotonic() - begun
    return report


class _SceneWork:
    """One scene: develop, write, mask, measure."""

    def __init__(self, session: Session, scene: str, job: Job, steps: Steps) -> None:
        self.session = session
        self.scene = scene
        self.job = job
        self.steps = steps
        self.folder = session.root / "derived" / scene
        self.report = SceneReport(scene, self.folder)

    def run(self) -> SceneReport:
        records = [r for kind in DEVELOPED_KINDS for r in self.session.pairs(self.scene, kind)]
        self.steps.begin(len(records) + 2)
        self._stop_if_asked()
        self.steps.say(f"{self.scene}: calibration")
        pipeline = ScenePipeline.from_session(
            self.session,
            self.scene,
            self.job.profile,
            progress=lambda text: self.steps.say(f"{self.scene}: {text}"),
        )
        self.report.calibration = pipeline.calibration.id
        self.report.static_pair = dict(pipeline.static_metrics)
        self.report.residual_px = {"mean": pipeline.residual.mean_px, "p95": pipeline.residual.p95_px}
        self.steps.say(f"{self.scene}: calibration", advance=1)
        self._develop(pipeline, records)
        self._stop_if_asked()
        self._measure(pipeline)
        self._write_summary(pipeline)
        self.steps.say(f"{self.scene}: done", advance=1)
        return self.report

    def _stop_if_asked(self) -> None:
        if self.steps.cancel.is_set():
            raise Stopped(self.report)

    def _develop(self, pipeline: ScenePipeline, records: Sequence[PairRecord]) -> None:
        todo = [record for record in records if not self._is_done(pipeline, record)]
        self.report.skipped = len(records) - len(todo)
        self.steps.say(f"{self.scene}: {self.report.skipped} pairs are there", advance=self.report.skipped)
        wants_masks = self.job.masks and self.job.profile == "best"
        static: dict[str, Pair] = {}
        background = None
        with ThreadPoolExecutor(max_workers=2) as pool:
            waiting: list[tuple[PairRecord, list[Future[tuple[str, int]]]]] = []
            for record in todo:
                self._stop_after(waiting, pipeline)
                raw = record.load()
                developed = pipeline.develop(raw.b, raw.s)
                writes = self._submit(pool, record, developed)
                if wants_masks and record.kind == "static" and len(static) < STATIC_FRAMES:
                    static[record.id] = developed.as_8bit()
                if wants_masks and record.kind == "action":
                    background = background or FrozenBackground(pipeline.static_8bit(static))
                    static.clear()
                    mask = background.mask(*developed.as_8bit())
                    writes.append(pool.submit(self._write, self._path(record, "mask", ".png"), mask))
                waiting.append((record, writes))
                self._finish(waiting, pipeline, keep=1)
            self._finish(waiting, pipeline, keep=0)
        if self.job.masks and self.job.profile == "paper":
            self._literal_masks(pipeline)

    def _stop_after(self, waiting: list[Any], pipeline: ScenePipeline) -> None:
        if self.steps.cancel.is_set():
            self._finish(waiting, pipeline, keep=0)
            raise Stopped(self.report)

    def _submit(
        self, pool: ThreadPoolExecutor, record: PairRecord, developed: Developed
    ) -> list[Future[tuple[str, int]]]:
        if not self.job.images:
            return []
        convert: Callable[[NDArray[np.float32]], NDArray[Any]] = to_16bit if self.job.bits == 16 else to_8bit
        suffix = ".png" if self.job.format == "png" else ".tiff"
        return [
            pool.submit(self._write, self._path(record, camera, suffix), convert(image))
            for camera, image in (("B", developed.b), ("S", developed.s))
        ]

    @staticmethod
    def _write(path: Path, image: NDArray[Any]) -> tuple[str, int]:
        return path.name, write_image(path, image)

    def _finish(
        self,
        waiting: list[tuple[PairRecord, list[Future[tuple[str, int]]]]],
        pipeline: ScenePipeline,
        *,
        keep: int,
    ) -> None:
        """Wait for the oldest pairs' files and write their records."""
        while len(waiting) > keep:
            record, writes = waiting.pop(0)
            files = dict(write.result() for write in writes)
            write_json(self._path(record, "", ".json"), {**self._expected(pipeline, record), "files": files})
            self.report.developed += 1
            self.report.masks += any(name.endswith("_mask.png") for name in files)
            self.steps.say(f"{record.id} developed", advance=1)

    def _path(self, record: PairRecord, part: str, suffix: str) -> Path:
        return derived_path(self.folder, record, part, suffix)

    def _expected(self, pipeline: ScenePipeline, record: PairRecord) -> dict[str, Any]:
        return {
            "pair": record.id,
            "calibration": pipeline.calibration.id,
            "profile": self.job.profile,
            "sources": {"B": record.meta_b["sha256"], "S": record.meta_s["sha256"]},
            "box": list(pipeline.box),
            "images": [self.job.bits, self.job.format] if self.job.images else None,
            "mask": self.job.masks and record.kind == "action",
        }

    def _is_done(self, pipeline: ScenePipeline, record: PairRecord) -> bool:
        """Tell whether a pair's record covers what would be made now and its files are there, whole."""
        stored = read_json(self._path(record, "", ".json"))
        if stored is None or not isinstance(stored.get("files"), dict):
            return False
        wanted = self._expected(pipeline, record)
        if wanted["images"] is None:  # masks alone: images made earlier may stay as they are
            wanted["images"] = stored.get("images")
        wanted["mask"] = wanted["mask"] or bool(stored.get("mask"))
        if any(stored.get(key) != value for key, value in wanted.items()):
            return False
        folder = self.folder / record.kind
        return all(
            (folder / Path(name).name).is_file() and (folder / Path(name).name).stat().st_size == size
            for name, size in stored["files"].items()
        )

    def _literal_masks(self, pipeline: ScenePipeline) -> None:
        records = self.session.pairs(self.scene, "action")
        if (
            all(self._path(record, "mask", ".png").is_file() for record in records)
            and not self.report.developed
        ):
            return
        for record, mask in make_masks(pipeline, records):
            self._stop_if_asked()
            self._write(self._path(record, "mask", ".png"), mask)
            self.report.masks += 1
            self.steps.say(f"{record.id} masked")

    def _measure(self, pipeline: ScenePipeline) -> None:
        if not self.job.blur:
            return
        self.steps.say(f"{self.scene}: blur lengths")
        try:
            found: BlurMeasurement = measure_scene_blur(
                pipeline, self.session.pairs(self.scene, "action"), cancel=self.steps.cancel
            )
        except BlurNotMeasurable as error:
            self.report.blur_note = error.one_line()
            return
        self.report.blur_px = found.to_dict()

    def _write_summary(self, pipeline: ScenePipeline) -> None:
        metrics = {
            "scene": self.scene,
            "profile": self.job.profile,
            "calibration": pipeline.calibration.id,
            "static_pair": pipeline.static_metrics,
            "residual_px": self.report.residual_px,
            "blur": self.report.blur_px,
            "blur_note": self.report.blur_note,
        }
        write_json(self.folder / "metrics.json", metrics)
        calibration = pipeline.calibration
        write_json(
            self.folder / "pipeline.json",
            {"id": calibration.id, "created": calibration.created, **calibration.content()},
        )


def make_masks(
    pipeline: ScenePipeline, pairs: Sequence[PairRecord]
) -> Iterator[tuple[PairRecord, NDArray[np.uint8]]]:
    """Yield each pair with its local blur mask, uint8 0 or 255 on the developed grid (LBFMG).

    Args:
        pipeline: of the pairs' scene; its profile chooses Algorithm 1 as printed or the frozen model.
        pairs: action pairs.
    """

    def load(index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        raw = pairs[index].load()
        return pipeline.develop(raw.b, raw.s).as_8bit()

    if pipeline.calibration.profile == "paper":
        (static, *_) = pipeline.static_8bit()
        yield from zip(pairs, literal_masks(static, len(pairs), load), strict=True)
        return
    background = FrozenBackground(pipeline.static_8bit())
    for index, record in enumerate(pairs):
        yield record, background.mask(*load(index))

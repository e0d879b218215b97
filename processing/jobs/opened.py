"""What a worker keeps open between tasks: a few pipelines, and the backgrounds of their masks.

A process may serve several threads (a dask worker does): pipelines are shared, for they only read; background
models remember, so one thread at a time has them.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.calibration.source_files import load_checked
from processing.camera_background import CameraBackground
from processing.checks.static_reference import StaticReference
from processing.errors import ProcessingError
from processing.masks import FrozenBackground, Pair, expected_overlap
from processing.outputs import write_array
from processing.pipeline import ScenePipeline
from rig.records import PairRecord
from rig.session import Session

KEPT: Final = 2
"""Pipelines that stay open; one takes some 300 MB at full size."""

_lock = threading.Lock()
_open: OrderedDict[tuple[str, str], Opened] = OrderedDict()


class Opened:
    """A scene's pipeline with its background.

    Args:
        pipeline: of the scene.
    """

    def __init__(self, pipeline: ScenePipeline) -> None:
        self.pipeline = pipeline
        self._lock = threading.Lock()
        self._background: tuple[tuple[str, ...], FrozenBackground] | None = None
        self._reference: tuple[tuple[str, ...], StaticReference] | None = None

    def frozen_mask(
        self, pair: Pair, background: Sequence[PairRecord], frames: Path, *, threads: int = 2
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], float]:
        """Return the mask of a developed pair against the static pairs, its confidence, its expected overlap.

        Args:
            pair: (b, s) of (h, w, 3) uint8.
            background: static pairs.
            frames: folder with static pairs that were developed in this run; see `eight_bit`.
            threads: that may be used.
        """
        key = tuple(record.id for record in background)
        with self._lock:
            if self._background is None or self._background[0] != key:
                b, s = (self.camera_background(camera, background, frames) for camera in "BS")
                self._background = (key, FrozenBackground.of(b, s))
            mask, confidence = self._background[1].mask_and_confidence(*pair, threads=threads)
        return mask, confidence, round(expected_overlap(mask, confidence), 4)

    def camera_background(
        self, camera: str, records: Sequence[PairRecord], frames: Path, *, keep: bool = False
    ) -> CameraBackground:
        """Return what one camera's background is like: as a task of this run left it, or measured anew.

        Args:
            camera: "B" or "S".
            records: static pairs.
            frames: see `frozen_mask`; the model is read from there.
            keep: leave it there for all workers, who share its memory.
        """
        path = frames / f"background_{camera}_{_digest(records)}.npy"
        if path.is_file():
            return CameraBackground(np.load(path, mmap_mode="r"))
        b, s = zip(*(self.eight_bit(record, frames) for record in records), strict=True)
        model = CameraBackground.measure(*((b, s[0]) if camera == "B" else (s, b[0])))
        if keep:
            write_array(path, model.model)
        return model

    def reference(self, static: Sequence[PairRecord], frames: Path) -> StaticReference | None:
        """Return what verdicts compare with, or None without a sound static pair.

        Args:
            static: sound static pairs.
            frames: see `frozen_mask`.
        """
        if not static:
            return None
        key = tuple(record.id for record in static)
        with self._lock:
            if self._reference is None or self._reference[0] != key:
                developed = [self.eight_bit(record, frames) for record in static]
                self._reference = (key, StaticReference.of(load_checked(static[0]), developed))
            return self._reference[1]

    def eight_bit(self, record: PairRecord, frames: Path) -> Pair:
        """Return a developed pair as 8-bit (b, s): from where a task of this run left it, or anew."""
        path = frame_path(frames, record)
        if path.is_file():
            both = np.load(path, mmap_mode="r")
            return np.asarray(both[0]), np.asarray(both[1])
        raw = load_checked(record)
        return self.pipeline.develop(raw.b, raw.s).as_8bit()


def _digest(records: Sequence[PairRecord]) -> str:
    """Return what tells static pairs from others: their names and the hashes of their files."""
    lines = [f"{one.id} {one.meta_b['sha256']} {one.meta_s['sha256']}" for one in records]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def frame_path(frames: Path, record: PairRecord) -> Path:
    """Return where a developed pair waits for the masks of others, (2, h, w, 3) uint8."""
    return frames / f"{record.kind}_t{record.take:02d}_{record.index:04d}.npy"


def keep_frame(frames: Path, record: PairRecord, pair: Pair) -> None:
    """Leave a developed 8-bit pair for the masks of others."""
    write_array(frame_path(frames, record), np.stack(pair))


def open_pipeline(session: str, calibration: str) -> Opened:
    """Return the pipeline of a stored calibration; opened once a process.

    Args:
        session: folder of the session.
        calibration: path of the calibration's file; its name holds its id.

    Raises:
        CalibrationError: if the file is missing or damaged, or what it was made from is no longer there.
    """
    key = (session, calibration)
    with _lock:
        known = _open.get(key)
        if known is not None:
            _open.move_to_end(key)
            return known
        with Session.open(session) as opened:
            pipeline = ScenePipeline.from_calibration(opened, Path(calibration))
        while len(_open) >= KEPT:
            _open.popitem(last=False)
        _open[key] = Opened(pipeline)
        return _open[key]


def prepare(threads: int | None) -> None:
    """Set how many threads one task may use in this process; None leaves it as it is."""
    if threads is not None and cv2.getNumThreads() != threads:
        cv2.setNumThreads(threads)


def close_all() -> None:
    """Let go of all pipelines of this process."""
    with _lock:
        _open.clear()


def check_seen(session: str) -> None:
    """Make sure that this process sees a session.

    Raises:
        ProcessingError: if it does not.
    """
    if not Path(session, "session.yaml").is_file():
        raise ProcessingError(f"{session} is not there", hint="all workers must see it under the same path")

"""The recorder: RAW files are written while the burst runs, and get their names once their pairs are proven.

A frame's index is known only at the end of the burst, but the frames must leave the shared memory while it
runs. So each is written at once as a part file with the index it most likely has; a proven pair is then only
a rename, and a frame that turns out to be of another pulse (a trigger was ignored) is written anew.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from rig.camera.inbox import FrameRecord
from rig.camera.types import FrameMeta
from rig.capture.arming import TakeCamera
from rig.dng import RawImage, WrittenFile, part_path, read_dng, stage_dng
from rig.errors import BeamrigError, RawFileError
from rig.profiles import CameraProfile
from rig.session import Session

_LOG = logging.getLogger(__name__)

WRITERS: Final = 2


@dataclasses.dataclass(frozen=True)
class Place:
    """Where the take's files go: the session, and the take within it."""

    session: Session
    scene: str
    kind: str
    take: int

    def path(self, index: int, camera: str) -> Path:
        """Return the file of a frame."""
        return self.session.shot_path(self.scene, self.kind, self.take, index, camera)


class Recorder:
    """Writes the frames of one take; close it when the take is over, it then removes what was not proven.

    Args:
        place: Where the files go.
        cameras: The cameras, to read pixels from and release memory to.
        profiles: Their profiles: Bayer pattern and saturation code.

    Attributes:
        failed: Set when a frame could not be written; the take should end then.
    """

    def __init__(
        self, place: Place, cameras: Mapping[str, TakeCamera], profiles: Mapping[str, CameraProfile]
    ) -> None:
        self.place = place
        self._cameras = cameras
        self._profiles = profiles
        self._pool = ThreadPoolExecutor(WRITERS, "record")
        self._staged: dict[tuple[str, int], tuple[int, Future[WrittenFile]]] = {}
        self.failed = threading.Event()

    def deliver(self, camera: str, first_id: int) -> Callable[[int, FrameRecord], None]:
        """Return what takes the frames of a camera that numbers its first exposure ``first_id``."""

        def take(position: int, record: FrameRecord) -> None:
            guess = record.meta.frame_id - first_id
            path = self.place.path(guess, camera)
            staged = path.with_name(f"t{self.place.take:02d}_f{position:04d}_{camera}.dng")
            self._staged[camera, position] = (
                guess,
                self._pool.submit(self._write, camera, guess, staged, record),
            )

        return take

    def keep(self, camera: str, position: int, index: int) -> WrittenFile:
        """Make sure that a frame's part file has its proven index and name; it can be published then.

        Raises:
            RawFileError: The frame could not be written.
        """
        guess, job = self._staged[camera, position]
        written = job.result()
        path = self.place.path(index, camera)
        if guess == index:
            try:
                part_path(written.path).rename(part_path(path))
            except OSError as error:
                raise RawFileError(
                    f"{part_path(written.path)} cannot be renamed: {error.strerror}", hint="look at the disk"
                ) from error
            return dataclasses.replace(written, path=path)
        image = read_dng(part_path(written.path))
        return stage_dng(path, dataclasses.replace(image, trigger_index=index, extra=self._extra(index)))

    def close(self, *, keep: bool = False) -> None:
        """Wait for the writers and remove the parts of frames that belong to no pair, unless told to keep."""
        self._pool.shutdown(wait=True)
        for _, job in self._staged.values():
            if keep or job.exception() is not None:
                continue
            try:
                part_path(job.result().path).unlink(missing_ok=True)
            except OSError as error:  # `Session.problems` will name it
                _LOG.warning("%s stays behind: %s", part_path(job.result().path), error.strerror)

    def _write(self, camera: str, index: int, path: Path, record: FrameRecord) -> WrittenFile:
        source = self._cameras[camera]
        try:
            return stage_dng(path, self._image(camera, index, record.meta, source.pixels(record)))
        except BeamrigError:
            self.failed.set()
            raise
        except Exception as error:
            self.failed.set()
            raise RawFileError(
                f"frame {record.meta.frame_id} of camera {camera} cannot be written:"
                f" {type(error).__name__}: {error}"
            ) from error
        finally:
            source.release(record)

    def _image(self, camera: str, index: int, meta: FrameMeta, pixels: np.ndarray[Any, Any]) -> RawImage:
        pixel_format = self._profiles[camera].pixel_format
        info = self._cameras[camera].info
        if meta.significant_bits != pixel_format.significant_bits:
            raise RawFileError(
                f"camera {camera} delivers {meta.significant_bits} bits, its profile says"
                f" {pixel_format.significant_bits}",
                hint="correct pixel_format in the camera's profile",
            )
        read_back = np.isfinite(meta.black_level_dn)
        return RawImage(
            pixels=pixels.astype(np.uint16, copy=False),
            cfa=pixel_format.cfa,
            black_level=float(meta.black_level_dn if read_back else pixel_format.black_level_dn),
            white_level=float(pixel_format.white_level_dn),
            significant_bits=meta.significant_bits,
            exposure_us=meta.exposure_us,
            gain_db=meta.gain_db if np.isfinite(meta.gain_db) else 0.0,
            serial_number=info.serial_number,
            camera=camera,
            trigger_index=index,
            frame_id=meta.frame_id,
            timestamp_ns=meta.timestamp_ns,
            model=f"{info.vendor} {info.model}".strip(),
            captured_at=_wall_time(meta.host_monotonic_ns).isoformat(),
            extra=self._extra(index),
        )

    def _extra(self, index: int) -> dict[str, Any]:
        place = self.place
        return {
            "session": place.session.id,
            "scene": place.scene,
            "kind": place.kind,
            "take": place.take,
            "pair": f"{place.scene}/{place.kind}/t{place.take:02d}_{index:04d}",
        }


def file_facts(meta: FrameMeta, serial_number: str, written: WrittenFile) -> dict[str, Any]:
    """Return what the journal keeps of one frame and its file."""
    return {
        "serial_number": serial_number,
        "exposure_us": meta.exposure_us,
        "gain_db": _finite(meta.gain_db),
        "black_level_dn": _finite(meta.black_level_dn),
        "frame_id": meta.frame_id,
        "timestamp_ns": meta.timestamp_ns,
        "sources": meta.sources,
        "file": written.path.name,
        "bytes": written.bytes,
        "sha256": written.sha256,
    }


def _wall_time(monotonic_ns: int) -> datetime:
    """When the computer took a frame; a frame may wait for the disk for a while."""
    return datetime.now(UTC) - timedelta(microseconds=(time.monotonic_ns() - monotonic_ns) / 1e3)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None

"""The recorder: frames become part files while the burst runs, and get their names with their proof.

Which pulse made a frame is proven a little later, but the frame must leave the shared memory at once. So each
is staged under its count within the take, with the trigger index that its number suggests in its header; a
proven pair is then only flushed and renamed, and a frame that turns out to be of another pulse (a trigger was
ignored) is written anew.

Before the button of a pre-roll is pressed frames are held in memory instead, the newest ones only.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from rig.camera.inbox import FrameRecord
from rig.camera.types import FrameMeta
from rig.capture.arming import TakeCamera
from rig.dng import RawImage, read_dng
from rig.errors import BeamrigError, CaptureError, RawFileError
from rig.profiles import CameraProfile
from rig.raw_store import RawStore, Staged
from rig.session import Session

_LOG = logging.getLogger(__name__)

WRITERS = 3
"""A frame's writer also waits for its hash and does the header: with three, two are at the disk."""

LONGEST_WRITE_S: Final = 60.0
"""A frame that is not written by then never will be: the disk hangs."""


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


@dataclasses.dataclass(frozen=True)
class _Frame:
    """A frame on its way: the index by its number, the one that it most likely has, and the job."""

    guess: int
    index: int
    job: Future[Staged | RawImage]


class Recorder:
    """Stages the frames of one take; close it when the take is over, it then removes what was not proven.

    Frames are named by camera and number: their count within the take, from 0.

    Args:
        place: Where the files go.
        cameras: The cameras, to read pixels from and release memory to.
        profiles: Their profiles: Bayer pattern and saturation code.
        store: The store of RAW files.
        hold: How many frames of each camera to hold in memory instead of staging them, until :meth:`keep`.

    Attributes:
        failed: Set when a frame could not be staged; the take should end then.
    """

    def __init__(
        self,
        place: Place,
        cameras: Mapping[str, TakeCamera],
        profiles: Mapping[str, CameraProfile],
        store: RawStore,
        hold: int = 0,
    ) -> None:
        self.place = place
        self.store = store
        self._cameras = cameras
        self._profiles = profiles
        self._pool = ThreadPoolExecutor(WRITERS, "record")
        self._mutex = threading.Lock()
        self._frames: dict[tuple[str, int], _Frame] = {}
        self._held: dict[str, deque[int]] = {name: deque() for name in cameras}
        self._hold = hold
        self._shift = dict.fromkeys(cameras, 0)
        self._in_ring = dict.fromkeys(cameras, 0)
        self._slots = dict.fromkeys(cameras, 1)
        self.failed = threading.Event()
        self._hung = False

    def deliver(self, camera: str, number: int, guess: int, record: FrameRecord) -> None:
        """Take a frame that most likely is of pulse ``guess`` of the take, and release its memory soon."""
        with self._mutex:
            self._in_ring[camera] += 1
            self._slots[camera] = record.ring.slots
            index = max(guess + self._shift[camera], 0)
            work = self._keep_in_memory if self._hold else self._stage
            job: Future[Staged | RawImage] = self._pool.submit(work, camera, number, index, record)
            self._frames[camera, number] = _Frame(guess, index, job)
            if self._hold:
                self._held[camera].append(number)
                while len(self._held[camera]) > self._hold:
                    self._frames.pop((camera, self._held[camera].popleft()), None)

    def keep(self) -> None:
        """Stage frames from now on; those held are staged when they are asked for."""
        with self._mutex:
            self._hold = 0

    def has(self, camera: str, number: int) -> bool:
        """Whether a frame is still here: of a pre-roll the older ones are not."""
        return (camera, number) in self._frames

    def staged(self, camera: str, number: int, index: int) -> Staged:
        """Return a frame's part file, with its proven index and the name that it is to get.

        Raises:
            RawFileError: The frame could not be written, or is not here any more.
        """
        frame = self._frames.get((camera, number))
        if frame is None:
            raise RawFileError(f"frame {number} of camera {camera} is not here any more")
        path = self.place.path(index, camera)
        here = self._written(frame)
        if isinstance(here, Staged) and frame.index == index:
            return here.named(path)
        self._shift[camera] = index - frame.guess  # the camera ignored triggers: so it will go on
        image = here if isinstance(here, RawImage) else read_dng(here.part)
        image = dataclasses.replace(image, trigger_index=index, extra=self._extra(index))
        again = self.store.stage(self._part_name(camera, number, "g"), image)
        if isinstance(here, Staged):
            self.store.discard(here)
        return again.named(path)

    def guess_anew(self) -> None:
        """Take the cameras' numbers at their word again: they were started anew."""
        self._shift = dict.fromkeys(self._shift, 0)

    def done(self, camera: str, number: int) -> None:
        """Forget a frame whose file has its name now."""
        with self._mutex:
            self._frames.pop((camera, number), None)

    def drop(self, camera: str, number: int) -> None:
        """Remove a frame that belongs to no pair."""
        with self._mutex:
            frame = self._frames.pop((camera, number), None)
        if frame is None:
            return
        try:
            here = self._written(frame)
            if isinstance(here, Staged):
                self.store.discard(here)
        except BeamrigError as error:  # it was never written, or `Session.problems` will name it
            _LOG.warning("a frame that is in no pair stays behind: %s", error.one_line())

    def fill(self) -> float:
        """Return how full the shared memory is, from 0 to 1: the fuller one of both cameras."""
        return max(self._in_ring[name] / self._slots[name] for name in self._in_ring)

    def waiting(self) -> int:
        """Return how many frames are here: waiting to be written, or written and not yet in a pair."""
        return len(self._frames)

    def close(self, *, keep: bool = False) -> None:
        """Wait for the writers and remove the parts of frames that belong to no pair, unless told to keep."""
        jobs = [frame.job for frame in tuple(self._frames.values())]
        wait(jobs, 0.0 if self._hung else LONGEST_WRITE_S)
        self._hung = self._hung or not all(job.done() for job in jobs)
        self._pool.shutdown(wait=not self._hung, cancel_futures=self._hung)
        for camera, number in () if keep else tuple(self._frames):
            self.drop(camera, number)

    def _written(self, frame: _Frame) -> Staged | RawImage:
        """Wait until a frame is written, for as long as a disk may take.

        Raises:
            RawFileError: It could not be written, or the disk does not answer.
        """
        wait([frame.job], 0.0 if self._hung else LONGEST_WRITE_S)
        if not frame.job.done():
            self._hung = True  # nor will the others be written; one patience is enough
            self.failed.set()
            raise RawFileError(
                f"a frame was not written within {LONGEST_WRITE_S:.0f} s",
                hint="the disk does not answer: look at its cable or its network; restart beamrig after that",
            )
        if frame.job.cancelled():
            raise RawFileError("a frame was not written", hint="the disk did not answer")
        return frame.job.result()

    def _part_name(self, camera: str, number: int, mark: str = "f") -> Path:
        """Return a name of its own: what is not proven must not stand in the way of what is."""
        name = f"t{self.place.take:02d}_{mark}{number:04d}_{camera}.dng"
        return self.place.path(0, camera).with_name(name)

    def _keep_in_memory(self, camera: str, number: int, index: int, record: FrameRecord) -> RawImage:
        source = self._cameras[camera]
        try:
            return self._image(camera, index, record.meta, source.pixels(record).copy())
        except BeamrigError:
            self.failed.set()
            raise
        except MemoryError as error:
            self.failed.set()
            raise CaptureError("the memory is full", hint="hold fewer seconds before the button") from error
        finally:
            self._release(camera, record)

    def _stage(self, camera: str, number: int, index: int, record: FrameRecord) -> Staged:
        source = self._cameras[camera]
        try:
            image = self._image(camera, index, record.meta, source.pixels(record))
            return self.store.stage(self._part_name(camera, number), image)
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
            self._release(camera, record)

    def _release(self, camera: str, record: FrameRecord) -> None:
        self._cameras[camera].release(record)
        with self._mutex:
            self._in_ring[camera] -= 1

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


def _wall_time(monotonic_ns: int) -> datetime:
    """When the computer took a frame; a frame may wait for the disk for a while."""
    return datetime.now(UTC) - timedelta(microseconds=(time.monotonic_ns() - monotonic_ns) / 1e3)

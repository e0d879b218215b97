"""Collecting: a thread for each camera takes the frames as they come and notes what the camera says."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from rig.camera.inbox import FrameRecord
from rig.camera.types import FrameMeta
from rig.capture.arming import TakeCamera
from rig.capture.indexing import FrameStamp, Trace
from rig.capture.sight import Sight
from rig.errors import BeamrigError, CameraTimeout, CaptureError

_LOG = logging.getLogger(__name__)

_POLL_S: Final = 0.1
_BATCH: Final = 8
_FIRST_ID: Final = {"GEV": 1}
"""GigE Vision numbers its blocks from 1, everything else from 0."""

ID_ROOM: Final = {"GEV": 65_000}
"""Exposures after which a camera's numbers start anew by themselves: GigE Vision's have 16 bits."""

Deliver = Callable[[int, FrameRecord], None]
"""Takes a frame's position in the volley and the frame, and releases its memory."""


def first_id_of(camera: TakeCamera) -> int:
    """Return the number that a camera gives to its first exposure after it was started."""
    return _FIRST_ID.get(camera.info.tl_type, 0)


class Collector(threading.Thread):
    """Takes the frames of one camera until it has one for each pulse, is told to stop, or an error ends it.

    Args:
        name: "B" or "S".
        camera: The camera, started.
        expected: Number of frames that end the collection.
        first_id: Number that the camera gives to its next exposure.
        deliver: Takes each frame.
        made_us: Exposure made by the width of the box's pulse, in µs; None where the camera times it.

    Attributes:
        stamps: What came, in order.
        metas: All but the pixels, by position; taken out by whoever has done with a frame.
        error: What ended the collection; None when nothing did.
        last_frame_at: When the newest frame came (``time.monotonic``).
    """

    def __init__(
        self,
        name: str,
        camera: TakeCamera,
        expected: int,
        first_id: int,
        deliver: Deliver,
        made_us: float | None = None,
    ) -> None:
        super().__init__(name=f"collect-{name}", daemon=True)
        self._camera = camera
        self._expected = expected
        self._made_us = made_us
        self._first_id = first_id
        self._deliver = deliver
        self._deadline = float("inf")
        self._before = self._after = camera.counters(fresh=True)
        self._ignored: int | None = None
        self._vouched: dict[int, int] = {}
        self._clocked = self._numbered = True
        self.stamps: list[FrameStamp] = []
        self.metas: dict[int, FrameMeta] = {}
        self.error: BeamrigError | None = None
        self.last_frame_at = float("-inf")

    @property
    def first_id(self) -> int | None:
        """Number of the camera's next exposure before the volley; None where the computer numbers them."""
        return self._first_id if self._numbered else None

    @property
    def counts_ignored(self) -> bool:
        """Whether the camera counts the triggers that it ignores."""
        return self._before.ignored_triggers is not None

    def give_up_at(self, deadline: float) -> None:
        """Set the time (of ``time.monotonic``) after which no frame is waited for any more."""
        self._deadline = deadline

    def run(self) -> None:
        """Collect; errors end up in :attr:`error`, not in the void."""
        try:
            self._collect()
            # Triggers that were ignored after the last frame count too.
            self._note_ignored()
        except BeamrigError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - it must not end in silence
            self.error = self._broken(error)

    def _broken(self, error: Exception) -> BeamrigError:
        _LOG.error("%s ended", self.name, exc_info=error)
        return CaptureError(f"collecting frames failed: {type(error).__name__}: {error}")

    def drain(self) -> None:
        """Take what came after the collection had ended (an extra frame, a late one): it is evidence, too."""
        while True:
            try:
                self._take(0.0)
            except CameraTimeout:
                return
            except BeamrigError as error:
                self.error = self.error or error
                return
            except Exception as error:  # noqa: BLE001 - as above
                self.error = self.error or self._broken(error)
                return

    def _collect(self) -> None:
        while not self.full and time.monotonic() < self._deadline:
            # The counter is read after the frames that are here: then it vouches for them and those before,
            # also when the camera is lost later. Once for all of them, or a slow answer would set the rate.
            with contextlib.suppress(CameraTimeout):
                self._take(_POLL_S)
                for _ in range(min(_BATCH, self._expected - len(self.stamps))):
                    self._take(0.0)
            self._note_ignored()

    @property
    def full(self) -> bool:
        """Whether there is a frame for each pulse."""
        return len(self.stamps) >= self._expected

    @property
    def open_pulses(self) -> int:
        """How many pulses neither gave a frame yet nor were, as it seems, ignored."""
        return 0 if not self.is_alive() else self._expected - len(self.stamps) - (self.ignored or 0)

    def _take(self, timeout_s: float) -> None:
        record = self._exposed_by_box(self._camera.next_record(timeout_s))
        self.last_frame_at = time.monotonic()
        meta = record.meta
        self._clocked = self._clocked and meta.sources.get("timestamp_ns") != "host"
        self._numbered = self._numbered and meta.sources.get("frame_id") != "host"
        position = len(self.stamps)
        self.metas[position] = meta
        self._deliver(position, record)
        self.stamps.append(FrameStamp.of(meta))

    def _exposed_by_box(self, record: FrameRecord) -> FrameRecord:
        """Where pulses make the exposure, the camera's setting says nothing; only a frame's chunk does."""
        meta = record.meta
        if self._made_us is None or meta.sources.get("exposure_us") == "chunk":
            return record
        sources = {**meta.sources, "exposure_us": "box"}
        meta = dataclasses.replace(meta, exposure_us=self._made_us, sources=sources)
        return dataclasses.replace(record, meta=meta)

    def _note_ignored(self) -> None:
        self._after = self._camera.counters(fresh=True)
        counted = self._after.ignored_triggers
        if counted is None:
            return  # a camera that is just being lost cannot say any more; what it said before still holds
        self._ignored = counted
        if self.ignored is not None:
            self._vouched[self.ignored] = len(self.stamps)

    @property
    def ignored(self) -> int | None:
        """By how much the camera's counter of ignored triggers rose; None when it has none."""
        if self._ignored is None or self._before.ignored_triggers is None:
            return None
        return self._ignored - self._before.ignored_triggers

    def losses(self) -> dict[str, int | None]:
        """Return by how much the counters of lost, damaged and ignored frames rose."""
        return {
            "underruns": self._after.underruns - self._before.underruns,
            "incomplete": self._after.incomplete - self._before.incomplete,
            "ignored_triggers": self.ignored,
        }

    def sight(self) -> Sight:
        """Return what the camera has said so far, for the proof while the burst runs."""
        proving = self._clocked and self._numbered
        return Sight(self.stamps, dict(self._vouched), self.ignored if proving else None)

    def trace(self) -> Trace:
        """Return what the camera said, for pairing; a camera without times of its own proves nothing."""
        ended = self.error.message if self.error else ""
        # Only a count that was read after the first frame holds all triggers that were ignored before it.
        vouched = any(frames > 0 for frames in self._vouched.values())
        ignored = self.ignored if vouched or not self.stamps else None
        return Trace(tuple(self.stamps), ignored, self.first_id, clocked=self._clocked, ended=ended)

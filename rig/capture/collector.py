"""Collecting: a thread for each camera takes the frames as they come and notes what the camera says."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from typing import Final

from rig.camera.inbox import FrameRecord
from rig.camera.types import FrameMeta
from rig.capture.arming import TakeCamera
from rig.capture.indexing import FrameStamp, Trace
from rig.capture.recorder import Recorder
from rig.errors import BeamrigError, CameraTimeout

_POLL_S: Final = 0.1
_FIRST_ID: Final = {"GEV": 1}
"""GigE Vision numbers its blocks from 1, everything else from 0."""


class Collector(threading.Thread):
    """Takes the frames of one camera until it has one for each pulse, is told to stop, or an error ends it.

    Args:
        camera: The camera, started.
        expected: Number of frames that end the collection.
        recorder: Takes the frames and releases their memory.
        made_us: Exposure made by the width of the box's pulse, in µs; None where the camera times it.

    Attributes:
        metas: What came, in order.
        error: What ended the collection; None when nothing did.
        last_frame_at: When the newest frame came (``time.monotonic``).
    """

    def __init__(
        self, name: str, camera: TakeCamera, expected: int, recorder: Recorder, made_us: float | None = None
    ) -> None:
        super().__init__(name=f"collect-{name}", daemon=True)
        self._camera = camera
        self._expected = expected
        self._made_us = made_us
        self._first_id = _FIRST_ID.get(camera.info.tl_type, 0)
        self._deliver = recorder.deliver(name, self._first_id)
        self._deadline = float("inf")
        self._before = self._after = camera.counters(fresh=True)
        self._ignored: int | None = None
        self._vouched = False
        self.metas: list[FrameMeta] = []
        self.error: BeamrigError | None = None
        self.last_frame_at = float("-inf")

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

    def _collect(self) -> None:
        while not self.full and time.monotonic() < self._deadline:
            # The counter is read after each frame: when the camera is lost later, it still vouches for those
            # that came before.
            with contextlib.suppress(CameraTimeout):
                self._take(_POLL_S)
            self._note_ignored()

    @property
    def full(self) -> bool:
        """Whether there is a frame for each pulse."""
        return len(self.metas) >= self._expected

    @property
    def open_pulses(self) -> int:
        """How many pulses neither gave a frame yet nor were, as it seems, ignored."""
        return 0 if not self.is_alive() else self._expected - len(self.metas) - (self.ignored or 0)

    def _take(self, timeout_s: float) -> None:
        record = self._exposed_by_box(self._camera.next_record(timeout_s))
        self.last_frame_at = time.monotonic()
        self.metas.append(record.meta)
        self._deliver(len(self.metas) - 1, record)

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
        self._vouched = self._vouched or bool(self.metas)

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

    def trace(self) -> Trace:
        """Return what the camera said, for pairing; a camera without times of its own proves nothing."""
        metas = self.metas
        stamps = tuple(FrameStamp(meta.frame_id, meta.timestamp_ns, meta.host_monotonic_ns) for meta in metas)
        clocked = all(meta.sources.get("timestamp_ns") != "host" for meta in metas)
        numbered = all(meta.sources.get("frame_id") != "host" for meta in metas)
        first_id = self._first_id if numbered else None
        ended = self.error.message if self.error else ""
        # Only a count that was read after the first frame holds all triggers that were ignored before it.
        ignored = self.ignored if self._vouched or not metas else None
        return Trace(stamps, ignored, first_id, clocked=clocked, ended=ended)

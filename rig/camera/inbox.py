"""What arrives from a camera's host process: the ring, records of science frames, counters, errors."""

from __future__ import annotations

import collections
import dataclasses
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rig.camera.ring import FrameRing
from rig.camera.types import CameraCounters, Frame, FrameMeta
from rig.errors import CameraTimeout, DeviceLost, FrameOverflow


@dataclass(frozen=True)
class FrameRecord:
    """A science frame that waits in shared memory until it is released.

    Attributes:
        sequence: Counts frames of this camera, also over restarts.
        meta: Everything but the pixels.
    """

    sequence: int
    meta: FrameMeta
    slot: int
    ring: FrameRing = dataclasses.field(repr=False, compare=False)


class Inbox:
    """Holds what a camera's own thread brings in until some other thread asks for it.

    Args:
        label: What to call the camera in messages.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._news = threading.Condition()
        self._ring: FrameRing | None = None
        self._records: collections.deque[FrameRecord] = collections.deque()
        self._counters = self._earlier = CameraCounters()
        self._looked = self._dropped = 0
        self.last_sequence = 0
        self.error: DeviceLost | FrameOverflow | None = None

    def begin(self) -> None:
        """Forget errors of an earlier run, and its records that nobody asked for."""
        with self._news:
            self.error = None
            while self._records:
                record = self._records.popleft()
                record.ring.release(record.slot, record.sequence)
            self._looked = self.last_sequence

    def fail(self, error: DeviceLost | FrameOverflow) -> None:
        """Wake everybody who waits for a record, with an error."""
        with self._news:
            self.error = error
            self._news.notify_all()

    def keep_totals(self) -> None:
        """Add the counters of a host process that ended to those of its successor."""
        with self._news:
            self._earlier, self._counters = (
                dataclasses.replace(self._total(), live_dropped=0),
                CameraCounters(),
            )

    def map_ring(self, fd: int) -> None:
        """Map new shared memory; the old one lives as long as records in it."""
        self._ring = FrameRing.attach(fd)

    def take_counters(self, values: Mapping[str, Any]) -> None:
        """Note a host's counters."""
        with self._news:
            self._counters = CameraCounters(**values)

    def take(self, message: Mapping[str, Any]) -> None:
        """Take a heartbeat or a science frame as the host sends it."""
        if message.get("t") == "beat" and message.get("counters"):
            self.take_counters(message["counters"])
        elif message.get("t") == "frame":
            self._take_record(int(message["slot"]), int(message["sequence"]))

    def overflow(self, reason: str) -> str:
        """Note that the host stopped the camera because nobody took its frames; returns the message."""
        error = FrameOverflow(
            f"camera {self._label} was stopped: {reason}",
            hint="record to a faster disk, or trigger more slowly",
        )
        self.fail(error)
        return error.message

    def _take_record(self, slot: int, sequence: int) -> None:
        ring = self._ring
        if ring is None:
            return
        record = FrameRecord(sequence, ring.meta(slot, sequence), slot, ring)
        with self._news:
            self._records.append(record)
            self.last_sequence = max(self.last_sequence, sequence)
            self._news.notify_all()

    def latest(self, after: int, *, live: bool) -> tuple[int, Frame] | None:
        """Return a copy of the newest frame; in live mode count those that nobody looked at."""
        ring = self._ring
        found = ring.latest(after) if ring is not None else None
        if found is not None:
            with self._news:
                if live:
                    self._dropped += max(found[0] - self._looked - 1, 0)
                self._looked = max(self._looked, found[0])
                self.last_sequence = max(self.last_sequence, found[0])
        return found

    def newest(self) -> int:
        """Return the highest sequence number there ever was."""
        ring = self._ring
        with self._news:
            self.last_sequence = max(self.last_sequence, ring.newest() if ring is not None else 0)
            return self.last_sequence

    def next_record(self, timeout_s: float) -> FrameRecord:
        """Return the next record; errors as in `CameraProcess.next_record`."""
        deadline = time.monotonic() + timeout_s
        with self._news:
            while not self._records:
                if self.error is not None:
                    raise type(self.error)(self.error.message, hint=self.error.hint)
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise CameraTimeout(
                        f"no frame from camera {self._label} within {timeout_s:g} s",
                        hint="is it triggered, and its trigger wired?",
                    )
                self._news.wait(remaining)
            return self._records.popleft()

    def totals(self) -> CameraCounters:
        """Return the counters, summed over all host processes."""
        with self._news:
            return self._total()

    def _total(self) -> CameraCounters:
        now, before = self._counters, self._earlier
        return CameraCounters(
            delivered=before.delivered + now.delivered,
            live_dropped=self._dropped + now.live_dropped,
            incomplete=before.incomplete + now.incomplete,
            underruns=before.underruns + now.underruns,
            ignored_triggers=now.ignored_triggers,
        )

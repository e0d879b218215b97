"""Frames and counters of a camera in another process, as its users take them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from rig.camera.inbox import FrameRecord, Inbox
from rig.camera.types import CameraCounters, Frame, Pixels

_COUNTERS_S = 10.0  # a camera that is slow to answer on a busy computer must not be killed for it


class RemoteFrames(ABC):
    """The frames of a camera in another process; `rig.camera.process.CameraProcess` adds the process.

    Args:
        label: What to call the camera in messages.
    """

    def __init__(self, label: str) -> None:
        self.label = label
        self._inbox = Inbox(label)

    @abstractmethod
    def _call(self, op: str, deadline_s: float, **args: Any) -> Any:
        """Ask the process that has the camera, and return its answer."""

    @abstractmethod
    def _live(self) -> bool:
        """Tell whether the camera is in live view."""

    def latest(self, after_seq: int = 0) -> tuple[int, Frame] | None:
        """Return the newest frame and its sequence number; never waits, also works while recording.

        Args:
            after_seq: Sequence number of the frame that the caller has already.

        Returns:
            A copy; None when there is none newer, as of a lost camera (see `state`).
        """
        return self._inbox.latest(after_seq, live=self._live())

    def next_record(self, timeout_s: float) -> FrameRecord:
        """Return the next science frame; release it when its pixels are no longer needed.

        Raises:
            CameraTimeout: none came within `timeout_s`.
            FrameOverflow: all slots were waiting to be released, so the camera was stopped.
            DeviceLost: the camera is gone (records that came before are handed out first).
        """
        return self._inbox.next_record(timeout_s)

    def pixels(self, record: FrameRecord) -> Pixels:
        """Return a record's pixels where they lie in shared memory: read-only, valid until it is released.

        Raises:
            DeviceError: it has been released.
        """
        return record.ring.view(record.slot, record.sequence)

    def release(self, record: FrameRecord) -> None:
        """Give a record's memory back to the camera; releasing twice is fine."""
        record.ring.release(record.slot, record.sequence)

    def counters(self, *, fresh: bool = False) -> CameraCounters:
        """Return totals since this object was made.

        Args:
            fresh: Ask the host, which may wait for a call under way; else the last heartbeat's (4 Hz).

        Raises:
            DeviceLost: `fresh` was asked of a camera that is gone.
        """
        if fresh:
            self._inbox.take_counters(self._call("counters", _COUNTERS_S))
        return self._inbox.totals()

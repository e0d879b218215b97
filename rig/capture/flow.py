"""The way of a settled pulse: held by a pre-roll, or on to the committer; and what is told of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from rig.capture.committer import Committer, Job
from rig.capture.disk import DiskGuard, DiskState
from rig.capture.recorder import Recorder
from rig.errors import BeamrigError, CaptureError
from rig.profiles import CAMERAS

BACKLOG = 256
"""When so many settled pulses wait to be recorded, recording is too slow and the take stops."""

RING_FULL = 0.75
"""When so much of a camera's shared memory waits to be written, the take stops; the rest of it takes the
frames that are under way."""


@dataclass(frozen=True)
class TakeCounters:
    """A take under way, at a glance.

    Attributes:
        scene: Name of the scene.
        kind: Kind of the take.
        take: Its number.
        asked: Pairs asked for; 0 when that is open.
        phase: "warm-up", "waiting" (for a press or the time), "pre-roll" (held, not written) or "shooting".
        fired: Pulses known to have been fired.
        paired: Pairs on the disk.
        rejected: Rejected shots.
        waiting: Frames written or held that are in no recorded pair yet.
        ring_fill: How full the fuller camera's shared memory is, 0 to 1.
        pairs_left: How many pairs the disk has room for.
        disk_level: "ok", "soft" or "hard".
    """

    scene: str
    kind: str
    take: int
    asked: int
    phase: str
    fired: int
    paired: int
    rejected: int
    waiting: int
    ring_fill: float
    pairs_left: int
    disk_level: str


class Flow:
    """Passes settled pulses on, and says when the take has to stop.

    Args:
        recorder: Has the frames.
        committer: Brings pairs to the disk.
        guard: Watches the disk.
        hold: How many pulses a pre-roll holds; 0 without one.

    Attributes:
        fired: Pulses of the take known to have been fired.
        discarded: Shots that a pre-roll let go.
        warnings: What the operator should know of the take as a whole.
        disk: The disk when it was last looked at.
        holding: Whether shots are held and not written.
    """

    def __init__(self, recorder: Recorder, committer: Committer, guard: DiskGuard, hold: int = 0) -> None:
        self.recorder = recorder
        self.committer = committer
        self.fired = self.discarded = 0
        self.warnings: list[str] = []
        self.holding = hold > 0
        self._hold = hold
        self._held: deque[Job] = deque()
        self._guard = guard
        self.disk: DiskState = guard.left()

    def give(self, job: Job) -> None:
        """Take a settled pulse."""
        self.fired = max(self.fired, job.one.index + 1)
        if not self.holding:
            self.committer.give(job)
            return
        self._held.append(job)
        while len(self._held) > self._hold:
            self._discard(self._held.popleft())

    def keep(self) -> None:
        """Write what is held, and everything from now on."""
        self.holding = False
        self.recorder.keep()
        while self._held:
            job = self._held.popleft()
            here = all(
                number is None or self.recorder.has(name, number) for name, number in job.numbers.items()
            )
            if here:
                self.committer.give(job)
            else:
                self._discard(job)

    def end(self) -> None:
        """Let go of what is held and was not asked for."""
        while self._held:
            self._discard(self._held.popleft())

    def look(self) -> str:
        """Look at the disk; returns why no further shot must be fired, empty when all is well.

        Raises:
            SessionError: The disk cannot be asked.
        """
        before, self.disk = self.disk.level, self._guard.left()
        if self.disk.level == "hard" and not self.holding:
            return self._guard.refusal(self.disk).one_line()
        if self.disk.level == "soft" and before == "ok":
            self.warnings.append(self._guard.warning(self.disk))
        return ""

    def too_slow(self) -> str:
        """Return why recording does not keep up with shooting, empty when it does.

        One burst of the box cannot be slowed down, so the take stops between two shots, before a camera would
        have to stop because its memory is full.
        """
        if self.recorder.fill() > RING_FULL or self.committer.backlog > BACKLOG:
            error = CaptureError(
                "recording is slower than shooting",
                hint="record to a faster disk, or lengthen the period; all shots until now are safe",
            )
            return error.one_line()
        return ""

    def failure(self) -> BeamrigError | None:
        """Return what went wrong with recording, if anything did."""
        if self.committer.error is not None:
            return self.committer.error
        if self.recorder.failed.is_set():
            return CaptureError("a frame could not be written", hint="look at the disk")
        return None

    def _discard(self, job: Job) -> None:
        self.discarded += 1
        for name in CAMERAS:
            number = job.numbers[name]
            if number is not None:
                self.recorder.drop(name, number)

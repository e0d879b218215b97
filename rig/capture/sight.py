"""What a camera has said in a burst that still runs, and the part of it that a proof looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rig.capture.indexing import FrameStamp


@dataclass(frozen=True)
class Sight:
    """What one camera has said so far; it may go on saying things meanwhile.

    Attributes:
        frames: Stamps in order of arrival, only ever added to.
        vouched: Count of ignored triggers -> how many frames had come when it last read that.
        ignored: The newest count; None when it could not be read.
    """

    frames: Sequence[FrameStamp]
    vouched: Mapping[int, int]
    ignored: int | None


@dataclass
class Window:
    """The frames of one camera that a proof looks at.

    Attributes:
        start: Position of the first one, of the pulse that the proof begins with.
        first_id: Its number.
        ignored: Triggers ignored before it.
        clean: How many frames from ``start`` on are spotless.
        spare: Of the triggers ignored before it, how many were none of the box's pulses, as far as known.
    """

    start: int
    first_id: int
    ignored: int = 0
    clean: int = 0
    spare: int = 0

    def look(self, sight: Sight) -> bool:
        """Look at what is new; returns whether all of it is spotless."""
        here = min(sight.vouched.get(self.ignored, 0), len(sight.frames))
        while self.start + self.clean < here:
            if sight.frames[self.start + self.clean].frame_id != self.first_id + self.clean:
                return False
            self.clean += 1
        return sight.ignored == self.ignored or not sight.vouched  # nothing was read yet

    def places(
        self, frames: Sequence[FrameStamp], upto: int, *, anchored: bool
    ) -> tuple[list[int], list[int]]:
        """Return the positions of the window's frames, and of those from before its (proven) first one."""
        good: list[int] = []
        late: list[int] = []
        for place in range(self.start, upto):
            before = anchored and frames[place].timestamp_ns < frames[self.start].timestamp_ns
            (late if before else good).append(place)
        return good, late


def vouched_frames(sight: Sight) -> int:
    """How many frames had come when the count of ignored triggers was last read."""
    return min(max(sight.vouched.values(), default=0), len(sight.frames))

"""Whether what comes next still fits into the minutes of a piece."""

from __future__ import annotations

import time

__all__ = ["Pace"]

_RECENT = 0.25
"""Share of the newest measurement in what is expected: a machine grows busy and quiet again."""


class Pace:
    """Measures what a training does again and again, and says when there is no time for more.

    A piece that is given nine minutes of a machine that is taken away after ten must have saved by then: a
    step, a look at the held-out pairs and a checkpoint are begun only where they are expected to end in time.

    Args:
        deadline_s: `time.monotonic()` at which all must be over; None for no end.
    """

    def __init__(self, deadline_s: float | None) -> None:
        self.deadline_s = deadline_s
        self._took: dict[str, float] = {}
        self._since = time.monotonic()

    def begin(self) -> None:
        """Start the watch."""
        self._since = time.monotonic()

    def end(self, what: str) -> None:
        """Note that this took the time since the watch was started, and start it anew."""
        now = time.monotonic()
        took = now - self._since
        before = self._took.get(what, took)
        self._took[what] = before + _RECENT * (took - before)
        self._since = now

    def expected_s(self, *coming: str) -> float:
        """Return how long all of this is going to take; nothing for what was never measured."""
        return sum(self._took.get(what, 0.0) for what in coming)

    def left_s(self) -> float:
        """Return the time to the deadline, below 0 after it; without one, infinity."""
        return float("inf") if self.deadline_s is None else self.deadline_s - time.monotonic()

    def over(self, *coming: str) -> bool:
        """Return whether this would end after the deadline."""
        return self.left_s() <= self.expected_s(*coming)

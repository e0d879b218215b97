"""When the next volley of a take is due, and of how many pulses it is."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from rig.capture.schedule import ByHand, Counted, Interval, Schedule, TakeControl, UntilStopped

LONGEST: Final = 60_000
"""Pulses of one volley at most: a camera's numbers must not start anew within it."""

SHORT_S: Final = 2.0
"""Length of the volleys of an open-ended take whose cameras do not count ignored triggers: only the full
house of a whole volley proves their frames, so it must not be long."""

_POLL_S: Final = 0.01


class Timing:
    """Says when volleys are due.

    Args:
        schedule: What the operator wants.
        period_s: Period where the schedule leaves it open.
        max_burst: Largest number of pulses that the box counts.
        control: The operator's wishes meanwhile.
        short: Whether an open-ended take is to be cut into short volleys.

    Attributes:
        period_s: Time from pulse to pulse within a volley, in s.
    """

    def __init__(
        self, schedule: Schedule, period_s: float, max_burst: int, control: TakeControl, *, short: bool
    ) -> None:
        self._schedule = schedule
        asked = schedule.period_s if isinstance(schedule, Counted | UntilStopped) else None
        self.period_s = period_s if asked is None else asked
        self._short = short
        self._max = min(max_burst, LONGEST)
        self._control = control
        self._began: float | None = None
        self._done = 0

    @property
    def _pairs(self) -> int | None:
        return None if isinstance(self._schedule, UntilStopped) else self._schedule.pairs

    def first_count(self) -> int:
        """Return the length of the first volley."""
        return self._count(0)

    def all_done(self, fired: int) -> bool:
        """Whether all pulses that were asked for have been fired; never of an open-ended take."""
        return self._pairs is not None and fired >= self._pairs

    def _count(self, fired: int) -> int:
        left = self._max if self._pairs is None else self._pairs - fired
        if isinstance(self._schedule, ByHand):
            return min(self._schedule.pairs_a_press, left, self._max)
        if isinstance(self._schedule, Interval):
            return min(1, left)
        if self._short and self._pairs is None:
            return min(max(math.ceil(SHORT_S / self.period_s), 1), self._max)
        return min(left, self._max)

    def wait(self, fired: int, go_on: Callable[[], bool]) -> int:
        """Wait until a volley is due.

        Args:
            fired: Pulses so far.
            go_on: Asked again and again; False ends the take.

        Returns:
            Pulses to fire; 0 when the take is over.
        """
        while go_on():
            if self.all_done(fired):
                return 0
            if self._due():
                return self._count(fired)
            time.sleep(_POLL_S)
        return 0

    def _due(self) -> bool:
        if isinstance(self._schedule, ByHand):
            return self._control.pressed()
        if not isinstance(self._schedule, Interval):
            return True
        now = time.monotonic()
        if self._began is None:
            self._began = now
        due = math.floor((now - self._began) / self._schedule.every_s) + 1
        if due <= self._done:
            return False
        self._done = due
        return True

"""When the pulses of a take come, and how an operator steers a take that runs.

A take is a row of *volleys*: bursts that the box counts itself while both cameras stay armed. A take of N
pairs is one volley; by hand each press is one; a take that runs until it is stopped is one long volley
that the box is told to end early.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from rig.errors import CaptureError


def _check_period(seconds: float) -> None:
    if not (math.isfinite(seconds) and seconds > 0):
        raise CaptureError(f"a period of {seconds:g} s is none", hint="a number of seconds above 0")


def _check_pairs(pairs: int) -> None:
    if pairs < 1:
        raise CaptureError(f"{pairs} pairs cannot be taken", hint="at least 1")


@dataclass(frozen=True)
class Counted:
    """N pairs at a period, in one burst of the box.

    Attributes:
        pairs: Number of pulses.
        period_s: Time from pulse to pulse, in s; None takes the plan's.

    Raises:
        CaptureError: No pairs, or no period.
    """

    pairs: int
    period_s: float | None = None

    def __post_init__(self) -> None:
        _check_pairs(self.pairs)
        if self.period_s is not None:
            _check_period(self.period_s)


@dataclass(frozen=True)
class ByHand:
    """Pulses when the operator asks for them (`TakeControl.fire`), until the take is stopped.

    Attributes:
        pairs_a_press: Pulses for each press, at the plan's period.
        pairs: Pulses that end the take; None goes on until it is stopped.
    """

    pairs_a_press: int = 1
    pairs: int | None = None

    def __post_init__(self) -> None:
        _check_pairs(self.pairs_a_press)
        if self.pairs is not None:
            _check_pairs(self.pairs)


@dataclass(frozen=True)
class Interval:
    """One pulse now and one each so many seconds: an intervalometer.

    A pulse is due at a multiple of the interval after the first one. One that comes too late (the computer
    slept) is fired at once, and those it would have overtaken are left out; none is made up for.

    Attributes:
        every_s: Time from pulse to pulse, in s; the computer's clock makes it, to some 10 ms.
        pairs: Pulses that end the take; None goes on until it is stopped.
    """

    every_s: float
    pairs: int | None = None

    def __post_init__(self) -> None:
        _check_period(self.every_s)
        if self.pairs is not None:
            _check_pairs(self.pairs)


@dataclass(frozen=True)
class UntilStopped:
    """Pulses at a period until the take is stopped.

    Attributes:
        period_s: Time from pulse to pulse, in s; None takes the plan's.
        preroll_s: When above 0 nothing is written until `TakeControl.keep`; the pairs of this many seconds
            before it are held in memory, and written then with all that follow.
    """

    period_s: float | None = None
    preroll_s: float = 0.0

    def __post_init__(self) -> None:
        if self.period_s is not None:
            _check_period(self.period_s)
        if not (math.isfinite(self.preroll_s) and self.preroll_s >= 0):
            raise CaptureError(f"a pre-roll of {self.preroll_s:g} s is none", hint="0 or a number of seconds")


Schedule = Counted | ByHand | Interval | UntilStopped


def asked_pairs(schedule: Schedule) -> int:
    """Return how many pairs a take is to give, 0 when that is open."""
    return 0 if isinstance(schedule, UntilStopped) else schedule.pairs or 0


class Stop(Protocol):
    """What may ask a take to stop: a `threading.Event`, say."""

    def is_set(self) -> bool:
        """Whether it asks for it."""
        ...


class TakeControl:
    """Steers a take from any thread, and from a signal handler: it takes no lock and never waits.

    Args:
        cancel: An event that stops the take as :meth:`stop` does.
    """

    def __init__(self, cancel: Stop | None = None) -> None:
        self._cancel: Stop = cancel if cancel is not None else threading.Event()
        self._presses: deque[bool] = deque()
        self._stopped = self._aborted = self._kept = False

    def stop(self) -> None:
        """End the take after the present shot; all that was fired is recorded."""
        self._stopped = True

    def abort(self) -> None:
        """End the take now: frames that are still under way are given up, what is here is recorded."""
        self._stopped = self._aborted = True

    def fire(self, *, last: bool = False) -> None:
        """Ask for the pulses of one press in a take by hand; presses during a shot are done after it.

        Args:
            last: This is no press, but the end of the take once those before it are done.
        """
        self._presses.append(not last)

    def keep(self) -> None:
        """Write what the pre-roll holds, and everything from now on."""
        self._kept = True

    @property
    def stopping(self) -> bool:
        """Whether the take is to end."""
        return self._stopped or self._cancel.is_set()

    @property
    def aborting(self) -> bool:
        """Whether the take is to end without waiting for frames."""
        return self._aborted

    @property
    def kept(self) -> bool:
        """Whether the pre-roll's button was pressed."""
        return self._kept

    def pressed(self) -> bool:
        """Take one press by hand off the row, if there is one."""
        try:
            fires = self._presses.popleft()
        except IndexError:
            return False
        if not fires:
            self.stop()
        return fires

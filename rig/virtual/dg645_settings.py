"""Settings of the simulated DG645: what each may be, how it is answered, what *RST makes of it."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

OK = 0
ILLEGAL_VALUE = 10
ILLEGAL_MODE = 11
ILLEGAL_DELAY = 12
ILLEGAL_LINK = 13
RECALL_FAILED = 14
NOT_ALLOWED = 15
LOST_DATA = 30
ILLEGAL_COMMAND = 110
UNDEFINED_COMMAND = 111
ILLEGAL_QUERY = 112
ILLEGAL_SET = 113
NULL_PARAMETER = 114
EXTRA_PARAMETERS = 115
MISSING_PARAMETERS = 116
PARAMETER_OVERFLOW = 117
INVALID_FLOAT = 118
INVALID_INTEGER = 120
INTEGER_OVERFLOW = 121
SYNTAX_ERROR = 126
OVER_RUN = 171
TOO_MANY_ERRORS = 254

T0, T1 = 0, 1
CHANNELS = ("T0", "T1", "A", "B", "C", "D", "E", "F", "G", "H")
PAIRS = ("T0", "AB", "CD", "EF", "GH")
LONGEST_DELAY_S = 2000.0
RESOLUTION_S = 5e-12
SINGLE_SHOT = 5


class BoxError(Exception):
    """A command failed with one of the instrument's error codes."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Settings:
    """Everything that *SAV stores and *RST puts back."""

    source: int = SINGLE_SHOT
    rate_hz: float = 1000.0
    level_v: float = 1.0
    inhibit: int = 0
    holdoff_s: float = 0.0
    burst: int = 0
    burst_count: int = 5
    burst_period_s: float = 100e-6
    burst_delay_s: float = 0.0
    burst_t0: int = 0
    delays: dict[int, tuple[int, float]] = field(
        default_factory=lambda: dict.fromkeys(range(2, 10), (T0, 0.0))
    )
    amplitude_v: list[float] = field(default_factory=lambda: [2.5] * 5)
    offset_v: list[float] = field(default_factory=lambda: [0.0] * 5)
    positive: list[int] = field(default_factory=lambda: [1] * 5)

    def copy(self) -> Settings:
        """Return an independent copy."""
        return copy.deepcopy(self)

    def set_delay(self, channel: int, reference: int, delay_s: float) -> None:
        """Set channel = reference + delay_s.

        Raises:
            BoxError: A delay out of 0 .. 2000 s, a link to itself, to T1 or in a circle, a fixed channel.
        """
        if channel in (T0, T1):
            raise BoxError(NOT_ALLOWED)
        if channel not in range(10) or reference not in range(10):
            raise BoxError(ILLEGAL_VALUE)
        if reference in (channel, T1):
            raise BoxError(ILLEGAL_LINK)
        if not math.isfinite(delay_s) or abs(delay_s) > LONGEST_DELAY_S:
            raise BoxError(ILLEGAL_DELAY)
        trial = dict(self.delays)
        trial[channel] = (reference, round(delay_s / RESOLUTION_S) * RESOLUTION_S)
        for each in trial:
            if not 0 <= _resolved(trial, each) < LONGEST_DELAY_S:
                raise BoxError(ILLEGAL_DELAY)
        self.delays = trial

    def delay_s(self, channel: int) -> float:
        """Return the channel's time after T0."""
        return _resolved(self.delays, channel)

    def cycle_s(self) -> float:
        """Return the length of a delay cycle: until the last edge, or the holdoff if that is longer."""
        return max(self.holdoff_s, *(self.delay_s(channel) for channel in self.delays)) + 25e-9


def _resolved(delays: dict[int, tuple[int, float]], channel: int) -> float:
    total = 0.0
    seen = set()
    while channel != T0:
        if channel in seen:
            raise BoxError(ILLEGAL_LINK)
        seen.add(channel)
        channel, delay_s = delays[channel]
        total += delay_s
    return round(total / RESOLUTION_S) * RESOLUTION_S


def parse_int(text: str) -> int:
    """Return a parameter as integer; BoxError in the instrument's words otherwise."""
    if not text:
        raise BoxError(NULL_PARAMETER)
    try:
        value = int(text)
    except ValueError:
        raise BoxError(INVALID_INTEGER) from None
    if not -(2**31) <= value < 2**32:
        raise BoxError(INTEGER_OVERFLOW)
    return value


def parse_float(text: str) -> float:
    """Return a parameter as number; BoxError in the instrument's words otherwise."""
    if not text:
        raise BoxError(NULL_PARAMETER)
    try:
        value = float(text)
    except ValueError:
        raise BoxError(INVALID_FLOAT) from None
    if not math.isfinite(value) or "_" in text:
        raise BoxError(INVALID_FLOAT)
    return value


def ranged(value: float, low: float, high: float) -> float:
    """Return ``value`` if it is in low .. high."""
    if not low <= value <= high:
        raise BoxError(ILLEGAL_VALUE)
    return value


def chosen(text: str, count: int) -> int:
    """Return an integer parameter in 0 .. count - 1."""
    return int(ranged(parse_int(text), 0, count - 1))


def seconds(value: float) -> str:
    """Format a time like the instrument: sign, 12 decimals."""
    return f"{value:+.12f}"


def volts(value: float) -> str:
    """Format a voltage like the instrument: sign, 2 decimals."""
    return f"{value:+.2f}"

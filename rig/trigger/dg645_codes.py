"""The DG645's numbers in words: error codes (`LERR?`), status bits (`INSR?`), outputs and settings."""

from __future__ import annotations

from enum import IntEnum, IntFlag

ERRORS = {
    0: "no error",
    10: "illegal value",
    11: "illegal mode",
    12: "illegal delay",
    13: "illegal link of delays",
    14: "recall failed",
    15: "not allowed",
    16: "failed self test",
    17: "failed auto calibration",
    30: "lost data",
    32: "no listener",
    110: "illegal command",
    111: "undefined command",
    112: "illegal query",
    113: "illegal set",
    114: "null parameter",
    115: "extra parameters",
    116: "missing parameters",
    117: "parameter overflow",
    118: "invalid floating point number",
    120: "invalid integer",
    121: "integer overflow",
    122: "invalid hexadecimal",
    126: "syntax error",
    170: "communication error",
    171: "overrun",
    254: "too many errors",
}


class Status(IntFlag):
    """Bits of the instrument status register; reading it clears them."""

    TRIGGERED = 1
    RATE = 2
    END_OF_DELAY = 4
    END_OF_BURST = 8
    INHIBITED = 16
    ABORTED = 32
    PLL_UNLOCKED = 64
    RUBIDIUM_UNLOCKED = 128


FAULTS = {
    Status.RATE: ("a trigger came while a burst was running", "is anything else wired to its trigger input?"),
    Status.INHIBITED: ("pulses were inhibited", "look at its rear INHIBIT input"),
    Status.ABORTED: ("a delay was aborted early", "was it operated by hand during the take?"),
    Status.PLL_UNLOCKED: ("its time base lost lock", "check the 10 MHz reference at its rear input"),
}
"""Status bits that spoil a take: what happened, and where to look."""


class TriggerSource(IntEnum):
    """Values of TSRC that this driver uses."""

    SINGLE_SHOT = 5


class Inhibit(IntEnum):
    """Values of INHB that this driver uses: what the rear INHIBIT input blocks."""

    OFF = 0
    TRIGGERS = 1


OUTPUTS = {"AB": 1, "CD": 2, "EF": 3, "GH": 4}
"""Output pair -> number in LAMP, LOFF, LPOL; pair n starts at delay channel 2 n and ends at 2 n + 1."""

T0 = 0
"""Delay channel of the trigger itself, to which the starts of the pulses refer."""


def error_text(code: int) -> str:
    """Return an error code in words; unknown ones by number (16 to 99 are self test and calibration)."""
    return ERRORS.get(code, f"error {code}")

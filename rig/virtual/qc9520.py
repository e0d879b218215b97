"""A byte-faithful Quantum Composers 9524 pulse generator: four channels, SCPI-like lines, `ok` or `?n`.

After the vendor's manual as far as public texts quote it: long and short keywords, error codes, forms of
answers. What no source shows: after a burst the unit stays on RUN (`:PULSE0:STATE?` is 1) until stopped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.line_box import LineBox, Output

IDENTITY = "QC,9524,02311,1.2.2-1.2.0"
BNC_IDENTITY = "BNC,575-4,31707,2.4.2-2.0.11"
CHANNELS = "ABCD"
PREFIX, NO_KEYWORD, KEYWORD, NO_PARAMETER, PARAMETER, QUERY_ONLY, NO_QUERY, STATE = range(1, 9)

_LONG = {
    "STAT": "STATE", "PER": "PERIOD", "MOD": "MODE", "BCO": "BCOUNTER", "TRIG": "TRIGGER", "LEV": "LEVEL",
    "WIDT": "WIDTH", "DEL": "DELAY", "POL": "POLARITY", "OUTP": "OUTPUT", "AMPL": "AMPLITUDE",
    "CMOD": "CMODE", "SYST": "SYSTEM", "COMM": "COMMUNICATE", "SER": "SERIAL", "INST": "INSTRUMENT",
    "CAT": "CATALOG",
}  # fmt: skip
_SHORT = {long: short for short, long in _LONG.items()}
_CHANNEL = re.compile(r"S?PULSE?([0-8])")


class Refused(Exception):
    """A command failed with one of the instrument's error codes."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def _flag(text: str) -> str:
    known = {"ON": "1", "1": "1", "OFF": "0", "0": "0"}
    if text.upper() not in known:
        raise Refused(PARAMETER)
    return known[text.upper()]


def _number(low: float, high: float, digits: int) -> Callable[[str], str]:
    def convert(text: str) -> str:
        try:
            value = float(text)
        except ValueError:
            raise Refused(PARAMETER) from None
        if not (math.isfinite(value) and low <= value <= high):
            raise Refused(PARAMETER)
        return f"{value:.{digits}f}"

    return convert


def _choice(*names: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        for name in names:
            if text.upper() in (name, {"NORM": "NORMAL", "BURS": "BURST", "INV": "INVERTED"}.get(name)):
                return name
        raise Refused(PARAMETER)

    return convert


@dataclass(frozen=True)
class _Value:
    default: str
    convert: Callable[[str], str]


_COUNT = _number(1, 9_999_999, 0)
_MODES = _choice("NORM", "SING", "BURS", "DCYC")
_UNIT = {
    "STAT": _Value("0", _flag),
    "PER": _Value("0.001000000", _number(50e-9, 5000, 9)),
    "MOD": _Value("NORM", _MODES),
    "BCO": _Value("10", _COUNT),
    "TRIG:MOD": _Value("DIS", _choice("DIS", "TRIG", "DUAL")),
    "TRIG:EDGE": _Value("RIS", _choice("RIS", "FALL")),
    "TRIG:LEV": _Value("2.50", _number(0.2, 15, 2)),
}
_TIMER = {
    "STAT": _Value("0", _flag),
    "WIDT": _Value("0.000010000", _number(10e-9, 999.999999, 9)),
    "DEL": _Value("0.000000000", _number(-999.999999, 999.999999, 9)),
    "SYNC": _Value("T0", _choice("T0", *(f"CH{name}" for name in CHANNELS))),
    "POL": _Value("NORM", _choice("NORM", "INV")),
    "OUTP:MOD": _Value("TTL", _choice("TTL", "ADJ")),
    "OUTP:AMPL": _Value("5.00", _number(2, 20, 2)),
    "CMOD": _Value("NORM", _MODES),
    "BCO": _Value("10", _COUNT),
}


@dataclass
class Memory:
    """All settings: of the unit (0) and of the channels (1 to 4)."""

    values: list[dict[str, str]] = field(
        default_factory=lambda: [
            {name: value.default for name, value in (_UNIT if number == 0 else _TIMER).items()}
            for number in range(len(CHANNELS) + 1)
        ]
    )


class QC9524(LineBox):
    """The instrument behind its serial port; its echo is on when it is switched on.

    Args:
        engine: Makes the pulses.
        identity: What it answers to `*IDN?`; `BNC_IDENTITY` makes it a BNC 575.
    """

    def __init__(self, engine: PulseEngine, identity: str = IDENTITY) -> None:
        super().__init__(engine)
        self.identity = identity
        self.echo = True
        self.memory = Memory()
        self._wire(stop=True)

    def refuse(self, line: bytes, code: int) -> bytes:
        """Do not obey, and answer ``?`` with the code."""
        return (line if self.echo else b"") + f"?{code}\r\n".encode("ascii")

    def _take(self, line: bytes) -> bytes:
        echo = line.rstrip(b"\r") + b"\r\n" if self.echo else b""
        text = line.decode("ascii", "replace").strip()
        if not text:
            return b""
        try:
            answer = self._execute(text)
        except Refused as error:
            answer = f"?{error.code}"
        return echo + answer.encode("ascii") + b"\r\n"

    def _execute(self, text: str) -> str:
        head, _, parameter = text.partition(" ")
        query, parameter = head.endswith("?"), parameter.strip()
        head = head.removesuffix("?").upper()
        if head.startswith("*"):
            return self._common(head, query)
        if not head.startswith(":"):
            raise Refused(PREFIX)
        words = [_SHORT.get(word, word) for word in head[1:].split(":")]
        if words[0] in ("SYST", "INST"):
            return self._system(":".join(words), query, parameter)
        found = _CHANNEL.fullmatch(words[0])
        if found is None or int(found[1]) > len(CHANNELS):
            raise Refused(KEYWORD)
        if len(words) == 1:
            raise Refused(NO_KEYWORD)
        return self._value(int(found[1]), ":".join(words[1:]), query, parameter)

    def _common(self, head: str, query: bool) -> str:
        if head == "*IDN":
            if not query:
                raise Refused(QUERY_ONLY)
            return self.identity
        if head not in ("*RST", "*TRG"):
            raise Refused(KEYWORD)
        if query:
            raise Refused(NO_QUERY)
        if head == "*RST":
            self.memory = Memory()
            self._wire(stop=True)
        elif self._unit("STAT") != "1" or self._unit("TRIG:MOD") == "DIS":
            raise Refused(STATE)
        else:
            self.engine.trigger()
        return "ok"

    def _system(self, head: str, query: bool, parameter: str) -> str:
        if head == "INST:CAT":
            if not query:
                raise Refused(QUERY_ONLY)
            return ", ".join(["T0", *(f"CH{name}" for name in CHANNELS)])
        if head == "SYST:STAT" and query:
            return self._unit("STAT")
        if head != "SYST:COMM:SER:ECHO":
            raise Refused(KEYWORD)
        if query:
            return str(int(self.echo))
        if not parameter:
            raise Refused(NO_PARAMETER)
        self.echo = _flag(parameter) == "1"
        return "ok"

    def _value(self, number: int, keyword: str, query: bool, parameter: str) -> str:
        known = (_UNIT if number == 0 else _TIMER).get(keyword)
        if known is None:
            raise Refused(KEYWORD)
        values = self.memory.values[number]
        if query:
            return values[keyword]
        if not parameter:
            raise Refused(NO_PARAMETER)
        values[keyword] = known.convert(parameter)
        if (number, keyword) == (0, "STAT"):
            self._run()
        else:
            self._wire()
        return "ok"

    def _unit(self, keyword: str) -> str:
        return self.memory.values[0][keyword]

    def _run(self) -> None:
        """Do RUN or STOP: RUN begins anew, at once where no trigger is waited for."""
        self._wire(stop=True)
        if self._unit("STAT") == "1" and self._unit("TRIG:MOD") == "DIS":
            self.engine.trigger()

    def _wire(self, *, stop: bool = False) -> None:
        endless = 2**32 - 1
        count = {"SING": 1, "BURS": int(self._unit("BCO"))}.get(self._unit("MOD"), endless)
        outputs = [
            Output(
                delay_s=max(0.0, float(values["DEL"])),
                width_s=float(values["WIDT"]) if values["STAT"] == "1" else 0.0,
                positive=values["POL"] == "NORM",
                high_v=min(5.0, float(values["OUTP:AMPL"])) if values["OUTP:MOD"] == "ADJ" else 4.0,
            )
            for values in self.memory.values[1:]
        ]
        self.wire(outputs, float(self._unit("PER")), count, stop=stop)

"""A byte-faithful Highland T560 delay generator: four channels, two-letter commands, `OK` or `??`.

After published drivers' commands and answers. Where none shows an exact answer (`ID`) it follows the general
form. The synthesiser is taken to have run before: its first pulse comes a period after `TR SYN`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.line_box import LineBox, Output

IDENTITY = "Highland Technology T560-1 22E560-D"
MODES = ("OFF", "REM", "POS", "NEG", "SYN")
GATES = ("OFF", "INP", "OUT")
_UNITS = {"": 1.0, "s": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12}
_TIME = re.compile(r"(\d+(?:\.\d+)?)([smunp]?)", re.IGNORECASE)


class Refused(Exception):
    """A command that the instrument answers with ``??``."""


@dataclass
class Channel:
    """Settings of one channel."""

    on: bool = False
    positive: bool = True
    delay_s: float = 0.0
    width_s: float = 2e-6


class T560(LineBox):
    """The instrument behind its serial port."""

    CHANNELS = "ABCD"
    LINE_END = b"\r"

    def __init__(self, engine: PulseEngine) -> None:
        super().__init__(engine)
        self.channels = {name: Channel() for name in self.CHANNELS}
        self.mode, self.gate = "OFF", "OFF"
        self.level_v, self.divider, self.synth_hz = 1.25, 0, 10_000.0
        self.install, self.verbose = "1", "0"

    def refuse(self, line: bytes, code: int) -> bytes:
        """Do not obey, and answer ``??``; this box has no codes."""
        return b"??\r\n"

    def _take(self, line: bytes) -> bytes:
        answers = []
        for command in line.decode("ascii", "replace").split(";"):
            try:
                answers.append(self._execute(command.strip()))
            except Refused:
                answers.append("??")
                break  # the rest of the line is dropped
        return ";".join(answers).encode("ascii") + b"\r\n"

    def _execute(self, text: str) -> str:
        word, _, parameter = text.partition(" ")
        name, parameter = word.upper()[:2], parameter.strip().upper()
        if len(name) == 2 and name[0] in self.channels and name[1] in "DWS":
            return self._channel(name, parameter)
        if name == "ID" and not parameter:
            return IDENTITY
        if name == "TR":
            return self._trigger(parameter)
        if name == "GA":
            if parameter:
                self.gate = _chosen(parameter, GATES)
                return "OK"
            return f"Gate {self.gate} POS HIZ Shots {self.engine.cycles % 10**10:010d}"
        if name == "FI" and not parameter:
            if self.mode != "REM":
                raise Refused
            self._wire(1.0, 1)
            self.engine.trigger()
            return "OK"
        if name in ("SY", "TD", "TL"):
            return self._rate(name, parameter)
        if name in ("AU", "VE"):
            return self._option(name, parameter)
        if name == "IN" and not parameter:
            return "OK"
        raise Refused

    def _trigger(self, parameter: str) -> str:
        if not parameter:
            return (
                f"Trig {self.mode} HIZ Level {self.level_v:.3f} "
                f"Div {self.divider:010d} SYN {self.synth_hz:011.2f}"
            )
        self.mode = _chosen(parameter, MODES)
        period_s = max(1, self.divider) / self.synth_hz
        self._wire(period_s, 2**32 - 1, stop=True, lead_s=period_s if self.mode == "SYN" else 0.0)
        if self.mode == "SYN":
            self.engine.trigger()
        return "OK"

    def _rate(self, name: str, parameter: str) -> str:
        low, high = {"SY": (0.018, 16e6), "TD": (0, 2**32 - 1), "TL": (0.25, 3.3)}[name]
        if not parameter:
            return {"SY": f"{self.synth_hz:.2f}", "TD": str(self.divider), "TL": f"{self.level_v:.3f}"}[name]
        try:
            value = float(parameter)
        except ValueError:
            raise Refused from None
        if not (math.isfinite(value) and low <= value <= high):
            raise Refused
        if name == "SY":
            self.synth_hz = value
        elif name == "TD":
            self.divider = int(value)
        else:
            self.level_v = value
        return "OK"

    def _option(self, name: str, parameter: str) -> str:
        if not parameter:
            return self.install if name == "AU" else self.verbose
        if parameter not in ("0", "1", "2") or (name == "VE" and parameter == "2"):
            raise Refused
        if name == "AU":
            self.install = parameter
        else:
            self.verbose = parameter
        return "OK"

    def _channel(self, name: str, parameter: str) -> str:
        channel = self.channels[name[0]]
        if name[1] == "S":
            if not parameter:
                sign, state = "POS" if channel.positive else "NEG", "ON" if channel.on else "OFF"
                return (
                    f"Ch {name[0]}  {sign}  {state:<3}    "
                    f"Dly  {_clock(channel.delay_s)}  Wid  {_clock(channel.width_s)}"
                )
            choice = _chosen(parameter, ("ON", "OFF", "POS", "NEG"))
            if choice in ("ON", "OFF"):
                channel.on = choice == "ON"
            else:
                channel.positive = choice == "POS"
            return "OK"
        if not parameter:
            return _clock(channel.delay_s if name[1] == "D" else channel.width_s)
        found = _TIME.fullmatch(parameter)
        if found is None or not (value := float(found[1]) * _UNITS[found[2].lower()]) <= 10.0:
            raise Refused
        if name[1] == "D":
            channel.delay_s = round(value, 11)
        else:
            channel.width_s = round(value, 11)
        return "OK"

    def _wire(self, period_s: float, count: int, *, stop: bool = False, lead_s: float = 0.0) -> None:
        outputs = [
            Output(channel.delay_s, channel.width_s if channel.on else 0.0, positive=channel.positive)
            for channel in self.channels.values()
        ]
        self.wire(outputs, period_s, count, stop=stop, lead_s=lead_s)


def _chosen(text: str, choices: tuple[str, ...]) -> str:
    """Return the choice that begins with at least two given letters."""
    for choice in choices:
        if len(text) >= 2 and choice.startswith(text):
            return choice
    raise Refused


def _clock(value_s: float) -> str:
    """Format a time as the box does: 00.000,002,000,000 is 2 us."""
    whole, fraction = f"{value_s:015.12f}".split(".")
    return f"{whole}.{','.join(fraction[at : at + 3] for at in range(0, 12, 3))}"

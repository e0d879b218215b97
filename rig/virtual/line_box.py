"""What the simulated boxes share that answer every command: bytes to lines, lines to answers, pulses."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass

from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.dg645_settings import PAIRS, SINGLE_SHOT, T0, Settings


@dataclass
class Output:
    """One output as the pulse engine needs it; without width there is no pulse."""

    delay_s: float = 0.0
    width_s: float = 0.0
    positive: bool = True
    high_v: float = 4.0


class LineBox(ABC):
    """An instrument that takes lines and answers lines. Thread-safe.

    Args:
        engine: Makes the pulses; outputs 1 to 4 of the box are its pairs AB, CD, EF, GH.
    """

    LINE_END = b"\n"
    LONGEST_LINE = 256

    def __init__(self, engine: PulseEngine) -> None:
        self.engine = engine
        self.lost_answers = 0
        self._line = bytearray()
        self._lock = threading.RLock()

    def feed(self, data: bytes) -> bytes:
        """Take bytes as they come from the line and return what the instrument answers."""
        answers = bytearray()
        with self._lock:
            for byte in data:
                if byte in self.LINE_END:
                    line, self._line = bytes(self._line), bytearray()
                    answers += self._take(line)
                elif len(self._line) < self.LONGEST_LINE:
                    self._line.append(byte)
        return bytes(answers)

    def lost_answer(self) -> None:
        """Take note that nobody reads the answers."""
        with self._lock:
            self.lost_answers += 1

    @abstractmethod
    def refuse(self, line: bytes, code: int) -> bytes:
        """Do not obey, and answer with an error."""

    @abstractmethod
    def _take(self, line: bytes) -> bytes:
        """Do what a line says and return the bytes of the answer."""

    def wire(
        self, outputs: list[Output], period_s: float, count: int, *, stop: bool = False, lead_s: float = 0.0
    ) -> None:
        """Hand outputs and burst to the engine; they hold from the next `engine.trigger()` on."""
        settings = engine_settings(outputs, period_s, count)
        settings.burst_delay_s = lead_s
        self.engine.configure(settings, abort=stop)


def engine_settings(outputs: list[Output], period_s: float, count: int) -> Settings:
    """Return the settings that make a burst of ``count`` cycles; outputs in the order of the pairs."""
    settings = Settings(
        source=SINGLE_SHOT, burst=1, burst_count=count, burst_period_s=period_s, burst_delay_s=0.0
    )
    for number, output in enumerate(outputs, start=1):
        settings.delays[2 * number] = (T0, output.delay_s)
        settings.delays[2 * number + 1] = (2 * number, output.width_s)
        settings.amplitude_v[number] = output.high_v
        settings.positive[number] = int(output.positive)
    return settings


def pairs_of(names: list[str]) -> dict[str, str]:
    """Return the engine's output pair of each of a box's outputs, given in order."""
    return dict(zip(names, PAIRS[1:], strict=False))

"""Faults to order of a simulated trigger box, between its serial port and its state machine; for every box.

A fault begins at once, or after a number of commands, or with the command that starts a burst, and holds
until it is cleared or has happened a number of times.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rig.virtual.kernel import WorldError
from rig.virtual.pty import Instrument, Unplugged
from rig.virtual.uart import through

SILENT, SLOW, GARBAGE, WRONG_BAUD, ERROR, UNPLUG = (
    "silent",
    "slow",
    "garbage",
    "wrong_baud",
    "error",
    "unplug",
)
_WHEN = ("after", "times", "at", "command")
_OPTIONS: dict[str, tuple[str, ...]] = {
    SILENT: (*_WHEN, "deaf"),
    SLOW: (*_WHEN, "seconds"),
    GARBAGE: _WHEN,
    WRONG_BAUD: ("after", "at", "baudrate"),
    ERROR: (*_WHEN, "code"),
    UNPLUG: ("after", "at", "power"),
}
FAULTS = tuple(_OPTIONS)
LONGEST_LINE = 4096


@dataclass
class Fault:
    """One fault.

    Attributes:
        name: One of `FAULTS`.
        after: Commands that are still obeyed before it begins; with `at_fire`, those after the burst's start.
        times: For how many commands it holds; None for ever.
        at_fire: It waits for the start of a burst, and hits the answer to the command that started it.
        command: Only commands that begin so count and are hit; empty for all.
        seconds: Of `slow`: how late each answer is.
        deaf: Of `silent`: commands are not obeyed either.
        code: Of `error`: the box's own number of the error.
        baudrate: Of `wrong_baud`: what the box is set to.
        power: Of `unplug`: the box goes on without the cable; otherwise it goes out with it.
    """

    name: str
    after: int = 0
    times: int | None = None
    at_fire: bool = False
    command: str = ""
    seconds: float = 3.0
    deaf: bool = False
    code: int = 10
    baudrate: int = 1200
    power: bool | None = None

    def hits(self, command: str) -> bool:
        """Return whether it hits this command, and count it."""
        if self.at_fire or self.times == 0 or not command.upper().startswith(self.command.upper()):
            return False
        if self.after:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


def fault_of(name: str, options: dict[str, object]) -> Fault:
    """Return the fault of a name with its options, which may be text as from a command line.

    Raises:
        WorldError: No such fault or option, or a value that is none.
    """
    if name not in _OPTIONS:
        raise WorldError(f"a trigger box has no fault '{name}'", hint=f"one of {', '.join(FAULTS)}")
    unknown = sorted(set(options) - set(_OPTIONS[name]))
    if unknown:
        raise WorldError(
            f"the fault {name} has no option {unknown[0]}", hint=f"it has {', '.join(_OPTIONS[name])}"
        )
    fault = Fault(name)
    for option, value in options.items():
        text = str(value).lower()
        try:
            if option == "at":
                if text != "fire":
                    raise ValueError
                fault.at_fire = True
            elif option in ("deaf", "power"):
                setattr(fault, option, {"true": True, "1": True, "false": False, "0": False}[text])
            elif option == "command":
                fault.command = str(value)
            elif option == "seconds":
                fault.seconds = float(text)
            else:
                setattr(fault, option, int(text))
        except (ValueError, KeyError):
            raise WorldError(f"{option}={value} makes no sense for the fault {name}") from None
    return fault


class FaultyLine:
    """The line between a port and an instrument. Without faults it hands everything on.

    Args:
        instrument: The box's state machine.
        busy: Whether the box is in a burst.
        speed: Bits per second that the computer has set.
        baudrate: The box's own; None for one to which it does not matter, as on USB.
        unplugged: Called when a fault pulls the plug, with the fault.
    """

    def __init__(
        self,
        instrument: Instrument,
        busy: Callable[[], bool],
        speed: Callable[[], int],
        baudrate: int | None,
        unplugged: Callable[[Fault], None],
    ) -> None:
        self.instrument = instrument
        self._busy = busy
        self._speed = speed
        self._own_baudrate = self._baudrate = baudrate
        self._unplugged = unplugged
        self._faults: list[Fault] = []
        self._part = b""
        self._noise = np.random.default_rng(2020)
        self._lock = threading.Lock()
        self._released = threading.Condition(self._lock)

    def add(self, fault: Fault) -> None:
        """Let a fault happen."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Repair everything, at once."""
        with self._lock:
            self._faults.clear()
            self._baudrate = self._own_baudrate
        self.release()

    def release(self) -> None:
        """Let go of an answer that is being held back."""
        with self._lock:
            self._released.notify_all()

    def lost_answer(self) -> None:
        """Take note that nobody reads the answers."""
        self.instrument.lost_answer()

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the port and return the answer's.

        Raises:
            Unplugged: A fault says so.
        """
        if (garbled := self._at_wrong_speed(data)) is not None:
            return garbled
        answers = b""
        for byte in data:
            self._part += bytes([byte])
            if byte in self.instrument.LINE_END or len(self._part) >= LONGEST_LINE:
                line, self._part = self._part, b""
                answers += self._line(line)
        return answers

    def _at_wrong_speed(self, data: bytes) -> bytes | None:
        with self._lock:
            ours, theirs = self._baudrate, self._speed()
        if ours is None or theirs in (0, ours):
            return None
        return through(self.instrument.feed(through(data, theirs, ours)), ours, theirs)

    def _line(self, line: bytes) -> bytes:
        command = line.decode("ascii", "replace").strip()
        if not command:
            return self.instrument.feed(line)
        with self._lock:
            hit = [fault for fault in self._faults if fault.hits(command)]
        for fault in hit:
            if fault.name == UNPLUG:
                self._pull(fault)
            if fault.name == WRONG_BAUD:
                self._baudrate = fault.baudrate
                return self._at_wrong_speed(line) or b""
        kinds = {fault.name: fault for fault in hit}
        if SILENT in kinds and kinds[SILENT].deaf:
            return b""
        was_busy = self._busy()
        if ERROR in kinds:
            answer = self.instrument.refuse(line, kinds[ERROR].code)
        else:
            answer = self.instrument.feed(line)
        if self._busy() and not was_busy:
            kinds |= self._begun()
        return self._spoiled(answer, kinds)

    def _begun(self) -> dict[str, Fault]:
        """Start what waits for a burst, and return what hits the answer to its command already."""
        with self._lock:
            waiting = [fault for fault in self._faults if fault.at_fire]
            for fault in waiting:
                fault.at_fire = False
            hit = [fault for fault in waiting if fault.after == 0 and fault.hits(fault.command)]
        return {fault.name: fault for fault in hit}

    def _spoiled(self, answer: bytes, kinds: dict[str, Fault]) -> bytes:
        if UNPLUG in kinds:
            self._pull(kinds[UNPLUG])
        if WRONG_BAUD in kinds:
            self._baudrate = kinds[WRONG_BAUD].baudrate
            return through(answer, self._baudrate, self._speed() or self._baudrate)
        if SLOW in kinds:
            with self._lock:
                self._released.wait(kinds[SLOW].seconds)
        if SILENT in kinds:
            return b""
        if GARBAGE in kinds:
            return self._noise.bytes(len(answer))
        return answer

    def _pull(self, fault: Fault) -> None:
        with self._lock:
            self._faults = [other for other in self._faults if other is not fault]
        self._unplugged(fault)
        raise Unplugged

"""A byte-faithful PrawnBlaster: a Raspberry Pi Pico with four pseudoclocks behind USB serial.

After the firmware's readme and the answers of its version 1.2.0. Pulses come out of programmes of one
instruction that is the same on every pseudoclock in use; others are taken and answered, and give no pulse.
The trigger inputs are not connected: `hwstart` waits for ever.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.line_box import LineBox, Output

VERSION = "1.2.0"
CLOCKS = 4
PINS = (9, 11, 13, 15)
MAX_INSTRUCTIONS = 30_000
STOPPED, RUNNING, ABORTED = 0, 2, 5

OK, INVALID = "ok", "invalid request"
WHICH_CLOCK = "The specified pseudoclock must be between 0 and 3 (inclusive)"
HOW_MANY = "The number of pseudoclocks must be between 1 and 4 (inclusive)"
WHICH_PIN = "OUT pin must be between 0 and 19 (inclusive) or 25 (LED for debugging)"
PIN_TAKEN = "OUT pin cannot be the same as one of the other OUT pins"
NO_ABORT = "Can only abort when status is 1 or 2 (transitioning to running or running)"


class PrawnBlaster(LineBox):
    """The Pico behind its serial port."""

    def __init__(self, engine: PulseEngine) -> None:
        super().__init__(engine)
        self._clocks = 1
        self._pins: dict[int, int] = {}
        self._table: dict[tuple[int, int], tuple[int, int]] = {}
        self._frequency_hz = 100_000_000
        self._external = 0
        self._aborted = False
        self._waiting = False
        self._commands: dict[str, tuple[int, Callable[[list[int]], str]]] = {
            "setnumpseudoclocks": (1, self._set_clocks),
            "setoutpin": (2, self._set_pin),
            "getoutpin": (1, self._get_pin),
            "setclock": (2, self._set_clock),
            "set": (4, self._set),
            "get": (2, self._get),
        }

    def refuse(self, line: bytes, code: int) -> bytes:
        """Do not obey, and say so; this box has no codes."""
        return INVALID.encode("ascii") + b"\r\n"

    def _take(self, line: bytes) -> bytes:
        text = line.decode("ascii", "replace").strip("\r")
        return self._execute(text).encode("ascii", "replace") + b"\r\n"

    def _status(self) -> int:
        if self._waiting or self.engine.busy():
            return RUNNING
        return ABORTED if self._aborted else STOPPED

    def _execute(self, text: str) -> str:
        status = self._status()
        words = text.split()
        name = words[0] if words else ""
        if name == "status":
            return f"run-status:{status} clock-status:{self._external}"
        if name == "version":
            return f"version: {VERSION}"
        if name == "getfreqs":
            frequency = f"{self._frequency_hz // 1000}kHz"
            return f"pll_sys = {frequency}\r\nclk_sys = {frequency}\r\nok"
        if name == "abort":
            return self._abort(status)
        if status == RUNNING:
            return (
                f"Cannot execute command {text} during buffered execution. "
                "Check status first and wait for it to return 0 or 5 (stopped or aborted)."
            )
        if name in ("start", "hwstart"):
            return self._start(waits=name == "hwstart")
        if name == "go":
            return self._go(words[1:])
        if name not in self._commands:
            return INVALID
        count, action = self._commands[name]
        try:
            numbers = [int(word) for word in words[1 : count + 1]]
        except ValueError:
            return INVALID
        if len(numbers) < count or min(numbers) < 0:
            return INVALID
        return action(numbers)

    def _abort(self, status: int) -> str:
        if status != RUNNING:
            return NO_ABORT
        self._waiting = False
        self._aborted = True
        self.wire([Output()] * CLOCKS, 1.0, 1, stop=True)
        return OK

    def _start(self, *, waits: bool) -> str:
        self._aborted = False
        self._waiting = waits
        programmes = [self._programme(clock) for clock in range(self._clocks)]
        used = {programme for programme in programmes if programme}
        if waits or len(used) != 1:
            return OK
        ((half, reps),) = used.pop()
        half_s = half / self._frequency_hz
        outputs = [
            Output(width_s=half_s if clock < self._clocks and programmes[clock] else 0.0, high_v=3.3)
            for clock in range(CLOCKS)
        ]
        self.wire(outputs, 2 * half_s, reps, stop=True)
        self.engine.trigger()
        return OK

    def _programme(self, clock: int) -> tuple[tuple[int, int], ...]:
        """Return the instructions up to the stop, as it runs them; empty where it cannot be played."""
        first = self._table.get((clock, 0), (0, 0))
        after = self._table.get((clock, 1), (0, 0))
        return (first,) if first[1] and after == (0, 0) else ()

    def _go(self, words: list[str]) -> str:
        if len(words) != 2 or words[0] not in ("high", "low") or not words[1].isdigit():
            return INVALID
        return OK if int(words[1]) < CLOCKS else WHICH_CLOCK

    def _set_clocks(self, numbers: list[int]) -> str:
        if not 1 <= numbers[0] <= CLOCKS:
            return HOW_MANY
        self._clocks = numbers[0]
        self._table.clear()
        return OK

    def _set_pin(self, numbers: list[int]) -> str:
        clock, pin = numbers
        if clock >= CLOCKS:
            return WHICH_CLOCK
        if pin > 19 and pin != 25:
            return WHICH_PIN
        if any(other != clock and used == pin for other, used in self._pins.items()):
            return PIN_TAKEN
        self._pins[clock] = pin
        return OK

    def _get_pin(self, numbers: list[int]) -> str:
        if numbers[0] >= CLOCKS:
            return WHICH_CLOCK
        return str(self._pins.get(numbers[0], "default"))

    def _set_clock(self, numbers: list[int]) -> str:
        source, frequency_hz = numbers
        if source > 2:
            return INVALID
        if source == 0 and not 16_000_000 <= frequency_hz <= 133_000_000:
            return "Failure. Cannot exactly achieve that clock frequency."
        self._external, self._frequency_hz = int(source > 0), frequency_hz
        return OK

    def _set(self, numbers: list[int]) -> str:
        clock, address, half, reps = numbers
        if clock >= CLOCKS:
            return WHICH_CLOCK
        if address >= MAX_INSTRUCTIONS:
            return "invalid address"
        if reps == 0 and 0 < half < 6:
            return INVALID
        if reps and half < 5:
            return "half-period too short"
        if reps == 0 and half:  # a wait is kept in steps of two cycles
            half = (half - 4) // 2 * 2 + 4
        self._table[clock, address] = (half, reps)
        return OK

    def _get(self, numbers: list[int]) -> str:
        clock, address = numbers
        if clock >= CLOCKS:
            return WHICH_CLOCK
        if address >= MAX_INSTRUCTIONS:
            return "invalid address"
        half, reps = self._table.get((clock, address), (0, 0))
        return f"{half} {reps}"

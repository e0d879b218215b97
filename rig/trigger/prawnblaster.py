"""Driver of the PrawnBlaster: a Raspberry Pi Pico with the firmware of that name (USB serial).

Commands and answers end in CR LF; a set command answers `ok` or a sentence, and every value is read back.
Each output is a pseudoclock with a table of instructions: half period in cycles of the 100 MHz clock, and
repetitions. N pulses are one instruction with N repetitions, so the number is exact and the period is a
multiple of 20 ns.

A pulse is always half a period long and starts with the trigger: only for cameras that expose by their own
timer after an edge. The applied plan says what the widths really are. One output cannot start later than the
others: an instruction that waits would have to come first, and the firmware makes an endless wait of a first
one (`indefinitewait` in its pseudoclock.pio); after another instruction it would follow a pulse too many. It
counts no pulses either.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace

from rig.errors import ProtocolError, TriggerError
from rig.profiles import TriggerBoxProfile
from rig.trigger.base import AppliedPulses, BoxInfo, BoxState, Pulse, PulsePlan, check_plan
from rig.trigger.driver import BoxDriver

TERMINATORS = (b"\r\n", b"\r\n")
CLOCK_HZ = 100_000_000
SHORTEST_HALF, LONGEST_HALF = 5, 2**32 - 1

_STOPPED, _ABORTED = 0, 5
_IDLE = (_STOPPED, _ABORTED)
_STARTING, _RUNNING = 1, 2
_ABORTS = (3, 4, _ABORTED)
_STATUS = re.compile(r"run-status:([0-6]) clock-status:([01])")
_CLOCK = f"setclock 0 {CLOCK_HZ} 1200000000 6 2"
"""Newer firmware needs the first two numbers only, and ignores the others."""

_ABORT_S = 2.0
_POLL_S = 0.01


class PrawnBlaster(BoxDriver):
    """A connected PrawnBlaster. Implements `rig.trigger.base.TriggerBox`."""

    NAME = "the PrawnBlaster"
    OUTPUTS = {"GPIO9": 0, "GPIO11": 1, "GPIO13": 2, "GPIO15": 3}  # noqa: RUF012
    QUESTION = "version"
    MAKER = re.compile("^version: ")
    STATE_QUESTIONS = ("status", "get 0 0", "get 0 1")

    @classmethod
    def recognise(cls, answer: str, profile: TriggerBoxProfile) -> BoxInfo | None:
        """Return who answered `version` so, or None where it is no PrawnBlaster."""
        found = re.fullmatch(r"version: (\d+\.\d+\.\d+)", answer)
        return None if found is None else BoxInfo("labscript suite", "PrawnBlaster", "", found[1])

    def _check(self, plan: PulsePlan) -> None:
        edges = {
            name: replace(pulse, width_s=self.profile.limits.delay_resolution_s)
            for name, pulse in plan.outputs.items()
        }
        check_plan(replace(plan, outputs=edges), self.profile.limits, self.NAME)
        for name, pulse in plan.outputs.items():
            if pulse.delay_s:
                raise TriggerError(
                    f"output {name}: {self.NAME} cannot delay a pulse by {pulse.delay_s:g} s",
                    hint="all its outputs start together",
                )

    def _make_safe(self) -> None:
        # The first word to a box that may be running stops it, even where its answers do not come through.
        if self._state is BoxState.RUNNING or self._status()[0] in (_STARTING, _RUNNING):
            self._abort()
        self._command(_CLOCK)
        self._command("setnumpseudoclocks 4")  # clears all instructions: nothing can be started
        for name, clock in self.OUTPUTS.items():
            pin = name.removeprefix("GPIO")
            self._set(f"setoutpin {clock} {pin}", f"getoutpin {clock}", pin)
            self._expect(f"get {clock} 0", "0 0", "setnumpseudoclocks 4")
            self._command(f"go low {clock}")

    def _abort(self) -> None:
        answer = self.link.query("abort")
        deadline = time.monotonic() + _ABORT_S
        while (status := self._status()[0]) not in _IDLE:
            if time.monotonic() > deadline:
                raise TriggerError(
                    f"{self.NAME} does not stop: '{answer}', run-status {status}", hint="unplug it"
                )
            time.sleep(_POLL_S)

    def _configure(self, plan: PulsePlan) -> AppliedPulses:
        half = round(plan.period_s * CLOCK_HZ / 2)
        if not SHORTEST_HALF <= half <= LONGEST_HALF:
            raise TriggerError(
                f"{self.NAME} cannot fire every {plan.period_s:g} s", hint="its half period is 50 ns to 42 s"
            )
        for name in plan.outputs:
            clock = self.OUTPUTS[name]
            self._set(f"set {clock} 0 {half} {plan.count}", f"get {clock} 0", f"{half} {plan.count}")
            self._set(f"set {clock} 1 0 0", f"get {clock} 1", "0 0")
        half_s = half / CLOCK_HZ
        return AppliedPulses(plan.count, 2 * half_s, {name: Pulse(0.0, half_s) for name in plan.outputs})

    def _arm(self, applied: AppliedPulses) -> None:
        status, clock = self._status()
        if status not in _IDLE or clock:
            raise TriggerError(
                f"{self.NAME} is not ready: run-status {status}, clock-status {clock}",
                hint="is another program connected to it?",
            )

    def _fire(self, applied: AppliedPulses) -> None:
        self._command("start")

    def _ended(self, applied: AppliedPulses) -> bool:
        status, clock = self._status()
        if status in _ABORTS:
            self.spoil("its burst was aborted", "is another program connected to it?")
        if clock:
            self.spoil("it left its own clock during the burst", "is another program connected to it?")
        return status == _STOPPED

    # ---- the dialect

    def _status(self) -> tuple[int, int]:
        answer = self.link.query("status")
        found = _STATUS.fullmatch(answer)
        if found is None:
            raise ProtocolError(
                f"{self.NAME} answered '{answer}' to status", hint="'run-status:N clock-status:N' expected"
            )
        return int(found[1]), int(found[2])

    def _command(self, command: str) -> None:
        answer = self.link.query(command)
        if answer != "ok":
            raise TriggerError(
                f"{self.NAME} refused '{command}': {answer}", hint="is its firmware 1.1 or newer?"
            )

    def _expect(self, question: str, wanted: str, command: str) -> None:
        answer = self.link.query(question)
        if answer != wanted:
            self.differs(command, answer)

    def _set(self, command: str, question: str, wanted: str) -> None:
        with self.link.lock:
            self._command(command)
            self._expect(question, wanted, command)

"""Driver of the Quantum Composers 9520 and 9530, and of the BNC 575, which speaks the same dialect.

Commands and answers end in CR LF. Every set command answers `ok` or `?n`, and every value is read back. What
tells the models apart (who they say they are, baud rate, limits) is in their profiles.

N pulses are one burst of N system pulses (`:PULSE0:MODE BURS`, `:PULSE0:BCO`) with the trigger input off:
nothing can come out before `:PULSE0:STATE ON`, which is `fire`. The box counts triggers at its input, not
its own pulses, and no source says what its state is after a burst. So a burst counts as ended when its time
is over, and as spoiled when the box says that it was stopped before.
"""

from __future__ import annotations

import logging
import re
import time

from rig.errors import ProtocolError, TriggerError
from rig.profiles import TriggerBoxProfile
from rig.trigger.base import AppliedPulses, BoxInfo, Pulse, PulsePlan, check_plan
from rig.trigger.driver import BoxDriver
from rig.trigger.link import BoxLost

_LOG = logging.getLogger(__name__)

TERMINATORS = (b"\r\n", b"\r\n")
ERRORS = {
    1: "incorrect prefix",
    2: "missing keyword",
    3: "invalid keyword",
    4: "missing parameter",
    5: "invalid parameter",
    6: "query only",
    7: "no query form",
    8: "not possible in its present state",
}
TTL_V = 4.0
"""Level of an output in mode TTL; another amplitude needs mode ADJ."""

_ECHO_OFF = ":SYST:COMM:SER:ECHO OFF"
_ECHO_S = 0.1


class QC9520(BoxDriver):
    """A connected 9520, 9530 or 575. Implements `rig.trigger.base.TriggerBox`."""

    NAME = "the pulse generator"
    OUTPUTS = {name: number for number, name in enumerate("ABCDEFGH", start=1)}  # noqa: RUF012
    QUESTION = "*IDN?"
    MAKER = re.compile("^(QC|BNC|Quantum Composers|Berkeley Nucleonics)\\b")
    STATE_QUESTIONS = tuple(
        f":PULSE0:{keyword}?" for keyword in ("STATE", "MODE", "TRIG:MODE", "BCO", "PER")
    ) + tuple(f":PULSE{number}:{keyword}?" for number in (1, 2) for keyword in ("STATE", "DEL", "WIDT"))

    def identify(self) -> BoxInfo:
        """Turn the echo off, ask who is there, refuse a stranger, and ask for its channels.

        Raises:
            TriggerError: Another device.
            ProtocolError: No answer, or no sensible one.
        """
        self._stop_echo()
        info = super().identify()
        self._channels = self._read_channels()
        return info

    @classmethod
    def recognise(cls, answer: str, profile: TriggerBoxProfile) -> BoxInfo | None:
        """Return who answered `*IDN?` so, or None where the profile is not for it."""
        parts = [part.strip() for part in answer.split(",")]
        match = profile.match
        if (
            len(parts) != 4
            or not re.search(match.vendor or "", parts[0])
            or not re.search(match.model or "", parts[1])
        ):
            return None
        return BoxInfo(*parts)

    def _stop_echo(self) -> None:
        for _ in range(2):  # a second time where it refused the rest of an earlier program's command with it
            try:
                answer = self.link.query(_ECHO_OFF)
            except BoxLost:
                raise
            except ProtocolError as error:
                answer = error.message
            if answer == "ok":
                return
            _LOG.info("the box on %s answered '%s' to %s", self.link.port, answer, _ECHO_OFF)
            if answer == _ECHO_OFF:  # its echo; the answer follows
                time.sleep(_ECHO_S)
                self.link.drain()
                return
            self.link.expect_rest()

    def _read_channels(self) -> list[str]:
        answer = self._query(":INST:CAT?")
        names = [name.strip() for name in answer.split(",")]
        channels = [name.removeprefix("CH") for name in names[1:]]
        if names[0] != "T0" or not channels or not set(channels) <= set(self.OUTPUTS):
            raise ProtocolError(
                f"{self.NAME} answered '{answer}' to :INST:CAT?", hint="'T0, CHA, ...' expected"
            )
        return channels

    def _check(self, plan: PulsePlan) -> None:
        check_plan(plan, self.profile.limits, self.NAME)
        for name in plan.outputs:
            if name in self.OUTPUTS and name not in self._channels:
                raise TriggerError(
                    f"this {self.info.model} has no channel '{name}'",
                    hint=f"it has {', '.join(self._channels)}",
                )

    def _make_safe(self) -> None:
        self._switch(0, on=False)
        for name in self._channels:
            self._switch(self.OUTPUTS[name], on=False)

    def _configure(self, plan: PulsePlan) -> AppliedPulses:
        limits, levels = self.profile.limits, self.profile.levels
        self._choose(":PULSE0:TRIG:MODE", "DIS")
        self._choose(":PULSE0:MODE", "BURS")
        count = self._set(":PULSE0:BCO", str(plan.count), 0)
        period_s = self._set(":PULSE0:PER", f"{plan.period_s:.9f}", limits.period_resolution_s)
        pulses = {}
        for name, pulse in plan.outputs.items():
            channel = f":PULSE{self.OUTPUTS[name]}"
            self._choose(f"{channel}:CMODE", "NORM")
            self._choose(f"{channel}:SYNC", "T0")
            self._choose(f"{channel}:POL", "NORM" if levels.polarity == "positive" else "INV")
            if levels.amplitude_v == TTL_V:
                self._choose(f"{channel}:OUTP:MODE", "TTL")
            else:
                self._choose(f"{channel}:OUTP:MODE", "ADJ")
                self._set(f"{channel}:OUTP:AMPL", f"{levels.amplitude_v:.2f}", 0.01)
            delay_s = self._set(f"{channel}:DEL", f"{pulse.delay_s:.9f}", limits.delay_resolution_s)
            width_s = self._set(f"{channel}:WIDT", f"{pulse.width_s:.9f}", limits.delay_resolution_s)
            pulses[name] = Pulse(delay_s, width_s)
        return AppliedPulses(int(count), period_s, pulses)

    def _arm(self, applied: AppliedPulses) -> None:
        self._switch(0, on=False)  # it may still stand on RUN after the burst before
        for name in applied.outputs:
            self._switch(self.OUTPUTS[name], on=True)

    def _fire(self, applied: AppliedPulses) -> None:
        self._sent_at = time.monotonic()
        self._command(":PULSE0:STATE ON")
        self._started_at = time.monotonic()

    def _ended(self, applied: AppliedPulses) -> bool:
        over = time.monotonic() >= self._started_at + applied.duration_s
        running = self._query(":PULSE0:STATE?") == "1"
        if not running and time.monotonic() < self._sent_at + (applied.count - 1) * applied.period_s:
            self.spoil(
                "it was stopped before the end of the burst", "was it operated by hand during the take?"
            )
        if over and (count := self._query(":PULSE0:BCO?")) != str(applied.count):
            self.spoil(f"its burst count is now {count}", "was it operated by hand during the take?")
        return over

    # ---- the dialect

    def _switch(self, number: int, *, on: bool) -> None:
        keyword = f":PULSE{number}:STATE"
        command = f"{keyword} {'ON' if on else 'OFF'}"
        with self.link.lock:
            self._command(command)
            applied = self._query(f"{keyword}?")
        if applied != str(int(on)):
            self.differs(command, applied)

    def _choose(self, keyword: str, choice: str) -> None:
        with self.link.lock:
            self._command(f"{keyword} {choice}")
            applied = self._query(f"{keyword}?")
        if applied.upper() != choice:
            self.differs(f"{keyword} {choice}", applied)

    def _set(self, keyword: str, value: str, tolerance: float) -> float:
        with self.link.lock:
            self._command(f"{keyword} {value}")
            applied = self.number(self._query(f"{keyword}?"), f"{keyword}?")
        if abs(applied - float(value)) > tolerance * (1 + 1e-6):
            self.differs(f"{keyword} {value}", applied)
        return applied

    def _command(self, command: str) -> None:
        answer = self._query(command)
        if answer.lower() != "ok":
            raise ProtocolError(f"{self.NAME} answered '{answer}' to {command}", hint="'ok' was expected")

    def _query(self, command: str) -> str:
        answer = self.link.query(command).strip()
        if answer.startswith("?"):
            code = int(answer[1:]) if answer[1:].isdigit() else 0
            raise TriggerError(
                f"{self.NAME} refused '{command}': {ERRORS.get(code, 'error')} ({answer})",
                hint="can this model do it? see its manual",
            )
        return answer

"""Driver of the Highland T560 and T564 delay generators (RS-232).

Commands end in CR, answers in CR LF; a set command answers `OK` or `??`, and every value is read back.

The T560 has no command for a number of pulses, and `FI` (one pulse a command) would put the computer's delays
of milliseconds between the pulses, more than a proof of synchrony allows. So the pulses are those of the
internal synthesiser at 1 MHz, divided (`TD`): the period is a whole number of microseconds, true to the
synthesiser's step of 0.0186 Hz. A thread watches the box's own shot counter (`GA`) and takes the trigger away
when the last pulse was counted; it has one period for that. A burst with another count is no burst. Where the
program is killed in a burst, pulses go on until the box is connected to again.
"""

from __future__ import annotations

import re
import threading
import time

from rig.errors import ProtocolError, TriggerError
from rig.profiles import TriggerBoxProfile
from rig.trigger.base import AppliedPulses, BoxInfo, Pulse, PulsePlan, check_plan
from rig.trigger.driver import BoxDriver
from rig.trigger.link import SerialLink

TERMINATORS = (b"\r", b"\r\n")
SYNTH_HZ = 1_000_000
SYNTH_STEP_HZ = 80e6 / 2**32
_COUNTER_WRAPS = 10**10

_TRIGGER = re.compile(r"Trig (\w+) +\w+ +Level [\d.]+ +Div (\d+) +SYN ([\d.,]+)")
_GATE = re.compile(r"Gate (\w+) +\w+ +\w+ +Shots (\d+)")
_CHANNEL = re.compile(r"Ch ([A-D]) +(POS|NEG) +(ON|OFF) +Dly +([\d.,]+) +Wid +([\d.,]+)")
_POLL_S = 0.001
_LOOK_S = 0.5
_DEAD_S = 1e-6


class Highland(BoxDriver):
    """A connected T560 or T564. Implements `rig.trigger.base.TriggerBox`."""

    NAME = "the delay generator"
    OUTPUTS = {"A": 1, "B": 2, "C": 3, "D": 4}  # noqa: RUF012
    QUESTION = "ID"
    MAKER = re.compile("Highland")
    STATE_QUESTIONS = ("TR", "GA", "AS", "BS", "CS", "DS")

    def __init__(self, link: SerialLink, profile: TriggerBoxProfile) -> None:
        super().__init__(link, profile)
        self._give_up = threading.Event()
        self._counted: int | None = None
        self._watcher: threading.Thread | None = None
        self._fired: int | None = None
        self._trouble: TriggerError | None = None
        self._shots_before = 0

    @classmethod
    def recognise(cls, answer: str, profile: TriggerBoxProfile) -> BoxInfo | None:
        """Return who answered `ID` so, or None where the profile is not for it."""
        found = re.search(profile.match.model or "", answer)
        return None if found is None else BoxInfo("Highland Technology", found[0], "", answer)

    def shots(self) -> int | None:
        """Return how many pulses the box's own shot counter saw in the last burst; None before its end."""
        return self._counted

    def _check(self, plan: PulsePlan) -> None:
        limits = self.profile.limits
        if (
            plan.period_s >= limits.min_period_s
        ):  # that is for stopping; the pulses themselves need no such gap
            limits = limits.model_copy(update={"min_period_s": _DEAD_S})
        check_plan(plan, limits, self.NAME)

    def _abandon(self) -> None:
        self._give_up.set()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None

    def _make_safe(self) -> None:
        self._abandon()
        self._command("TR OFF")
        self._command("VE 0")
        self._command("AU 1")  # what is set holds at once
        if (mode := self._trigger()[0]) != "OFF":
            self.differs("TR OFF", mode)
        for name in self.OUTPUTS:
            self._command(f"{name}S OFF")
            if (state := self._channel(name)[1]) != "OFF":
                self.differs(f"{name}S OFF", state)

    def _configure(self, plan: PulsePlan) -> AppliedPulses:
        divider = round(plan.period_s * SYNTH_HZ)
        self._command("GA OFF")
        if (gate := self._gate()[0]) != "OFF":
            self.differs("GA OFF", gate)
        self._command(f"SY {SYNTH_HZ}")
        self._command(f"TD {divider}")
        mode, divided_by, synth_hz = self._trigger()
        if mode != "OFF" or divided_by != divider or synth_hz != SYNTH_HZ:
            self.differs(f"TD {divider}", f"trigger {mode}, {synth_hz:g} Hz divided by {divided_by}")
        polarity = "POS" if self.profile.levels.polarity == "positive" else "NEG"
        pulses = {}
        for name, pulse in plan.outputs.items():
            for keyword, wanted_s in (("D", pulse.delay_s), ("W", pulse.width_s)):
                self._command(f"{name}{keyword} {_nanoseconds(wanted_s)}n")
            self._command(f"{name}S {polarity}")
            applied = self._channel(name)
            tolerance_s = self.profile.limits.delay_resolution_s * (1 + 1e-6)
            if (
                applied[:2] != (polarity, "OFF")
                or abs(applied[2] - pulse.delay_s) > tolerance_s
                or abs(applied[3] - pulse.width_s) > tolerance_s
            ):
                self.differs(f"{name}W {_nanoseconds(pulse.width_s)}n", applied)
            pulses[name] = Pulse(applied[2], applied[3])
        period_s = divider / SYNTH_HZ
        error_s = period_s * SYNTH_STEP_HZ / 2 / SYNTH_HZ
        return AppliedPulses(plan.count, period_s, pulses, period_error_s=error_s)

    def _arm(self, applied: AppliedPulses) -> None:
        for name in applied.outputs:
            self._command(f"{name}S ON")
            if (state := self._channel(name)[1]) != "ON":
                self.differs(f"{name}S ON", state)
        self._shots_before = self._gate()[1]
        self._fired = self._trouble = self._counted = None

    def _fire(self, applied: AppliedPulses) -> None:
        started_at = time.monotonic()
        self._give_up.clear()
        self._command("TR SYN")
        self._watcher = threading.Thread(
            target=self._watch, args=(applied, started_at), name="highland-shots", daemon=True
        )
        self._watcher.start()

    def _watch(self, applied: AppliedPulses, started_at: float) -> None:
        """Count to the last pulse, then take the trigger away; count again, as one more may have come."""
        last_s = max(pulse.delay_s + pulse.width_s for pulse in applied.outputs.values())
        try:
            # The synthesiser runs on its own: the first pulse comes within a period, the last not before.
            soon = started_at + (applied.count - 1) * applied.period_s
            while (left_s := soon - time.monotonic()) > _LOOK_S:
                if self._give_up.wait(_LOOK_S):
                    return
                self._shots()  # is it still there?
            if self._give_up.wait(max(0.0, left_s)):
                return
            while self._shots() < applied.count:
                if self._give_up.wait(_POLL_S):
                    return
            self._command("TR OFF")
            self._counted = fired = self._shots()
            if not self._give_up.wait(last_s):
                self._fired = fired
        except TriggerError as error:
            self._trouble = error

    def _ended(self, applied: AppliedPulses) -> bool:
        if self._trouble is not None:
            self._fault = self._trouble
            raise self._trouble
        if self._fired is None:
            return False
        if self._fired != applied.count:
            self.spoil(
                f"it fired {self._fired} pulses instead of {applied.count}",
                "the computer was too busy to stop it in time; lengthen the period",
            )
        return True

    # ---- the dialect

    def _command(self, command: str) -> None:
        answer = self.link.query(command)
        if answer != "OK":
            raise TriggerError(
                f"{self.NAME} refused '{command}': {answer}", hint="can this model do it? see its manual"
            )

    def _read(self, question: str, form: re.Pattern[str]) -> re.Match[str]:
        answer = self.link.query(question)
        found = form.fullmatch(answer)
        if found is None:
            raise ProtocolError(
                f"{self.NAME} answered '{answer}' to {question}", hint="is its firmware a very different one?"
            )
        return found

    def _trigger(self) -> tuple[str, int, float]:
        found = self._read("TR", _TRIGGER)
        return found[1], int(found[2]), self.number(found[3].replace(",", ""), "TR")

    def _gate(self) -> tuple[str, int]:
        found = self._read("GA", _GATE)
        return found[1], int(found[2])

    def _shots(self) -> int:
        return (self._gate()[1] - self._shots_before) % _COUNTER_WRAPS

    def _channel(self, name: str) -> tuple[str, str, float, float]:
        question = f"{name}S"
        found = self._read(question, _CHANNEL)
        if found[1] != name:
            raise ProtocolError(
                f"{self.NAME} answered for channel {found[1]} to {question}",
                hint="try again",
            )
        times = [self.number(text.replace(",", ""), question) for text in (found[4], found[5])]
        return found[2], found[3], times[0], times[1]


def _nanoseconds(value_s: float) -> str:
    return f"{value_s * 1e9:.2f}".rstrip("0").rstrip(".")

"""Driver of the Stanford Research Systems DG645 digital delay generator (RS-232).

Commands end in LF, answers in CR LF. A set command has no answer, so each is followed by `LERR?`, and
each value is read back and compared. The box has no counter of shots: N pulses are one burst of N
(`BURC`), proven by the end-of-burst bit of its status register and the absence of fault bits.

Nothing can come out before `arm`: the trigger source is single shot, which only `*TRG` (or the front
panel) fires, and triggers are given to the rear INHIBIT input where one is wired.
"""

from __future__ import annotations

import re

from rig.profiles import TriggerBoxProfile
from rig.trigger.base import AppliedPulses, BoxInfo, BoxState, Pulse, PulsePlan, check_plan
from rig.trigger.dg645_codes import FAULTS, OUTPUTS, T0, Inhibit, Status, TriggerSource, error_text
from rig.trigger.dg645_dialogue import Dialogue
from rig.trigger.driver import BoxDriver
from rig.trigger.link import SerialLink

TERMINATORS = (b"\n", b"\r\n")


class DG645(BoxDriver):
    """A connected DG645; `DG645.connect` makes one. Implements `rig.trigger.base.TriggerBox`."""

    NAME = "the DG645"
    OUTPUTS = OUTPUTS
    QUESTION = "*IDN?"
    MAKER = re.compile("^Stanford Research Systems,")
    ERROR_QUESTION = "LERR?"
    STATE_QUESTIONS = (
        *("TSRC?", "INHB?", "BURM?", "BURC?", "BURP?", "BURD?", "HOLD?"),
        *(f"DLAY?{channel}" for channel in range(2, 10)),
    )

    def __init__(self, link: SerialLink, profile: TriggerBoxProfile) -> None:
        super().__init__(link, profile)
        self._talk = Dialogue(link, profile.limits.delay_resolution_s)
        self._unknown = True

    def identify(self) -> BoxInfo:
        """Ask who is there; whatever an earlier program left in it is unknown from here on."""
        self._unknown = True
        return super().identify()

    @classmethod
    def recognise(cls, answer: str, profile: TriggerBoxProfile) -> BoxInfo | None:
        """Return who answered `*IDN?` so, or None where it is no DG645."""
        parts = [part.strip() for part in answer.split(",")]
        if len(parts) != 4 or parts[0] != "Stanford Research Systems" or parts[1] != "DG645":
            return None
        return BoxInfo(parts[0], parts[1], parts[2].removeprefix("s/n"), parts[3].removeprefix("ver"))

    @classmethod
    def complaint(cls, answer: str) -> str:
        """Return the error in an answer to `LERR?`, in words; empty where there is none."""
        code = int(answer) if answer.isdigit() else 0
        return f"{error_text(code)} ({code})" if code else ""

    def _check(self, plan: PulsePlan) -> None:
        check_plan(plan, self.profile.limits, self.NAME)

    def _make_safe(self) -> None:
        if self._unknown or self._state in {BoxState.RUNNING, BoxState.FAULT}:
            # The DG645 has no command that stops a burst; a reset does, and clears what was set up. After a
            # fault it also forgets errors that nobody fetched: they would be blamed on the next command.
            self._talk.reset()
            self._unknown = False
        self._talk.set("TSRC", TriggerSource.SINGLE_SHOT)
        self._talk.set("INHB", Inhibit.TRIGGERS)
        self._talk.set("BURM", 0)

    def _arm(self, applied: AppliedPulses) -> None:
        self._talk.set("BURM", 1)
        self._talk.set("INHB", Inhibit.OFF)
        self._talk.status()  # reading clears it: what is set from now on belongs to this burst

    def _fire(self, applied: AppliedPulses) -> None:
        self._talk.command("*TRG")

    def _ended(self, applied: AppliedPulses) -> bool:
        status = self._talk.status()
        for bit, (what, hint) in FAULTS.items():
            if status & bit:
                self.spoil(what, hint)
        return bool(status & Status.END_OF_BURST)

    def _configure(self, plan: PulsePlan) -> AppliedPulses:
        levels, limits = self.profile.levels, self.profile.limits
        pulses = {}
        for name, pulse in plan.outputs.items():
            output = OUTPUTS[name]
            start, end = 2 * output, 2 * output + 1
            self._talk.set("LAMP", levels.amplitude_v, index=output, tolerance=0.01)
            self._talk.set("LOFF", levels.offset_v, index=output, tolerance=0.01)
            self._talk.set("LPOL", int(levels.polarity == "positive"), index=output)
            delay_s = self._talk.set_delay(start, T0, pulse.delay_s)
            pulses[name] = Pulse(delay_s, self._talk.set_delay(end, start, pulse.width_s))
        self._talk.set("BURD", 0)
        count = self._talk.set("BURC", plan.count)
        period_s = self._talk.set("BURP", plan.period_s, tolerance=limits.period_resolution_s)
        return AppliedPulses(int(count), period_s, pulses)

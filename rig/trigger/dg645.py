"""Driver of the Stanford Research Systems DG645 digital delay generator (RS-232).

Commands end in LF, answers in CR LF. A set command has no answer, so each is followed by `LERR?`, and
each value is read back and compared. The box has no counter of shots: N pulses are one burst of N
(`BURC`), proven by the end-of-burst bit of its status register and the absence of fault bits.

Nothing can come out before `arm`: the trigger source is single shot, which only `*TRG` (or the front
panel) fires, and triggers are given to the rear INHIBIT input where one is wired.
"""

from __future__ import annotations

import logging
import time
from types import TracebackType
from typing import Self

from rig.errors import NotArmed, ProtocolError, TriggerError
from rig.profiles import TriggerBoxProfile
from rig.trigger.base import AppliedPulses, BoxInfo, BoxState, Pulse, PulsePlan, check_plan
from rig.trigger.dg645_codes import FAULTS, OUTPUTS, T0, Inhibit, Status, TriggerSource
from rig.trigger.dg645_dialogue import Dialogue
from rig.trigger.link import BoxLost, SerialLink

_LOG = logging.getLogger(__name__)

TERMINATORS = (b"\n", b"\r\n")
_POLL_S = 0.01


class DG645:
    """A connected DG645; `DG645.connect` makes one. Implements `rig.trigger.base.TriggerBox`."""

    def __init__(self, link: SerialLink, profile: TriggerBoxProfile) -> None:
        self._talk = Dialogue(link, profile.limits.delay_resolution_s)
        self._profile = profile
        self._state = BoxState.SAFE
        self._applied: AppliedPulses | None = None
        self._fault: TriggerError | None = None
        self.info = BoxInfo("", "", "", "")

    @classmethod
    def connect(cls, link: SerialLink, profile: TriggerBoxProfile) -> DG645:
        """Identify the box, forget whatever it was doing, and put it into its safe state.

        Raises:
            TriggerError: It is no DG645, or does not obey.
        """
        box = cls(link, profile)
        box.info = box.identify()
        box._talk.reset()
        box.safe()
        return box

    def identify(self) -> BoxInfo:
        """Ask who is there and refuse a stranger.

        Raises:
            TriggerError: Another device.
            ProtocolError: No answer, or no sensible one.
        """
        try:
            answer = self._talk.query("*IDN?")
        except BoxLost:
            raise
        except ProtocolError as error:  # half a command of an earlier program may stand in the box's buffer
            _LOG.info("%s; asking once more", error.message)
            self._talk.link.drain()
            answer = self._talk.query("*IDN?")
        parts = [part.strip() for part in answer.split(",")]
        if len(parts) != 4 or parts[0] != "Stanford Research Systems" or parts[1] != "DG645":
            raise TriggerError(
                f"the device on {self._talk.link.port} is '{answer}', not a DG645",
                hint="check the port and the trigger box in the rig's profile",
            )
        return BoxInfo(parts[0], parts[1], parts[2].removeprefix("s/n"), parts[3].removeprefix("ver"))

    def safe(self) -> None:
        """Stop, and make sure that no pulse can come out.

        Raises:
            TriggerError: The box does not obey; its state is then unknown.
        """
        if self._state is BoxState.RUNNING:
            # The DG645 has no command that stops a burst; a reset does, and clears what was set up.
            self._talk.reset()
        self._applied = None
        self._fault = None
        self._talk.set("TSRC", TriggerSource.SINGLE_SHOT)
        self._talk.set("INHB", Inhibit.TRIGGERS)
        self._talk.set("BURM", 0)
        self._state = BoxState.SAFE

    def configure(self, plan: PulsePlan) -> AppliedPulses:
        """Set a burst up while no pulse can come out, and return it as the box reads it back.

        Args:
            plan: Burst with its outputs named "AB", "CD", "EF" or "GH".

        Raises:
            TriggerError: The box cannot do it or refuses; it is in its safe state then.
        """
        check_plan(plan, self._profile.limits, "the DG645")
        for name in plan.outputs:
            if name not in OUTPUTS:
                raise TriggerError(f"the DG645 has no output '{name}'", hint=f"outputs: {', '.join(OUTPUTS)}")
        self.safe()
        try:
            applied = self._configure(plan)
        except BoxLost:
            raise
        except TriggerError:
            self.safe()
            raise
        self._applied, self._state = applied, BoxState.CONFIGURED
        return applied

    def arm(self) -> None:
        """Let the next `fire` through.

        Raises:
            NotArmed: Nothing is configured.
            TriggerError: The box does not obey.
        """
        if self._applied is None:
            raise NotArmed("the trigger box is not configured", hint="configure a burst before arming")
        self._talk.set("BURM", 1)
        self._talk.set("INHB", Inhibit.OFF)
        self._talk.status()  # reading clears it: what is set from now on belongs to this burst
        self._state = BoxState.ARMED

    def fire(self) -> None:
        """Start the burst.

        Raises:
            NotArmed: The box is not armed.
            TriggerError: The box does not obey.
        """
        if self._state is not BoxState.ARMED:
            raise NotArmed(f"the trigger box is {self._state}, not armed", hint="arm it before each burst")
        self._state = BoxState.RUNNING  # from here on a pulse may come, whatever the box answers
        self._talk.command("*TRG")

    def done(self) -> bool:
        """Ask whether the burst has ended, without waiting.

        Raises:
            TriggerError: The burst went wrong (every time it is asked), or none was fired.
        """
        if self._fault is not None:
            raise self._fault
        if self._state is BoxState.DONE:
            return True
        if self._state is not BoxState.RUNNING:
            raise TriggerError(f"no burst is running, the trigger box is {self._state}")
        status = self._talk.status()
        for bit, (what, hint) in FAULTS.items():
            if status & bit:
                self._fault = TriggerError(f"the DG645 says that {what}", hint=hint)
                raise self._fault
        if status & Status.END_OF_BURST:
            self._state = BoxState.DONE
        return self._state is BoxState.DONE

    def wait_done(self, timeout_s: float) -> int:
        """Wait for the end of the burst.

        Args:
            timeout_s: Longest wait, in s; at least the burst's `duration_s`.

        Returns:
            The number of pulses fired.

        Raises:
            TriggerError: The burst went wrong, or did not end in time.
        """
        deadline = time.monotonic() + timeout_s
        while not self.done():
            if time.monotonic() >= deadline:
                raise TriggerError(
                    f"the DG645 has not ended its burst within {timeout_s:g} s",
                    hint="its pulses cannot be trusted; make the take again",
                )
            time.sleep(_POLL_S)
        return self._applied.count if self._applied else 0

    def state(self) -> BoxState:
        """Return where the box stands, without asking it."""
        return BoxState.LOST if self._talk.lost and self._state is not BoxState.CLOSED else self._state

    def close(self) -> None:
        """Put the box into its safe state and give the port back; once is enough.

        Raises:
            TriggerError: The box does not obey; the port is given back all the same.
        """
        if self._state is BoxState.CLOSED:
            return
        try:
            if not self._talk.lost:
                self.safe()
        finally:
            self._talk.link.close()
            self._state = BoxState.CLOSED

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except TriggerError as closing:
            if error is None:
                raise
            # The first error is the one to tell; this one only says that the box stays as it is.
            _LOG.warning("closing the trigger box: %s", closing.one_line())

    def _configure(self, plan: PulsePlan) -> AppliedPulses:
        levels, limits = self._profile.levels, self._profile.limits
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

"""What the drivers of boxes that answer every command share: states, guards, the end of a burst, closing."""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from types import TracebackType
from typing import ClassVar, NoReturn, Self

from rig.errors import NotArmed, TriggerError
from rig.profiles import TriggerBoxProfile
from rig.trigger import ending
from rig.trigger.base import AppliedPulses, BoxInfo, BoxState, PulsePlan
from rig.trigger.link import SerialLink
from rig.trigger.talk import BoxTalk

_LOG = logging.getLogger(__name__)
_POLL_S = 0.01


class BoxDriver(BoxTalk):
    """A connected box; `connect` makes one. Implements `rig.trigger.base.TriggerBox`.

    A driver says how its box identifies itself, is made safe, set up, armed, fired and asked for the end.
    What goes wrong while a burst is set up, armed or fired leaves the box safe, or in the state FAULT where
    it cannot be made safe, or LOST where its port is gone. A box that is still open when the program ends is
    made safe then. Not where the program is killed, but there a counted burst ends by itself all the same.

    Attributes:
        info: Who it is, read when it was opened.
        found: What it answered about its settings when it was opened, before anything was changed.
    """

    OUTPUTS: ClassVar[dict[str, int]]
    """Output name in a rig's profile -> number in the box's commands."""

    STATE_QUESTIONS: ClassVar[tuple[str, ...]]
    """Ask for all that was set up before."""

    def __init__(self, link: SerialLink, profile: TriggerBoxProfile) -> None:
        super().__init__(link, profile)
        self.info = BoxInfo("", "", "", "")
        self.found: dict[str, str] = {}
        self._state = BoxState.SAFE
        self._applied: AppliedPulses | None = None
        self._fault: TriggerError | None = None

    @classmethod
    def connect(cls, link: SerialLink, profile: TriggerBoxProfile) -> Self:
        """Identify the box, read what it was doing, and put it into its safe state.

        Raises:
            TriggerError: It is another device, or does not obey.
        """
        box = cls(link, profile)
        box._meet()
        ending.remember(box)
        return box

    def _meet(self) -> None:
        self.info = self.identify()
        self.found = {question: self.link.query(question) for question in self.STATE_QUESTIONS}
        _LOG.info("%s on %s was left with %s", self.NAME, self.link.port, self.found)
        self.safe()

    def reopen(self, patience_s: float = 0.0) -> BoxInfo:
        """Open the port anew, identify the box there and make it safe; for one that was lost or stuck.

        The object stays the same, so whoever holds it need not know. Another box of the same kind is taken
        too; the serial number in what is returned tells them apart.

        Args:
            patience_s: How long to wait for a port that is not there yet, in s.

        Raises:
            TriggerError: The port does not come back, another device answers there, or none does. The box may
                be tried again then.
        """
        if self._state is BoxState.CLOSED:
            raise TriggerError("the trigger box is closed", hint="open the rig again")
        self._abandon()
        self._applied, self._fault, self._state = None, None, BoxState.FAULT
        self.link.reopen(patience_s)
        self._meet()
        return self.info

    def safe(self) -> None:
        """Stop, and make sure that no pulse can come out.

        Raises:
            TriggerError: The box does not obey; its state is then FAULT: unknown.
        """
        try:
            self._make_safe()
        except TriggerError:
            self._applied, self._state = None, BoxState.FAULT
            raise
        self._applied = None
        self._fault = None
        self._state = BoxState.SAFE

    def configure(self, plan: PulsePlan) -> AppliedPulses:
        """Set a burst up while no pulse can come out, and return it as the box reads it back.

        Raises:
            TriggerError: The box cannot do it or refuses; it is in its safe state then.
        """
        self._check(plan)
        for name in plan.outputs:
            if name not in self.OUTPUTS:
                raise TriggerError(
                    f"{self.NAME} has no output '{name}'", hint=f"outputs: {', '.join(self.OUTPUTS)}"
                )
        self.safe()
        try:
            applied = self._configure(plan)
        except TriggerError as error:
            self._rest_after(error)
            raise
        self._applied, self._state = applied, BoxState.CONFIGURED
        return applied

    def arm(self) -> None:
        """Let the next `fire` through.

        Raises:
            NotArmed: Nothing is configured.
            TriggerError: The box does not obey; it is in its safe state then.
        """
        if self._applied is None:
            raise NotArmed("the trigger box is not configured", hint="configure a burst before arming")
        try:
            self._arm(self._applied)
        except TriggerError as error:
            self._rest_after(error)
            raise
        self._fault = None
        self._state = BoxState.ARMED

    def fire(self) -> None:
        """Start the burst.

        Raises:
            NotArmed: The box is not armed.
            TriggerError: The box does not obey; it is in its safe state then, but pulses may have come.
        """
        if self._state is not BoxState.ARMED or self._applied is None:
            raise NotArmed(f"the trigger box is {self._state}, not armed", hint="arm it before each burst")
        self._state = BoxState.RUNNING  # from here on a pulse may come, whatever the box answers
        try:
            self._fire(self._applied)
        except TriggerError as error:
            self._rest_after(error)
            raise

    def _rest_after(self, error: TriggerError) -> None:
        """Make the box safe after an error; where that fails too, the first error is the one to tell."""
        if self.link.lost:
            return
        try:
            self.safe()
        except TriggerError as second:
            _LOG.warning("after '%s' the trigger box is not safe: %s", error.message, second.one_line())

    def done(self) -> bool:
        """Ask whether the burst has ended, without waiting.

        Raises:
            TriggerError: The burst went wrong (every time it is asked), or none was fired.
        """
        if self._fault is not None:
            raise self._fault
        if self._state is BoxState.RUNNING and self._applied is not None:
            if self._ended(self._applied):
                self._state = BoxState.DONE
        elif self._state is not BoxState.DONE:
            raise TriggerError(f"no burst is running, the trigger box is {self._state}")
        return self._state is BoxState.DONE

    def wait_done(self, timeout_s: float) -> int:
        """Wait for the end of the burst and return the number of pulses fired.

        Raises:
            TriggerError: The burst went wrong, or did not end in time.
        """
        deadline = time.monotonic() + timeout_s
        while not self.done():
            if time.monotonic() >= deadline:
                raise TriggerError(
                    f"{self.NAME} has not ended its burst within {timeout_s:g} s",
                    hint="its pulses cannot be trusted; make the take again",
                )
            time.sleep(_POLL_S)
        return self._applied.count if self._applied else 0

    def shots(self) -> int | None:
        """Return how many pulses the box itself counted in the last burst; None where it counts none."""
        return None

    def state(self) -> BoxState:
        """Return where the box stands, without asking it."""
        return BoxState.LOST if self.link.lost and self._state is not BoxState.CLOSED else self._state

    def close(self) -> None:
        """Put the box into its safe state and give the port back; once is enough.

        Raises:
            TriggerError: The box does not obey; the port is given back all the same.
        """
        if self._state is BoxState.CLOSED:
            return
        try:
            if not self.link.lost:
                self.safe()
        finally:
            self._abandon()
            self.link.close()
            self._state = BoxState.CLOSED
            ending.forget(self)

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

    # ---- what a driver adds

    def _abandon(self) -> None:
        """Let go of a burst that is being watched, without a word to the box."""
        return

    @abstractmethod
    def _check(self, plan: PulsePlan) -> None: ...

    @abstractmethod
    def _make_safe(self) -> None: ...

    @abstractmethod
    def _configure(self, plan: PulsePlan) -> AppliedPulses: ...

    @abstractmethod
    def _arm(self, applied: AppliedPulses) -> None: ...

    @abstractmethod
    def _fire(self, applied: AppliedPulses) -> None: ...

    @abstractmethod
    def _ended(self, applied: AppliedPulses) -> bool: ...

    def spoil(self, what: str, hint: str) -> NoReturn:
        """Say that the burst cannot be trusted, now and each time it is asked for."""
        self._fault = TriggerError(f"{self.NAME}: {what}", hint=hint)
        raise self._fault

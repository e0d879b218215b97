"""What a trigger box is: counted pulses on named outputs, configured, armed, fired and waited for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from rig.errors import TriggerError
from rig.profiles import BoxLimits


@dataclass(frozen=True)
class Pulse:
    """One pulse of an output, relative to the trigger.

    Attributes:
        delay_s: Start of the pulse after the trigger, in s.
        width_s: Length of the pulse, in s.
    """

    delay_s: float
    width_s: float


@dataclass(frozen=True)
class PulsePlan:
    """A burst of exactly `count` pulses on every output.

    Attributes:
        count: Number of pulses.
        period_s: Time from pulse to pulse, in s.
        outputs: Pulse of each output, keyed by the box's output name such as "AB".
        period_error_s: Of a plan read back: how far the true period may lie from `period_s` by the box's own
            steps, in s; 0 where the box can make the period exactly.
    """

    count: int
    period_s: float
    outputs: dict[str, Pulse]
    period_error_s: float = 0.0

    @property
    def duration_s(self) -> float:
        """Time from the first trigger to the end of the last pulse, in s."""
        last = max((pulse.delay_s + pulse.width_s for pulse in self.outputs.values()), default=0.0)
        return (self.count - 1) * self.period_s + last


AppliedPulses = PulsePlan
"""A pulse plan as the box reads it back."""


class BoxState(StrEnum):
    """Where a box stands between two takes.

    FAULT: its port is there, but it does not answer or obey, so nobody knows whether its outputs are off;
    `safe` tries again. LOST: its port is gone; `reopen` when it is back.
    """

    SAFE = "safe"
    CONFIGURED = "configured"
    ARMED = "armed"
    RUNNING = "running"
    DONE = "done"
    FAULT = "fault"
    LOST = "lost"
    CLOSED = "closed"


@dataclass(frozen=True)
class BoxInfo:
    """Who the box says it is."""

    vendor: str
    model: str
    serial_number: str
    firmware: str


class TriggerBox(Protocol):
    """A box that fires counted pulses; every method raises `TriggerError` when the box does not obey."""

    @property
    def info(self) -> BoxInfo:
        """Identity, read when the box was opened."""
        ...

    def safe(self) -> None:
        """Stop and make sure that no pulse can come out."""
        ...

    def configure(self, plan: PulsePlan) -> AppliedPulses:
        """Set a burst up, with outputs off, and return it as read back."""
        ...

    def arm(self) -> None:
        """Let the next `fire` through."""
        ...

    def fire(self) -> None:
        """Start the configured burst; needs an armed box (`NotArmed`)."""
        ...

    def done(self) -> bool:
        """Ask whether the burst that was fired has ended, without waiting."""
        ...

    def wait_done(self, timeout_s: float) -> int:
        """Wait for the end of the burst and return the number of pulses fired."""
        ...

    def shots(self) -> int | None:
        """Return how many pulses the box itself counted in the last burst; None where it counts none."""
        ...

    def state(self) -> BoxState:
        """Return where the box stands, without asking it."""
        ...

    def reopen(self, patience_s: float = 0.0) -> BoxInfo:
        """Open the port anew, identify the box there and make it safe; for one that was lost or stuck.

        Args:
            patience_s: How long to wait for a port that is not there yet, in s.
        """
        ...

    def close(self) -> None:
        """Put the box into its safe state and give the port back."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def check_plan(plan: PulsePlan, limits: BoxLimits, box: str) -> None:
    """Refuse a burst that the box cannot time.

    Args:
        plan: Wanted burst.
        limits: From the box's profile.
        box: Name for messages.

    Raises:
        TriggerError: With the limit that is broken.
    """
    if not 1 <= plan.count <= limits.max_burst:
        raise TriggerError(f"{box} cannot fire {plan.count} pulses", hint=f"1 to {limits.max_burst}")
    if not (math.isfinite(plan.period_s) and limits.min_period_s <= plan.period_s <= limits.max_period_s):
        raise TriggerError(
            f"{box} cannot fire every {plan.period_s:g} s",
            hint=f"{limits.min_period_s:g} s to {limits.max_period_s:g} s",
        )
    if not plan.outputs:
        raise TriggerError("no output has a pulse", hint="name the output of each camera")
    for name, pulse in plan.outputs.items():
        if not (math.isfinite(pulse.delay_s + pulse.width_s) and pulse.delay_s >= 0):
            raise TriggerError(f"output {name}: a delay of {pulse.delay_s:g} s is not possible")
        if pulse.width_s < limits.delay_resolution_s:
            raise TriggerError(f"output {name}: a pulse of {pulse.width_s:g} s is not possible")
        # A box ignores a trigger during its own delays, and needs a moment after them.
        if pulse.delay_s + pulse.width_s + limits.min_period_s > plan.period_s:
            raise TriggerError(
                f"output {name}: the pulse ends {pulse.delay_s + pulse.width_s:g} s after the trigger, "
                f"the next one comes after {plan.period_s:g} s",
                hint="lengthen the period, or shorten the pulse",
            )

"""What the big button does now: begin a take, fire a shot by hand, keep a pre-roll, or nothing and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gui.take import TakeRequest

Deed = Literal["capture", "fire", "keep"]


@dataclass(frozen=True)
class Shutter:
    """The state of the button.

    Attributes:
        deed: What a press does.
        text: What stands on it.
        why_not: Why it is off; empty when it is on.
    """

    deed: Deed
    text: str
    why_not: str = ""


def shutter(
    kind: str, mode: str, running: TakeRequest | None, *, kept: bool, stopping: bool, why_not: str
) -> Shutter:
    """Say what a press does.

    Args:
        kind: The chosen kind of take.
        mode: The chosen mode of `TakeMode`.
        running: The take under way.
        kept: Whether its pre-roll was kept already.
        stopping: Whether it was told to stop.
        why_not: Why no take can be begun; empty when one can.
    """
    if running is None:
        return Shutter("capture", f"Start {kind}" if mode != "count" else f"Capture {kind}", why_not)
    if stopping:
        return Shutter("capture", "Stopping…", "It stops after the present shot")
    if running.by_hand:
        return Shutter("fire", "Shoot")
    if running.preroll and not kept:
        return Shutter("keep", "Keep")
    return Shutter("capture", "Capturing…", "A take is running")

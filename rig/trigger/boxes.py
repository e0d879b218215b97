"""Which driver speaks to which trigger box."""

from __future__ import annotations

from rig.profiles import TriggerBoxProfile, TriggerSlot
from rig.trigger import dg645
from rig.trigger.base import TriggerBox
from rig.trigger.link import SerialLink


def open_box(slot: TriggerSlot, profile: TriggerBoxProfile) -> TriggerBox:
    """Open the trigger box of a rig; it is identified, reset and safe then.

    Args:
        slot: Port and wiring, with its placeholders filled in (`rig.profiles.expand`).
        profile: The box's own profile.

    Raises:
        TriggerError: The port cannot be opened, or another device answers there, or none does.
    """
    link = SerialLink.open(slot.port, profile.serial, dg645.TERMINATORS)
    try:
        return dg645.DG645.connect(link, profile)
    except BaseException:
        link.close()
        raise

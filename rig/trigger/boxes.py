"""Which driver speaks to which trigger box."""

from __future__ import annotations

from rig.profiles import TriggerBoxProfile, TriggerSlot
from rig.trigger import dg645, highland, prawnblaster, qc9520
from rig.trigger.base import TriggerBox
from rig.trigger.driver import BoxDriver
from rig.trigger.link import SerialLink

DRIVERS: dict[str, tuple[tuple[bytes, bytes], type[BoxDriver]]] = {
    "dg645": (dg645.TERMINATORS, dg645.DG645),
    "qc9520": (qc9520.TERMINATORS, qc9520.QC9520),
    "highland": (highland.TERMINATORS, highland.Highland),
    "prawnblaster": (prawnblaster.TERMINATORS, prawnblaster.PrawnBlaster),
}
"""Driver in a box's profile -> ends of lines (of commands, of answers), and its class."""


def open_box(slot: TriggerSlot, profile: TriggerBoxProfile) -> TriggerBox:
    """Open the trigger box of a rig; it is identified, reset and safe then.

    Args:
        slot: Port and wiring, with its placeholders filled in (`rig.profiles.expand`).
        profile: The box's own profile.

    Raises:
        TriggerError: The port cannot be opened, or another device answers there, or none does.
    """
    terminators, driver = DRIVERS[profile.driver]
    link = SerialLink.open(slot.port, profile.serial, terminators)
    try:
        return driver.connect(link, profile)
    except BaseException:
        link.close()
        raise

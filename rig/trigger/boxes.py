"""Which driver speaks to which trigger box."""

from __future__ import annotations

from collections.abc import Callable

from rig.profiles import TriggerBoxProfile, TriggerSlot
from rig.trigger import dg645, highland, prawnblaster, qc9520
from rig.trigger.base import TriggerBox
from rig.trigger.link import SerialLink

_Connect = Callable[[SerialLink, TriggerBoxProfile], TriggerBox]
_DRIVERS: dict[str, tuple[tuple[bytes, bytes], _Connect]] = {
    "dg645": (dg645.TERMINATORS, dg645.DG645.connect),
    "qc9520": (qc9520.TERMINATORS, qc9520.QC9520.connect),
    "highland": (highland.TERMINATORS, highland.Highland.connect),
    "prawnblaster": (prawnblaster.TERMINATORS, prawnblaster.PrawnBlaster.connect),
}
"""Driver in a box's profile -> ends of lines (of commands, of answers), and what connects to the box."""


def open_box(slot: TriggerSlot, profile: TriggerBoxProfile) -> TriggerBox:
    """Open the trigger box of a rig; it is identified, reset and safe then.

    Args:
        slot: Port and wiring, with its placeholders filled in (`rig.profiles.expand`).
        profile: The box's own profile.

    Raises:
        TriggerError: The port cannot be opened, or another device answers there, or none does.
    """
    terminators, connect = _DRIVERS[profile.driver]
    link = SerialLink.open(slot.port, profile.serial, terminators)
    try:
        return connect(link, profile)
    except BaseException:
        link.close()
        raise

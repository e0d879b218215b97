"""Trigger boxes: what one is (`base`), the serial `link`, one small driver a device, and `open_box`."""

from __future__ import annotations

from rig.trigger.base import AppliedPulses, BoxInfo, BoxState, Pulse, PulsePlan, TriggerBox
from rig.trigger.boxes import open_box
from rig.trigger.link import BoxLost, SerialLink

__all__ = [
    "AppliedPulses",
    "BoxInfo",
    "BoxLost",
    "BoxState",
    "Pulse",
    "PulsePlan",
    "SerialLink",
    "TriggerBox",
    "open_box",
]

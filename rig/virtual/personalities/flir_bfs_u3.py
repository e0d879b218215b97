"""FLIR (Teledyne) Blackfly S with USB3."""

from ..producer.personality import Personality
from . import _flir

PERSONALITY = Personality(
    vendor="FLIR",
    model="Blackfly S BFS-U3-51S5C",
    tl_type="U3V",
    change=_flir.CHANGE,
    drop=(*_flir.DROP, "TimestampLatch", "TimestampLatchValue"),
    add=_flir.ADD,
)

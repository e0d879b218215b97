"""What a rig says about itself at a glance, without asking any device."""

from __future__ import annotations

from dataclasses import dataclass

from rig.camera.types import CameraCounters, State
from rig.capture.flow import TakeCounters


@dataclass(frozen=True)
class CameraStatus:
    """One camera.

    Attributes:
        state: What it is doing.
        counters: Totals since the rig was opened.
        exposure_us: Exposure as last read back, in microseconds; None before the first plan.
        temperature_c: As last read, in degrees Celsius; None when the camera does not say.
        pid: Process id of its host; None while there is none.
        message: Why it is lost; empty when all is well.
    """

    state: State
    counters: CameraCounters
    exposure_us: float | None
    temperature_c: float | None
    pid: int | None
    message: str


@dataclass(frozen=True)
class RigStatus:
    """The whole rig.

    Attributes:
        cameras: "B" and "S".
        box: State of the trigger box: safe, configured, armed, running, done, lost or closed.
        live: Whether the live view is on.
        capturing: Whether a take is under way.
        disk_free_bytes: Free room where the last session lies, or in the working folder.
        pairs_left: How many pairs find room there.
        message: What is wrong with the rig as a whole; empty when all is well.
        take: The take under way; None while there is none.
    """

    cameras: dict[str, CameraStatus]
    box: str
    live: bool
    capturing: bool
    disk_free_bytes: int
    pairs_left: int
    message: str
    take: TakeCounters | None = None

"""What the operator asks of the rig, and what the rig says of itself: plain data between threads."""

from __future__ import annotations

from dataclasses import dataclass

from gui.frames import CAMERAS
from gui.imaging import RawFormat
from rig.capture.disk import DiskState
from rig.capture.schedule import ByHand, Schedule, UntilStopped, asked_pairs
from rig.errors import BeamrigError, DeviceError, TriggerError
from rig.exposure import ExposurePlan
from rig.profiles import RigProfile, load_profile
from rig.status import RigStatus

PARTS = ("Rig process", "Camera B", "Camera S", "Trigger box")
"""What has to be ready before a take."""


@dataclass(frozen=True)
class TakeRequest:
    """A take that the operator wants.

    Attributes:
        scene: Name of the scene.
        kind: "whiteboard", "lightbox", "static" or "action".
        schedule: When the pulses come.
        plan: Plan of the Plan page, applied first where the rig has none yet.
        warmup: Pulses before the take proper; their frames are thrown away.
    """

    scene: str
    kind: str
    schedule: Schedule
    plan: ExposurePlan | None
    warmup: int = 0

    @property
    def asked(self) -> int:
        """How many pairs the take is to give; 0 when that is open."""
        return asked_pairs(self.schedule)

    @property
    def by_hand(self) -> bool:
        """Whether the operator asks for each shot."""
        return isinstance(self.schedule, ByHand)

    @property
    def preroll(self) -> bool:
        """Whether nothing is written until the operator asks to keep it."""
        return isinstance(self.schedule, UntilStopped) and self.schedule.preroll_s > 0


@dataclass(frozen=True)
class StatusNow:
    """What the watch thread found.

    Attributes:
        rig: The rig's own status.
        disk: What is left where the session is or will be.
    """

    rig: RigStatus
    disk: DiskState


def raw_format(rig: RigProfile, camera: str) -> RawFormat:
    """Return how the codes of a camera are to be read, from its profile.

    Raises:
        ProfileError: The profile cannot be loaded.
    """
    slot = rig.cameras["B" if camera == "B" else "S"]
    pixels = load_profile(slot.profile, "camera").pixel_format
    return RawFormat(
        cfa=pixels.cfa,
        levels=2**pixels.significant_bits,
        black_dn=pixels.black_level_dn,
        white_dn=pixels.white_level_dn,
    )


def blame(error: BeamrigError, serials: dict[str, str]) -> str:
    """Return the part of the rig that an error of opening is about.

    Args:
        error: What `Rig.open` raised.
        serials: Serial number of each camera.
    """
    if isinstance(error, TriggerError):
        return PARTS[3]
    if isinstance(error, DeviceError):
        for camera in CAMERAS:
            if serials.get(camera, "?") in error.message or f"camera {camera} " in error.message:
                return f"Camera {camera}"
    return PARTS[0]

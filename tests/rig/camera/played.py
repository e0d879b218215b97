"""Cameras that the virtual producer plays: opened with their profiles, armed for a small world's pulses."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from rig.camera.inbox import FrameRecord
from rig.camera.process import CameraProcess
from rig.errors import FeatureMissing
from rig.profiles import CameraProfile, CameraSlot, load_profile
from rig.virtual import personalities
from tests.rig.camera.small_world import SmallWorld

SERIAL = "VR-B-0001"
EXPOSURE_US = 1500.0
PERIOD_S = 0.008
SHOTS = 10
WIDTH, HEIGHT = 256, 64


def trigger_line(name: str) -> str:
    """The entry of TriggerSource that means the line of the trigger box."""
    if name == "virtual_camera":
        return "Line0"
    entries = personalities.load(name).change.get("TriggerSource", {}).get("entries", {"Line0": "Line0"})
    return next(own for own, meaning in entries.items() if meaning in ("Line0", 1))


def played(
    name: str, cti: Path, world: SmallWorld, quirks: str = "", profile: CameraProfile | None = None
) -> CameraProcess:
    """Return the camera of a shipped profile, not opened yet; `profile` replaces the shipped one."""
    slot = CameraSlot(profile=name, cti=str(cti), serial_number=SERIAL, trigger_line=trigger_line(name))
    personality = "" if name == "virtual_camera" else name
    return CameraProcess(slot, profile or load_profile(name, "camera"), world.env(personality, quirks))


def arm(camera: CameraProcess, profile: CameraProfile) -> None:
    """Set a camera up as a take does, but for a small region that keeps the test quick."""
    camera.apply("common")
    camera.write("Width", WIDTH)
    camera.write("Height", HEIGHT)
    camera.apply("triggered", {"plan.exposure_us": EXPOSURE_US})
    camera.start("science")
    deadline = time.monotonic() + 5
    with contextlib.suppress(FeatureMissing):  # it cannot say whether it waits for a trigger
        while "trigger_waiting" in profile.nodes and not camera.read("$trigger_waiting"):
            assert time.monotonic() < deadline, "the camera does not wait for a trigger"


def shoot(
    camera: CameraProcess, world: SmallWorld, shots: int = SHOTS
) -> tuple[list[int], list[FrameRecord]]:
    """Send pulses; returns the times of their edges and one record for each."""
    edges = world.pulse(SERIAL, shots, PERIOD_S)
    return edges, [camera.next_record(5.0) for _ in range(shots)]

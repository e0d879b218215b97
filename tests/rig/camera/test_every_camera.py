"""Every shipped camera profile, driven against the camera that it is for: ten edges, ten proven frames."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rig.camera.process import CameraProcess
from rig.camera.profile_steps import check_match
from rig.errors import FeatureMissing
from rig.profiles import CameraProfile, CameraSlot, list_profiles, load_profile
from rig.virtual import personalities
from tests.rig.camera.small_world import SmallWorld, codes

CAMERAS = [entry.name for entry in list_profiles() if entry.kind == "camera"]
DRIVEN = [name for name in CAMERAS if name in {"virtual_camera", *personalities.names()}]
SERIAL = "VR-B-0001"
EXPOSURE_US = 1500.0
PERIOD_S = 0.008
SHOTS = 10
LINES = {"virtual_camera": "Line0"}
"""Line that the box drives where the personality means another one than its first."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWorld]:
    with SmallWorld(tmp_path_factory.mktemp("world")) as made:
        yield made


def trigger_line(name: str) -> str:
    """The entry of TriggerSource that means the line of the trigger box."""
    if name == "virtual_camera":
        return "Line0"
    entries = personalities.load(name).change.get("TriggerSource", {}).get("entries", {"Line0": "Line0"})
    return next(own for own, meaning in entries.items() if meaning in ("Line0", 1))


def opened(name: str, cti: Path, world: SmallWorld, quirks: str = "") -> CameraProcess:
    profile = load_profile(name, "camera")
    slot = CameraSlot(profile=name, cti=str(cti), serial_number=SERIAL, trigger_line=trigger_line(name))
    personality = "" if name == "virtual_camera" else name
    return CameraProcess(slot, profile, world.env(personality, quirks))


def arm(camera: CameraProcess, profile: CameraProfile) -> None:
    """Set a camera up as a take does, but for a small region that keeps the test quick."""
    camera.apply("common")
    camera.write("Width", 256)
    camera.write("Height", 64)
    camera.apply("triggered", {"plan.exposure_us": EXPOSURE_US})
    camera.start("science")
    deadline = time.monotonic() + 5
    with contextlib.suppress(FeatureMissing):  # it cannot say whether it waits for a trigger
        while "trigger_waiting" in profile.nodes and not camera.read("$trigger_waiting"):
            assert time.monotonic() < deadline, "the camera does not wait for a trigger"


def test_every_personality_is_that_of_a_profile() -> None:
    assert set(personalities.names()) <= set(CAMERAS)


@pytest.mark.parametrize("name", DRIVEN)
def test_ten_edges_are_ten_frames_with_the_right_numbers_and_pixels(
    name: str, virtual_cti: Path, world: SmallWorld
) -> None:
    profile = load_profile(name, "camera")
    with opened(name, virtual_cti, world) as camera:
        check_match(profile, camera.info)
        arm(camera, profile)
        edges = world.pulse(SERIAL, SHOTS, PERIOD_S)
        records = [camera.next_record(5.0) for _ in range(SHOTS)]
        frames = [record.meta for record in records]
        assert [frame.frame_id - frames[0].frame_id for frame in frames] == list(range(SHOTS))
        assert [frame.timestamp_ns for frame in frames] == pytest.approx(edges, abs=8)
        step = profile.timing.exposure_increment_us
        for shot, (record, frame) in enumerate(zip(records, frames, strict=True)):
            assert frame.exposure_us == pytest.approx(EXPOSURE_US, abs=step)
            assert frame.gain_db == pytest.approx(0.0, abs=0.1)
            assert frame.black_level_dn == pytest.approx(profile.pixel_format.black_level_dn, abs=0.5)
            assert frame.significant_bits == profile.pixel_format.significant_bits
            wanted = codes(shot, 64, 256) >> (12 - profile.pixel_format.significant_bits)
            np.testing.assert_array_equal(camera.pixels(record), wanted)
            camera.release(record)
        camera.stop()
        assert camera.counters(fresh=True).underruns == 0
        assert not math.isnan(float(camera.read("$exposure_us")))

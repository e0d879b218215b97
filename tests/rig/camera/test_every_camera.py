"""Every shipped camera profile, driven against the camera that it is for: ten edges, ten proven frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rig.camera.profile_steps import check_match
from rig.profiles import list_profiles, load_profile
from rig.virtual import personalities
from tests.rig.camera.played import EXPOSURE_US, HEIGHT, SHOTS, WIDTH, arm, played, shoot
from tests.rig.camera.small_world import SmallWorld, codes

CAMERAS = [entry.name for entry in list_profiles() if entry.kind == "camera"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWorld]:
    with SmallWorld(tmp_path_factory.mktemp("world")) as made:
        yield made


def test_every_profile_has_the_camera_that_it_is_for() -> None:
    assert set(CAMERAS) == {"virtual_camera", *personalities.names()}


@pytest.mark.parametrize("name", CAMERAS)
def test_ten_edges_are_ten_frames_with_the_right_numbers_and_pixels(
    name: str, virtual_cti: Path, world: SmallWorld
) -> None:
    profile = load_profile(name, "camera")
    with played(name, virtual_cti, world) as camera:
        check_match(profile, camera.info)
        arm(camera, profile)
        edges, records = shoot(camera, world)
        frames = [record.meta for record in records]
        assert [frame.frame_id - frames[0].frame_id for frame in frames] == list(range(SHOTS))
        assert [frame.timestamp_ns for frame in frames] == pytest.approx(edges, abs=8)
        step = profile.timing.exposure_increment_us
        for shot, (record, frame) in enumerate(zip(records, frames, strict=True)):
            assert frame.exposure_us == pytest.approx(EXPOSURE_US, abs=step)
            assert frame.gain_db == pytest.approx(0.0, abs=0.1)
            assert frame.black_level_dn == pytest.approx(profile.pixel_format.black_level_dn, abs=0.5)
            assert frame.significant_bits == profile.pixel_format.significant_bits
            wanted = codes(shot, HEIGHT, WIDTH) >> (12 - profile.pixel_format.significant_bits)
            np.testing.assert_array_equal(camera.pixels(record), wanted)
            camera.release(record)
        camera.stop()
        assert camera.counters(fresh=True).underruns == 0
        if profile.steps_width:
            applied = camera.apply("width", {"plan.exposure_us": EXPOSURE_US})
            assert ("ExposureMode", "TriggerWidth") in [(one.name, one.applied) for one in applied]
        camera.apply("live", {"plan.exposure_us": EXPOSURE_US, "live.rate_hz": 10.0})
        assert camera.read("TriggerMode") == "Off"

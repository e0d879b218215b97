"""Live frames as RAW images: fresh, with the camera's own times, or an error that names the camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rig import Rig
from rig.camera.types import Frame
from rig.errors import RawFileError
from rig.live_frames import live_frames, raw_of_live
from rig.profiles import load_profile
from tests.rig.small_rig import small_plan, small_rig


def test_live_frames_have_the_exposures_of_the_plan_and_run_on_in_time(tmp_path: Path) -> None:
    profile = small_rig(tmp_path)
    plan = small_plan(profile)
    with Rig.open(profile) as rig:
        rig.apply_plan(plan)
        found = live_frames(rig, 3)
        assert not rig.status().live
    for name in ("B", "S"):
        assert [raw.exposure_us for raw in found[name]] == [plan.applied_us[name]] * 3
        times = [raw.timestamp_ns for raw in found[name]]
        assert np.all(np.diff(times) > 0)
        assert found[name][0].serial_number == profile.cameras[name].serial_number
        found[name][0].check()


def _frame(pixels: np.ndarray, bits: int) -> Frame:
    return Frame(1, 1, 100.0, float("nan"), float("nan"), "Mono8", bits, 1, pixels.shape, pixels=pixels)


def test_a_frame_without_levels_of_its_own_takes_the_profiles() -> None:
    profile = load_profile("virtual_camera", "camera")
    raw = raw_of_live(_frame(np.zeros((4, 4), np.uint16), 12), "S", profile)
    assert (raw.black_level, raw.gain_db) == (profile.pixel_format.black_level_dn, 0.0)


@pytest.mark.parametrize(("shape", "bits"), [((4, 4), 8), ((4, 4, 3), 12)])
def test_a_live_view_that_is_no_raw_is_refused(shape: tuple[int, ...], bits: int) -> None:
    profile = load_profile("virtual_camera", "camera")
    with pytest.raises(RawFileError, match="no RAW of 12 bits"):
        raw_of_live(_frame(np.zeros(shape, np.uint16), bits), "S", profile)

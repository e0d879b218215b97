"""Snapshots of settings on the disk, and their differences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.camera import feature_diff
from rig.camera.browser import FeatureBrowser
from rig.camera.feature_diff import differences, differences_from_profile
from rig.camera.process import CameraProcess
from rig.errors import DeviceError
from rig.profiles import CameraProfile


@pytest.fixture(scope="module")
def camera(virtual_cti: Path) -> Iterator[CameraProcess]:
    with CameraProcess.bare(virtual_cti, "VR-B-0001") as opened:
        yield opened


@pytest.fixture
def browser(camera: CameraProcess) -> FeatureBrowser:
    return FeatureBrowser(camera)


def test_what_was_written_between_two_snapshots_is_all_that_differs(
    browser: FeatureBrowser, camera: CameraProcess, tmp_path: Path
) -> None:
    feature_diff.save(feature_diff.snapshot(browser, camera.info), tmp_path / "before.json")
    camera.write("ExposureTime", 500)
    camera.write("TriggerMode", "On")
    after = feature_diff.snapshot(browser, camera.info)
    camera.write("ExposureTime", 10_000)
    camera.write("TriggerMode", "Off")
    found = differences(feature_diff.load(tmp_path / "before.json"), after)
    assert [(one.key, one.before, one.after, one.unit) for one in found] == [
        ("ExposureTime", 10_000.0, 500.0, "us"),
        ("TriggerMode[TriggerSelector=FrameStart]", "Off", "On", ""),
    ]
    assert not list(tmp_path.glob("*.part"))


def test_another_selector_entry_is_not_taken_for_another_value(
    browser: FeatureBrowser, camera: CameraProcess
) -> None:
    before = feature_diff.snapshot(browser, camera.info)
    camera.write("TriggerSelector", "AcquisitionStart")
    after = feature_diff.snapshot(browser, camera.info)
    camera.write("TriggerSelector", "FrameStart")
    found = {one.key: (one.before, one.after) for one in differences(before, after)}
    assert found["TriggerMode[TriggerSelector=FrameStart]"] == ("Off", None)
    assert found["TriggerMode[TriggerSelector=AcquisitionStart]"] == (None, "Off")


def test_a_locked_setting_still_counts_as_one(browser: FeatureBrowser, camera: CameraProcess) -> None:
    before = feature_diff.snapshot(browser, camera.info)
    camera.write("Width", 1024)
    camera.start("live")
    after = feature_diff.snapshot(browser, camera.info)
    camera.stop()
    camera.write("Width", 2448)
    assert ("Width", 2448, 1024) in [(one.key, one.before, one.after) for one in differences(before, after)]


def test_a_camera_set_up_by_its_profile_differs_from_it_in_nothing(
    browser: FeatureBrowser, camera: CameraProcess, profile: CameraProfile, virtual_cti: Path
) -> None:
    fresh = differences_from_profile(feature_diff.snapshot(browser, camera.info), browser, profile)
    assert ("ChunkModeActive", False) in [(one.key, one.before) for one in fresh]
    from rig.profiles import CameraSlot

    slot = CameraSlot(profile="virtual_camera", cti=str(virtual_cti), serial_number="VR-S-0002")
    with CameraProcess(slot, profile) as other:
        other.apply("common")
        other.apply("triggered", {"plan.exposure_us": 2000.0})
        its = FeatureBrowser(other)
        taken = feature_diff.snapshot(its, other.info)
        assert differences_from_profile(taken, its, profile, ("common", "triggered")) == []
        other.write("Gain", 6)
        taken = feature_diff.snapshot(its, other.info)
        (gain,) = differences_from_profile(taken, its, profile, ("common", "triggered"))
        assert (gain.key, gain.before, gain.unit) == ("Gain", 6.0, "dB")
        named = feature_diff.named_in_profile(its, profile)
        few = feature_diff.snapshot(its, other.info, named)
        assert len(few["features"]) < len(taken["features"]) / 2
        assert differences_from_profile(few, its, profile) == [gain]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"kind": "beamrig camera features", "features": {"A": 1}}']
)
def test_a_file_that_is_no_snapshot_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(DeviceError, match=r"other\.json"):
        feature_diff.load(path)
    with pytest.raises(DeviceError, match="cannot be written"):
        feature_diff.save({}, tmp_path / "missing" / "x.json")


def test_a_snapshot_is_json_that_others_can_read(browser: FeatureBrowser, camera: CameraProcess) -> None:
    taken = json.loads(json.dumps(feature_diff.snapshot(browser, camera.info), allow_nan=False))
    assert taken["device"]["serial_number"] == "VR-B-0001"
    assert taken["features"]["Gain"] == {"value": 0.0, "unit": "dB", "setting": True}
    assert taken["features"]["SensorWidth"]["setting"] is False

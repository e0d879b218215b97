"""What is special about the cameras of six makers, and how their profiles cope with it.

That ten edges give ten frames with each of them is the subject of `test_every_camera.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.camera.process import CameraProcess
from rig.errors import CameraTimeout, FeatureMissing, FeatureRejected
from rig.profiles import CameraSlot, load_profile

PLAN = {"plan.exposure_us": 5000.0}
LIVE = {"plan.exposure_us": 5000.0, "live.rate_hz": 8.0}
Of = Callable[..., CameraProcess]


@pytest.fixture
def of(opened: Callable[[CameraProcess], CameraProcess], virtual_cti: Path) -> Of:
    """Opens the camera of a maker with the maker's profile."""

    def open_it(name: str, line: str = "Line0", quirks: str = "") -> CameraProcess:
        slot = CameraSlot(profile=name, cti=str(virtual_cti), serial_number="VR-B-0001", trigger_line=line)
        env = {"BEAMRIG_PERSONALITY": name, "BEAMRIG_QUIRKS": quirks}
        return opened(CameraProcess(slot, load_profile(name, "camera"), env))

    return open_it


def selected(camera: CameraProcess, selector: str, entry: str, feature: str) -> object:
    camera.write(selector, entry)
    return camera.read(feature)


def frames_of_one_software_trigger(camera: CameraProcess, selector: str) -> int:
    camera.write("TriggerSelector", selector)
    camera.write("TriggerSource", "Software")
    camera.write("TriggerMode", "On")
    camera.start("science")
    camera.execute("TriggerSoftware")
    try:
        camera.release(camera.next_record(1.0))
    except CameraTimeout:
        return 0
    finally:
        camera.stop()
    return 1


# ------------------------------------------------------------------------------------------- IDS


def test_a_trigger_that_was_left_on_at_another_selector_of_an_ids_camera_is_switched_off(of: Of) -> None:
    camera = of("ids_peak")
    assert selected(camera, "TriggerSelector", "AcquisitionStart", "TriggerMode") == "On"
    assert frames_of_one_software_trigger(camera, "ExposureStart") == 0
    camera.apply("common")
    camera.apply("triggered", PLAN)
    modes = {
        entry: selected(camera, "TriggerSelector", entry, "TriggerMode")
        for entry in ("AcquisitionStart", "ReadOutStart", "ExposureStart")
    }
    assert modes == {"AcquisitionStart": "Off", "ReadOutStart": "Off", "ExposureStart": "On"}
    assert frames_of_one_software_trigger(camera, "ExposureStart") == 1


def test_the_gain_factor_of_an_ids_camera_is_told_in_decibels(of: Of) -> None:
    camera = of("ids_peak")
    camera.apply("common")
    assert (camera.read("Gain"), camera.read("$gain_db")) == (pytest.approx(1.0), pytest.approx(0.0))
    applied = camera.write("$gain_db", 6.0206, abs_tol=0.001)
    assert applied.unit == "dB"
    assert camera.read("Gain") == pytest.approx(2.0, rel=1e-4)
    assert camera.write("$gain_db", 0.0, abs_tol=0.001).applied == pytest.approx(0.0, abs=1e-6)


def test_the_chunk_tells_the_start_of_an_ids_exposure_where_the_transport_tells_the_readout(of: Of) -> None:
    camera = of("ids_peak")
    camera.apply("common")
    camera.apply("live", LIVE)
    told = {}
    for source, chunks in (("chunk", True), ("buffer", False)):
        camera.write("ChunkModeActive", chunks)
        camera.start("science")
        record = camera.next_record(5.0)
        camera.release(record)
        camera.stop()
        assert record.meta.sources["timestamp_ns"] == source
        told[source] = record.meta.host_monotonic_ns - record.meta.timestamp_ns
    assert told["chunk"] > 5_000_000 + 13_000_000  # the exposure and the readout lie between
    assert told["buffer"] > 13_000_000  # the readout


# -------------------------------------------------------------------------------------- Hikrobot


def test_the_black_level_of_a_hikrobot_camera_is_enabled_before_it_is_set(of: Of) -> None:
    camera = of("hikrobot_mv")
    with pytest.raises(FeatureRejected, match="BlackLevel cannot be written"):
        camera.write("BlackLevel", 64)
    camera.apply("common")
    level = camera.read("$black_level_dn")
    assert level == 64
    assert isinstance(level, int)


def test_what_would_spoil_pictures_or_triggers_of_a_hikrobot_camera_is_switched_off(of: Of) -> None:
    camera = of("hikrobot_mv")
    assert camera.read("TriggerCacheEnable") is True
    camera.apply("common")
    camera.apply("triggered", PLAN)
    written_over = [
        selected(camera, "FrameSpecInfoSelector", entry, "FrameSpecInfo")
        for entry in ("Timestamp", "Gain", "Exposure", "Framecounter", "ExtTriggerCount")
    ]
    assert written_over == [False] * 5
    ratios = [
        selected(camera, "BalanceRatioSelector", entry, "BalanceRatio") for entry in ("Red", "Green", "Blue")
    ]
    assert ratios == [1024] * 3
    assert camera.read("TriggerCacheEnable") is False
    assert camera.read("AcquisitionBurstFrameCount") == 1
    assert selected(camera, "LineSelector", "Line0", "LineDebouncerTime") == 0
    assert selected(camera, "TriggerSelector", "FrameBurstStart", "TriggerMode") == "On"


# ---------------------------------------------------------------------------------------- Daheng


def test_the_frame_rate_of_a_daheng_camera_is_switched_by_its_own_enumeration(of: Of) -> None:
    camera = of("daheng_mer")
    camera.apply("common")
    with pytest.raises(FeatureMissing):
        camera.read("AcquisitionFrameRateEnable")
    camera.apply("triggered", PLAN)
    assert camera.read("AcquisitionFrameRateMode") == camera.read("$frame_rate_enable") == "Off"
    camera.apply("live", LIVE)
    assert (camera.read("AcquisitionFrameRateMode"), camera.read("$frame_rate_hz")) == ("On", 8.0)


def test_filters_that_delay_the_trigger_of_a_daheng_camera_are_taken_out(of: Of) -> None:
    camera = of("daheng_mer")
    assert camera.read("TriggerFilterRaisingEdge") == 50.0
    camera.apply("common")
    camera.apply("triggered", PLAN)
    assert camera.read("TriggerFilterRaisingEdge") == camera.read("TriggerFilterFallingEdge") == 0.0
    assert (camera.read("BlackLevelAuto"), camera.read("$black_level_dn")) == ("Off", 64.0)


# --------------------------------------------------------------------------------- Allied Vision


def test_a_mako_is_set_by_its_older_names_and_leaves_free_run(of: Of) -> None:
    camera = of("avt_mako", line="Line1")
    assert (camera.read("TriggerMode"), camera.read("TriggerSource")) == ("On", "Freerun")
    camera.apply("common")
    done = {one.name: one.applied for one in camera.apply("triggered", PLAN) if not one.selector}
    assert done["ExposureTimeAbs"] == 5000.0
    assert (done["TriggerSource"], done["TriggerMode"], done["TriggerOverlap"]) == ("Line1", "On", "Off")
    for entry in ("AcquisitionStart", "AcquisitionEnd", "AcquisitionRecord"):
        assert selected(camera, "TriggerSelector", entry, "TriggerMode") == "Off"


def test_the_longer_exposure_of_an_alvium_is_the_one_that_counts(of: Of) -> None:
    camera = of("avt_alvium")
    camera.apply("common")
    done = camera.apply("triggered", {"plan.exposure_us": 1000.0})
    exposure = next(one for one in done if one.name == "ExposureTime")
    assert (exposure.asked, exposure.applied) == (1000.0, pytest.approx(1008.0))  # 28.8 + 102 * 9.6
    assert camera.read("$exposure_us") == pytest.approx(1008.0)


@pytest.mark.parametrize(("name", "line"), [("avt_alvium", "Line0"), ("avt_mako", "Line1")])
def test_a_camera_whose_maker_documents_it_takes_its_exposure_from_the_pulse(
    of: Of, name: str, line: str
) -> None:
    camera = of(name, line)
    camera.apply("common")
    camera.apply("width", PLAN)
    assert camera.read("ExposureMode") == "TriggerWidth"
    assert selected(camera, "TriggerSelector", "FrameStart", "TriggerMode") == "On"
    camera.apply("triggered", PLAN)
    assert camera.read("ExposureMode") == "Timed"


# ----------------------------------------------------------------------------------------- Lucid


def test_a_lucid_camera_exposes_longer_than_its_frame_rate_allowed(of: Of) -> None:
    camera = of("lucid_triton")
    camera.write("ExposureAuto", "Off")
    with pytest.raises(FeatureRejected, match="ExposureTime cannot be 100000"):
        camera.write("ExposureTime", 100_000.0)  # it comes with 24 frames a second
    camera.apply("common")
    camera.apply("triggered", {"plan.exposure_us": 100_000.0})
    assert camera.read("$exposure_us") == 100_000.0


def test_a_lucid_camera_says_when_it_is_armed(of: Of) -> None:
    camera = of("lucid_triton")
    camera.apply("common")
    camera.apply("triggered", PLAN)
    assert camera.read("$trigger_waiting") is False
    camera.start("science")
    deadline = time.monotonic() + 10
    while not camera.read("$trigger_waiting"):
        assert time.monotonic() < deadline, "TriggerArmed stays false"
    camera.stop()
    assert camera.read("$trigger_waiting") is False


def test_a_lucid_camera_that_a_pulse_has_to_arm_first_is_never_taken_for_ready(of: Of) -> None:
    camera = of("lucid_triton", quirks="pulse_arms")
    camera.apply("common")
    camera.apply("triggered", PLAN)
    camera.start("science")
    time.sleep(0.3)  # it would be armed long since
    assert camera.read("$trigger_waiting") is False

"""Feature writes and profile steps on the virtual producer's camera, through its host process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.camera.errors import ReadBackMismatch
from rig.camera.process import CameraProcess
from rig.errors import DeviceError, FeatureMissing, FeatureRejected
from rig.profile_devices import Step, Tolerance
from rig.profiles import CameraProfile, CameraSlot, load_profile


@pytest.fixture(scope="module")
def camera(virtual_cti: Path) -> Iterator[CameraProcess]:
    slot = CameraSlot(
        profile="virtual_camera", cti=str(virtual_cti), serial_number="VR-S-0002", trigger_line="Line0"
    )
    with CameraProcess(slot, load_profile("virtual_camera", "camera")) as opened:
        yield opened


def with_steps(camera: CameraProcess, *steps: Step) -> CameraProcess:
    """Give an open camera a profile of other live steps; what it is does not depend on them."""
    assert camera._profile is not None
    camera._profile = camera._profile.model_copy(update={"steps_live": list(steps)})
    return camera


def test_the_profile_of_the_virtual_camera_applies_and_reads_back_what_was_planned(
    camera: CameraProcess,
) -> None:
    camera.apply("common")
    applied = camera.apply("triggered", {"plan.exposure_us": 8000.0})
    by_name = {one.name: one.applied for one in applied}
    assert by_name["ExposureTime"] == 8000.0
    assert by_name["TriggerSource"] == "Line0"
    assert camera.read("TriggerMode") == "On"
    assert camera.read("$exposure_us") == 8000.0


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("Width", 2447, "step 8"),
        ("Width", 99999, "64 to 2448"),
        ("Width", "wide", "a number is needed"),
        ("ExposureTime", 0.5, "10 to"),
        ("PixelFormat", "RGB8", "BayerRG8, BayerRG10"),
        ("AcquisitionFrameRateEnable", "perhaps", "On, Off"),
        ("DeviceModelName", "other", "only"),
    ],
)
def test_a_refused_value_says_what_would_be_allowed(
    camera: CameraProcess, name: str, value: str, hint: str
) -> None:
    with pytest.raises(FeatureRejected) as refusal:
        camera.write(name, value)
    assert name in refusal.value.message
    assert hint in refusal.value.one_line()


@pytest.mark.parametrize("name", ["NoSuchFeature", "$no_such_alias", "Width Height"])
def test_an_unknown_feature_is_missing_and_named(camera: CameraProcess, name: str) -> None:
    with pytest.raises(FeatureMissing, match=name.replace("$", r"\$")):
        camera.read(name)


def test_a_value_that_the_camera_rounds_is_refused_unless_tolerated(camera: CameraProcess) -> None:
    with pytest.raises(ReadBackMismatch, match=r"1000\.4.* 1000\.0"):
        camera.write("$exposure_us", 1000.4)
    applied = camera.write("$exposure_us", 1000.4, abs_tol=0.5)
    assert (applied.asked, applied.applied, applied.unit) == (1000.4, 1000.0, "us")


def test_a_step_takes_the_first_alternative_that_the_camera_has(camera: CameraProcess) -> None:
    steps = with_steps(
        camera, Step(set="TriggerSelector", to=["FrameBurstStart", "FrameStart", "AcquisitionStart"])
    )
    assert [one.applied for one in steps.apply("live")] == ["FrameStart"]


def test_alternatives_that_all_fail_are_all_explained(camera: CameraProcess) -> None:
    steps = with_steps(camera, Step(set="TriggerSelector", to=["ExposureActive", "LineStart"]))
    with pytest.raises(FeatureRejected, match="ExposureActive, LineStart") as refusal:
        steps.apply("live")
    assert "FrameStart" in refusal.value.hint


def test_an_optional_step_is_skipped_with_its_reason_and_the_next_one_is_done(camera: CameraProcess) -> None:
    steps = with_steps(
        camera,
        Step(set="SharpeningEnable", to="Off", optional=True),
        Step(set="Gain", to="3", verify=Tolerance(abs=0.1)),
    )
    skipped, gain = steps.apply("live")
    assert skipped.applied is None
    assert "SharpeningEnable" in skipped.skipped
    assert gain.applied == pytest.approx(3.0, abs=0.1)


def test_a_missing_feature_stops_the_steps_unless_it_is_optional(camera: CameraProcess) -> None:
    with pytest.raises(FeatureMissing, match="SharpeningEnable"):
        with_steps(camera, Step(set="SharpeningEnable", to="Off")).apply("live")


def test_optional_excuses_no_value_that_was_applied_wrongly(camera: CameraProcess) -> None:
    with pytest.raises(ReadBackMismatch):
        with_steps(camera, Step(set="$exposure_us", to="1000.4", optional=True)).apply("live")


def test_a_round_over_a_selector_reaches_each_entry_and_puts_the_selector_back(camera: CameraProcess) -> None:
    camera.write("TriggerSelector", "FrameStart")
    applied = with_steps(camera, Step(set="TriggerMode", to="On", for_each="TriggerSelector")).apply("live")
    assert {one.selector for one in applied} == {
        "TriggerSelector=FrameStart",
        "TriggerSelector=AcquisitionStart",
    }
    assert camera.read("TriggerSelector") == "FrameStart"
    camera.write("TriggerSelector", "AcquisitionStart")
    assert camera.read("TriggerMode") == "On"


def test_a_step_without_its_value_from_the_plan_is_an_error_that_names_it(camera: CameraProcess) -> None:
    steps = with_steps(camera, Step(set="$exposure_us", to="$plan.exposure_us"))
    with pytest.raises(DeviceError, match=r"\$plan\.exposure_us") as missing:
        steps.apply("live", {"live.rate_hz": 5.0})
    assert "$live.rate_hz" in missing.value.hint


def test_a_locked_feature_says_that_the_camera_acquires(camera: CameraProcess) -> None:
    camera.start("live")
    try:
        with pytest.raises(FeatureRejected, match="read only now") as refusal:
            camera.write("Width", 64)
        assert "stop" in refusal.value.hint
    finally:
        camera.stop()


def test_all_features_are_listed_with_their_limits_and_entries(camera: CameraProcess) -> None:
    found = {one.name: one for one in camera.features()}
    width = found["Width"]
    assert (width.type, width.minimum, width.maximum, width.increment) == ("integer", 64, 2448, 8)
    assert "BayerRG12p" in found["PixelFormat"].entries
    assert found["ExposureTime"].unit == "us"
    assert found["DeviceSerialNumber"].value == "VR-S-0002"
    assert camera.limits("ExposureTime").minimum == found["ExposureTime"].minimum


def test_a_profile_for_another_model_is_refused_at_opening(slot: CameraSlot, profile: CameraProfile) -> None:
    other = profile.model_copy(update={"match": profile.match.model_copy(update={"model": "^Blackfly"})})
    camera = CameraProcess(slot, other)
    with pytest.raises(DeviceError, match=r"VR-5M.*Blackfly"):
        camera.open()
    assert camera.state == "closed"


def test_a_command_has_nothing_to_be_read_back_and_does_not_claim_it(camera: CameraProcess) -> None:
    assert camera.write("TimestampLatch", True).applied is None

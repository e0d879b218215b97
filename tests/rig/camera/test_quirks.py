"""What real cameras do beside the standard, and what the profile's steps make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from rig.camera.discovery import discover
from rig.camera.errors import ProducerError, ReadBackMismatch
from rig.camera.process import CameraProcess
from rig.errors import CameraTimeout, FeatureMissing, FeatureRejected
from rig.profile_devices import Converted, Step, Tolerance
from rig.profiles import CameraProfile, load_profile
from tests.rig.camera.played import HEIGHT, SERIAL, SHOTS, WIDTH, arm, played, shoot
from tests.rig.camera.small_world import SmallWorld, codes

PLAN = {"plan.exposure_us": 5000.0}
Play = Callable[..., CameraProcess]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWorld]:
    with SmallWorld(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture
def play(opened: Callable[[CameraProcess], CameraProcess], virtual_cti: Path, world: SmallWorld) -> Play:
    """Opens the camera of a profile, with quirks, and perhaps with another profile."""

    def open_it(name: str, quirks: str = "", profile: CameraProfile | None = None) -> CameraProcess:
        return opened(played(name, virtual_cti, world, quirks, profile))

    return open_it


def with_nodes(name: str, **nodes: list[str | Converted]) -> CameraProfile:
    profile = load_profile(name, "camera")
    return profile.model_copy(update={"nodes": {**profile.nodes, **nodes}})


# ---- triggers


def test_a_trigger_that_another_program_left_on_does_not_swallow_the_first_pulse(
    play: Play, world: SmallWorld
) -> None:
    camera = play("generic_sfnc", "trigger_left_on")
    camera.write("TriggerSelector", "AcquisitionStart")
    assert camera.read("TriggerMode") == "On"
    arm(camera, load_profile("generic_sfnc", "camera"))
    edges, records = shoot(camera, world)
    assert [record.meta.timestamp_ns for record in records] == edges


def test_a_camera_without_a_frame_trigger_takes_the_next_alternative(play: Play) -> None:
    camera = play("generic_sfnc")
    assert "FrameStart" not in camera.entries("TriggerSelector")
    applied = {one.name: one.applied for one in camera.apply("triggered", PLAN)}
    assert applied["TriggerSelector"] == "FrameBurstStart"


def test_a_source_that_is_lost_when_the_trigger_goes_on_is_an_error_that_names_it(play: Play) -> None:
    camera = play("generic_sfnc", "mode_resets_source")
    camera.apply("common")
    with pytest.raises(ReadBackMismatch, match=r"TriggerSource was applied as Line1.* to Software") as error:
        camera.apply("triggered", PLAN)
    assert "behind that step" in error.value.hint


def test_steps_in_the_order_of_such_a_camera_pass(play: Play, world: SmallWorld) -> None:
    camera = play("basler_ace", "mode_resets_source")
    arm(camera, load_profile("basler_ace", "camera"))
    assert len(shoot(camera, world)[1]) == SHOTS


def test_a_setting_that_is_reported_as_done_and_is_not_fails_loudly(play: Play) -> None:
    profile = load_profile("flir_bfs_u3", "camera")
    optional = Step(set="TriggerOverlap", to="ReadOut", optional=True)
    steps = [step for step in profile.steps_triggered if step.set != "TriggerOverlap"]
    wanted = profile.model_copy(update={"steps_triggered": [optional, *steps]})
    camera = play("flir_bfs_u3", "overlap_not_applied", wanted)
    with pytest.raises(ReadBackMismatch, match="TriggerOverlap was set to ReadOut, the camera applied Off"):
        camera.apply("triggered", PLAN)


def test_a_camera_that_arms_late_gets_its_first_pulse_when_it_waits_for_it(
    play: Play, world: SmallWorld
) -> None:
    camera = play("virtual_camera", "slow_to_arm")
    arm(camera, load_profile("virtual_camera", "camera"))
    assert len(shoot(camera, world)[1]) == SHOTS


def test_a_frame_that_is_lost_after_idling_leaves_a_gap_in_the_numbers(play: Play, world: SmallWorld) -> None:
    camera = play("flir_bfs_gige", "frame_after_idle_lost")
    arm(camera, load_profile("flir_bfs_gige", "camera"))
    world.pulse(SERIAL, 1, 0.0)
    with pytest.raises(CameraTimeout):
        camera.next_record(0.3)
    edges, records = shoot(camera, world)  # after a warm-up shot all is well
    assert [record.meta.frame_id for record in records] == list(range(2, SHOTS + 2))
    assert [record.meta.timestamp_ns for record in records] == edges


# ---- values


@pytest.mark.parametrize(
    ("feature", "value", "holder"),
    [("ExposureTime", 1000.0, "ExposureAuto is Continuous"), ("AcquisitionFrameRate", 10.0, "Enable is Off")],
)
def test_a_refused_write_names_what_holds_the_feature(
    play: Play, feature: str, value: float, holder: str
) -> None:
    camera = play("flir_bfs_u3")
    if feature == "ExposureTime":
        camera.write("ExposureAuto", "Continuous")
    with pytest.raises(FeatureRejected, match=f"{feature} cannot be written, it is read only") as refusal:
        camera.write(feature, value)
    assert holder in refusal.value.hint


def test_a_size_that_is_refused_while_frames_stream_says_so(play: Play) -> None:
    camera = play("virtual_camera")
    arm(camera, load_profile("virtual_camera", "camera"))
    with pytest.raises(FeatureRejected) as refusal:
        camera.write("Width", 128)
    assert "stop it first" in refusal.value.hint


def test_an_exposure_that_the_camera_rounds_in_silence_is_stored_as_it_is(play: Play) -> None:
    camera = play("flir_bfs_u3")
    camera.apply("common")
    applied = camera.write("$exposure_us", 1234.56, abs_tol=1)
    assert (applied.asked, applied.applied) == (1234.56, 1235.0)
    with pytest.raises(ReadBackMismatch, match=r"1234\.56 us, the camera applied 1235\.0"):
        camera.write("$exposure_us", 1234.56)


def test_gain_in_raw_steps_is_asked_for_and_told_in_decibels(play: Play) -> None:
    camera = play("basler_ace")
    camera.apply("common")
    applied = camera.write("$gain_db", 6.03)
    assert (applied.name, applied.asked, applied.unit, applied.raw) == ("GainRaw", 6.03, "dB", 60)
    assert applied.applied == pytest.approx(6.0)
    limits = camera.limits("$gain_db")
    assert (limits.minimum, limits.maximum, limits.unit) == (0.0, pytest.approx(24.0), "dB")
    with pytest.raises(FeatureRejected, match="GainRaw cannot be 300") as refusal:
        camera.write("$gain_db", 30)
    assert "0 to 24 dB" in refusal.value.hint


def test_exposure_in_steps_of_a_timebase_is_told_in_microseconds(play: Play) -> None:
    raw = Converted(
        feature="ExposureTimeRaw", scale=0.1, times="GevSCPSPacketSize"
    )  # 1500: any number will do
    camera = play("basler_ace", profile=with_nodes("basler_ace", exposure_us=["NoSuchFeature", raw]))
    camera.write("GevSCPSPacketSize", 400)
    assert camera.write("$exposure_us", 4000.0).raw == 100
    assert camera.read("ExposureTimeAbs") == 100.0
    assert camera.read("$exposure_us") == 4000.0


def test_a_gain_factor_of_one_is_no_gain(play: Play) -> None:
    factor = Converted(feature="GainRaw", decibels_of=32)
    camera = play("basler_ace", profile=with_nodes("basler_ace", gain_db=[factor]))
    assert camera.write("$gain_db", 12.0, abs_tol=0.1).raw == 127
    assert camera.read("$gain_db") == pytest.approx(20 * np.log10(127 / 32))


def test_a_feature_in_another_unit_than_the_profile_thinks_is_not_touched(play: Play) -> None:
    wrong = Converted(feature="ExposureTime", unit="ms", scale=1000)
    camera = play("flir_bfs_u3", profile=with_nodes("flir_bfs_u3", exposure_us=[wrong]))
    with pytest.raises(FeatureRejected, match="ExposureTime is in us, the profile takes it for ms"):
        camera.write("$exposure_us", 1000.0)


def test_a_profile_may_name_what_a_camera_lacks_altogether(play: Play) -> None:
    camera = play("generic_sfnc")
    skipped = {one.name: one.skipped for one in camera.apply("common") if one.skipped}
    assert "has no feature GammaEnable" in skipped["GammaEnable"]
    with pytest.raises(FeatureMissing, match="trigger_waiting"):
        camera.read("$trigger_waiting")


def test_a_command_line_of_steps_takes_a_converted_value_with_its_tolerance(play: Play) -> None:
    profile = load_profile("basler_ace", "camera")
    step = Step(set="$gain_db", to="3.14", verify=Tolerance(abs=0.05))
    live = profile.model_copy(update={"steps_live": [step]})
    (applied,) = play("basler_ace", profile=live).apply("live")
    assert applied.raw == 31


# ---- frames


def test_codes_at_the_top_of_their_16_bits_are_shifted_down(play: Play, world: SmallWorld) -> None:
    profile = load_profile("virtual_camera", "camera")
    aligned = profile.pixel_format.model_copy(update={"msb_aligned": True})
    camera = play("virtual_camera", "msb_aligned", profile.model_copy(update={"pixel_format": aligned}))
    arm(camera, profile)
    record = shoot(camera, world, 1)[1][0]
    np.testing.assert_array_equal(camera.pixels(record), codes(0, HEIGHT, WIDTH))


def test_a_transport_without_frame_numbers_leaves_those_of_the_camera(play: Play, world: SmallWorld) -> None:
    camera = play("virtual_camera", "chunk_ids_only")
    arm(camera, load_profile("virtual_camera", "camera"))
    records = shoot(camera, world, 3)[1]
    assert [(record.meta.frame_id, record.meta.sources["frame_id"]) for record in records] == [
        (0, "chunk"),
        (1, "chunk"),
        (2, "chunk"),
    ]


def test_time_stamps_in_ticks_are_told_in_nanoseconds(play: Play, world: SmallWorld) -> None:
    camera = play("basler_ace")
    arm(camera, load_profile("basler_ace", "camera"))
    edges, records = shoot(camera, world, 3)
    for edge, record in zip(edges, records, strict=True):
        assert record.meta.chunk["ChunkTimestamp"] == edge // 8
        assert record.meta.timestamp_ns == edge // 8 * 8


# ---- the producer


@pytest.mark.parametrize(
    ("variable", "said"),
    [("BEAMRIG_PERSONALITY", "there is no camera nope"), ("BEAMRIG_QUIRKS", "there is no quirk nope")],
)
def test_a_camera_or_quirk_that_nobody_knows_is_refused(virtual_cti: Path, variable: str, said: str) -> None:
    with pytest.raises(ProducerError) as refusal:
        discover(virtual_cti, {variable: "nope", "BEAMRIG_WORLD": ""})
    assert said in refusal.value.one_line()

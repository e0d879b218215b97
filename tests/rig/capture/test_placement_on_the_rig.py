"""S at three places in B, exposures made by the box's pulses, and no pulse before both cameras wait."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rig import Rig
from rig.capture.result import TakeResult
from rig.errors import CameraTimeout, PlanError
from rig.exposure import plan_exposure
from rig.placement import PLACEMENTS, Placement
from rig.profiles import load_profile, load_rig
from rig.session import Session
from rig.virtual.client import WorldClient
from tests.rig.capture.test_virtual_rig import truth_of

WIDTH_RIG = load_rig("virtual").model_copy(update={"exposure_control": "width"})


def take(rig: Rig, folder: Path, pulses: int, **wish: object) -> tuple[TakeResult, Session]:
    plan = plan_exposure(rig.source, speed_mps=1.4, distance_m=5.0, blur_s_px=4.0, **wish)  # type: ignore[arg-type]
    rig.apply_plan(plan)
    with Session.create(folder / "session", rig.source) as session:
        session.add_scene("s01", plan)
        return rig.capture(session, "s01", "action", pulses), session


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_s_shows_the_object_where_the_placement_says(rig: Rig, tmp_path: Path, placement: Placement) -> None:
    result, _ = take(rig, tmp_path, 3, placement=placement)
    assert (result.state, result.paired) == ("complete", 3)
    share = {"start": 0.0, "centre": 0.5, "end": 1.0}[placement]
    straight = 0
    for pair in result.pairs:
        assert (pair.sync.placement, pair.sync.skew_us) == (placement, 0.0)
        assert pair.sync.s_delay_us == pytest.approx(share * (24564 - 3070))
        true = truth_of(rig, pair)
        assert true["S"].t_start_ns - true["B"].t_start_ns == round(pair.sync.s_delay_us * 1000)
        ways = [true[name].objects[0].pieces for name in ("B", "S")]
        if any(len(pieces) > 1 for pieces in ways):
            continue  # the object turned round in this very exposure
        straight += 1
        (b_from, b_to, _), (s_from, s_to, _) = (pieces[0] for pieces in ways)
        at_b, at_s = b_from + share * (b_to - b_from), s_from + share * (s_to - s_from)
        assert at_s == pytest.approx(at_b, abs=abs(s_to - s_from) * 1e-3)
    assert straight > 0


@pytest.fixture(scope="module")
def width_rig() -> Iterator[Rig]:
    with Rig.open(WIDTH_RIG) as opened:
        yield opened


def test_exposures_made_by_pulses_are_as_planned_finer_than_the_cameras_step(
    width_rig: Rig, tmp_path: Path
) -> None:
    result, _ = take(width_rig, tmp_path, 3, placement="end")
    truth = WorldClient(width_rig.run_dir).truth()
    assert (result.state, result.paired) == ("complete", 3)
    assert result.applied.exposure_us["S"] != round(result.applied.exposure_us["S"])  # steps of 1 µs
    assert result.applied.exposure_us["S"] / result.applied.exposure_us["B"] == pytest.approx(0.125, rel=1e-6)
    modes = [one.applied for one in result.applied.settings["B"] if one.name == "ExposureMode"]
    assert modes == ["TriggerWidth"]
    for pair in result.pairs:
        assert pair.warnings == ()
        true = truth_of(width_rig, pair)
        for name, meta in (("B", pair.meta_b), ("S", pair.meta_s)):
            assert meta["exposure_us"] == pytest.approx(result.applied.exposure_us[name], abs=1e-3)
            assert true[name].exposure_ns == pytest.approx(meta["exposure_us"] * 1000, abs=1)
            blur = truth.blur_px(name, true[name].exposure_ns / 1000)
            assert blur == pytest.approx(result.applied.plan.blur_px[name], rel=0.01)


def test_without_a_chunk_the_box_says_how_long_the_exposure_was(width_rig: Rig, tmp_path: Path) -> None:
    """The camera's ExposureTime says nothing then: it is what the live view had."""
    profile = width_rig.camera_profiles["S"]
    steps = [step for step in profile.steps_common if "Chunk" not in step.set]
    bare = profile.model_copy(
        update={"steps_common": [*steps, profile.steps_common[0].model_copy(update=CHUNKS_OFF)]}
    )
    plan = plan_exposure(width_rig.source, speed_mps=1.4, distance_m=5.0, blur_s_px=4.0)
    camera = width_rig.cameras["S"]
    before = camera._profile
    camera._profile = bare
    try:
        width_rig.apply_plan(plan)
        with Session.create(tmp_path / "session", width_rig.source) as session:
            session.add_scene("s01", plan)
            pair = width_rig.capture(session, "s01", "static", 1).pairs[0]
    finally:
        camera._profile = before
    assert (pair.meta_s["sources"]["exposure_us"], pair.meta_b["sources"]["exposure_us"]) == ("box", "chunk")
    assert pair.meta_s["exposure_us"] == pytest.approx(plan.applied_us["S"], abs=1e-3)
    assert pair.load().s.exposure_us == pytest.approx(plan.applied_us["S"], abs=1e-3)


CHUNKS_OFF = {"set": "ChunkModeActive", "to": "false", "optional": False}


def test_a_camera_without_steps_for_pulse_widths_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bare = load_profile("virtual_camera", "camera").model_copy(update={"steps_width": None})
    monkeypatch.setattr(
        "rig.exposure.load_profile",
        lambda name, kind: bare if kind == "camera" else load_profile(name, kind),
    )
    with pytest.raises(PlanError, match=r"camera B .* cannot expose by pulse width") as refusal:
        plan_exposure(WIDTH_RIG, speed_mps=1.4, blur_s_px=4)
    assert "exposure_control: timed" in refusal.value.hint


def test_a_box_without_pulse_widths_is_refused_with_the_reason() -> None:
    slot = WIDTH_RIG.trigger_box.model_copy(
        update={"profile": "prawnblaster", "outputs": {"B": "GPIO9", "S": "GPIO11"}}
    )
    with pytest.raises(PlanError, match="pulses of a given width"):
        plan_exposure(WIDTH_RIG.model_copy(update={"trigger_box": slot}), speed_mps=1.4, blur_s_px=4)


def test_no_pulse_comes_while_a_camera_does_not_wait_for_it(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status that the profile reads never becomes true: B never says that it waits."""
    monkeypatch.setattr("rig.capture.arming._WAITING_S", 0.3)
    profile = rig.camera_profiles["B"]
    steps = [
        step.model_copy(update={"to": "ExposureActive"}) if step.set == "AcquisitionStatusSelector" else step
        for step in profile.steps_triggered
    ]
    monkeypatch.setattr(rig.cameras["B"], "_profile", profile.model_copy(update={"steps_triggered": steps}))
    world = WorldClient(rig.run_dir)
    before = world.pulses()
    with pytest.raises(CameraTimeout, match="camera B does not wait for the trigger"):
        take(rig, tmp_path, 2)
    assert world.pulses() == before
    assert (rig.status().box, rig.status().cameras["S"].state) == ("safe", "idle")


def test_the_first_pulse_comes_after_both_cameras_wait_and_nothing_comes_between_takes(
    rig: Rig, tmp_path: Path
) -> None:
    world = WorldClient(rig.run_dir)
    before = len(world.pulses())
    result, _ = take(rig, tmp_path, 2)
    new = world.pulses()[before:]
    assert sorted(one["output"] for one in new) == ["AB", "AB", "CD", "CD"]
    starts = sorted(one["rise_ns"] for one in new if one["output"] == "AB")
    assert starts == [pair.meta_b["timestamp_ns"] for pair in result.pairs]

"""Eq. 2 and what follows from it on a rig with limits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import PlanError
from rig.exposure import ExposurePlan, distance_in_focus_m, image_distance_m, plan_exposure, solve_eq2
from rig.optics import EQ2_NAMES
from rig.profiles import RigProfile, load_rig, profile_text
from rig.units import parse_quantity

RIG = load_rig("virtual")


# ------------------------------------------------------------------------------------ Eq. 2 itself


def test_the_papers_equation_by_hand() -> None:
    """c = 5 µm, n = 4, d = 2 m, l' = 20 mm, v = 1 m/s: t_S = 5e-6 * 4 * 2 / (0.02 * 1) = 2 ms."""
    solved = solve_eq2(
        pixel_pitch_m=5e-6, blur_px=4, distance_m=2, image_distance_m=0.02, speed_mps=1, exposure_s=None
    )
    assert solved.exposure_s == pytest.approx(2e-3, rel=1e-12)


positive = st.floats(min_value=1e-6, max_value=1e3)


@given(values=st.tuples(*[positive] * 5), unknown=st.sampled_from(EQ2_NAMES))
def test_solving_for_any_unknown_and_back_is_the_identity(values: tuple[float, ...], unknown: str) -> None:
    known = dict(zip(EQ2_NAMES[:5], values, strict=True))
    whole = vars(solve_eq2(**known, exposure_s=None))
    again = vars(solve_eq2(**{**whole, unknown: None}))
    assert again[unknown] == pytest.approx(whole[unknown], rel=1e-9)


@given(values=st.tuples(*[positive] * 5), factor=st.floats(min_value=1.01, max_value=100))
def test_more_speed_needs_less_exposure_and_more_blur_needs_more(
    values: tuple[float, ...], factor: float
) -> None:
    known = dict(zip(EQ2_NAMES[:5], values, strict=True))
    exposure = solve_eq2(**known, exposure_s=None).exposure_s
    faster = solve_eq2(**{**known, "speed_mps": known["speed_mps"] * factor}, exposure_s=None).exposure_s
    blurrier = solve_eq2(**{**known, "blur_px": known["blur_px"] * factor}, exposure_s=None).exposure_s
    assert faster < exposure < blurrier


def test_eq2_wants_exactly_one_unknown() -> None:
    everything = dict.fromkeys(EQ2_NAMES, 1.0)
    with pytest.raises(PlanError, match="nothing is open"):
        solve_eq2(**everything)
    with pytest.raises(PlanError, match="blur_px, speed_mps is open"):
        solve_eq2(**{**everything, "blur_px": None, "speed_mps": None})


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf")])
def test_eq2_refuses_what_is_not_positive(wrong: float) -> None:
    with pytest.raises(PlanError, match="greater than zero"):
        solve_eq2(
            pixel_pitch_m=5e-6,
            blur_px=4,
            distance_m=2,
            image_distance_m=0.02,
            speed_mps=wrong,
            exposure_s=None,
        )


@given(focal=st.floats(0.004, 0.2), distance=st.floats(0.5, 1e4))
def test_the_thin_lens_equation_holds(focal: float, distance: float) -> None:
    assert 1 / image_distance_m(focal, distance) + 1 / distance == pytest.approx(1 / focal, rel=1e-9)


def test_an_object_inside_the_focal_length_has_no_image() -> None:
    with pytest.raises(PlanError, match="no image"):
        image_distance_m(0.05, 0.05)


@given(blur=st.floats(1, 100), speed=st.floats(0.1, 10), exposure=st.floats(1e-4, 1e-2))
def test_the_distance_in_focus_satisfies_eq2(blur: float, speed: float, exposure: float) -> None:
    distance = distance_in_focus_m(
        pixel_pitch_m=3.45e-6, blur_px=blur, focal_length_m=0.016, speed_mps=speed, exposure_s=exposure
    )
    again = solve_eq2(
        pixel_pitch_m=3.45e-6,
        blur_px=None,
        distance_m=distance,
        image_distance_m=image_distance_m(0.016, distance),
        speed_mps=speed,
        exposure_s=exposure,
    )
    assert again.blur_px == pytest.approx(blur, rel=1e-6)


# ------------------------------------------------------------------------------- plans on the rig


def test_a_walker_at_five_metres() -> None:
    """The issue's example: t_S = 3.45 µm * 4 * 5 m / (16.0514 mm * 1.4 m/s) = 3.0705 ms, t_L = 8 t_S."""
    plan = plan_exposure(RIG, speed_mps=1.4, distance_m=5, blur_s_px=4)
    assert plan.planned_us["S"] == pytest.approx(3070.5, abs=0.01)
    assert plan.planned_us["B"] == pytest.approx(24564.0, abs=0.1)
    assert plan.applied_us == {"B": 24564.0, "S": 3070.0}
    assert plan.blur_px["B"] == pytest.approx(32.0, abs=0.01)
    assert plan.blur_px["S"] == pytest.approx(4.0, abs=0.01)
    assert plan.ratio_applied == pytest.approx(3070 / 24564)
    assert plan.brightness_ratio == pytest.approx(0.125 * 24564 / 3070)
    assert plan.notes == ()


wishes = {"speed": st.floats(0.05, 30), "distance": st.floats(0.5, 50), "blur": st.floats(0.5, 6)}


@given(**wishes, item=st.sampled_from(RIG.filters))
def test_b_exposes_longer_by_exactly_one_over_tau(
    speed: float, distance: float, blur: float, item: object
) -> None:
    plan = _plan_or_none(speed_mps=speed, distance_m=distance, blur_s_px=blur, filter_name=item.name)  # type: ignore[attr-defined]
    if plan is not None:
        assert plan.planned_us["B"] * plan.tau == pytest.approx(plan.planned_us["S"], rel=1e-12)


@given(**wishes)
def test_applied_exposures_lie_on_the_cameras_grid_and_predict_the_blur(
    speed: float, distance: float, blur: float
) -> None:
    plan = _plan_or_none(speed_mps=speed, distance_m=distance, blur_s_px=blur)
    if plan is None:
        return
    for camera in ("B", "S"):
        applied = plan.applied_us[camera]
        assert applied == round(applied)
        assert 10 <= applied <= 10_000_000
        assert abs(applied - plan.planned_us[camera]) <= 0.5 + 1e-6
        # Eq. 2 turned round, written out by hand: n = l' v t / (c d).
        predicted = plan.image_distance_m * speed * applied * 1e-6 / (3.45e-6 * distance)
        assert plan.blur_px[camera] == pytest.approx(predicted, rel=1e-9)


@given(**wishes)
def test_triggers_leave_time_to_expose_and_read_out(speed: float, distance: float, blur: float) -> None:
    plan = _plan_or_none(speed_mps=speed, distance_m=distance, blur_s_px=blur)
    if plan is not None:
        busy_s = (plan.applied_us["B"] + 13_000) * 1e-6
        assert plan.period_s >= plan.min_period_s >= busy_s * 1.1 - 1e-12


def test_blur_wanted_in_b_gives_the_same_plan_as_its_share_in_s() -> None:
    in_s = plan_exposure(RIG, speed_mps=1.4, blur_s_px=4)
    in_b = plan_exposure(RIG, speed_mps=1.4, blur_b_px=32)
    assert in_b.applied_us == in_s.applied_us


def test_without_a_distance_the_rigs_usual_one_is_taken() -> None:
    assert plan_exposure(RIG, speed_mps=1.4, blur_s_px=4).distance_m == RIG.optics.object_distance_m


def test_the_speed_that_makes_a_blur_is_found() -> None:
    plan = plan_exposure(RIG, blur_s_px=4, exposure_s=3.0705e-3)
    assert plan.speed_mps == pytest.approx(1.4, rel=1e-4)


def test_the_distance_is_found_when_all_else_is_given() -> None:
    plan = plan_exposure(RIG, speed_mps=1.4, blur_s_px=4, exposure_s=3.0705e-3)
    assert plan.distance_m == pytest.approx(5.0, rel=1e-4)


def test_blur_wanted_in_both_cameras_chooses_the_filter() -> None:
    plan = plan_exposure(RIG, speed_mps=1.4, blur_s_px=2, blur_b_px=32)
    assert plan.filter_name == "ND 1.2"
    assert any("put the filter ND 1.2 in front of camera B" in note for note in plan.notes)


def test_what_is_unusual_is_noted() -> None:
    plan = plan_exposure(RIG, speed_mps=1.4, blur_s_px=9.4)
    assert any("blur in B is 75.2 px" in note for note in plan.notes)
    assert any("no more than 6 px" in note for note in plan.notes)


def test_rounding_of_very_short_exposures_is_noted() -> None:
    plan = plan_exposure(RIG, speed_mps=1.4, exposure_s=10.4e-6)
    assert "camera S applies 10 µs for 10.4 µs planned" in plan.notes
    assert any("times as bright as S" in note for note in plan.notes)


def test_a_plan_survives_json() -> None:
    plan = plan_exposure(RIG, speed_mps=1.4, blur_s_px=9)
    assert ExposurePlan.from_dict(json.loads(json.dumps(plan.to_dict(), allow_nan=False))) == plan


@pytest.mark.parametrize(
    "spoil", [lambda d: d.pop("tau"), lambda d: d.update(tau="nan"), lambda d: d.update(blur_px=3)]
)
def test_a_damaged_plan_is_refused(spoil: Callable[[dict[str, object]], object]) -> None:
    data = plan_exposure(RIG, speed_mps=1.4, blur_s_px=4).to_dict()
    spoil(data)
    with pytest.raises(PlanError, match="no exposure plan"):
        ExposurePlan.from_dict(data)


# ------------------------------------------------------------------------- when no plan is possible


def test_too_fast_for_the_shortest_exposure_says_what_would_do() -> None:
    with pytest.raises(PlanError) as refusal:
        plan_exposure(RIG, speed_mps=1400, blur_s_px=4)
    assert "camera S would need 3.07 µs, its shortest exposure is 10 µs" in refusal.value.message
    assert "at least 13.03 px of blur in S" in refusal.value.hint


@given(speed=st.floats(100, 3e4), blur=st.floats(0.01, 10))
def test_following_the_hint_leads_to_a_plan(speed: float, blur: float) -> None:
    try:
        plan_exposure(RIG, speed_mps=speed, blur_s_px=blur)
    except PlanError as error:
        pixels = re.search(r"at least ([\d.e+]+) px of blur in S", error.hint)
        slower = re.search(r"speed of at most ([\d.e+]+ \S+?)(?:\)|$)", error.hint)
        assert slower is not None
        assert plan_exposure(RIG, speed_mps=parse_quantity(slower[1], "speed"), blur_s_px=blur)
        if pixels is not None and float(pixels[1]) < 300:  # beyond, B's blur would leave the picture
            assert plan_exposure(RIG, speed_mps=speed, blur_s_px=float(pixels[1]))


@pytest.mark.parametrize("period_s", [1e4, 1.8e300])
def test_a_usual_period_beyond_the_box_is_refused_whatever_its_size(period_s: float) -> None:
    with pytest.raises(PlanError, match="too long for the trigger box"):
        plan_exposure(RIG.model_copy(update={"period_s": period_s}), speed_mps=1.4, blur_s_px=4)


def test_a_filter_that_would_work_is_named() -> None:
    """30 ms are too short for ND 0.9 (24.6 + 13 ms), and just right for ND 0.6 (12.3 + 13 ms)."""
    with pytest.raises(PlanError) as refusal:
        plan_exposure(RIG, speed_mps=1.4, blur_s_px=4, period_s=0.03)
    assert "ND 0.6 would work (B 16.0 px in 12.28 ms)" in refusal.value.hint
    assert "at least 41.33 ms" in refusal.value.hint
    assert plan_exposure(RIG, speed_mps=1.4, blur_s_px=4, period_s=0.03, filter_name="ND 0.6")
    assert plan_exposure(RIG, speed_mps=1.4, blur_s_px=4, period_s=0.04133)


def test_an_unknown_filter_is_answered_with_those_at_hand() -> None:
    with pytest.raises(PlanError, match="no filter 'ND 5'") as refusal:
        plan_exposure(RIG, speed_mps=1.4, blur_s_px=4, filter_name="ND 5")
    assert "ND 0.6, ND 0.9, ND 1.2" in refusal.value.hint


def test_two_unknowns_are_one_too_many() -> None:
    with pytest.raises(PlanError, match="blur and exposure are open"):
        plan_exposure(RIG, speed_mps=1.4)


def test_no_unknown_is_one_too_few() -> None:
    with pytest.raises(PlanError, match="all given"):
        plan_exposure(RIG, speed_mps=1.4, distance_m=5, blur_s_px=4, exposure_s=0.003)


def test_an_object_that_crosses_the_picture_is_no_local_blur() -> None:
    with pytest.raises(PlanError, match="cross the whole picture"):
        plan_exposure(RIG, speed_mps=1.4, blur_b_px=2500)


def test_a_camera_with_a_coarse_grid_is_planned_on_its_grid(tmp_path: Path) -> None:
    rig = _rig_with_camera(
        tmp_path, exposure_min_us="29", exposure_increment_us="14.5", exposure_max_us="100000"
    )
    plan = plan_exposure(rig, speed_mps=1.4, blur_s_px=4)
    for camera in ("B", "S"):
        steps = (plan.applied_us[camera] - 29) / 14.5
        assert steps == pytest.approx(round(steps), abs=1e-6)
        assert abs(plan.applied_us[camera] - plan.planned_us[camera]) <= 14.5 / 2


def test_exposures_that_no_filter_allows_leave_the_reason_alone(tmp_path: Path) -> None:
    rig = _rig_with_camera(tmp_path, exposure_max_us="1000")
    with pytest.raises(PlanError) as refusal:
        plan_exposure(rig, speed_mps=1.4, blur_s_px=4)
    assert "camera B would need 24.56 ms, its longest exposure is 1 ms" in refusal.value.message
    assert "would work" not in refusal.value.hint


def _plan_or_none(**wish: object) -> ExposurePlan | None:
    try:
        return plan_exposure(RIG, **wish)  # type: ignore[arg-type]
    except PlanError:
        return None


def _rig_with_camera(folder: Path, **timing: str) -> RigProfile:
    """A rig file beside its own camera file, the way a user writes one."""
    camera = profile_text("virtual_camera")
    for name, value in timing.items():
        camera = re.sub(rf"{name}: \S+", f"{name}: {value}", camera)
    (folder / "virtual_camera.yaml").write_text(camera, encoding="utf-8")
    (folder / "mine.yaml").write_text(profile_text("virtual"), encoding="utf-8")
    return load_rig(folder / "mine.yaml")

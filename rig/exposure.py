"""From a scene (speed, distance, wanted blur) to exposures that this rig's hardware can apply.

`plan_exposure` solves Eq. 2 of the ReLoBlur paper for camera S, takes t_L = t_S / tau for camera B,
rounds both to what the cameras apply, and predicts blur and brightness from the rounded values. Where no
plan is possible it says why, what to change, and which of the filters at hand would do.
"""

from __future__ import annotations

import math
from dataclasses import replace

from rig.errors import PlanError
from rig.exposure_limits import Bench, Wish, applied_exposures_us, planned_exposures_us, trigger_period_s
from rig.flicker import flicker
from rig.optics import Eq2, distance_in_focus_m, image_distance_m, solve_eq2
from rig.placement import Placement, check_capable, check_placement
from rig.plan import ExposurePlan
from rig.profiles import CAMERAS, DensityFilter, RigProfile, load_profile
from rig.units import format_quantity

__all__ = [
    "Eq2", "ExposurePlan", "distance_in_focus_m", "image_distance_m", "place_again", "plan_exposure",
    "solve_eq2",
]  # fmt: skip

BLUR_B_PX = (15.0, 70.0)
BLUR_S_MAX_PX = 6.0
"""The ReLoBlur data set's practice: 15 to 70 pixels of blur in B, no more than 6 in S."""


def plan_exposure(
    rig: RigProfile,
    *,
    speed_mps: float | None = None,
    distance_m: float | None = None,
    blur_s_px: float | None = None,
    blur_b_px: float | None = None,
    exposure_s: float | None = None,
    filter_name: str | None = None,
    period_s: float | None = None,
    placement: str | None = None,
) -> ExposurePlan:
    """Plan the exposures of both cameras.

    Of speed, distance, blur and exposure three make the fourth (Eq. 2). The distance is the rig's usual
    one when it is open and another one is, too. Blur may be asked for in S or in B; asked for in both
    without a filter, the filter at hand that comes closest is taken.

    Args:
        rig: The rig with its filters, optics and the names of its devices' profiles.
        speed_mps: Speed of the object across the line of sight, in m/s.
        distance_m: Distance of the object, in m.
        blur_s_px: Wanted blur in camera S, in pixels.
        blur_b_px: Wanted blur in camera B, in pixels.
        exposure_s: Exposure of camera S, in s.
        filter_name: Filter in front of camera B; the one in use when None.
        period_s: Trigger period, in s; the rig's usual one, lengthened where needed, when None.
        placement: Where S's exposure lies in B's: "start", "centre" or "end"; the rig's usual one when None.

    Returns:
        An applicable plan; what is applicable but unusual stands in its notes.

    Raises:
        PlanError: No plan is possible; the hint says what to change.
        ProfileError: The profile of a device cannot be loaded.
    """
    asked = (speed_mps, distance_m, blur_s_px, blur_b_px, exposure_s, period_s)
    wish = Wish(*(None if value is None else float(value) for value in asked))
    place = rig.placement if placement is None else check_placement(placement)
    cameras = {camera: load_profile(rig.cameras[camera].profile, "camera") for camera in CAMERAS}
    box = load_profile(rig.trigger_box.profile, "trigger_box")
    check_capable(place, rig.exposure_control, box, cameras)
    timing = {camera: cameras[camera].timing for camera in CAMERAS}
    bench = Bench(rig, timing, box.limits, place, rig.exposure_control)
    for name, value in vars(wish).items():
        if value is not None and not (math.isfinite(value) and value > 0):
            raise PlanError(f"{name} is {value:g}, it must be a number greater than zero")
    chosen = _choose_filter(rig, wish, filter_name)
    try:
        return _plan(bench, wish, chosen)
    except PlanError as error:
        others = [plan for item in rig.filters if item is not chosen for plan in _attempt(bench, wish, item)]
        if not others:
            raise
        would = "; ".join(
            f"{plan.filter_name} would work (B {plan.blur_px['B']:.1f} px in "
            f"{format_quantity(plan.applied_us['B'] * 1e-6, 'time')})"
            for plan in others
        )
        raise PlanError(error.message, hint=f"{would}; or {error.hint}" if error.hint else would) from error


def place_again(rig: RigProfile, plan: ExposurePlan, placement: Placement) -> ExposurePlan:
    """Return the same plan with S elsewhere in B's exposure; its period is lengthened where needed.

    Raises:
        PlanError: The box cannot do it, or the plan does not fit this rig.
        ProfileError: The profile of a device cannot be loaded.
    """
    made = plan_exposure(
        rig,
        speed_mps=plan.speed_mps,
        distance_m=plan.distance_m,
        exposure_s=plan.planned_us["S"] * 1e-6,
        filter_name=plan.filter_name,
        placement=placement,
    )
    return replace(made, period_s=max(plan.period_s, made.min_period_s))


def _attempt(bench: Bench, wish: Wish, item: DensityFilter) -> list[ExposurePlan]:
    try:
        return [_plan(bench, wish, item)]
    except PlanError:  # this filter is no way out either; the first error is the one reported
        return []


def _choose_filter(rig: RigProfile, wish: Wish, name: str | None) -> DensityFilter:
    if name is None and wish.blur_s_px and wish.blur_b_px:
        wanted = math.log(wish.blur_s_px / wish.blur_b_px)  # tau = t_S / t_L = n_S / n_B
        return min(rig.filters, key=lambda item: abs(math.log(item.transmittance) - wanted))
    found = rig.filter_named(rig.filter_in_use if name is None else name)
    if found is None:
        at_hand = ", ".join(item.name for item in rig.filters)
        raise PlanError(f"the rig {rig.name} has no filter '{name}'", hint=f"at hand: {at_hand}")
    return found


def _plan(bench: Bench, wish: Wish, item: DensityFilter) -> ExposurePlan:
    rig, tau = bench.rig, item.transmittance
    scene = _solve(rig, wish, tau)
    planned_us, applied_us = planned_exposures_us(scene, tau), applied_exposures_us(bench, wish, scene, tau)
    blur_px = {
        camera: solve_eq2(**{**vars(scene), "blur_px": None, "exposure_s": applied_us[camera] * 1e-6}).blur_px
        for camera in applied_us
    }
    if blur_px["B"] > rig.optics.width_px:
        raise PlanError(
            f"the object would cross the whole picture in B: {blur_px['B']:.0f} px of {rig.optics.width_px}",
            hint="ask for less blur or a shorter exposure",
        )
    period_s, min_period_s = trigger_period_s(bench, wish, applied_us)
    plan = ExposurePlan(
        rig=rig.name,
        speed_mps=scene.speed_mps,
        distance_m=scene.distance_m,
        image_distance_m=scene.image_distance_m,
        pixel_pitch_um=rig.optics.pixel_pitch_um,
        filter_name=item.name,
        tau=tau,
        planned_us=planned_us,
        applied_us=applied_us,
        blur_px=blur_px,
        blur_requested_s_px=scene.blur_px,
        ratio_applied=applied_us["S"] / applied_us["B"],
        brightness_ratio=tau * applied_us["B"] / applied_us["S"],
        period_s=period_s,
        min_period_s=min_period_s,
        notes=(),
        placement=bench.placement,
        exposure_control=bench.control,
    )
    return replace(plan, notes=tuple(_notes(rig, wish, plan)))


def _solve(rig: RigProfile, wish: Wish, tau: float) -> Eq2:
    """Solve Eq. 2 for camera S; of speed, distance, blur and exposure exactly one is open then."""
    blur = wish.blur_s_px if wish.blur_s_px is not None else wish.blur_b_px and wish.blur_b_px * tau
    pitch, focal = rig.optics.pixel_pitch_um * 1e-6, rig.optics.focal_length_mm * 1e-3
    asked: dict[str, float | None] = {"speed": wish.speed_mps, "blur": blur, "exposure": wish.exposure_s}
    unknown = [name for name, value in asked.items() if value is None]
    distance = wish.distance_m
    if not unknown and distance is None and wish.speed_mps and blur and wish.exposure_s:
        distance = distance_in_focus_m(
            pixel_pitch_m=pitch,
            blur_px=blur,
            focal_length_m=focal,
            speed_mps=wish.speed_mps,
            exposure_s=wish.exposure_s,
        )
        blur = None  # found again from the distance: one way of computing, whatever was open
    elif not unknown:
        raise PlanError(
            "speed, distance, blur and exposure are all given, and Eq. 2 leaves no choice among them",
            hint="leave one of them open",
        )
    elif len(unknown) > 1:
        raise PlanError(
            f"{' and '.join(unknown)} are open, Eq. 2 can find only one of them",
            hint="name the object's speed and either a blur in pixels or an exposure",
        )
    distance = rig.optics.object_distance_m if distance is None else distance
    return solve_eq2(
        pixel_pitch_m=pitch,
        blur_px=blur,
        distance_m=distance,
        image_distance_m=image_distance_m(focal, distance),
        speed_mps=wish.speed_mps,
        exposure_s=wish.exposure_s,
    )


def _notes(rig: RigProfile, wish: Wish, plan: ExposurePlan) -> list[str]:
    notes = []
    blur_b, blur_s = plan.blur_px["B"], plan.blur_px["S"]
    if plan.filter_name != rig.filter_in_use:
        notes.append(
            f"put the filter {plan.filter_name} in front of camera B ({rig.filter_in_use} is in use)"
        )
    if not BLUR_B_PX[0] <= blur_b <= BLUR_B_PX[1]:
        low, high = BLUR_B_PX
        notes.append(f"blur in B is {blur_b:.1f} px; the ReLoBlur data set has {low:g} to {high:g} px")
    if blur_s > BLUR_S_MAX_PX:
        notes.append(
            f"blur in S is {blur_s:.1f} px; the ReLoBlur data set has no more than {BLUR_S_MAX_PX:g} px"
        )
    if wish.blur_b_px is not None and abs(blur_b / wish.blur_b_px - 1) > 0.05:
        notes.append(
            f"blur in B is {blur_b:.1f} px for {wish.blur_b_px:g} px asked: the filter sets the ratio"
        )
    for camera in CAMERAS:
        planned, applied = plan.planned_us[camera], plan.applied_us[camera]
        if abs(applied / planned - 1) > 0.01:
            notes.append(f"camera {camera} applies {applied:g} µs for {planned:.4g} µs planned")
    if abs(plan.brightness_ratio - 1) > 0.01:
        notes.append(f"B is {plan.brightness_ratio:.3f} times as bright as S, because exposures are rounded")
    if wish.period_s is None and plan.period_s > rig.period_s:
        notes.append(f"the trigger period is lengthened to {format_quantity(plan.period_s, 'time')}")
    if rig.mains_hz is not None and (light := flicker(plan, rig.mains_hz)).notable:
        notes.append(light.text())
    return notes

"""What cameras and trigger box can do with the exposures that Eq. 2 asks for, and what to change if not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rig.errors import PlanError
from rig.optics import Eq2
from rig.placement import ExposureControl, Placement, s_delay_s
from rig.profiles import CAMERAS, BoxLimits, CameraName, RigProfile, Timing
from rig.units import format_quantity

PERIOD_MARGIN = 1.1
"""Triggers stay 10 % further apart than exposure and readout: a camera ignores an edge that comes early."""


_FINEST_WIDTH_S = 1e-9
"""No input of a camera tells pulses apart whose widths differ by less."""


@dataclass(frozen=True)
class Wish:
    """What the operator asked for; None is open."""

    speed_mps: float | None
    distance_m: float | None
    blur_s_px: float | None
    blur_b_px: float | None
    exposure_s: float | None
    period_s: float | None


@dataclass(frozen=True)
class Bench:
    """The hardware a plan must fit: the rig, its cameras' limits, its box's limits, and how S is placed."""

    rig: RigProfile
    timing: Mapping[CameraName, Timing]
    box: BoxLimits
    placement: Placement = "start"
    control: ExposureControl = "timed"

    def exposure_step_us(self, camera: CameraName) -> float:
        """Step of a camera's exposure, in µs: its own, or the box's where pulses make the exposures."""
        if self.control == "timed":
            return self.timing[camera].exposure_increment_us
        return max(self.box.delay_resolution_s, _FINEST_WIDTH_S) * 1e6


def applied_exposures_us(bench: Bench, wish: Wish, scene: Eq2, tau: float) -> dict[str, float]:
    """Return the exposures that the cameras apply for t_S and t_L, in µs, or say why they cannot."""
    planned_us = planned_exposures_us(scene, tau)
    applied_us: dict[str, float] = {}
    for camera in CAMERAS:
        timing, wanted = bench.timing[camera], planned_us[camera]
        low, high, step = timing.exposure_min_us, timing.exposure_max_us, bench.exposure_step_us(camera)
        if not low - step / 2 <= wanted <= high + step / 2:
            end, limit_us = ("shortest", low) if wanted < low else ("longest", high)
            needed, allowed = (format_quantity(value * 1e-6, "time") for value in (wanted, limit_us))
            raise PlanError(
                f"camera {camera} would need {needed}, its {end} exposure is {allowed}",
                hint=_way_out(bench, wish, scene, tau, short=wanted < low),
            )
        most_steps = math.floor((high - low) / step + 1e-6)
        applied_us[camera] = round(low + min(round((wanted - low) / step), most_steps) * step, 6)
    return applied_us


def _way_out(bench: Bench, wish: Wish, scene: Eq2, tau: float, *, short: bool) -> str:
    """Say how far each wish must move so that both cameras can expose, rounded to the safe side."""
    share_to_s: dict[CameraName, float] = {"B": tau, "S": 1.0}
    lowest_us = max(bench.timing[camera].exposure_min_us * share for camera, share in share_to_s.items())
    highest_us = min(bench.timing[camera].exposure_max_us * share for camera, share in share_to_s.items())
    if lowest_us > highest_us:
        return "no exposure suits both cameras with this filter"
    bound_s = (lowest_us if short else highest_us) * 1e-6
    share = bound_s / scene.exposure_s
    more, less = ("at least", "at most") if short else ("at most", "at least")
    ways = []
    if wish.exposure_s is not None:
        ways.append(f"{more} {format_quantity(_safe(bound_s, up=short), 'time')} of exposure in S")
    if wish.blur_b_px is not None and wish.blur_s_px is None:
        ways.append(f"{more} {_safe(scene.blur_px * share / tau, up=short):.4g} px of blur in B")
    elif wish.blur_s_px is not None:
        ways.append(f"{more} {_safe(scene.blur_px * share, up=short):.4g} px of blur in S")
    if wish.speed_mps is not None and wish.exposure_s is None:
        ways.append(
            f"a speed of {less} {format_quantity(_safe(scene.speed_mps / share, up=not short), 'speed')}"
        )
    return f"ask for {', or '.join(ways)}"


def planned_exposures_us(scene: Eq2, tau: float) -> dict[str, float]:
    """Return t_L = t_S / tau of camera B and t_S of camera S, in µs."""
    return {"B": scene.exposure_s / tau * 1e6, "S": scene.exposure_s * 1e6}


def trigger_period_s(bench: Bench, wish: Wish, applied_us: Mapping[str, float]) -> tuple[float, float]:
    """Return the trigger period to use and the shortest possible one, in s."""
    box, busy = bench.box, {camera: _Busy.of(bench, camera, applied_us) for camera in CAMERAS}
    longest = max(busy.values(), key=lambda one: one.total_us)
    step = box.period_resolution_s
    shortest_s = _on_grid(max(longest.total_us * 1e-6 * PERIOD_MARGIN, box.min_period_s), step, math.ceil)
    usual_s = max(bench.rig.period_s, math.ceil(shortest_s * 1e3 - 1e-6) * 1e-3)
    period_s = _on_grid(usual_s if wish.period_s is None else wish.period_s, step, round)
    if period_s < shortest_s:
        raise PlanError(
            f"a trigger every {format_quantity(period_s, 'time')} comes too early: {longest.text()}, "
            "and 10 % must be left",
            hint=f"at least {format_quantity(_safe(shortest_s, up=True), 'time')}, or leave the period open",
        )
    if period_s > box.max_period_s:
        raise PlanError(
            f"a trigger period of {format_quantity(period_s, 'time')} is too long for the trigger box",
            hint=f"at most {format_quantity(box.max_period_s, 'time')}",
        )
    return period_s, shortest_s


@dataclass(frozen=True)
class _Busy:
    """What keeps a camera busy after a trigger of the box, in µs.

    S's delay counts: the next trigger of the box must find both cameras at rest.
    """

    camera: CameraName
    delay_us: float
    exposure_us: float
    readout_us: float

    @classmethod
    def of(cls, bench: Bench, camera: CameraName, applied_us: Mapping[str, float]) -> _Busy:
        delay_us = s_delay_s(applied_us, bench.placement) * 1e6 if camera == "S" else 0.0
        return cls(camera, delay_us, applied_us[camera], bench.timing[camera].readout_us)

    @property
    def total_us(self) -> float:
        return self.delay_us + self.exposure_us + self.readout_us

    def text(self) -> str:
        times_us = {"delay": self.delay_us, "exposure": self.exposure_us, "readout": self.readout_us}
        parts = [f"{name} {format_quantity(us * 1e-6, 'time')}" for name, us in times_us.items() if us]
        total = format_quantity(self.total_us * 1e-6, "time")
        return f"camera {self.camera} is busy for {total} ({', '.join(parts)})"


def _on_grid(value: float, step: float, rounding: Callable[[float], float]) -> float:
    """Round to a multiple of `step`; 1e-6 of a step is floating-point noise, not a reason to go up."""
    steps = value / step - (1e-6 if rounding is math.ceil else 0)
    if not math.isfinite(steps):
        return value  # beyond all limits, which refuse it
    return float(f"{rounding(steps) * step:.12g}")


def _safe(value: float, *, up: bool) -> float:
    """Round to the four digits that messages show, in the direction in which the number suffices."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 3)
    steps = math.ceil(value / unit - 1e-9) if up else math.floor(value / unit + 1e-9)
    return steps * unit

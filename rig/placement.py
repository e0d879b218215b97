"""Where camera S's short exposure lies within camera B's long one: at its start, its centre or its end.

Both outputs of the trigger box start from one trigger; the pulse of S is delayed by 0, (t_L - t_S) / 2 or
t_L - t_S. In the ReLoBlur paper both start together; S in the centre shows the object in the middle of its
blur in B.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from rig.errors import PlanError
from rig.profile_part import CAMERAS, CameraName, ExposureControl, Placement
from rig.profiles import CameraProfile, TriggerBoxProfile
from rig.trigger.base import Pulse, PulsePlan
from rig.units import format_quantity

__all__ = [
    "PLACEMENTS", "ExposureControl", "Placement", "check_capable", "check_placement", "explain", "pulses",
    "s_delay_ns", "s_delay_s", "widths_us",
]  # fmt: skip

PLACEMENTS: Final[tuple[Placement, ...]] = get_args(Placement)

_SHARE: Final[dict[Placement, float]] = {"start": 0.0, "centre": 0.5, "end": 1.0}
_SHOWS: Final[dict[Placement, str]] = {
    "start": "where the object's blur begins",
    "centre": "the object in the middle of its blur",
    "end": "where the object's blur ends",
}


def s_delay_s(exposure_us: Mapping[str, float], placement: Placement) -> float:
    """Return how much later than B camera S is to be triggered, in s.

    Args:
        exposure_us: Exposures t_L of "B" and t_S of "S", in µs.
        placement: Where S lies in B.

    Returns:
        0, (t_L - t_S) / 2 or t_L - t_S; never less than 0, as equal exposures may be rounded apart.
    """
    spare_us = max(exposure_us["B"] - exposure_us["S"], 0.0)
    return round(_SHARE[placement] * spare_us * 1e-6, 12)


def pulses(exposure_us: Mapping[str, float], placement: Placement) -> dict[CameraName, Pulse]:
    """Return the pulse that each camera needs, as long as its exposure; B's starts with the trigger.

    Args:
        exposure_us: Exposures of "B" and "S", in µs.
        placement: Where S lies in B.
    """
    delay_s: dict[CameraName, float] = {"B": 0.0, "S": s_delay_s(exposure_us, placement)}
    return {camera: Pulse(delay_s[camera], round(exposure_us[camera] * 1e-6, 12)) for camera in CAMERAS}


def s_delay_ns(applied: PulsePlan, outputs: Mapping[str, str]) -> int:
    """Return how much later than B the box triggers S, in ns, from the pulses that it read back.

    Args:
        applied: What the box read back.
        outputs: Output of the box for "B" and for "S".
    """
    delay_s = {camera: applied.outputs[outputs[camera]].delay_s for camera in CAMERAS}
    return round((delay_s["S"] - delay_s["B"]) * 1e9)


def widths_us(applied: PulsePlan, outputs: Mapping[str, str]) -> dict[str, float]:
    """Return the width of each camera's pulse as the box read it back, in µs; arguments as `s_delay_ns`."""
    return {camera: round(applied.outputs[outputs[camera]].width_s * 1e6, 6) for camera in CAMERAS}


def explain(exposure_us: Mapping[str, float], placement: Placement) -> str:
    """Say in one sentence when S exposes and what its picture then shows."""
    delay, short, long = (
        format_quantity(value, "time")
        for value in (
            s_delay_s(exposure_us, placement),
            exposure_us["S"] * 1e-6,
            exposure_us["B"] * 1e-6,
        )
    )
    opens = "together with B" if placement == "start" else f"{delay} after B"
    closes = {"start": "", "centre": f", as long before B closes as after it opened ({long})",
              "end": f", and both close together after {long}"}[placement]  # fmt: skip
    return f"S opens {opens} for {short}{closes}: it shows {_SHOWS[placement]}"


def check_placement(name: str) -> Placement:
    """Return the placement of that name.

    Raises:
        PlanError: There is none.
    """
    for known in PLACEMENTS:
        if name == known:
            return known
    raise PlanError(f"'{name}' is no place for S in B's exposure", hint=f"one of {', '.join(PLACEMENTS)}")


def check_capable(
    placement: Placement,
    control: ExposureControl,
    box: TriggerBoxProfile,
    cameras: Mapping[CameraName, CameraProfile],
) -> None:
    """Refuse what this trigger box or these cameras cannot do.

    Args:
        placement: Where S is to lie in B.
        control: Whether the cameras time their exposures or the box does by the width of its pulses.
        box: Profile of the trigger box.
        cameras: Profiles of both cameras.

    Raises:
        PlanError: The box cannot delay one output, or cannot make pulses of a given width; or a camera's
            profile does not say how it is set to expose by pulse width.
    """
    if placement != "start" and not box.channel_delay:
        raise PlanError(
            f"S at the {placement} of B's exposure needs a delayed pulse, which the {box.title} cannot make",
            hint="place S at the start, or use a trigger box with a delay for each output",
        )
    if control == "timed":
        return
    if not box.pulse_width:
        raise PlanError(
            f"exposures by pulse width need pulses of a given width, which the {box.title} cannot make",
            hint="exposure_control: timed in the rig's profile",
        )
    for camera in CAMERAS:
        if cameras[camera].steps_width is None:
            raise PlanError(
                f"camera {camera} ({cameras[camera].title}) cannot expose by pulse width: "
                "its profile has no steps_width",
                hint="exposure_control: timed in the rig's profile",
            )

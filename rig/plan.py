"""The exposure plan: the numbers of Eq. 2 and what they lead to, as a record that travels and is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from rig.errors import PlanError
from rig.placement import ExposureControl, Placement, check_placement, s_delay_s


@dataclass(frozen=True)
class ExposurePlan:
    """An applicable plan for one scene.

    Attributes:
        rig: Name of the rig profile.
        speed_mps: Object speed v, in m/s.
        distance_m: Object distance d, in m.
        image_distance_m: Image distance l' of the thin lens, in m.
        pixel_pitch_um: Pixel pitch c, in µm.
        filter_name: Density filter in front of camera B.
        tau: Its nominal transmittance.
        planned_us: Exposures t_L of "B" and t_S of "S" as Eq. 2 gives them, in µs.
        applied_us: The same, rounded to what the cameras apply, in µs.
        blur_px: Blur predicted from the applied exposures, in pixels.
        blur_requested_s_px: Blur in S that was asked for or follows from the given exposure, in pixels.
        ratio_applied: Applied t_S / t_L; would be tau without rounding.
        brightness_ratio: tau * t_L / t_S as applied; 1 means B is as bright as S.
        period_s: Trigger period, in s.
        min_period_s: Shortest possible trigger period, in s.
        notes: What is applicable but worth knowing.
        placement: Where S's exposure lies in B's.
        exposure_control: Whether the cameras time the exposures, or the widths of the box's pulses do.
    """

    rig: str
    speed_mps: float
    distance_m: float
    image_distance_m: float
    pixel_pitch_um: float
    filter_name: str
    tau: float
    planned_us: dict[str, float]
    applied_us: dict[str, float]
    blur_px: dict[str, float]
    blur_requested_s_px: float
    ratio_applied: float
    brightness_ratio: float
    period_s: float
    min_period_s: float
    notes: tuple[str, ...]
    placement: Placement = "start"
    exposure_control: ExposureControl = "timed"

    @property
    def s_delay_us(self) -> float:
        """How much later than B camera S is triggered, in µs, by the exposures as planned to be applied."""
        return s_delay_s(self.applied_us, self.placement) * 1e6

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain data (numbers as floats, SI or the unit in the name) for JSON and YAML."""
        return {
            "rig": self.rig,
            "speed_mps": self.speed_mps,
            "distance_m": self.distance_m,
            "image_distance_m": self.image_distance_m,
            "pixel_pitch_um": self.pixel_pitch_um,
            "filter": self.filter_name,
            "tau": self.tau,
            "exposure_us": {
                camera: {"planned": self.planned_us[camera], "applied": self.applied_us[camera]}
                for camera in "BS"
            },
            "blur_px": {
                "B": {"predicted": self.blur_px["B"]},
                "S": {"requested": self.blur_requested_s_px, "predicted": self.blur_px["S"]},
            },
            "ratio_applied": self.ratio_applied,
            "brightness_ratio": self.brightness_ratio,
            "period_s": self.period_s,
            "min_period_s": self.min_period_s,
            "notes": list(self.notes),
            "placement": self.placement,
            "s_delay_us": self.s_delay_us,
            "exposure_control": self.exposure_control,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ExposurePlan:
        """Rebuild a plan from `to_dict`.

        Raises:
            PlanError: A field is missing or is no finite number.
        """
        try:
            exposure, blur = data["exposure_us"], data["blur_px"]
            return cls(
                rig=str(data["rig"]),
                speed_mps=_number(data["speed_mps"]),
                distance_m=_number(data["distance_m"]),
                image_distance_m=_number(data["image_distance_m"]),
                pixel_pitch_um=_number(data["pixel_pitch_um"]),
                filter_name=str(data["filter"]),
                tau=_number(data["tau"]),
                planned_us={camera: _number(exposure[camera]["planned"]) for camera in "BS"},
                applied_us={camera: _number(exposure[camera]["applied"]) for camera in "BS"},
                blur_px={camera: _number(blur[camera]["predicted"]) for camera in "BS"},
                blur_requested_s_px=_number(blur["S"]["requested"]),
                ratio_applied=_number(data["ratio_applied"]),
                brightness_ratio=_number(data["brightness_ratio"]),
                period_s=_number(data["period_s"]),
                min_period_s=_number(data["min_period_s"]),
                notes=tuple(str(note) for note in data["notes"]),
                placement=check_placement(data.get("placement", "start")),
                exposure_control=_control(data.get("exposure_control", "timed")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise PlanError(f"this is no exposure plan: {type(error).__name__} {error}") from error


def _control(name: Any) -> ExposureControl:
    for known in get_args(ExposureControl):
        if name == known:
            found: ExposureControl = known
            return found
    raise ValueError(f"{name} is no control of the exposure")


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is not finite")
    return number

"""Helps for the plan from a few live frames: speed of the object, light, the filter's transmittance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rig.live_frames import live_frames
from rig.plan import ExposurePlan
from rig.rig import Rig

What = Literal["speed", "light", "tau"]
FRAMES: dict[What, int] = {"speed": 4, "light": 2, "tau": 2}
"""Live frames of each camera; the speed takes three steps, so that one at a turning point is outvoted."""


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        what: "speed", "light" or "tau".
        lines: The result in words, a line each.
        good: Whether the plan can stay as it is.
        speed: The speed as it is typed into the form; empty when another thing was measured.
    """

    what: What
    lines: tuple[str, ...]
    good: bool = True
    speed: str = ""


def measure(rig: Rig, what: What, plan: ExposurePlan) -> Measured:
    """Measure on live frames of the open rig; takes seconds, for the rig's thread.

    Args:
        rig: The rig, with the plan applied.
        what: What to measure.
        plan: The plan in force.

    Raises:
        BeamrigError: A camera does not deliver, or what it delivers cannot be measured.
    """
    frames = live_frames(rig, FRAMES[what])
    if what == "speed":
        from processing.survey.motion import measure_speed

        found = measure_speed(frames["S"], plan)
        lines = (found.text(), "An error of the distance goes into the speed in proportion.")
        return Measured(what, lines, speed=f"{found.speed_mps:.4g} m/s")
    if what == "light":
        from processing.survey.measure import measure_light

        light = measure_light(frames, plan.tau, rig.source)
        fits = light.possible and light.least_s_us <= light.exposure_s_us <= light.most_s_us
        return Measured(what, tuple(light.lines()), good=fits)
    from processing.survey.measure import check_tau

    tau = check_tau(frames, plan.tau)
    advice = () if tau.fits_label else (f"Is {plan.filter_name} in front of B, and clean?",)
    return Measured(what, (tau.text(), *advice), good=tau.fits_label)

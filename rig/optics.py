"""Eq. 2 of the ReLoBlur paper: how far an object's image moves on the sensor during an exposure.

    t_S = c * n * d / (l' * v)                                                          (2)

c is the pixel pitch, n the blur in pixels, d the object distance, l' the image distance and v the
object's speed. The same relation holds for camera B with its longer exposure t_L = t_S / tau.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

from rig.errors import PlanError


@dataclass(frozen=True)
class Eq2:
    """The six quantities of Eq. 2 in SI units; they satisfy the equation."""

    pixel_pitch_m: float
    blur_px: float
    distance_m: float
    image_distance_m: float
    speed_mps: float
    exposure_s: float


def image_distance_m(focal_length_m: float, object_distance_m: float) -> float:
    """Return the distance l' behind a thin lens at which an object is in focus, in m.

    Args:
        focal_length_m: Focal length f, in m.
        object_distance_m: Distance d of the object in front of the lens, in m.

    Raises:
        PlanError: The object stands inside the focal length, where no image forms.
    """
    _positive("focal_length_m", focal_length_m)
    if not (math.isfinite(object_distance_m) and object_distance_m > focal_length_m):
        raise PlanError(
            f"an object at {object_distance_m:g} m has no image behind a lens of {focal_length_m * 1e3:g} mm",
            hint=f"the distance must be more than {focal_length_m * 1e3:g} mm",
        )
    return focal_length_m * object_distance_m / (object_distance_m - focal_length_m)


def solve_eq2(
    *,
    pixel_pitch_m: float | None,
    blur_px: float | None,
    distance_m: float | None,
    image_distance_m: float | None,
    speed_mps: float | None,
    exposure_s: float | None,
) -> Eq2:
    """Solve Eq. 2 for the one quantity that is None.

    The image distance is taken as it is given; to find the distance of an object with the lens refocused
    on it, use `distance_in_focus_m`.

    Args:
        pixel_pitch_m: c, in m.
        blur_px: n, in pixels.
        distance_m: d, in m.
        image_distance_m: l', in m.
        speed_mps: v, across the line of sight, in m/s.
        exposure_s: Exposure time, in s.

    Returns:
        All six quantities.

    Raises:
        PlanError: None or more than one quantity is None, or one is not positive.
    """
    given = {
        "pixel_pitch_m": pixel_pitch_m,
        "blur_px": blur_px,
        "distance_m": distance_m,
        "image_distance_m": image_distance_m,
        "speed_mps": speed_mps,
        "exposure_s": exposure_s,
    }
    unknown = [name for name, value in given.items() if value is None]
    if len(unknown) != 1:
        said = ", ".join(unknown) if unknown else "nothing"
        raise PlanError(
            f"Eq. 2 is solved for one unknown, but {said} is open", hint="leave exactly one quantity open"
        )
    for name, value in given.items():
        if value is not None:
            _positive(name, value)
    # c n d = l' v t: the unknown is the other side's product over what stands beside it.
    known = Eq2(**{name: 1.0 if value is None else value for name, value in given.items()})
    left = known.pixel_pitch_m * known.blur_px * known.distance_m
    right = known.image_distance_m * known.speed_mps * known.exposure_s
    on_the_left = unknown[0] in ("pixel_pitch_m", "blur_px", "distance_m")
    solved = right / left if on_the_left else left / right
    _positive(unknown[0], solved)
    return replace(known, **{unknown[0]: solved})


def distance_in_focus_m(
    *, pixel_pitch_m: float, blur_px: float, focal_length_m: float, speed_mps: float, exposure_s: float
) -> float:
    """Return the object distance at which Eq. 2 holds with the lens focused on the object, in m.

    With l' = f d / (d - f) Eq. 2 becomes t = c n (d - f) / (f v), thus d = f + t f v / (c n).

    Raises:
        PlanError: A quantity is not positive.
    """
    for name, value in (("pixel_pitch_m", pixel_pitch_m), ("blur_px", blur_px), ("speed_mps", speed_mps)):
        _positive(name, value)
    _positive("exposure_s", exposure_s)
    _positive("focal_length_m", focal_length_m)
    return focal_length_m + exposure_s * focal_length_m * speed_mps / (pixel_pitch_m * blur_px)


def _positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise PlanError(f"{name} is {value:g}, it must be a number greater than zero")


EQ2_NAMES = tuple(field.name for field in fields(Eq2))
"""Names of the six quantities, in the order of the equation."""

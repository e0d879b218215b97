"""From what is typed on the Plan page to an exposure plan, or to the field that is wrong and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rig.errors import BeamrigError, UnitError
from rig.exposure import ExposurePlan, plan_exposure
from rig.placement import Placement
from rig.profiles import RigProfile
from rig.units import Dimension, parse_quantity

TARGETS = {
    "blur_s": "Blur wanted in S",
    "blur_b": "Blur wanted in B",
    "exposure": "Exposure of S",
}

PLACES: dict[Placement, str] = {
    "start": "At the start of B",
    "centre": "In the centre of B",
    "end": "At the end of B",
}
"""Where S's exposure may lie in B's."""


@dataclass(frozen=True)
class PlanInput:
    """The texts of the form, as typed.

    Attributes:
        speed: With unit.
        distance: With unit; empty takes the profile's.
        target: Key of `TARGETS`: which unknown of Eq. 2 is given.
        target_value: A number of pixels, or for the exposure a time with unit.
        filter_name: Name of a filter; empty leaves the choice to the planner.
        period: With unit; empty takes the planner's.
        placement: Where S lies in B; empty takes the rig's usual one.
    """

    speed: str
    distance: str = ""
    target: str = "blur_s"
    target_value: str = "4"
    filter_name: str = ""
    period: str = ""
    placement: str = ""


@dataclass(frozen=True)
class PlanOutcome:
    """A plan, or what stands in its way.

    Attributes:
        plan: The plan; None when there is none.
        field_errors: For each wrong field of `PlanInput` what is wrong with it.
        reason: Why no plan is possible although every field can be read; empty when one cannot.
        hint: What to change.
    """

    plan: ExposurePlan | None = None
    field_errors: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    hint: str = ""


def make_plan(rig: RigProfile, wish: PlanInput) -> PlanOutcome:
    """Read the form and plan; quick enough for every key press."""
    errors: dict[str, str] = {}
    speed = _quantity(wish.speed, "speed", "speed", errors)
    distance = _quantity(wish.distance, "length", "distance", errors) if wish.distance.strip() else None
    period = _quantity(wish.period, "time", "period", errors) if wish.period.strip() else None
    blur: float | None = None
    exposure: float | None = None
    if wish.target == "exposure":
        exposure = _quantity(wish.target_value, "time", "target_value", errors)
    else:
        blur = _pixels(wish.target_value, errors)
    if errors or speed is None:
        return PlanOutcome(field_errors=errors)

    def attempt(period_s: float | None, placement: str = wish.placement) -> ExposurePlan:
        return plan_exposure(
            rig,
            speed_mps=speed,
            distance_m=distance,
            blur_s_px=blur if wish.target == "blur_s" else None,
            blur_b_px=blur if wish.target == "blur_b" else None,
            exposure_s=exposure,
            filter_name=wish.filter_name or None,
            period_s=period_s,
            placement=placement or None,
        )

    try:
        return PlanOutcome(plan=attempt(period))
    except BeamrigError as error:
        return PlanOutcome(
            field_errors={_culprit(attempt, period, wish.placement): sentence(error.hint or error.message)},
            reason=sentence(error.message),
            hint=sentence(error.hint),
        )


def _culprit(attempt: Callable[..., ExposurePlan], period: float | None, placement: str) -> str:
    """Find the field that stands in the way: one without which the rest can be planned."""
    for name, given, without in (
        ("period", period is not None, (None,)),
        ("placement", placement not in ("", "start"), (period, "start")),
    ):
        if given:
            try:
                attempt(*without)
            except BeamrigError:
                continue
            return name
    return "target_value"


def _quantity(text: str, dimension: Dimension, name: str, errors: dict[str, str]) -> float | None:
    """Read a quantity above 0, or note at the field what is wrong."""
    try:
        value = parse_quantity(text, dimension)
    except UnitError as error:
        errors[name] = sentence(error.one_line())
        return None
    if value <= 0:
        errors[name] = "Must be above 0"
        return None
    return value


def _pixels(text: str, errors: dict[str, str]) -> float | None:
    """Read a blur length in pixels; "4" and "4 px" are both fine."""
    bare = text.strip().removesuffix("px").strip()
    try:
        value = float(bare)
    except ValueError:
        errors["target_value"] = f'\'{text}\' is not a number of pixels (write it like "4" or "4 px")'
        return None
    if not 0 < value < float("inf"):
        errors["target_value"] = "Must be above 0"
        return None
    return value


def sentence(text: str) -> str:
    """Return a message with a capital letter, as it stands alone in a window; names of files stay."""
    first = text.partition(" ")[0].rstrip(":,.")
    return text if any(sign in first for sign in "._/") else text[:1].upper() + text[1:]

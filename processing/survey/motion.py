"""Speed of the moving object from frames of camera S at known times: it fills v in Eq. 2.

What changed between two frames is the object where it was, where it is, and the background it covered and
uncovered. The shift that carries the one into the other is found by phase correlation of the changed parts,
tried on the pixels themselves (the object matches at the true shift, both ways), and refined to a fraction
of a pixel by Gauss-Newton registration on the pixels that match.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.checks.blocks import BLOCK, F32, plane
from processing.checks.stillness import EVERYWHERE, change_between
from processing.errors import ProcessingError
from processing.survey.shift import Shift, find_shift
from rig.optics import solve_eq2
from rig.plan import ExposurePlan
from rig.raw_image import RawImage

AGREEMENT: Final = 0.05
"""Successive speeds may differ by so much; more means that the object turned, or something else was seen."""

LEAST_SHIFT_PX: Final = 2.0

FULL_MATCH: Final = 0.35
"""Share of the changed part that an object which is found again as a whole makes at least; the rest is the
background that it covered and uncovered, and a margin."""


class MotionNotMeasurable(ProcessingError):
    """The speed of the object cannot be measured, and why."""


@dataclass(frozen=True)
class Step:
    """The object's way between two frames.

    Attributes:
        dx_px, dy_px: Displacement in pixels, to the right and down.
        dt_s: Time between the starts of the exposures, by the camera's clock.
        error_px: Standard error of the displacement, in pixels.
        matched: Share of the changed part that the displacement explains, 0 to 1.
        box_px: (left, top, right, bottom) of the changed part.
    """

    dx_px: float
    dy_px: float
    dt_s: float
    error_px: float
    matched: float
    box_px: tuple[int, int, int, int]

    @property
    def shift_px(self) -> float:
        """Length of the displacement."""
        return math.hypot(self.dx_px, self.dy_px)

    @property
    def speed_px_per_s(self) -> float:
        """Speed in the picture."""
        return self.shift_px / self.dt_s


@dataclass(frozen=True)
class Speed:
    """The object's speed.

    Attributes:
        speed_mps: Across the line of sight, in m/s.
        error_mps: Standard error: of the displacement, or of how far successive steps differ, if larger.
        speed_px_per_s: In the picture.
        angle_deg: Direction, 0 to the right, 90 down.
        confidence: 0 to 1: how well the moving pixels match, and the steps each other.
        steps: What it is from.
        distance_m: Object distance that Eq. 2 was used with.
    """

    speed_mps: float
    error_mps: float
    speed_px_per_s: float
    angle_deg: float
    confidence: float
    steps: tuple[Step, ...]
    distance_m: float

    def text(self) -> str:
        """Return the result in one line."""
        return (
            f"v = {self.speed_mps:.4g} ± {self.error_mps:.1g} m/s ({self.speed_px_per_s:.1f} px/s towards "
            f"{self.angle_deg:.0f}°, at {self.distance_m:g} m, confidence {self.confidence:.2f})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "speed_mps": self.speed_mps,
            "speed_error_mps": self.error_mps,
            "speed_px_per_s": self.speed_px_per_s,
            "angle_deg": self.angle_deg,
            "confidence": self.confidence,
            "distance_m": self.distance_m,
            "steps": [
                {
                    "dx_px": s.dx_px,
                    "dy_px": s.dy_px,
                    "dt_s": s.dt_s,
                    "error_px": s.error_px,
                    "matched": s.matched,
                }
                for s in self.steps
            ],
        }


def speed_mps(speed_px_per_s: float, plan: ExposurePlan) -> float:
    """Return the object's speed for its image's by Eq. 2: v = c n d / (l' t) with n pixels in t."""
    return solve_eq2(
        pixel_pitch_m=plan.pixel_pitch_um * 1e-6,
        blur_px=speed_px_per_s,
        distance_m=plan.distance_m,
        image_distance_m=plan.image_distance_m,
        speed_mps=None,
        exposure_s=1.0,
    ).speed_mps


def step_between(first: RawImage, second: RawImage) -> Step:
    """Measure the displacement of what moves between two frames of one camera.

    Raises:
        ImageMismatch: The frames differ in kind.
        MotionNotMeasurable: Nothing moves, everything does, or the displacement is not unique.
    """
    dt_s = (second.timestamp_ns - first.timestamp_ns) * 1e-9
    if dt_s <= 0:
        raise MotionNotMeasurable(
            "the frames are not in the order of their times", hint="the camera must give time stamps"
        )
    change = change_between(first, second)
    if change.box_px is None:
        raise MotionNotMeasurable(
            "nothing moves between the frames", hint="let the object move and try again"
        )
    if change.share > EVERYWHERE:
        raise MotionNotMeasurable(
            f"{change.share:.0%} of the frame changed: the rig moves, or the object fills the frame",
            hint="fix the rig; the object should cover less than a third of the frame",
        )
    grid = np.ones((3, 3), np.uint8)
    wide = cv2.morphologyEx(change.blocks.astype(np.uint8), cv2.MORPH_CLOSE, grid)
    mask = np.kron(cv2.dilate(wide, grid), np.ones((BLOCK, BLOCK), np.uint8)) > 0
    one, two = _light(first) * np.float32(change.scale), _light(second)
    found = find_shift(one, two, np.asarray(mask[: one.shape[0], : one.shape[1]], np.bool_))
    if isinstance(found, str):
        raise MotionNotMeasurable(found, hint="measure again when one object crosses the view evenly")
    return _step(found, dt_s, change.box_px)


def measure_speed(frames: Sequence[RawImage], plan: ExposurePlan) -> Speed:
    """Measure the object's speed from two frames of camera S, or better from more.

    With three frames or more the steps must agree, so an object that turns round or a wrong match is noticed;
    steps that differ in speed or direction are left out as long as most agree.

    Args:
        frames: Frames of one camera in the order of time, each with its time stamp.
        plan: Gives pixel pitch, object and image distance.

    Raises:
        MotionNotMeasurable: See `step_between`, or the steps do not agree.
    """
    steps: list[Step] = []
    trouble: MotionNotMeasurable | None = None
    for first, second in pairwise(frames):
        try:
            steps.append(step_between(first, second))
        except MotionNotMeasurable as error:
            trouble = error
    if not steps:
        raise trouble or MotionNotMeasurable("one frame shows no motion", hint="two are needed at least")
    asked = max(len(frames) - 1, 1)
    ways = np.array([complex(step.dx_px, step.dy_px) / step.dt_s for step in steps])
    agreeing = [np.abs(ways - one) <= AGREEMENT * abs(one) for one in ways]
    together = max(agreeing, key=np.count_nonzero)
    good = [step for step, agrees in zip(steps, together, strict=True) if agrees]
    if len(good) <= asked / 2 or (asked == 2 and len(good) < 2):
        said = ", ".join(f"{abs(way):.0f}" for way in ways)
        missing = f"; else {trouble.message}" if trouble is not None else ""
        raise MotionNotMeasurable(
            f"{len(good)} of {asked} steps between the frames agree on a speed: {said} px/s{missing}",
            hint="did the object turn or stop? measure again while it crosses the view evenly",
        )
    weights = np.array([(step.dt_s / max(step.error_px, 1e-3)) ** 2 for step in good])
    kept = np.array([step.speed_px_per_s for step in good])
    pixels = _weighted_median(kept, weights)  # a step in which the object just began to turn does not count
    spread = max(float(weights.sum()) ** -0.5, float(np.std(kept)) / math.sqrt(len(good)))
    last = good[-1]
    factor = speed_mps(1.0, plan)
    matched = float(np.mean([step.matched for step in good])) / FULL_MATCH
    return Speed(
        speed_mps=pixels * factor,
        error_mps=spread * factor,
        speed_px_per_s=pixels,
        angle_deg=math.degrees(math.atan2(last.dy_px, last.dx_px)),
        confidence=min(matched, 1.0) * len(good) / asked,
        steps=tuple(good),
        distance_m=plan.distance_m,
    )


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the value at half of the weights, between values linearly; of two, their mean."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) - weights[order] / 2
    return float(np.interp(weights.sum() / 2, reached, values[order]))


def _light(raw: RawImage) -> F32:
    """Return the mean of each 2x2 cell, (h, w) float32: half the size, no mosaic."""
    total = plane(raw, "R")
    for phase in ("Gr", "Gb", "B"):
        total += plane(raw, phase)
    return np.asarray(total / np.float32(4), np.float32)


def _step(found: Shift, dt_s: float, box: tuple[int, int, int, int]) -> Step:
    step = Step(2 * found.dx, 2 * found.dy, dt_s, 2 * found.error, found.matched, box)
    if step.shift_px < LEAST_SHIFT_PX:
        raise MotionNotMeasurable(
            f"the object moved by {step.shift_px:.1f} px only", hint="take frames that are further apart"
        )
    return step

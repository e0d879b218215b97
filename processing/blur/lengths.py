"""How many pixels the moving object is smeared over in B and in S, measured in the images (checks Eq. 2).

Both frames of a pair show the same moving object, averaged over its way during the exposure:
B = O * box(n_B), S = O * box(n_S), in linear light, at all pixels that the object covers during the whole
exposure. The sharp object O is unknown but the same, hence  B * box(n_S) = S * box(n_B)  up to a shift. The
two lengths are those for which this holds best against the noise. The zeros of box(n_B) give n_B on its own,
and the fall of B against S over all frequencies gives n_S.

Nothing is taken from the exposure times. `blur_motion` finds object and direction, `blur_model` the lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing.blur.model import Block, BlurModel, merge
from processing.blur.motion_axis import (
    MovingObject,
    TurnedViews,
    find_object,
    mean_offset_axis,
    motion_axis,
    rotated_views,
)
from processing.errors import BlurNotMeasurable, ImageMismatch

Float = NDArray[np.float32]

AXIS_PAIRS: Final = 3
FIRST_TURN_RAD: Final = 0.04
LAST_TURN_RAD: Final = 0.003
WORST_COST: Final = 3.0
"""Pairs that fit this many times worse than the usual are left out."""

_TOO_SHORT: Final = "the moving object is too short for its blur"
_TOO_SHORT_HINT: Final = "its length along the motion must exceed the blur of B by some 60 px"


@dataclass(frozen=True)
class BlurMeasurement:
    """Blur of the moving object in the two images of a scene's pairs.

    Attributes:
        b_px, s_px: length of the smear in camera B's and camera S's image, in pixels.
        b_error_px, s_error_px: their standard errors, from leaving out parts of the data.
        direction: unit vector of the motion axis in the image, (x, y); its sign is of the first pair.
        lag_px: way between the start of B's and S's exposure (0 when both start together).
        pairs: pairs used; pairs_left_out: those whose object turned round or left the frame.
        pixels: pixels of object interior used.
    """

    b_px: float
    s_px: float
    b_error_px: float
    s_error_px: float
    direction: tuple[float, float]
    lag_px: float
    pairs: int
    pairs_left_out: int
    pixels: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a report."""
        return {**self.__dict__, "direction": list(self.direction)}


def measure_blur(
    static_b: Float,
    static_s: Float,
    pairs: Sequence[tuple[Float, Float]],
    *,
    direction: tuple[float, float] | None = None,
) -> BlurMeasurement:
    """Measure the blur lengths of the moving object from action pairs of one plan.

    Args:
        static_b: (H, W) float32 linear luminance of camera B's static image, aligned on S's grid.
        static_s: the same of camera S.
        pairs: (b, s) of the action pairs, like the static images.
        direction: unit vector (x, y) of the motion axis; estimated without it.

    Raises:
        ImageMismatch: if the images differ in size.
        BlurNotMeasurable: without a moving object large enough: its way through the interior must exceed
            the blur of B by some 60 px.
    """
    if any(image.shape != static_s.shape for pair in pairs for image in (static_b, *pair)):
        raise ImageMismatch("the images of the scene differ in size")
    found = [(item, b, s) for b, s in pairs if (item := find_object(static_b, static_s, b, s)) is not None]
    if not found:
        raise BlurNotMeasurable(
            "no moving object found in the action pairs", hint="compare with the static pair"
        )
    images = _Images(static_b, static_s, found)
    steady = images.steady(_unit(direction) if direction else mean_offset_axis(found))
    axis = _unit(direction) if direction else steady.best_axis()
    views = steady.views(axis)
    growth, shift = _middle(views)
    model, parts = _collect(views, growth, shift)
    if not parts:
        raise BlurNotMeasurable(_TOO_SHORT, hint=_TOO_SHORT_HINT)
    best = model.fit([block for part in parts for block in part], growth, shift)
    costs = np.array([model.cost(part, best) for part in parts])
    kept = [part for part, cost in zip(parts, costs, strict=True) if cost <= WORST_COST * np.median(costs)]
    blocks = [block for part in kept for block in part]
    if len(kept) < len(parts):
        best = model.fit(blocks, growth, shift)
    spread = model.jackknife(blocks, best)
    first = found[0][0]
    sign = 1.0 if first.towards(axis) >= 0 else -1.0
    return BlurMeasurement(
        b_px=float(best[0]),
        s_px=float(best[1]),
        b_error_px=float(spread[0]),
        s_error_px=float(spread[1]),
        direction=(sign * axis[0], sign * axis[1]),
        lag_px=float((best[0] - best[1]) / 2 - best[2]),
        pairs=len(kept),
        pairs_left_out=len(pairs) - len(kept),
        pixels=sum(block.pixels for block in blocks),
    )


def _unit(direction: tuple[float, float]) -> tuple[float, float]:
    length = float(np.hypot(*direction))
    if not 1e-9 < length < np.inf:
        raise BlurNotMeasurable("the direction of motion is no vector")
    return (direction[0] / length, direction[1] / length)


def _middle(views: Sequence[TurnedViews]) -> tuple[float, float]:
    """Return the median growth and shift of the views; the growth is at least that of a 1 px blur."""
    growth = float(np.median([view.growth_px for view in views]))
    return max(growth, 0.5), float(np.median([view.shift_px for view in views]))


def _collect(
    views: Sequence[TurnedViews], growth: float, shift: float, *, row_step: int = 2
) -> tuple[BlurModel, list[list[Block]]]:
    """Sum up the views with as many bands as fit into the object."""
    for widest_px in (8.0, 4.0, 2.0):
        model = BlurModel.for_motion(growth, shift, widest_px)
        parts = [part for view in views if (part := model.collect(view, row_step=row_step))]
        if parts:
            break
    return model, parts


@dataclass(frozen=True)
class _Images:
    """The static images and the action pairs with their objects."""

    static_b: Float
    static_s: Float
    found: list[tuple[MovingObject, Float, Float]]

    def views(self, axis: tuple[float, float], count: int | None = None) -> list[TurnedViews]:
        """Turn the pairs so that their objects move along +x; only the first `count`."""
        chosen = self.found[:count]
        return [rotated_views(item, self.static_b, self.static_s, b, s, axis) for item, b, s in chosen]

    def steady(self, axis: tuple[float, float]) -> _Images:
        """Return only the pairs whose object moved on evenly, the best first.

        One that turned round while the shutter was open fits no pair of boxes, whatever their lengths.
        """
        costs = np.array([_Images(self.static_b, self.static_s, [item]).cost(axis) for item in self.found])
        if not np.isfinite(costs).any():
            raise BlurNotMeasurable(_TOO_SHORT, hint=_TOO_SHORT_HINT)
        limit = WORST_COST * float(np.percentile(costs[np.isfinite(costs)], 25))
        order = [int(i) for i in np.argsort(costs) if costs[i] <= limit]
        return _Images(self.static_b, self.static_s, [self.found[i] for i in order])

    def best_axis(self) -> tuple[float, float]:
        """Return the axis along which the two lengths explain the images best."""
        known: dict[float, float] = {}

        def cost(angle: float) -> float:
            if angle not in known:
                known[angle] = self.cost((float(np.cos(angle)), float(np.sin(angle))))
            return known[angle]

        starts = [float(np.arctan2(y, x)) for x, y in (mean_offset_axis(self.found), motion_axis(self.found))]
        here = min(starts, key=cost)
        step = FIRST_TURN_RAD
        while step > LAST_TURN_RAD:
            beside = min(here - step, here + step, key=cost)
            if cost(beside) < cost(here) and abs(beside - starts[0]) < np.pi / 2:
                here = beside
            else:
                step /= 2
        known_at = [cost(here - 2 * step), cost(here), cost(here + 2 * step)]
        bend = known_at[0] - 2 * known_at[1] + known_at[2]
        if np.isfinite(bend) and bend > 0:
            here += 2 * step * float(np.clip(0.5 * (known_at[0] - known_at[2]) / bend, -0.5, 0.5))
        return (float(np.cos(here)), float(np.sin(here)))

    def cost(self, axis: tuple[float, float]) -> float:
        """Return how badly the best two lengths along an axis explain the first pairs."""
        views = self.views(axis, AXIS_PAIRS)
        growth, shift = _middle(views)
        model, parts = _collect(views, growth, shift, row_step=4)
        blocks = [block for part in parts for block in part]
        if not blocks:
            return float("inf")
        merged = merge(blocks)
        return model.cost(merged, model.fit(merged, growth, shift))

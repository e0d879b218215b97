"""The blur lengths of one pair, quickly: at half size where the blur allows it, starting from the plan.

`blur` measures the lengths of a scene from several pairs, with every care and in seconds. Here one pair must
do in some 50 ms, to be compared with the plan: the same model, one axis (from the object's middle in S to
that in B, or of least gradient energy), few rows, one start. Its standard error is from two halves of the
object, and never taken below `FLOOR_B`, `FLOOR_S`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.blur.model import BlurModel
from processing.blur.motion_axis import find_object, mean_offset_axis, motion_axis, rotated_views
from processing.errors import BlurNotMeasurable
from processing.isp import decode_srgb
from rig.capture.findings import Finding
from rig.plan import ExposurePlan

HALF_FROM_PX: Final = 10.0
"""Blur of B from which half size will do."""

ROWS: Final = 48
"""Rows of the turned object that are used, spread over it."""

MARGIN_PX: Final = 56
"""Background about the object that the noise is measured on."""

FLOOR_B, FLOOR_S = 0.02, 0.1
"""Least relative standard errors: an axis that is off by 2 degrees costs so much, and S, short, more."""

LENGTH_OFF: Final = 0.2
"""Off the plan by a fifth: people and hand-moved objects do not keep a speed any better."""

RATIO_OFF: Final = 0.1
"""n_B / n_S off t_L / t_S by a tenth: speed drops out of it; what is left is exposures not as planned."""

LEAST_PX: Final = 0.7
"""And by so many pixels: a length below a pixel is not told from the pixel's own."""

UNTOLD: Final = 0.5
"""Samples below which a blur of S is not told from none: its error is then a whole sample."""

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class PairBlur:
    """Blur lengths of one pair, in pixels of the frame, with standard errors."""

    b_px: float
    s_px: float
    b_error_px: float
    s_error_px: float
    direction: tuple[float, float]


def luminance(encoded: F32) -> F32:
    """Return linear luminance of (h, w, 3) sRGB-encoded values in [0, 1]."""
    return np.asarray(cv2.cvtColor(decode_srgb(encoded), cv2.COLOR_RGB2GRAY), np.float32)


def crop_of(moving: NDArray[np.uint8], step: int, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
    """Return the part of the full picture that holds the largest mover, with a margin; None without one.

    Args:
        moving: (h, w) uint8 0/1 of the view.
        step: pixels of the picture along a sample.
        shape: of the picture.
    """
    count, _, stats, _ = cv2.connectedComponentsWithStats(moving, connectivity=8)
    if count < 2:
        return None
    x, y, w, h, _ = (int(v) for v in stats[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))])
    rows = slice(max(y * step - MARGIN_PX, 0), min((y + h) * step + MARGIN_PX, shape[0]))
    columns = slice(max(x * step - MARGIN_PX, 0), min((x + w) * step + MARGIN_PX, shape[1]))
    return rows, columns


def measure_pair_blur(
    static_b: F32, static_s: F32, b: F32, s: F32, still: NDArray[np.uint8], plan: ExposurePlan
) -> PairBlur:
    """Measure both blur lengths in one pair.

    Args:
        static_b: (h, w) float32 linear luminance of B in the static pair, cut about the object.
        static_s: the same of S.
        b: the same of B in the pair.
        s: the same of S.
        still: (h, w) uint8, above 0 where nothing moves.
        plan: where to start from.

    Raises:
        BlurNotMeasurable: no object, or too small for its blur; the reason is in its message.
    """
    step = 2 if plan.blur_px["B"] >= HALF_FROM_PX else 1
    if step == 2:
        shape = (b.shape[1] // 2, b.shape[0] // 2)
        static_b, static_s, b, s = (
            np.asarray(cv2.resize(part, shape, interpolation=cv2.INTER_AREA), np.float32)
            for part in (static_b, static_s, b, s)
        )
        still = np.asarray(cv2.resize(still, shape, interpolation=cv2.INTER_NEAREST), np.uint8)
    found = find_object(static_b, static_s, b, s, still)
    if found is None:
        raise BlurNotMeasurable("no moving object large enough")
    items = [(found, b, s)]
    axis = motion_axis(items) if plan.placement == "centre" else mean_offset_axis(items)
    view = rotated_views(found, static_b, static_s, b, s, axis)
    planned = plan.blur_px["B"] / step, plan.blur_px["S"] / step
    growth = max(view.growth_px, 0.5 * (planned[0] - planned[1]), 0.5)
    row_step = max(2, int(np.count_nonzero(view.inside.any(axis=1))) // ROWS)
    for widest_px in (8.0, 4.0, 2.0):
        model = BlurModel.for_motion(growth, view.shift_px, widest_px)
        blocks = model.collect(view, row_step=row_step)
        if blocks:
            break
    else:
        raise BlurNotMeasurable("the moving object is too short for its blur")
    start = np.array([max(growth + planned[1], 1.0), planned[1], view.shift_px])
    best = model.refine(blocks, start)
    errors = model.jackknife(blocks, best)
    if best[1] < UNTOLD:
        errors[1] = 1.0
    lengths, spread = best[:2] * step, np.fmax(errors[:2], np.array([FLOOR_B, FLOOR_S]) * best[:2]) * step
    return PairBlur(
        float(lengths[0]), float(lengths[1]), float(spread[0]), float(spread[1]), (axis[0], axis[1])
    )


def blur_findings(blur: PairBlur, plan: ExposurePlan, figures: dict[str, float]) -> list[Finding]:
    """Compare the blur of a pair with the plan; figures blur_B_px, blur_S_px, errors, and the plan's."""
    lengths = {"B": (blur.b_px, blur.b_error_px), "S": (blur.s_px, blur.s_error_px)}
    found = []
    for camera, (length, error) in lengths.items():
        planned = plan.blur_px[camera]
        figures[f"blur_{camera}_px"] = length
        figures[f"blur_{camera}_error_px"] = error
        figures[f"blur_{camera}_planned_px"] = planned
        if abs(length - planned) > max(LENGTH_OFF * planned, LEAST_PX) + 2 * error:
            text = (
                f"blur in {camera} is {length:.1f} px, the plan says {planned:.1f} px "
                f"(off by {length / planned - 1:+.0%}, measured to {error:.1f} px)"
            )
            hint = "speed or distance of the object are not those of the plan"
            found.append(Finding("warn", text, hint, length / planned - 1))
    ratio, expected = blur.b_px / blur.s_px, 1 / plan.ratio_applied
    error = ratio * float(np.hypot(blur.b_error_px / blur.b_px, blur.s_error_px / blur.s_px))
    figures["blur_ratio"] = ratio
    if abs(ratio - expected) > RATIO_OFF * expected + 2 * error + ratio * LEAST_PX / blur.s_px / 2:
        text = f"blur of B over S is {ratio:.1f}, the exposures give {expected:.1f} (measured to {error:.1f})"
        found.append(Finding("warn", text, "did both cameras expose as planned?", ratio / expected - 1))
    return found

"""The blur lengths of one pair, quickly: at half size where the blur allows it, starting from the plan.

`blur` measures the lengths of a scene from several pairs, with every care and in seconds. Here one pair must
do in some 50 ms, to be compared with the plan: the same model, one axis (from the object's middle in S to
that in B, or of least gradient energy), few rows, one start. Its standard errors are from the scatter of
eight bands of the object, together with what the model itself is off by. A fit that does not hold, or a
blur of S that is not told from none, is no figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.blur.axis_correction import corrected_axis
from processing.blur.model import Array, Block, BlurModel, merge
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

MODEL_B, MODEL_S = (0.01, 0.001), (0.05, 0.01)
"""What the model is off by besides noise, as (px, share of the length): halving the picture, noise that in
the object is not quite that beside it, pixels that differ. On 42 pairs of the virtual rig at full size, three
backgrounds, motion at 0, 8 and -20 degrees, 12 to 48 px in B and 1.5 to 6 px in S, measured less true
over the error is then 0.7 rms in B and 0.8 rms in S.
"""

WORST_FIT: Final = 20.0
"""Energy that the best lengths leave, over that of noise. Right pairs have 0.5 to 7, an object clipped over a
tenth of its area 40 to 60, over a quarter 400 to 900: a smear cut off at white is no mean of its way.
"""

LENGTH_OFF: Final = 0.2
"""Off the plan by a fifth: people and hand-moved objects do not keep a speed any better."""

RATIO_OFF: Final = 0.1
"""n_B / n_S off t_L / t_S by a tenth: speed drops out of it; what is left is exposures not as planned."""

LEAST_PX: Final = 0.7
"""And by so many pixels: a length below a pixel is not told from the pixel's own."""

BANDS: Final = 8
"""Parts of the object whose scatter gives the standard errors."""

UNTOLD: Final = 0.5
"""Samples below which a blur of S is not told from none."""

S_TOLD: Final = (0.5, 0.2)
"""A blur of S is told if its standard error is at most so many px, or this share of it."""

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class PairBlur:
    """Blur lengths of one pair, in pixels of the frame, with standard errors; None: not told from none."""

    b_px: float
    s_px: float | None
    b_error_px: float
    s_error_px: float | None
    direction: tuple[float, float]


_LIGHT: Final = decode_srgb(np.arange(256, dtype=np.float32).reshape(1, -1) / np.float32(255))


def luminance(encoded: F32) -> F32:
    """Return linear luminance of (h, w, 3) sRGB-encoded values in [0, 1]."""
    return np.asarray(cv2.cvtColor(decode_srgb(encoded), cv2.COLOR_RGB2GRAY), np.float32)


def luminance_of_8bit(encoded: NDArray[np.uint8]) -> F32:
    """Return linear luminance of an (h, w, 3) sRGB-encoded image."""
    light = cv2.LUT(np.ascontiguousarray(encoded), _LIGHT)
    return np.asarray(cv2.cvtColor(light, cv2.COLOR_RGB2GRAY), np.float32)


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
            np.asarray(cv2.pyrDown(part, dstsize=shape), np.float32) for part in (static_b, static_s, b, s)
        )
        still = np.asarray(cv2.resize(still, shape, interpolation=cv2.INTER_NEAREST), np.uint8)
    found = find_object(static_b, static_s, b, s, still)
    if found is None:
        raise BlurNotMeasurable("no moving object large enough")
    items = [(found, b, s)]
    planned = plan.blur_px["B"] / step, plan.blur_px["S"] / step
    if plan.placement == "centre":
        axis = motion_axis(items)
    else:
        axis = mean_offset_axis(items)
        lead = abs(found.towards(axis))  # (n_B - n_S) / 2, whatever the plan says
        axis = corrected_axis(found, b, s, axis, (2 * lead + planned[1], planned[1]))
    view = rotated_views(found, static_b, static_s, b, s, axis)
    growth = max(view.growth_px, 0.5 * (planned[0] - planned[1]), 0.5)
    row_step = max(2, int(np.count_nonzero(view.inside.any(axis=1))) // ROWS)
    for widest_px in (8.0, 4.0, 2.0):
        model = BlurModel.for_motion(growth, view.shift_px, widest_px)
        blocks = model.collect(view, row_step=row_step, bands=BANDS)
        if blocks:
            break
    else:
        raise BlurNotMeasurable("the moving object is too short for its blur")
    best = _fit(model, blocks, growth, np.array([max(growth + planned[1], 1.0), planned[1], view.shift_px]))
    errors = model.errors(blocks, best) * step
    lengths = best[:2] * step
    error_b, error_s = (
        float(np.hypot(np.hypot(error, px), share * length))
        for error, length, (px, share) in zip(errors[:2], lengths, (MODEL_B, MODEL_S), strict=True)
    )
    told = best[1] >= UNTOLD and error_s <= max(S_TOLD[0], S_TOLD[1] * lengths[1])
    s_px, s_error_px = (float(lengths[1]), error_s) if told else (None, None)
    return PairBlur(float(lengths[0]), s_px, error_b, s_error_px, (axis[0], axis[1]))


def _fit(model: BlurModel, blocks: list[Block], growth: float, start: Array) -> Array:
    """Fit the lengths from one start, or from many where that one does not hold.

    Raises:
        BlurNotMeasurable: no lengths explain the pair.
    """
    whole = merge(blocks)
    best = model.refine(whole, start)
    if best[1] < UNTOLD or model.cost(whole, best) > WORST_FIT:
        best = model.fit(whole, growth, float(start[2]))
    if (cost := model.cost(whole, best)) > WORST_FIT:
        raise BlurNotMeasurable(
            f"no two lengths explain the pair, the best leave {cost:.0f} times the noise: the object turned, "
            "changed its shape, or is clipped"
        )
    return best


def blur_findings(blur: PairBlur, plan: ExposurePlan, figures: dict[str, float]) -> list[Finding]:
    """Compare the blur of a pair with the plan; figures blur_B_px, blur_S_px, errors, and the plan's."""
    found = []
    lengths = {"B": (blur.b_px, blur.b_error_px), "S": (blur.s_px, blur.s_error_px)}
    for camera, (length, error) in lengths.items():
        planned = plan.blur_px[camera]
        figures[f"blur_{camera}_planned_px"] = planned
        if length is None or error is None:
            found.append(Finding("note", f"blur of {camera} not measurable: not told from none"))
            continue
        figures[f"blur_{camera}_px"] = length
        figures[f"blur_{camera}_error_px"] = error
        if abs(length - planned) > max(LENGTH_OFF * planned, LEAST_PX) + 2 * error:
            text = (
                f"blur in {camera} is {length:.1f} px, the plan says {planned:.1f} px "
                f"(off by {length / planned - 1:+.0%}, measured to {error:.1f} px)"
            )
            hint = "speed or distance of the object are not those of the plan"
            found.append(Finding("warn", text, hint, length / planned - 1))
    if blur.s_px is None or blur.s_error_px is None:
        return found
    ratio, expected = blur.b_px / blur.s_px, 1 / plan.ratio_applied
    error = ratio * float(np.hypot(blur.b_error_px / blur.b_px, blur.s_error_px / blur.s_px))
    figures["blur_ratio"] = ratio
    if abs(ratio - expected) > RATIO_OFF * expected + 2 * error + ratio * LEAST_PX / blur.s_px / 2:
        text = f"blur of B over S is {ratio:.1f}, the exposures give {expected:.1f} (measured to {error:.1f})"
        found.append(Finding("warn", text, "did both cameras expose as planned?", ratio / expected - 1))
    return found

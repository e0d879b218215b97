"""The verdict on one pair once it is developed: every check that a pair of the data set has to pass.

Each check has its own file, with its thresholds and their reasons; this one puts them in their order. A check
that cannot be made says why, as a note. Only the pair itself and the scene's calibration and static pairs are
looked at, so a verdict does not depend on what was judged before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.blur.pair import blur_findings, crop_of, luminance, luminance_of_8bit, measure_pair_blur
from processing.checks.background import (
    ROW_STEP,
    apart_findings,
    delta_l,
    delta_l_findings,
)
from processing.checks.blocks import levels
from processing.checks.brightness import expected_ratio, middle_ratios, ratio_drift, tile_ratios
from processing.checks.bump import bump_findings, cameras_apart, measure_bump
from processing.checks.clipping import clipping_findings
from processing.checks.light_drift import drift_findings
from processing.checks.pair import dark_findings, focus_findings, ratio_findings, refocus_findings, same_frame
from processing.checks.same_moment import SameMoment, longest_blur, moment_findings, same_moment
from processing.checks.sharpness import compare_sharpness, patch_sharpness
from processing.checks.static_reference import StaticReference, developed_view
from processing.checks.verdict import PairVerdict
from processing.checks.view import F32, Mask, View, difference
from processing.errors import BlurNotMeasurable
from processing.masks import Pair
from processing.pipeline import ScenePipeline
from rig.capture.findings import Finding
from rig.plan import ExposurePlan
from rig.records import RawPair

__all__ = ["PairVerdict", "judge"]


def judge(
    pipeline: ScenePipeline,
    raw_pair: RawPair,
    developed: Pair,
    mask: NDArray[np.uint8] | None,
    plan: ExposurePlan | None,
    *,
    reference: StaticReference | None,
    unrounded: tuple[F32, F32] | None = None,
    before: RawPair | None = None,
    recorded: Iterable[Finding] = (),
) -> PairVerdict:
    """Judge a pair after its development.

    Args:
        pipeline: of the pair's scene.
        raw_pair: the pair as recorded.
        developed: (b, s) of (h, w, 3) uint8, the same after the pipeline.
        mask: (h, w) uint8 of the local blur, 0 or 255, on the developed grid; None for a static pair.
        plan: the plan it was taken with; without one nothing is compared with it.
        reference: the scene's static pairs; None where not one of them is sound.
        unrounded: the developed pair in [0, 1], for its blur, where it is at hand: S's blur of a pixel or two
            is hidden by rounding to 8 bits.
        before: the pair recorded before it, to tell a frame that came twice.
        recorded: what was found while it was recorded: reasons to stop are reasons here, too.
    """
    figures: dict[str, float] = {}
    found = [
        replace(one, text=f"while it was recorded: {one.text}") for one in recorded if one.level == "stop"
    ]
    found += _frames(raw_pair, before)
    found += clipping_findings(raw_pair, mask, pipeline.box, figures)
    if any(one.level == "stop" for one in found):
        return PairVerdict.of(found, figures)
    if reference is None:
        found.append(Finding("note", "nothing is compared with the static pairs: not one of them is sound"))
        return PairVerdict.of(found, figures)
    found += _light_and_focus(raw_pair, reference, plan, figures)
    view = developed_view(*developed)
    covered = np.zeros(developed[0].shape[:2], np.uint8) if mask is None else mask
    still = _still(covered, view)
    of_b, of_s = (difference(view, reference.view, name, still) for name in ("B", "S"))
    found += drift_findings(
        ratio_drift(tile_ratios(raw_pair), reference.ratios), _level(of_s.scale), plan, figures
    )
    bumps = [measure_bump(view[name], reference.view[name], view.step, still) for name in ("B", "S")]
    moved = bump_findings(bumps[0], bumps[1], figures)
    found += moved
    found += _delta_l(developed, reference, covered, figures)
    moment = same_moment(of_b, of_s, view.step, plan)
    if not moment.contradicted:  # else the mover itself would pass for a reflection
        reach = round(longest_blur(view.step, plan))
        found += apart_findings(view, reference.view, (of_b, of_s), reach, figures)
    if mask is None:
        return PairVerdict.of(found, figures)
    if cameras_apart(bumps[0], bumps[1]) or any(one.level == "stop" for one in moved):
        found.append(Finding("note", "the rig moved: neither moment nor blur of the pair can be told"))
        return PairVerdict.of(found, figures)
    found += moment_findings(moment, figures)
    if plan is not None and not moment.contradicted:
        exact = unrounded or tuple(part * np.float32(1 / 255) for part in developed)
        found += _blur(exact, reference, moment, view.step, plan, figures)
    return PairVerdict.of(found, figures)


def _frames(pair: RawPair, before: RawPair | None) -> list[Finding]:
    """Look for black, dark and repeated frames."""
    found: list[Finding] = []
    for name, raw in (("B", pair.b), ("S", pair.s)):
        found += dark_findings(raw, levels(raw), name)
        earlier = None if before is None else (before.b if name == "B" else before.s)
        if earlier is not None and same_frame(raw, earlier):
            text = f"camera {name} delivered the same frame twice"
            found.append(Finding("stop", text, "leave the pair out"))
    if same_frame(pair.b, pair.s):
        found.append(Finding("stop", "B and S are the same picture", "two cameras of one serial number?"))
    return found


def _light_and_focus(
    pair: RawPair, reference: StaticReference, plan: ExposurePlan | None, figures: dict[str, float]
) -> list[Finding]:
    found: list[Finding] = []
    tiles = tile_ratios(pair)
    ratios = middle_ratios(tiles)
    if ratios is not None and plan is not None:
        found += ratio_findings(ratios, expected_ratio(pair, plan.tau))
    patches = {name: patch_sharpness(raw)[0] for name, raw in (("B", pair.b), ("S", pair.s))}
    sharp = compare_sharpness(patches["B"], patches["S"])
    if sharp is None:
        found.append(Finding("note", "too little texture to compare the cameras' focus"))
        return found
    figures["sharpness_B"], figures["sharpness_S"], figures["sharpness_ratio"] = sharp.b, sharp.s, sharp.ratio
    found += focus_findings(sharp)
    return found + refocus_findings(patches["S"], reference.sharpness, figures)


def _level(encoded_squared: float) -> float:
    """Return the change of linear light for that of the square of sRGB values: about a power of 1.1."""
    return float(encoded_squared**1.1)


def _still(mask: NDArray[np.uint8], view: View) -> Mask:
    """Return where the mask is empty, on the view, with a margin of two samples."""
    shape = (view.s.shape[1], view.s.shape[0])
    small = cv2.resize(mask, shape, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.dilate(small, np.ones((5, 5), np.uint8)) == 0, np.bool_)


def _delta_l(
    developed: Pair, reference: StaticReference, mask: NDArray[np.uint8], figures: dict[str, float]
) -> list[Finding]:
    still = mask[::ROW_STEP] == 0
    if float(still.mean()) < 0.1:
        return [Finding("note", "the mask leaves too little background to compare B and S on")]
    b, s = (np.ascontiguousarray(part[::ROW_STEP]) for part in developed)
    now = delta_l(b, s, still)
    return delta_l_findings(now, delta_l(*reference.rows, still), figures)


def _blur(
    developed: tuple[F32, ...],
    reference: StaticReference,
    moment: SameMoment,
    step: int,
    plan: ExposurePlan,
    figures: dict[str, float],
) -> list[Finding]:
    crop = crop_of(moment.moving, step, developed[0].shape)
    if crop is None:
        return [Finding("note", "blur not measurable: nothing moves")]
    try:
        static_b, static_s = (luminance_of_8bit(part[crop]) for part in reference.mean)
        b, s = (luminance(np.ascontiguousarray(part[crop])) for part in developed)
        moving = cv2.resize(
            moment.moving, None, fx=step, fy=step, interpolation=cv2.INTER_NEAREST
        )[crop]  # fmt: skip
        still = np.asarray(moving == 0, np.uint8)
        blur = measure_pair_blur(static_b, static_s, b, s, still, plan)
    except BlurNotMeasurable as error:
        return [Finding("note", f"blur not measurable: {error.message}")]
    return blur_findings(blur, plan, figures)

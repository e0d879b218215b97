"""Measuring what a scene's pipeline needs, from its calibration takes."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.alignment.flow import Flow, dense, register, residual, valid_box
from processing.alignment.resample import Aligner, aligner
from processing.calibration.brightness_ratio import Brightness, aligned_brightness
from processing.calibration.estimate_colour import CLIP_PART, scene_cast, scene_colour
from processing.calibration.geometry_fit import refuse_misfit
from processing.calibration.laboratory import Given
from processing.calibration.scene import SceneCalibration
from processing.calibration.source_files import load_checked
from processing.calibration.static_take import StaticTake
from processing.calibration.takes import Takes
from processing.chain import NEUTRAL, Chain, Rgb
from processing.isp import encode_srgb, to_8bit
from processing.photometric import brightness_coefficients, unsaturated_cells
from processing.profile import Choices, Profile
from processing.quality.metrics import PairMetrics, pair_metrics
from rig.records import RawPair

Float = NDArray[np.float32]


def calibrate(
    takes: Takes,
    scene: str,
    profile: Profile,
    choices: Choices,
    progress: Callable[[str], None],
    given: Given | None = None,
) -> SceneCalibration:
    """Measure everything for one scene, in the order of the pipeline.

    Args:
        takes: the scene's calibration takes.
        scene: its name.
        profile: the profile that the choices are of.
        choices: how each step is done.
        progress: told what is being done.
        given: calibrations of the laboratory that take the place of the scene's own takes.

    Raises:
        CalibrationError: if a given geometry does not fit the scene.
        SourceChanged: if a RAW file is not what was recorded.
        ProcessingError: if a step fails.
    """
    given = given or Given()
    formats = takes.formats
    cfa = formats["S"].cfa
    progress("colour constants")
    found = scene_cast(takes, choices.cast_degree, given)
    colour = found.colour
    gains = {camera: constants.gain_map() for camera, constants in colour.items()}

    progress("brightness and white balance")
    static = StaticTake.of(takes.static)
    even_b, even_s = (static.mean[camera] * gains[camera] for camera in ("B", "S"))
    unclipped, seen = None, None
    if choices.beta == "still":
        range_dn = min(frame.range_dn for frame in formats.values())
        unclipped = unsaturated_cells(list(static.mean.values()), CLIP_PART * range_dn)
        seen = unclipped & static.still["B"] & static.still["S"]
    light = Brightness(brightness_coefficients(even_b, even_s, cfa, valid=seen))
    look = scene_colour(takes, found, given)
    balance, matrix = look.balance, look.matrix

    progress("registration of the static pair")
    chains = {
        "B": Chain.build(formats["B"], colour["B"], light.beta, balance, matrix, choices.order),
        "S": Chain.build(formats["S"], colour["S"], NEUTRAL, balance, matrix, choices.order),
    }
    shown = {camera: encode_srgb(chains[camera].linear_mosaic(static.mean[camera])) for camera in ("B", "S")}
    flow = _flow(shown["S"], shown["B"], choices) if given.geometry is None else given.geometry.flow
    if unclipped is not None:  # now that the images can be laid on each other, on what both see
        light = aligned_brightness(even_b, even_s, cfa, flow, static.still, unclipped)
        chains["B"] = Chain.build(formats["B"], colour["B"], light.beta, balance, matrix, choices.order)
        shown["B"] = encode_srgb(chains["B"].linear_mosaic(static.mean["B"]))
    box = valid_box(flow) if given.geometry is None else given.geometry.box
    crop = (slice(box[0], box[1]), slice(box[2], box[3]))
    map_x, map_y = flow.grid()
    align = aligner(map_x[crop], map_y[crop], choices.kernel)
    left = residual(np.ascontiguousarray(_luma(shown["S"])[crop]), align(_luma(shown["B"])))
    if given.geometry is not None:
        refuse_misfit(left)

    progress("figures of the static pair")
    before = {
        camera: Chain.build(formats[camera], None, NEUTRAL, look.own_balance[camera], matrix, choices.order)
        for camera in ("B", "S")
    }
    metrics = _figures(load_checked(takes.static[0]), before, chains, align, crop)
    return SceneCalibration(
        scene=scene,
        profile=profile,
        choices=choices,
        frames=dict(formats),
        colour=colour,
        brightness=light,
        balance=balance,
        own_balance=look.own_balance,
        matrix=matrix,
        matrix_source=look.source,
        flow=flow,
        box=box,
        residual=left,
        static_metrics=metrics,
        sources=takes.sources(),
        cast=found.cast,
        chart=look.chart,
        used=given.ids(),
    )


def _flow(sharp: Rgb, blurred: Rgb, choices: Choices) -> Flow:
    """Register B to S by the chosen method."""
    if choices.flow == "polynomial":
        return register(_luma(sharp), _luma(blurred))
    return dense(to_8bit(sharp), to_8bit(blurred), choices.flow)


def _luma(encoded: Rgb) -> Float:
    return np.asarray(cv2.cvtColor(encoded, cv2.COLOR_RGB2GRAY), np.float32)


def _figures(
    pair: RawPair,
    before: dict[str, Chain],
    after: dict[str, Chain],
    align: Aligner,
    crop: tuple[slice, slice],
) -> dict[str, PairMetrics]:
    """Compare S with B on the common box, as two unrelated photographs and after the pipeline."""
    after_b = to_8bit(align(after["B"].encoded(pair.b)))
    after_s = to_8bit(after["S"].encoded(pair.s)[crop])
    before_b, before_s = (
        to_8bit(before["B"].encoded(pair.b)[crop]),
        to_8bit(before["S"].encoded(pair.s)[crop]),
    )
    return {"before": pair_metrics(before_s, before_b), "after": pair_metrics(after_s, after_b)}

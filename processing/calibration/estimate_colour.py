"""Measuring colours from calibration takes: the cast of each camera, the white balance, the colour map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing import colour_map
from processing.calibration.cast_maps import CastMaps
from processing.calibration.frame_format import FrameFormat
from processing.calibration.laboratory import Given
from processing.calibration.takes import Takes, mean_mosaics, quiet
from processing.chain import NEUTRAL, Chain, Gains, Mosaic
from processing.chart.colour_fit import PatchFit
from processing.colour import ColourConstants, fit_colour_constants
from processing.errors import ImageMismatch
from processing.half import half_size
from processing.isp import white_balance
from processing.profile import CastDegree
from rig.records import PairRecord

CLIP_PART: Final = 0.97
"""Part of the sensor's range above which a pixel counts as clipped."""
MOST_CLIPPED: Final = 0.01
"""Share of a board that may be glare; the fits leave it out."""


@dataclass(frozen=True, eq=False)
class CastFound:
    """Colour constants of "B" and "S" (Eq. 4-5), and what they leave of the even light."""

    colour: dict[str, ColourConstants]
    cast: dict[str, CastMaps]
    mean: dict[str, Mosaic]


def measure_cast(
    records: Sequence[PairRecord],
    frames: dict[str, FrameFormat],
    degree: CastDegree,
    progress: Callable[[str], None] = quiet,
) -> CastFound:
    """Fit the colour constants of both cameras to a take of even light, to all of its frames.

    Args:
        records: lightbox pairs, or whiteboard pairs.
        frames: what the frames are like.
        degree: of the polynomial.
        progress: told what is being done.

    Raises:
        ImageMismatch: if the frames differ in kind, are dark, or clipped.
    """
    mean = mean_mosaics(records, progress)
    progress("polynomials of both cameras")
    for camera, mosaic in mean.items():
        refuse_clipped(mosaic, frames[camera], f"{records[0].kind} of camera {camera}")
    colour = {
        camera: fit_colour_constants(mosaic, frames[camera].cfa, degree=degree)
        for camera, mosaic in mean.items()
    }
    cast = {camera: CastMaps.measure(mean[camera], colour[camera], len(records)) for camera in mean}
    return CastFound(colour, cast, mean)


def scene_cast(
    takes: Takes, degree: CastDegree, given: Given, progress: Callable[[str], None] = quiet
) -> CastFound:
    """Return the colour constants for a scene: the laboratory's where they are given, or its own take's."""
    if given.lightbox is not None:
        return CastFound(given.lightbox.colour, given.lightbox.cast, {})
    return measure_cast(takes.even, takes.formats, degree, progress)


@dataclass(frozen=True, eq=False)
class ColourFound:
    """White balance and colour map.

    Attributes:
        balance: gains of R, G, B of camera S, colour corrected.
        own_balance: gains of each camera as it is, for the state "before".
        matrix, source: colour map, and where it is from.
        chart: how well it reproduces the chart; None without one.
    """

    balance: Gains
    own_balance: dict[str, Gains]
    matrix: NDArray[np.float64]
    source: str
    chart: PatchFit | None


def scene_colour(takes: Takes, found: CastFound, given: Given) -> ColourFound:
    """Measure white balance and colour map for a scene.

    The balance comes from the scene's own board under its own light where there is one. The colour map comes
    from the given calibration, or the scene's own chart, or without both from the RAW files' own matrix.
    """
    frame, colour = takes.formats["S"], found.colour["S"]
    if takes.white:
        white = found.mean if takes.white is takes.even and found.mean else mean_mosaics(takes.white)
        for camera, mosaic in white.items():
            refuse_clipped(mosaic, takes.formats[camera], f"{takes.white[0].kind} of camera {camera}")
        balance = white_balance(white["S"] * colour.gain_map(), frame.cfa)
        own = {camera: white_balance(mosaic, frame.cfa) for camera, mosaic in white.items()}
    elif given.colour is not None:
        balance = given.colour.balance
        own = {"B": balance, "S": balance}
    if given.colour is not None:
        of_lab = given.colour
        return ColourFound(balance, own, of_lab.matrix, f"colour calibration {of_lab.id}", of_lab.chart)
    if not takes.chart:
        tag = takes.static[0].load().s.color_matrix
        return ColourFound(balance, own, colour_map.from_raw_tag(tag), "ColorMatrix1 of the RAW files", None)
    matrix, fit = measure_map(takes.chart, frame, colour, balance)
    return ColourFound(balance, own, matrix, f"colour chart of {takes.chart[-1].id}", fit)


def measure_map(
    charts: Sequence[PairRecord], frame: FrameFormat, colour: ColourConstants, balance: Gains
) -> tuple[NDArray[np.float64], PatchFit]:
    """Fit the colour map to a take of the colour chart, as camera S sees it.

    Raises:
        CalibrationError: if no chart is found.
    """
    chain = Chain.build(frame, colour, NEUTRAL, balance, np.eye(3), "balance_first")
    # At half size, where light stays linear: demosaicing square roots would darken noisy dark patches.
    linear = half_size(mean_mosaics(charts)["S"] * chain.gain, frame.cfa)
    matrix, fit = colour_map.chart_fit(np.minimum(linear, np.float32(1)))
    return matrix, replace(fit, corners=2 * fit.corners + 0.5)


def refuse_clipped(mosaic: Mosaic, frame: FrameFormat, what: str) -> None:
    """Make sure that a mean of even light is not clipped: a ratio of clipped values is no ratio of light.

    Raises:
        ImageMismatch: if more than a hundredth of the frame is.
    """
    share = float(np.mean(mosaic >= np.float32(CLIP_PART * frame.range_dn)))
    if share > MOST_CLIPPED:
        raise ImageMismatch(
            f"{100 * share:.0f} % of the {what} is clipped", hint="record it again with less light"
        )

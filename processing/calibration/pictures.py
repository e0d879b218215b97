"""Pictures of calibrations, for a person to judge them by: what was found, and what it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.alignment.flow import Flow, Residual
from processing.calibration.cast_maps import CastMaps
from processing.calibration.laboratory import (
    Calibration,
    ColourCalibration,
    GeometryCalibration,
    LightboxCalibration,
)
from processing.calibration.scene import SceneCalibration
from processing.colour import PHASES, gains_on_mosaic, subtract_black
from processing.errors import CalibrationError
from processing.half import half_size
from processing.isp import encode_srgb, to_8bit
from processing.outputs import write_image
from processing.pictures import (
    GREY_INK,
    INK,
    Picture,
    below,
    beside,
    blank,
    colour_bar,
    enlarged,
    panel,
    sheet,
    signed_colours,
    write,
)
from rig.raw_image import RawImage

_WIDE: Final = 330
_SMALL: Final = 243
_ARROWS: Final = 24
"""Arrows along the longer side of a displacement field."""


def write_picture(path: Path, calibration: Calibration, chart: RawImage | None = None) -> None:
    """Write the picture of a calibration as PNG.

    Args:
        path: of the picture.
        calibration: any of the laboratory.
        chart: S's frame of the colour chart, for a colour calibration.

    Raises:
        ProcessingError: if it cannot be written.
    """
    if isinstance(calibration, LightboxCalibration):
        write_image(path, lightbox_picture(calibration))
    elif isinstance(calibration, GeometryCalibration):
        write_image(path, geometry_picture(calibration))
    elif isinstance(calibration, ColourCalibration) and chart is not None:
        write_image(path, colour_picture(calibration, chart))
    else:
        raise CalibrationError("there is no frame of the chart to draw")


def _head(calibration: Calibration) -> list[str]:
    card = calibration.card
    cameras = ", ".join(
        f"{name} {frame.serial_number or '?'} {frame.size}" for name, frame in card.frames.items()
    )
    pairs = len({source.pair for source in card.sources})
    return [f"id {calibration.id}   {card.created[:10]}   {pairs} pairs   cameras: {cameras}"]


def lightbox_picture(calibration: LightboxCalibration) -> Picture:
    """Draw the cast of each camera as photographed and corrected, and what is left, four phases apart."""
    largest = max(float(np.abs(t).max()) for maps in calibration.cast.values() for t in maps.before.values())
    left = max(3 * maps.rms(phase) for maps in calibration.cast.values() for phase in PHASES)
    rows = [_cast_row(camera, maps, largest, left) for camera, maps in sorted(calibration.cast.items())]
    degree = next(iter(calibration.colour.values())).degree
    return sheet(
        "Colour correction of the beam splitter's cast (Eq. 3-5)",
        [*_head(calibration), f"polynomial of degree {degree}, one for each Bayer phase of each camera"],
        below(*rows),
    )


def _cast_row(camera: str, maps: CastMaps, largest: float, left: float) -> Picture:
    green = [np.mean([table[p] for p in ("Gr", "Gb")], axis=0) for table in (maps.before, maps.after)]
    worst = max(PHASES, key=maps.fall_off)
    seen = panel(
        f"{camera}: even light as photographed",
        enlarged(_as_seen(maps.before), _WIDE),
        [f"grey {maps.grey_before[0]}-{maps.grey_before[1]}", f"{maps.frames} frames"],
    )
    before = panel(
        "green before, % off its mean",
        below(enlarged(signed_colours(green[0], largest), _WIDE), colour_bar(_WIDE, largest, "%")),
        [f"fall-off {maps.fall_off(worst):.1f} % ({worst}, the worst)"],
    )
    after = panel(
        "corrected, as photographed",
        enlarged(_as_seen(maps.after), _WIDE),
        [f"grey {maps.grey_after[0]}-{maps.grey_after[1]}"],
    )
    fine = [
        panel(
            f"{camera}, {phase}: left after it",
            below(enlarged(signed_colours(maps.after[phase], left), _SMALL), colour_bar(_SMALL, left, "%")),
            [f"rms {maps.rms(phase):.3f} %, max {maps.largest(phase):.3f} %"],
        )
        for phase in PHASES
    ]
    return below(beside(seen, before, after), beside(*fine))


def _as_seen(tables: dict[str, NDArray[np.float32]]) -> Picture:
    """Turn deviations in percent into a picture, its brightest channel 255."""
    linear = np.stack([tables["R"], (tables["Gr"] + tables["Gb"]) / 2, tables["B"]], axis=2) / 100 + 1
    return to_8bit(encode_srgb((linear / linear.max()).astype(np.float32)))


def colour_picture(calibration: ColourCalibration, chart: RawImage) -> Picture:
    """Draw the chart that was found, and each patch as mapped beside what it should be."""
    fit = calibration.chart
    figures = fit.figures()
    factors = np.asarray(calibration.balance) / (chart.white_level - chart.black_level)
    shape = (chart.pixels.shape[0], chart.pixels.shape[1])
    mosaic = subtract_black(chart.pixels, chart.black_level)
    mosaic *= gains_on_mosaic(shape, chart.cfa, [float(f) for f in factors])
    linear = np.minimum(half_size(mosaic, chart.cfa), np.float32(1))
    shown = to_8bit(encode_srgb(np.asarray(cv2.transform(linear, calibration.matrix.astype(np.float32)))))
    wide = 640
    scale = wide / shape[1]
    photo = enlarged(shown, wide, smooth=True)
    for index, square in enumerate(fit.corners):
        points = np.rint((square + 0.5) * scale - 0.5).astype(np.int32)
        cv2.polylines(photo, [points], True, (255, 255, 255), 2, cv2.LINE_AA)
        cv2.polylines(photo, [points], True, (255, 0, 120) if index == 0 else (20, 20, 20), 1, cv2.LINE_AA)
    lines = [
        *_head(calibration),
        f"CIEDE2000 mean / max: balanced only {figures['delta_e_before_mean']:.2f} / "
        f"{figures['delta_e_before_max']:.2f}, mapped {figures['delta_e_after_mean']:.2f} / "
        f"{figures['delta_e_after_max']:.2f}, patches left out of the fit "
        f"{figures['delta_e_left_out_mean']:.2f} / {figures['delta_e_left_out_max']:.2f}",
        "white balance R, G, B  " + ", ".join(f"{gain:.4f}" for gain in calibration.balance),
    ]
    matrix = ["  ".join(f"{value:+.4f}" for value in row) for row in calibration.matrix]
    left = panel("the chart as S saw it; the first patch in red", photo, ["camera RGB to sRGB:", *matrix])
    return sheet(
        "White balance and colour map from the colour chart", lines, beside(left, _swatches(calibration))
    )


def _swatches(calibration: ColourCalibration) -> Picture:
    fit = calibration.chart
    mapped, wanted = (
        to_8bit(encode_srgb(np.clip(values, 0, 1).astype(np.float32)[None]))[0]
        for values in (fit.measured @ calibration.matrix.T, fit.reference)
    )
    side, gap = 84, 28
    picture = blank(4 * (side + gap), 6 * (side + 8))
    for index in range(24):
        row, column = divmod(index, 6)
        y, x = row * (side + gap), column * (side + 8)
        picture[y : y + side, x : x + side // 2] = mapped[index]
        picture[y : y + side, x + side // 2 : x + side] = wanted[index]
        cv2.rectangle(picture, (x, y), (x + side, y + side), GREY_INK, 1)
        ink = (178, 24, 43) if fit.after[index] > 5 else INK
        write(picture, f"dE {fit.after[index]:.2f}", (x, y + side + 17), size=0.42, ink=ink)
    return panel("each patch: measured and mapped | what it should be", picture)


def geometry_picture(calibration: GeometryCalibration) -> Picture:
    """Draw where B's pixels lie against S's, and what the registration leaves, cell by cell."""
    y0, y1, x0, x1 = calibration.box
    return sheet(
        "Geometry: where each pixel of S lies in B",
        [
            *_head(calibration),
            f"method {calibration.method}, common box {x1 - x0}x{y1 - y0} px at ({x0}, {y0})",
        ],
        _displacements(calibration.flow, calibration.residual, calibration.box),
    )


def scene_picture(scene: SceneCalibration) -> Picture:
    """Draw the geometry of a scene's calibration, and what it leaves, cell by cell."""
    static = {source.pair for source in scene.sources if source.role == "static"}
    y0, y1, x0, x1 = scene.box
    return sheet(
        f"Scene {scene.scene}: where each pixel of S lies in B",
        [
            f"id {scene.id}   {scene.created[:10]}   {len(static)} static pairs   profile {scene.profile}",
            f"method {scene.choices.flow}, common box {x1 - x0}x{y1 - y0} px at ({x0}, {y0})",
        ],
        _displacements(scene.flow, scene.residual, scene.box),
    )


def _displacements(flow: Flow, left: Residual, box: tuple[int, int, int, int]) -> Picture:
    """Draw the displacement of B against S as arrows, beside what is left of it."""
    height, width = flow.shape
    step = max(width, height) / _ARROWS
    x, y = np.meshgrid(np.arange(step / 2, width, step), np.arange(step / 2, height, step))
    map_x, map_y = flow.map(x, y)
    u, v = map_x - x, map_y - y
    size = np.hypot(u, v)
    wide = 560
    field = _arrows(x, y, u, v, (height, width), wide, float(np.percentile(size, 95)))
    y0, y1, x0, x1 = box
    upper, lower = ([round(p * wide / width) for p in corner] for corner in ((x0, y0), (x1, y1)))
    cv2.rectangle(field, upper, lower, (33, 102, 172), 1)
    shifts = np.asarray(left.map, np.float64)
    rows, columns = shifts.shape[:2]
    length = np.hypot(shifts[..., 0], shifts[..., 1])
    limit = max(left.p95_px, 1e-3)
    cells = enlarged(signed_colours(length, limit), wide // columns * columns)
    scale = cells.shape[1] / columns
    for row in range(rows):
        for column in range(columns):
            if np.isfinite(length[row, column]):
                centre = np.array([column + 0.5, row + 0.5]) * scale
                _arrow(cells, centre, shifts[row, column] / limit * scale * 0.5)
    return beside(
        panel(
            "displacement B against S; box: seen by both",
            field,
            [
                f"mean {size.mean():.2f} px, largest {size.max():.2f} px",
                f"arrows: {np.percentile(size, 95):.2f} px are one grid step",
            ],
        ),
        panel(
            f"left after it, by cells of {left.cell_px} px (grey: no texture)",
            below(cells, colour_bar(cells.shape[1], limit, "px", signed=False)),
            [f"mean {left.mean_px:.4f} px, p95 {left.p95_px:.4f} px, {left.cells} cells"],
        ),
    )


def _arrows(
    x: NDArray[np.float64], y: NDArray[np.float64], u: NDArray[np.float64], v: NDArray[np.float64],
    shape: tuple[int, int], wide: int, longest: float,
) -> Picture:  # fmt: skip
    scale = wide / shape[1]
    picture = blank(round(shape[0] * scale), wide)
    picture[:] = 255
    step = float(x[0, 1] - x[0, 0]) * scale
    for at_x, at_y, du, dv in zip(x.ravel(), y.ravel(), u.ravel(), v.ravel(), strict=True):
        _arrow(picture, np.array([at_x, at_y]) * scale, np.array([du, dv]) / max(longest, 1e-9) * step)
    return picture


def _arrow(picture: Picture, at: NDArray[np.float64], vector: NDArray[np.float64]) -> None:
    """Draw an arrow from a point (x, y); vectors too short for a head are dots."""
    start, end = (tuple(round(float(p)) for p in point) for point in (at, at + vector))
    cv2.circle(picture, start, 1, GREY_INK, -1, cv2.LINE_AA)
    cv2.arrowedLine(picture, start, end, INK, 1, cv2.LINE_AA, tipLength=0.3)

"""Where each pixel of the sharp image lies in the blurred one: registration of the static pair.

The view of camera B differs from that of camera S by a smooth map: homography, a little distortion. Instead
of a dense optical flow (the paper used Pyflow) a cubic polynomial displacement is estimated directly from the
intensities by Gauss-Newton steps on an image pyramid, together with a smooth gain and offset, with Huber
weights against what does not fit. On a known warp that is about ten times as accurate as a dense flow and
fifty times as fast. The `paper` profile uses a dense flow (OpenCV's DIS).
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.alignment.flow_cells import Cells
from processing.alignment.flow_dense import dense
from processing.alignment.flow_levels import Level
from processing.alignment.flow_local import correct, needed
from processing.alignment.flow_model import DenseFlow, Flow, PolynomialFlow
from processing.alignment.flow_residual import Residual, residual
from processing.alignment.flow_solve import Fit, fit
from processing.alignment.flow_spline import SplineFlow
from processing.errors import ImageMismatch, RegistrationFailed

Float = NDArray[np.float32]
Array = NDArray[np.float64]

DEGREE: Final = 3
SMALLEST_PYRAMID_SIDE: Final = 96
MAX_STEPS: Final = 12
CONVERGED_PX: Final = 0.05
FINEST_STEPS: Final = 2
LEAST_ALIKE: Final = 0.4
"""Correlation of the texture of two images that show the same; that of different scenes is nearer to 0."""

__all__ = [
    "DenseFlow",
    "Flow",
    "PolynomialFlow",
    "Residual",
    "SplineFlow",
    "dense",
    "register",
    "residual",
    "valid_box",
]


def _pyramid(image: Float) -> list[Float]:
    levels = [image]
    while min(levels[-1].shape) >= 2 * SMALLEST_PYRAMID_SIDE and len(levels) < 5:
        levels.append(np.asarray(cv2.pyrDown(_even(levels[-1])), np.float32))
    return levels[::-1]


def _even(image: Float) -> Float:
    """Cut an odd last row or column off, so that every pyramid level is exactly half the one below."""
    return image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]


def register(
    sharp: Float, blurred: Float, *, degree: int = DEGREE, residual: Literal["auto", "never"] = "auto"
) -> PolynomialFlow | SplineFlow:
    """Estimate the flow from S's grid into B's from the static pair.

    Args:
        sharp: (H, W) float32 luminance of camera S, gamma- or root-encoded, about [0, 1].
        blurred: the same of camera B (of the static scene, so not blurred).
        degree: of the displacement polynomial.
        residual: "auto" adds a local B-spline correction where the images ask for one (see `flow_local`),
            "never" keeps to the polynomial.

    Returns:
        The flow, for S pixel (x, y) -> B pixel.

    Raises:
        ImageMismatch: if the sizes differ.
        RegistrationFailed: if the scene has no texture, the steps do not settle or the images do not agree
            in the end.
    """
    if sharp.shape != blurred.shape:
        raise ImageMismatch(f"static images of different size: {sharp.shape} and {blurred.shape}")
    shape = (sharp.shape[0], sharp.shape[1])
    pyramid = list(zip(_pyramid(sharp), _pyramid(blurred), strict=True))
    with ThreadPoolExecutor(1) as pool:  # finer levels are prepared while coarser ones are compared
        jobs: list[Future[Level]] = []
        for number, (of_s, of_b) in enumerate(pyramid):
            scale = 2 ** (len(pyramid) - 1 - number)
            jobs.append(pool.submit(_prepare, of_s, of_b, scale, jobs[-1] if jobs else None))
        total = _start(jobs[0].result(), shape, degree)
        for job in jobs:
            total, left = _refine(total, job.result(), shape)
    levels = [job.result() for job in jobs]
    flow = PolynomialFlow(shape, total.x, total.y)
    last = (levels * 2)[:2] if len(levels) == 1 else levels[-2:]
    if last[0].alike(flow) < LEAST_ALIKE:
        raise RegistrationFailed(
            "the two static images show no common texture, or too little of it above their noise",
            hint="record a static take of a textured, well lit scene that both cameras see",
        )
    free = needed(left, shape) if residual == "auto" else np.zeros(0, np.bool_)
    return correct(last, total, free, shape) if free.any() else flow


def _prepare(of_s: Float, of_b: Float, scale: int, coarser: Future[Level] | None) -> Level:
    return Level(of_s, of_b, scale, None if coarser is None else coarser.result())


def _refine(total: Fit, level: Level, shape: tuple[int, int]) -> tuple[Fit, Cells]:
    """Return the fit refined on a level, and the sums over cells that it leaves."""
    steps = MAX_STEPS if level.scale > 1 else FINEST_STEPS
    for _ in range(steps):
        flow = PolynomialFlow(shape, total.x, total.y)
        cells = level.compare(flow, *total.light(level.x, level.y, shape))
        step = fit(cells, shape, len(total.x) - 1)
        total += step
        if not np.isfinite(step.size_px) or step.size_px > 0.5 * max(shape):
            raise RegistrationFailed(
                "the static pair could not be brought together",
                hint="check that both cameras see the same scene",
            )
        if step.size_px < CONVERGED_PX * level.scale:
            break
    return total, cells.less(step.explained(cells, shape))


def _start(level: Level, shape: tuple[int, int], degree: int) -> Fit:
    """Return nothing, or the shift by which the coarsest images agree better."""
    nothing = Fit.nothing(degree)
    x, y = (table.copy() for table in (nothing.x, nothing.y))
    x[0, 0], y[0, 0] = level.shifted()
    moved = replace(nothing, x=x, y=y)
    likeness = [level.alike(PolynomialFlow(shape, fit.x, fit.y)) for fit in (nothing, moved)]
    return moved if likeness[1] > likeness[0] else nothing


def _inside(map_x: Float, map_y: Float, shape: tuple[int, int], margin: int = 6) -> NDArray[np.bool_]:
    height, width = shape
    inside = (
        (map_x > margin) & (map_x < width - 1 - margin) & (map_y > margin) & (map_y < height - 1 - margin)
    )
    inside[:margin] = inside[-margin:] = False
    inside[:, :margin] = inside[:, -margin:] = False
    return np.asarray(inside, np.bool_)


def valid_box(flow: Flow, *, margin_px: int = 8) -> tuple[int, int, int, int]:
    """Return (y0, y1, x0, x1): the box of S's grid inside B's frame, `margin_px` off every border."""
    height, width = flow.shape
    map_x, map_y = flow.grid()
    inside = _inside(map_x, map_y, flow.shape, margin_px)
    y0, y1, x0, x1 = margin_px, height - margin_px, margin_px, width - margin_px
    while y1 - y0 > 2 and x1 - x0 > 2:
        edges = [inside[y0, x0:x1], inside[y1 - 1, x0:x1], inside[y0:y1, x0], inside[y0:y1, x1 - 1]]
        missing = [float(np.mean(~edge)) for edge in edges]
        worst = int(np.argmax(missing))
        if missing[worst] == 0:
            return y0, y1, x0, x1
        y0, y1, x0, x1 = y0 + (worst == 0), y1 - (worst == 1), x0 + (worst == 2), x1 - (worst == 3)
    raise RegistrationFailed("the two cameras see no common part of the scene", hint="align the rig")

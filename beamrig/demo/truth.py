"""What was measured against what is true in the virtual world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processing.alignment.flow import Flow
from processing.colour import ColourConstants, phase_offsets
from processing.masks import intersection_over_union
from rig.errors import SyncError
from rig.records import PairRecord
from rig.virtual.client import WorldClient
from rig.virtual.frames import RenderedFrame
from rig.virtual.truth import Truth

Box = tuple[int, int, int, int]
GRID_STEP_PX = 8


def geometric_error_px(flow: Flow, truth: Truth, box: Box) -> dict[str, float]:
    """Compare a registration with the true map from S's into B's grid, every 8th pixel of the developed box.

    Args:
        flow: The registration found by the pipeline.
        truth: The world's numbers.
        box: (y0, y1, x0, x1) of S's grid.

    Returns:
        Mean, 95th percentile and largest of the distance in pixels; mean and percentile without alignment.
    """
    y0, y1, x0, x1 = box
    y, x = (g.astype(np.float64) for g in np.mgrid[y0:y1:GRID_STEP_PX, x0:x1:GRID_STEP_PX])
    true_x, true_y = truth.b_from_s(x, y)
    found_x, found_y = flow.map(x, y)
    after = np.hypot(found_x - true_x, found_y - true_y)
    before = np.hypot(x - true_x, y - true_y)
    return {
        "mean": float(after.mean()),
        "p95": float(np.percentile(after, 95)),
        "max": float(after.max()),
        "before_mean": float(before.mean()),
        "before_p95": float(np.percentile(before, 95)),
    }


def frames_of(pairs: Sequence[PairRecord], client: WorldClient) -> list[tuple[RenderedFrame, RenderedFrame]]:
    """Find the rendered frames of recorded pairs by camera and start of exposure.

    Raises:
        SyncError: The world did not render a frame that the session holds, or the pair holds none.
    """
    rendered = {(frame.camera, frame.timestamp_ns): frame for frame in client.frames()}
    found = []
    for pair in pairs:
        stamps = pair.sync.timestamp_ns
        keys = [(camera, stamps[camera]) for camera in ("B", "S")]
        missing = [f"{camera} at {stamp}" for camera, stamp in keys if (camera, stamp or -1) not in rendered]
        if missing:
            raise SyncError(f"the world never rendered the frame of {pair.id}: camera {', '.join(missing)}")
        found.append((rendered[(keys[0][0], keys[0][1] or -1)], rendered[(keys[1][0], keys[1][1] or -1)]))
    return found


def mispaired(frames: Sequence[tuple[RenderedFrame, RenderedFrame]]) -> int:
    """Count pairs in which the world did not expose S within the exposure of B."""
    return sum(
        not b.t_start_ns <= s.t_start_ns <= s.t_start_ns + s.exposure_ns <= b.t_start_ns + b.exposure_ns
        for b, s in frames
    )


def mask_ious(
    masks: Sequence[NDArray[np.uint8]],
    frames: Sequence[tuple[RenderedFrame, RenderedFrame]],
    truth: Truth,
    box: Box,
    tick: Callable[[int], Any],
) -> list[float]:
    """Return intersection over union of each mask with the true footprint of the moving object.

    Args:
        masks: (h, w) uint8 0/255 on the developed grid.
        frames: The rendered frames of the pairs.
        truth: The world's numbers.
        box: (y0, y1, x0, x1) of S's grid that the masks cover.
        tick: Called with the number of masks done.
    """
    y0, y1, x0, x1 = box
    ious = []
    for done, (mask, (b, s)) in enumerate(zip(masks, frames, strict=True), 1):
        ious.append(intersection_over_union(mask, truth.footprint(b, s)[y0:y1, x0:x1]))
        tick(done)
    return ious


def cast_error_percent(constants: ColourConstants, truth: Truth, camera: str) -> dict[str, float]:
    """Say what the colour correction of a camera leaves of its true cast, in percent of the light.

    The product of gain map and true cast is 1 where the correction is perfect. It is taken on every 8th cell
    of the mosaic, of all four phases, over the whole frame.

    Args:
        constants: The colour constants found (Eq. 5).
        truth: The world's numbers.
        camera: "B" or "S".

    Returns:
        Largest ("max") and root mean square ("rms") deviation from 1.
    """
    gain = constants.gain_map()
    height, width = gain.shape
    off = []
    for phase, (row, column) in phase_offsets(constants.cfa).items():
        y = np.arange(row, height, 2 * GRID_STEP_PX)[:, None]
        x = np.arange(column, width, 2 * GRID_STEP_PX)[None, :]
        cast = truth.cast(camera, "RGB".index(phase[0]), x, y)
        off.append((gain[y, x] * cast - 1).ravel())
    error = 100 * np.concatenate(off)
    return {"max": float(np.abs(error).max()), "rms": float(np.sqrt(np.mean(error**2)))}


def true_tau(truth: Truth) -> float:
    """Return what `measure_tau` shall find: filter, plate and sensors, the mean of R, G, G and B."""
    of_r, of_g, of_b = truth.beta_expected(1.0, 1.0)
    return (1 / of_r + 2 / of_g + 1 / of_b) / 4

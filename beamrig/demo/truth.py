"""What was measured against what is true in the virtual world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processing.flow import Flow
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
        Mean and 95th percentile of the distance in pixels, and the same without any alignment.
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
    """Count pairs whose frames the world did not expose from the same instant."""
    return sum(b.t_start_ns != s.t_start_ns for b, s in frames)


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
        true = truth.footprint(b, s)[y0:y1, x0:x1]
        found = mask > 0
        union = int((true | found).sum())
        ious.append(float((true & found).sum() / union) if union else 1.0)
        tick(done)
    return ious

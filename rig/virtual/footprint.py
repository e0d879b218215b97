"""Where the objects of a rendered frame were: drawn again from its record."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rig.virtual import kernel, scene
from rig.virtual.frames import RenderedFrame
from rig.virtual.optics import along_and_across, covering_box
from rig.virtual.parameters import WorldParameters


def opacity(parameters: WorldParameters, frame: RenderedFrame) -> NDArray[np.float32]:
    """Return (H, W) float32: mean opacity of all objects over the exposure, in the ideal (S's) grid."""
    grid = parameters.grid
    clear = np.ones((grid.height, grid.width), np.float32)
    per_metre = parameters.pixels_per_metre(frame.distance_m)
    for item in frame.objects:
        sprite = scene.sprite(*item.size_m, per_metre, item.angle_deg, item.tile)
        pieces, across, direction = along_and_across(grid, item, per_metre, sprite.origin)
        nv, nu, _ = sprite.cumulative.shape
        box = covering_box(grid, (nv, nu), pieces, across, direction)
        if box is None:
            continue
        x0, y0, w, h = box
        alpha = np.zeros((h, w), np.float32)
        kernel.compose(
            None,
            None,
            box=box,
            width=grid.width,
            shift=None,
            cumulative=sprite.cumulative,
            direction=direction,
            across=across,
            pieces=pieces,
            alpha=alpha,
        )
        clear[y0 : y0 + h, x0 : x0 + w] *= 1 - alpha
    return np.asarray(1 - clear, np.float32)

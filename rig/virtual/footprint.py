"""Where the objects of a rendered frame were: drawn again from its record."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rig.virtual import kernel
from rig.virtual.frames import RenderedFrame
from rig.virtual.optics import placed_objects
from rig.virtual.parameters import WorldParameters


def opacity(parameters: WorldParameters, frame: RenderedFrame) -> NDArray[np.float32]:
    """Return (H, W) float32: mean opacity of all objects over the exposure, in the ideal (S's) grid."""
    grid = parameters.grid
    clear = np.ones((grid.height, grid.width), np.float32)
    for placed in placed_objects(parameters, frame.objects, frame.distance_m):
        x0, y0, w, h = placed.box
        alpha = np.zeros((h, w), np.float32)
        kernel.compose(None, None, box=placed.box, width=grid.width, shift=None, alpha=alpha, **placed.way)
        clear[y0 : y0 + h, x0 : x0 + w] *= 1 - alpha
    return np.asarray(1 - clear, np.float32)

"""The coarse answer: the network sees a picture reduced, and what it changes there is added to the picture.

All of this is paid for before the first answer appears, so whole numbers are reduced before they become
fractions.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.networks.lbag import MULTIPLE
from models.pictures import FloatImage, as_unit_range

__all__ = ["enlarged", "gate_side", "preview_side", "reduced"]

LEAST_PREVIEW_PX = 256


def preview_side(shape: tuple[int, ...], max_side: int | None) -> int:
    """Return the longest side that the network sees: `max_side`, or a quarter, but not less than 256."""
    longest = max(shape[:2])
    return max(longest // 4, LEAST_PREVIEW_PX) if max_side is None else max(max_side, MULTIPLE)


def gate_side(shape: tuple[int, ...]) -> int:
    """Return the longest side at which the gate is asked where to look: a quarter, but not less than 256."""
    return preview_side(shape, None)


def reduced(rgb: npt.NDArray[Any], side: int) -> FloatImage:
    """Return a picture with a longest side of `side` in 0..1, averaged; never enlarged.

    Args:
        rgb: (H, W, 3) uint8, uint16, or float32 in 0..1.
        side: In pixels.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, side / max(height, width))
    if scale == 1.0:
        return as_unit_range(rgb)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return as_unit_range(np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)))


def enlarged(small: FloatImage, shape: tuple[int, ...]) -> FloatImage:
    """Return a map enlarged to (H, W), linearly."""
    large = cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, dtype=np.float32)

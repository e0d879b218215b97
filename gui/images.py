"""Arrays to QImages that own their pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from gui import theme


def bgr_image(pixels: NDArray[np.uint8]) -> QImage:
    """Return a QImage that owns its pixels, of (H, W, 4) blue, green, red, unused."""
    height, width = pixels.shape[:2]
    solid = np.ascontiguousarray(pixels)
    return QImage(solid.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def rgb_image(rgb: NDArray[Any]) -> QImage:
    """Return a QImage of (H, W, 3) red, green, blue: floats in 0 to 1, or 8 or 16 bit integers."""
    if rgb.dtype == np.uint8:
        eight: NDArray[np.uint8] = rgb
    elif rgb.dtype == np.uint16:
        eight = (rgb >> 8).astype(np.uint8)
    else:
        eight = np.rint(np.clip(rgb, 0.0, 1.0) * 255.0).astype(np.uint8)
    result = np.full((*eight.shape[:2], 4), 255, dtype=np.uint8)
    result[..., :3] = eight[..., ::-1]
    return bgr_image(result)


def mask_image(mask: NDArray[Any], colour: str) -> QImage:
    """Return an overlay in one colour whose opacity is the mask: bool, or float in 0 to 1, (H, W)."""
    height, width = mask.shape
    alpha = np.clip(np.asarray(mask, dtype=np.float32), 0.0, 1.0)
    tint = theme.colour(colour)
    result = np.empty((height, width, 4), dtype=np.uint8)
    for index, value in enumerate((tint.blue(), tint.green(), tint.red())):
        result[..., index] = np.rint(alpha * value)
    result[..., 3] = np.rint(alpha * 255)
    return QImage(result.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()

"""Linear light: in from 8-bit pictures, out with sensor noise to 8 or 16 bit."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from processing.isp import decode_srgb, encode_srgb, to_8bit, to_16bit

__all__ = ["add_sensor_noise", "from_light", "to_light"]

F32 = npt.NDArray[np.float32]

_LIGHT_OF_CODE: Final = decode_srgb((np.arange(256) / 255).astype(np.float32))
READ_TO_SHOT: Final = 0.025
"""Read noise as a part of the shot noise at white: 2.4 e- against sqrt(10500) e- in the rig's sensors."""


def to_light(rgb: npt.NDArray[Any]) -> F32:
    """Return linear sRGB of an encoded picture.

    Args:
        rgb: (H, W, 3) uint8 or uint16.

    Returns:
        (H, W, 3) float32, white = 1.
    """
    if rgb.dtype == np.uint8:
        return np.asarray(cv2.LUT(rgb, _LIGHT_OF_CODE), np.float32)
    return decode_srgb(rgb.astype(np.float32) / np.float32(65535))


def from_light(light: F32, bits: int = 8) -> npt.NDArray[Any]:
    """Encode linear sRGB, clip it to black and white, and round it to uint8 or uint16."""
    encoded = encode_srgb(light)
    return to_8bit(encoded) if bits == 8 else to_16bit(encoded)


def add_sensor_noise(light: F32, level: float, rng: np.random.Generator) -> F32:
    """Return the picture with shot and read noise, independent in every pixel and channel.

    The variance is level^2 (x + READ_TO_SHOT^2) at light x: Poisson's, by its normal limit, and the read
    noise's.

    Args:
        light: (H, W, 3) float32 linear, white = 1.
        level: Standard deviation at white; 0.01 is a full well of 10,000 e-.
        rng: Where the noise comes from.
    """
    if level <= 0:
        return light
    spread = cv2.sqrt(np.maximum(light, 0) + np.float32(READ_TO_SHOT**2))
    noise = rng.standard_normal(light.shape, np.float32)
    noise *= spread
    noise *= np.float32(level)
    noise += light
    return noise

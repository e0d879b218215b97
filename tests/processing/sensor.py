"""RAW frames of a sensor whose every number is known, for tests of checks and measurements."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rig.raw_image import RawImage
from rig.records import RawPair
from tests.processing.scenes import filled, kodak, linear, mosaic

BLACK_DN, WHITE_DN = 64, 4095
GAIN_DN_PER_E, READ_NOISE_E = 0.39, 2.4
FULL_E = (WHITE_DN - BLACK_DN) / GAIN_DN_PER_E
SHAPE = (512, 640)
T_B_US, T_S_US = 24_000.0, 3_000.0


def photo(name: str = "13", shape: tuple[int, int] = SHAPE) -> NDArray[np.float32]:
    """Return (H, W, 3) linear light of a photograph, at most 0.9."""
    return linear(filled(kodak(name), *shape))


def raw(
    light: NDArray[Any],
    rng: np.random.Generator,
    camera: str = "S",
    *,
    scale: float = 0.6,
    timestamp_ns: int = 0,
    exposure_us: float | None = None,
) -> RawImage:
    """Expose linear light, (H, W, 3) or an (H, W) mosaic; 1 times ``scale`` fills the sensor."""
    cells = mosaic(light) if light.ndim == 3 else light
    electrons = rng.poisson(np.maximum(cells * scale * FULL_E, 0)) + rng.normal(0, READ_NOISE_E, cells.shape)
    codes = np.clip(np.round(electrons * GAIN_DN_PER_E + BLACK_DN), 0, WHITE_DN).astype(np.uint16)
    return RawImage(
        pixels=codes, cfa="RGGB", black_level=BLACK_DN, white_level=WHITE_DN, significant_bits=12,
        exposure_us=exposure_us or (T_B_US if camera == "B" else T_S_US), gain_db=0.0, serial_number="T",
        camera=camera, trigger_index=0, frame_id=0, timestamp_ns=timestamp_ns,
    )  # fmt: skip


def pair(light: NDArray[Any], rng: np.random.Generator, *, ratio: float = 1.0, scale: float = 0.6) -> RawPair:
    """Expose the same light in both cameras; B gets ``ratio`` times what S gets."""
    return RawPair(raw(light, rng, "B", scale=scale * ratio), raw(light, rng, "S", scale=scale))


def defocused(light: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Return the light behind a lens out of focus."""
    return np.asarray(cv2.GaussianBlur(light, (0, 0), sigma_px), np.float32)


def board(shape: tuple[int, int] = SHAPE) -> NDArray[np.float32]:
    """Return a whiteboard with a smooth cast of some percent."""
    y, x = np.meshgrid(np.linspace(-1, 1, shape[0]), np.linspace(-1, 1, shape[1]), indexing="ij")
    return np.repeat((0.9 + 0.05 * x - 0.06 * y * y + 0.02 * x**3)[..., None], 3, axis=2).astype(np.float32)

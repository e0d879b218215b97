"""How bright B is against S, colour by colour, quickly and whatever moves in front of the rig."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.blocks import COLOURS, SAMPLE_STEP, check_same_kind
from processing.colour import PHASES, phase_offsets
from processing.tau import exposure_factor
from rig.records import RawPair

CENTRE: Final = 0.5
"""Part of the frame's width and height that is looked at: outside, the plate's cast is several percent."""

_TILE: Final = 8
_LEAST_DN: Final = 4.0


def brightness_ratios(pair: RawPair) -> dict[str, float] | None:
    """Return B's brightness over S's in R, G and B; None where a colour is too dark or clipped to tell.

    Median over some 300 tiles of the middle of the frame, 2 ms: a moving object covers few of them, and a
    tile with a clipped sample is left out.

    Raises:
        ImageMismatch: The frames differ in kind.
    """
    check_same_kind(pair.b, pair.s)
    by_phase: dict[str, float] = {}
    for phase in PHASES:
        b, clipped_b = _tiles(pair, "b", phase)
        s, clipped_s = _tiles(pair, "s", phase)
        usable = ~(clipped_b | clipped_s) & (b > _LEAST_DN) & (s > _LEAST_DN)
        if np.count_nonzero(usable) < max(4, 0.1 * usable.size):
            return None
        by_phase[phase] = float(np.median(b[usable] / s[usable]))
    ratios = {"R": by_phase["R"], "G": (by_phase["Gr"] + by_phase["Gb"]) / 2, "B": by_phase["B"]}
    return {name: ratios[name] for name in COLOURS}


def expected_ratio(pair: RawPair, tau: float) -> float:
    """Return what B's brightness over S's should be: tau * t_L / t_S, as the frames were exposed."""
    return tau * exposure_factor(pair.b, pair.s)


def _tiles(pair: RawPair, camera: str, phase: str) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    raw = pair.b if camera == "b" else pair.s
    row, column = phase_offsets(raw.cfa)[phase]
    height, width = raw.pixels.shape
    step = SAMPLE_STEP if min(height, width) >= 8 * _TILE * SAMPLE_STEP else 1
    top, left = (int(size * (1 - CENTRE) / 2) // 2 * 2 for size in (height, width))
    middle = raw.pixels[top : height - top, left : width - left]
    codes = middle[row :: 2 * step, column :: 2 * step]
    tall, wide = (size // _TILE * _TILE for size in codes.shape)
    samples = codes[:tall, :wide].astype(np.float32)
    shape = (wide // _TILE, tall // _TILE)
    over = cv2.resize(
        np.asarray(samples >= raw.white_level).astype(np.float32), shape, interpolation=cv2.INTER_AREA
    )
    light = cv2.resize(samples, shape, interpolation=cv2.INTER_AREA) - np.float32(raw.black_level)
    return np.asarray(light, np.float32), np.asarray(over > 0, np.bool_)

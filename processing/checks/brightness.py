"""How bright B is against S, colour by colour, quickly and whatever moves in front of the rig."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.checks.blocks import COLOURS, SAMPLE_STEP, check_same_kind
from processing.colour import PHASES, phase_offsets
from processing.survey.tau import exposure_factor
from rig.records import RawPair

CENTRE: Final = 0.5
"""Part of the frame's width and height that is looked at: outside, the plate's cast is several percent."""

Tiles = dict[str, NDArray[np.float32]]
"""(h, w) float32 by Bayer phase."""

_TILE: Final = 8
_LEAST_DN: Final = 4.0


def brightness_ratios(pair: RawPair) -> dict[str, float] | None:
    """Return B's brightness over S's in R, G and B; None where a colour is too dark or clipped to tell.

    Median over some 300 tiles of the middle of the frame, 2 ms: a moving object covers few of them, and a
    tile with a clipped sample is left out.

    Raises:
        ImageMismatch: The frames differ in kind.
    """
    return middle_ratios(tile_ratios(pair))


def tile_ratios(pair: RawPair) -> Tiles:
    """Return B's brightness over S's in each tile of the middle of the frame, by Bayer phase.

    (h, w) float32, nan where a tile is too dark or holds a clipped sample. 2 ms at 2448x2048.

    Raises:
        ImageMismatch: The frames differ in kind.
    """
    check_same_kind(pair.b, pair.s)
    ratios = {}
    for phase in PHASES:
        b, clipped_b = _tiles(pair, "b", phase)
        s, clipped_s = _tiles(pair, "s", phase)
        usable = ~(clipped_b | clipped_s) & (b > _LEAST_DN) & (s > _LEAST_DN)
        ratios[phase] = np.where(usable, b / np.where(usable, s, np.float32(1)), np.float32(np.nan))
    return ratios


def ratio_drift(now: Tiles, static: Tiles) -> tuple[dict[str, float], float] | None:
    """Return B/S now over B/S of the static pair in R, G and B, 1 as long as the light is as it was.

    Beside it the standard error of the worst of them; None where too little can be measured.

    Tile by tile, so that the scene's own colours and the plate's cast drop out; the median, so that an object
    in a third of the tiles does not matter.

    Args:
        now: `tile_ratios` of the pair.
        static: the same of the static pair.
    """
    tiles = {phase: now[phase] / static[phase] for phase in PHASES}
    middles = middle_ratios(tiles)
    if middles is None:
        return None
    errors = []
    for values in tiles.values():
        usable = values[np.isfinite(values)]
        spread = 1.4826 * float(np.median(np.abs(usable - np.median(usable))))
        errors.append(1.25 * spread / np.sqrt(usable.size))  # of a median
    return middles, float(max(errors))


def middle_ratios(tiles: Tiles) -> dict[str, float] | None:
    """Return the median over `tile_ratios` in R, G and B; None where too few are usable."""
    by_phase: dict[str, float] = {}
    for phase, values in tiles.items():
        usable = values[np.isfinite(values)]
        if usable.size < max(4, 0.1 * values.size):
            return None
        by_phase[phase] = float(np.median(usable))
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

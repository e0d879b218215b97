"""What the verdicts of a scene compare with: its static pairs, developed, in the forms that checks need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.checks.background import ROW_STEP
from processing.checks.brightness import tile_ratios
from processing.checks.sharpness import patch_sharpness
from processing.checks.view import F32, View, mean_view, step_for
from processing.masks import Image, Pair
from processing.pipeline import ScenePipeline
from rig.records import RawPair

FRAMES: Final = 3
"""Static pairs that are averaged: noise of the reference is then half of the pair's own."""

_BAND_ROWS: Final = 64


@dataclass(frozen=True)
class StaticReference:
    """A scene's static pairs.

    Attributes:
        view: their mean, small.
        mean: (b, s), (h, w, 3) uint8, their mean at full size, sRGB-encoded.
        rows: (b, s) of the first pair, every `ROW_STEP`-th row, uint8.
        ratios: `tile_ratios` of the first pair as recorded.
        sharpness: figures of S's patches in it.
    """

    view: View
    mean: Pair
    rows: Pair
    ratios: dict[str, NDArray[np.float32]]
    sharpness: F32

    @classmethod
    def of(cls, raw: RawPair, static: Sequence[Pair]) -> StaticReference:
        """Make the reference of a scene.

        Args:
            raw: its first static pair, as recorded.
            static: its static pairs, developed, in order; the first three are used.
        """
        chosen = list(static)[:FRAMES]
        b, s = (np.ascontiguousarray(part[::ROW_STEP]) for part in chosen[0])
        return cls(
            mean_view([developed_view(*pair) for pair in chosen]),
            (_mean([pair[0] for pair in chosen]), _mean([pair[1] for pair in chosen])),
            (b, s),
            tile_ratios(raw),
            patch_sharpness(raw.s)[0],
        )

    @classmethod
    def of_scene(cls, pipeline: ScenePipeline) -> StaticReference:
        """Make the reference of a pipeline's scene; takes as long as developing its static pairs."""
        return cls.of(pipeline.sound_static()[0].load(), pipeline.static_8bit())


def _mean(images: Sequence[Image]) -> Image:
    """Return the rounded mean of a few images, band by band."""
    out = np.empty_like(images[0])
    count = len(images)
    for top in range(0, len(out), _BAND_ROWS):
        rows = slice(top, top + _BAND_ROWS)
        whole = np.full(out[rows].shape, count // 2, np.uint16)
        for image in images:
            whole += image[rows]
        np.floor_divide(whole, count, out=out[rows], casting="unsafe")
    return out


def developed_view(b: Image, s: Image) -> View:
    """Return the view of developed images, (h, w, 3) uint8; sRGB's curve is nearly a root of light."""
    step = step_for(b.shape[1])
    return View(_small(b, step), _small(s, step), step)


def _small(image: Image, step: int) -> F32:
    """Return the brightness of an image, 0 to 1, as means over squares of `step` pixels: band by band."""
    height, width = image.shape[0] // step, image.shape[1] // step
    out = np.empty((height, width), np.float32)
    band = _BAND_ROWS // step
    for top in range(0, height, band):
        rows = image[top * step : min(top + band, height) * step, : width * step].astype(np.float32)
        small = cv2.resize(rows, (width, len(rows) // step), interpolation=cv2.INTER_AREA)
        cv2.cvtColor(small, cv2.COLOR_RGB2GRAY, dst=out[top : top + band])
    out *= np.float32(1 / 255)
    return out

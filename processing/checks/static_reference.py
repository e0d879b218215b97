"""What the verdicts of a scene compare with: its static pairs, developed, in the forms that checks need."""

from __future__ import annotations

import threading
import weakref
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
from processing.masks import Pair
from processing.pipeline import ScenePipeline
from rig.records import RawPair

FRAMES: Final = 3
"""Static pairs that are averaged: noise of the reference is then half of the pair's own."""


@dataclass(frozen=True)
class StaticReference:
    """A scene's static pairs.

    Attributes:
        view: their mean, small.
        mean: (b, s), (h, w, 3) uint8, their mean at full size, sRGB-encoded.
        rows: (b, s) of the first pair, every `ROW_STEP`-th row, float32 in [0, 1].
        ratios: `tile_ratios` of the first pair as recorded.
        sharpness: figures of S's patches in it.
    """

    view: View
    mean: Pair
    rows: tuple[F32, F32]
    ratios: dict[str, NDArray[np.float32]]
    sharpness: F32

    @classmethod
    def of(cls, pipeline: ScenePipeline, static: Sequence[Pair] | None = None) -> StaticReference:
        """Make the reference of a scene; takes as long as developing three pairs.

        Args:
            pipeline: of the scene.
            static: its static pairs, developed, in order, if they are at hand.
        """
        chosen = list(static or pipeline.static_8bit())[:FRAMES]
        raw: RawPair = pipeline.sound_static()[0].load()
        means = [
            np.rint(np.mean([pair[camera] for pair in chosen], axis=0, dtype=np.float32)).astype(np.uint8)
            for camera in (0, 1)
        ]
        first = [np.ascontiguousarray(part[::ROW_STEP]) * np.float32(1 / 255) for part in chosen[0]]
        views = [developed_view(b * np.float32(1 / 255), s * np.float32(1 / 255)) for b, s in chosen]
        return cls(
            mean_view(views), (means[0], means[1]), (first[0], first[1]), tile_ratios(raw),
            patch_sharpness(raw.s)[0],
        )  # fmt: skip


def developed_view(b: F32, s: F32) -> View:
    """Return the view of developed images, (h, w, 3) float32 in [0, 1]; sRGB's curve is nearly a root."""
    step = step_for(b.shape[1])
    shape = (b.shape[1] // step, b.shape[0] // step)
    cut = (slice(0, shape[1] * step), slice(0, shape[0] * step))
    small = [
        np.asarray(
            cv2.cvtColor(cv2.resize(part[cut], shape, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY),
            np.float32,
        )
        for part in (b, s)
    ]
    return View(small[0], small[1], step)


_KNOWN: weakref.WeakKeyDictionary[ScenePipeline, StaticReference] = weakref.WeakKeyDictionary()
_MUTEX: Final = threading.Lock()


def reference_of(pipeline: ScenePipeline, static: Sequence[Pair] | None = None) -> StaticReference:
    """Return the reference of a pipeline's scene; it is made once and lives as long as the pipeline."""
    with _MUTEX:
        known = _KNOWN.get(pipeline)
        if known is None:
            known = _KNOWN[pipeline] = StaticReference.of(pipeline, static)
        return known

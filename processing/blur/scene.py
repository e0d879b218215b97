"""The blur lengths of a recorded scene's moving object, from RAW through the pipeline in linear light."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np

from processing.blur.lengths import BlurMeasurement, measure_blur
from processing.errors import BlurNotMeasurable, Cancelled
from processing.pipeline import ScenePipeline
from rig.records import PairRecord

PAIRS: Final = 6


def measure_scene_blur(
    pipeline: ScenePipeline,
    pairs: Sequence[PairRecord],
    *,
    direction: tuple[float, float] | None = None,
    cancel: threading.Event | None = None,
) -> BlurMeasurement:
    """Measure how many pixels the moving object is smeared over in B and in S.

    Args:
        pipeline: of the scene.
        pairs: action pairs of one plan; at most six, evenly chosen, are used.
        direction: unit vector (x, y) of the motion axis; estimated without it.
        cancel: set it to stop.

    Raises:
        BlurNotMeasurable: if no moving object is seen, or too little of it.
        Cancelled: if stopped.
    """
    if not pairs:
        raise BlurNotMeasurable("the scene has no action pair", hint="capture one: --kind action")
    chosen = sorted({round(i) for i in np.linspace(0, len(pairs) - 1, min(PAIRS, len(pairs)))})
    images = []
    for record in (pairs[i] for i in chosen):
        if cancel is not None and cancel.is_set():
            raise Cancelled("stopped while measuring the blur")
        raw = record.load()
        images.append(pipeline.luminance(raw.b, raw.s))
    static_b, static_s = pipeline.static_luminance()
    return measure_blur(static_b, static_s, images, direction=direction)

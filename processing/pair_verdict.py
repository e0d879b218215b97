"""The verdict on one pair once it is developed: every check that a pair of the data set has to pass.

Each check has its own file; this one puts them in their order. A check that cannot be made says why, as
a note.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processing.blocks import levels
from processing.brightness import brightness_ratios, expected_ratio
from processing.clipping import clipping_findings
from processing.pair_checks import (
    dark_findings,
    focus_findings,
    ratio_findings,
)
from processing.pipeline import Developed, ScenePipeline
from processing.sharpness import pair_sharpness
from processing.verdict import PairVerdict
from rig.capture.findings import Finding
from rig.plan import ExposurePlan
from rig.records import RawPair

__all__ = ["PairVerdict", "judge"]


def judge(
    pipeline: ScenePipeline,
    raw_pair: RawPair,
    developed: Developed,
    mask: NDArray[np.uint8] | None,
    plan: ExposurePlan | None,
) -> PairVerdict:
    """Judge a pair after its development.

    Args:
        pipeline: of the pair's scene.
        raw_pair: the pair as recorded.
        developed: the same after the pipeline.
        mask: (h, w) uint8 of the local blur, 0 or 255, on the developed grid; None for a static pair.
        plan: the plan it was taken with; without one nothing is compared with it.
    """
    found: list[Finding] = []
    figures: dict[str, float] = {}
    for name, raw in (("B", raw_pair.b), ("S", raw_pair.s)):
        found += dark_findings(raw, levels(raw), name)
    found += clipping_findings(raw_pair, mask, pipeline.box, figures)
    if any(one.level == "stop" for one in found):
        return PairVerdict.of(found, figures)
    ratios = brightness_ratios(raw_pair)
    if ratios is not None and plan is not None:
        found += ratio_findings(ratios, expected_ratio(raw_pair, plan.tau))
    sharp = pair_sharpness(raw_pair.b, raw_pair.s)
    found += focus_findings(sharp)
    return PairVerdict.of(found, figures)

"""An evaluation as plain values: means, gains over the input, and the paper's tables where they belong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.evaluation.figures import FIGURES, nested
from models.evaluation.published import TABLE_1, TABLE_3, is_reloblur
from models.evaluation.run import Evaluation, ModelFigures

__all__ = ["Mean", "gains", "is_of_the_paper", "means", "report_of"]


@dataclass(frozen=True)
class Mean:
    """A mean, and over how many pictures: those in which the figure has a finite value."""

    value: float
    count: int


def means(model: ModelFigures) -> dict[str, Mean]:
    """Return `Figure.key` -> mean over the pictures in which it has a finite value; no key where in none."""
    found = {
        figure.key: [one.values[figure.key] for one in model.images.values() if figure.key in one.values]
        for figure in FIGURES
    }
    return {key: Mean(math.fsum(some) / len(some), len(some)) for key, some in found.items() if some}


def gains(model: ModelFigures, blurred: ModelFigures) -> dict[str, Mean]:
    """Return `Figure.key` -> mean of what is gained over the input, where both have a finite value."""
    gained: dict[str, list[float]] = {}
    for index, image in model.images.items():
        for key, gain in _gain(image.values, blurred, index).items():
            gained.setdefault(key, []).append(gain)
    return {key: Mean(math.fsum(some) / len(some), len(some)) for key, some in gained.items()}


def _gain(values: Mapping[str, float], blurred: ModelFigures, index: int) -> dict[str, float]:
    before = blurred.images.get(index)
    if before is None:
        return {}
    return {key: value - before.values[key] for key, value in values.items() if key in before.values}


def is_of_the_paper(evaluation: Evaluation, root: Path, split: str) -> bool:
    """Tell whether the paper's tables may stand beside these figures."""
    sizes = {(one.height_px, one.width_px) for one in evaluation.models[0].images.values()}
    return is_reloblur(root, split, evaluation.pairs, sizes)


def report_of(evaluation: Evaluation, root: Path, split: str, parts: Sequence[str]) -> dict[str, Any]:
    """Return an evaluation as plain values that JSON can say.

    Args:
        evaluation: What came out.
        root: The data set.
        split: Which part of it.
        parts: Of `Figure.part`, those that were asked for.
    """
    blurred = evaluation.models[0]
    keys = {figure.key for figure in FIGURES if figure.part in parts}
    of_the_paper = is_of_the_paper(evaluation, root, split)

    def told(flat: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        return nested({key: value for key, value in flat.items() if key in keys})

    models = []
    for model in evaluation.models:
        mean, gain = means(model), gains(model, blurred)
        images = [
            {
                "name": image.name,
                "height_px": image.height_px,
                "width_px": image.width_px,
                "figures": told({**dict.fromkeys(image.undefined), **image.values}),
                "gain": told(_gain(image.values, blurred, index)) if model is not blurred else {},
                "undefined": {key: why for key, why in image.undefined.items() if key in keys},
                "seconds": image.seconds,
            }
            for index, image in sorted(model.images.items())
        ]
        models.append(
            {
                **model.about.to_dict(),
                "mean": told({key: one.value for key, one in mean.items()}),
                "counted": told({key: one.count for key, one in mean.items()}),
                "gain": told({key: one.value for key, one in gain.items()}) if model is not blurred else {},
                "images": images,
            }
        )
    return {
        "data": {
            "path": str(root),
            "split": split,
            "pairs": evaluation.pairs,
            "looked_at": len(blurred.images),
            "reloblur": of_the_paper,
        },
        "models": models,
        "paper": {
            "table_1": [row.to_dict() for row in TABLE_1],
            "table_3": [row.to_dict() for row in TABLE_3],
        }
        if of_the_paper
        else None,
        "failed": dict(sorted(evaluation.failed.items())),
        "cancelled": evaluation.cancelled,
        "seconds": round(evaluation.seconds, 3),
    }

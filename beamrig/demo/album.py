"""The pictures of the report, taken as the demo goes along."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from beamrig.demo.pictures import Image, around, difference, largest_part, save, strip, with_mask
from beamrig.demo.report import Picture
from models.deblur import DeblurResult
from processing.pipeline import Developed, ScenePipeline

MARGIN_PX: Final = 60


class Album:
    """Writes pictures into a folder and remembers their captions, in the order of the report.

    Args:
        folder: Folder of the report.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pictures: dict[str, Picture] = {}

    @property
    def pictures(self) -> list[Picture]:
        """What was taken, static pair first, deblurred last."""
        order = ("static.jpg", "action.jpg", "object.jpg", "deblurred.jpg")
        return [self._pictures[name] for name in order if name in self._pictures]

    def static_pair(self, pipeline: ScenePipeline) -> None:
        """Show the static pair before and after the pipeline, as amplified differences."""
        raw = pipeline.takes.static[0].load()
        before, after = pipeline.develop_unaligned(raw.b, raw.s), pipeline.develop(raw.b, raw.s)
        panels = [
            ("static S", after.s),
            ("|B - S| x 8 before", difference(before.b, before.s)),
            ("|B - S| x 8 after", difference(after.b, after.s)),
        ]
        self._add(
            "static.jpg", panels, "The static pair: what colour cast, brightness and misalignment leave."
        )

    def action_pair(self, pair_id: str, developed: Developed, mask: NDArray[np.uint8]) -> None:
        """Show an action pair with its mask, whole and near the moving object."""
        whole = [
            ("B, long exposure", developed.b),
            ("S, short exposure", developed.s),
            ("local blur mask (LBFMG)", with_mask(developed.b, mask)),
        ]
        self._add("action.jpg", whole, f"Pair {pair_id} after the pipeline.")
        y, x = around(mask, MARGIN_PX, mask.shape)
        near = [(label, np.asarray(image)[y, x]) for label, image in whole]
        self._add("object.jpg", near, "The moving object of the same pair.")

    def deblurred(self, developed: Developed, result: DeblurResult, mask: NDArray[np.uint8]) -> None:
        """Show B before and after deblurring beside S, near the moving object."""
        y, x = around(largest_part(mask), MARGIN_PX, mask.shape)
        state = "" if result.info.trained else " (untrained weights)"
        panels = [
            ("B, long exposure", developed.b[y, x]),
            (f"B deblurred by LBAG{state}", result.sharp[y, x]),
            ("S, short exposure", developed.s[y, x]),
        ]
        caption = f"The mover: B, the same after LBAG{state}, and S of the same pulse."
        self._add("deblurred.jpg", panels, caption)

    def _add(self, name: str, panels: list[tuple[str, Image]], caption: str) -> None:
        save(self._folder / name, strip(panels))
        self._pictures[name] = Picture(name, caption)

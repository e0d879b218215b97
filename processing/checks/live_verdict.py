"""What the scene's static take tells of each pair while a take runs, without developing anything.

RAW frames are looked at in quarter size, B on S's grid by a registration of the static pair in that size,
each camera against its own static picture: so neither the cast nor the filter matters, and no calibration is
needed.
Some 25 ms a pair at 2448x2048 on one core, in the recorder's check thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from processing.alignment.flow import register
from processing.checks.background import apart_findings
from processing.checks.brightness import Tiles, ratio_drift, tile_ratios
from processing.checks.bump import bump_findings, cameras_apart, measure_bump
from processing.checks.light_drift import drift_findings
from processing.checks.same_moment import longest_blur, moment_findings, same_moment
from processing.checks.verdict import PairVerdict
from processing.checks.view import F32, Difference, Mask, View, difference, mean_view, step_for
from processing.errors import ProcessingError, RegistrationFailed
from rig.capture.findings import Finding
from rig.plan import ExposurePlan
from rig.raw_image import RawImage
from rig.records import PairRecord, RawPair

FRAMES: Final = 3
"""Static pairs that are averaged: noise of the reference is then half of the pair's own."""

_DARK_DN: Final = 16.0
"""Added under the root: noise of the dark, which light does not bring."""


class SceneWatch:
    """Compares pairs with their scene's static pairs.

    Args:
        static: static pairs of the scene; some three are enough.
        plan: the plan in force, or None.

    Raises:
        ProcessingError: there is none, or they cannot be compared.
    """

    def __init__(self, static: Sequence[RawPair], plan: ExposurePlan | None) -> None:
        if not static:
            raise ProcessingError("the scene has no static take yet")
        self._plan = plan
        self._ratios = tile_ratios(static[0])
        small = [(small_root(pair.b), small_root(pair.s)) for pair in static[:FRAMES]]
        first = static[0].s
        self._step = step_for(first.pixels.shape[1])
        self._format = (first.pixels.shape, first.cfa)
        self._maps = _maps(*(np.mean([pair[camera] for pair in small], axis=0) for camera in (0, 1)))
        self._static = mean_view([self._view(b, s) for b, s in small])

    @classmethod
    def of(cls, records: Sequence[PairRecord], plan: ExposurePlan | None) -> SceneWatch:
        """Read the static pairs and make the watch.

        Raises:
            ProcessingError: see the class.
            RawFileError: a file cannot be read.
        """
        return cls([record.load() for record in records[:FRAMES]], plan)

    def judge(self, pair: RawPair, tiles: Tiles | None = None) -> PairVerdict:
        """Compare a pair with the static pairs: bump, light, background, moment.

        Args:
            pair: as recorded.
            tiles: its `tile_ratios`, if they are at hand.

        Raises:
            ProcessingError: it is of another size or colour order.
        """
        if any((raw.pixels.shape, raw.cfa) != self._format for raw in (pair.b, pair.s)):
            raise ProcessingError("the pair is of another size than the scene's static take")
        figures: dict[str, float] = {}
        view = self._view(small_root(pair.b), small_root(pair.s))
        of_b, of_s = (difference(view, self._static, name) for name in ("B", "S"))
        still = _still(of_b, of_s)
        found = drift_findings(
            ratio_drift(tiles or tile_ratios(pair), self._ratios), of_s.scale, self._plan, figures
        )
        bumps = [measure_bump(view[name], self._static[name], view.step, still) for name in ("B", "S")]
        found += bump_findings(bumps[0], bumps[1], figures)
        moment = same_moment(of_b, of_s, view.step, self._plan)
        if not moment.contradicted:  # else the mover itself would pass for a reflection
            reach = round(longest_blur(view.step, self._plan))
            found += apart_findings(view, self._static, (of_b, of_s), reach, figures)
        if cameras_apart(bumps[0], bumps[1]):
            found.append(Finding("note", "the cameras moved: the moment of the pair cannot be told"))
        else:
            found += moment_findings(moment, figures)
        return PairVerdict.of(found, figures)

    def _view(self, b: F32, s: F32) -> View:
        aligned = cv2.remap(b, *self._maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return View(np.asarray(aligned, np.float32), s, self._step, _DARK_DN)


def small_root(raw: RawImage) -> F32:
    """Return the root of a frame's brightness in half or quarter size: means of cells; (h, w) float32."""
    step = step_for(raw.pixels.shape[1])
    codes = raw.pixels[: raw.pixels.shape[0] // step * step, : raw.pixels.shape[1] // step * step]
    while step > 1:  # by two at a time: OpenCV is four times as fast at that
        shape = (codes.shape[1] // 2, codes.shape[0] // 2)
        codes = np.asarray(cv2.resize(codes, shape, interpolation=cv2.INTER_AREA), np.uint16)
        step //= 2
    light = codes.astype(np.float32) - np.float32(raw.black_level - _DARK_DN)
    return np.asarray(cv2.sqrt(np.maximum(light, np.float32(1))), np.float32)


def _maps(b: F32, s: F32) -> tuple[F32, F32]:
    """Return where each sample of S lies in B.

    Raises:
        RegistrationFailed: the static pair holds too little texture.
    """
    top = np.float32(max(float(b.max()), float(s.max())))
    flow = register(np.asarray(s / top, np.float32), np.asarray(b / top, np.float32))
    map_x, map_y = flow.grid()
    height, width = s.shape
    y, x = np.mgrid[:height, :width]
    if float(np.hypot(map_x - x, map_y - y).max()) > 0.25 * width:
        raise RegistrationFailed("the static pair could not be brought together")
    return map_x, map_y


def _still(of_b: Difference, of_s: Difference) -> Mask:
    """Return where nothing seems to move; specks and edges, as of a moved rig, do not count."""
    moving = ((of_b.strength > 5) | (of_s.strength > 5)).astype(np.uint8)
    moving = np.asarray(cv2.morphologyEx(moving, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)), np.uint8)
    return np.asarray(cv2.dilate(moving, np.ones((9, 9), np.uint8)) == 0, np.bool_)

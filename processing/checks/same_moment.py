"""Do B and S of a pair show the same moment?

S is exposed while B is. So whatever moves is, in S, where it also was for a part of B's exposure: its
footprint in S lies inside its footprint in B. And what B shows moving cannot be missing in S. A frame of
another shot breaks one or the other, also when the objects are small, or several.

How long B has seen a place that S shows covered is known at least: an object of blur n pixels covers a place
that lies d pixels inside its outline for d / n of the exposure (2 d / n with S in the centre). Only places
where that part of the change would stand far above noise in B are asked for. A frame of a shot right before
or after, of an object that hardly moved in between, cannot be told from the right one, and is not claimed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.checks.view import F32, Difference
from rig.capture.findings import Finding
from rig.plan import ExposurePlan

SEEN: Final = 5.0
"""A change in S counts from five times the noise on: of 300,000 samples noise alone makes none."""

SEEN_B: Final = 4.0
"""In B a little earlier: what is weak there is the end of a trace."""

EXPECTED: Final = 8.0
"""A place is asked for when B should show at least eight times its noise."""

LEAST_MISSING: Final = 6
"""Samples that belong together and miss in B: right pairs have none, see `benchmarks/bench_checks.py`."""

LEAST_LOST: Final = 12
"""Samples of a trace in B with nothing in S; the faintest traces that count are some 3 samples wide."""

LONGEST_BLUR_PX: Final = 70.0
"""Blur of B that is reckoned with where there is no plan: the longest of the published data set."""

FASTER: Final = 1.5
"""The object may be so much faster than planned."""

_EDGE: Final = 4
"""Samples along the border of the frame that are not asked for: an object may enter while B is open."""

Places = NDArray[np.uint8]


@dataclass(frozen=True)
class SameMoment:
    """What speaks against a pair.

    Attributes:
        asked: samples of S at which B must show a change.
        missing: how many of them, in one piece at most, B does not.
        lost: samples of the largest trace in B that has nothing in S.
        moving: (h, w) uint8 0/1, where something moves in B or S.
    """

    asked: int
    missing: int
    lost: int
    moving: Places

    @property
    def told(self) -> bool:
        """Whether there is enough of a mover to say anything."""
        return self.asked >= LEAST_MISSING or self.lost >= LEAST_LOST

    @property
    def contradicted(self) -> bool:
        """Whether B and S cannot show the same moment."""
        return self.missing >= LEAST_MISSING or self.lost >= LEAST_LOST


def _round(size: int) -> Places:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _largest(places: NDArray[np.bool_]) -> int:
    """Return the size of the largest piece."""
    if not places.any():
        return 0
    count, _, stats, _ = cv2.connectedComponentsWithStats(places.astype(np.uint8), connectivity=8)
    return int(stats[1:, cv2.CC_STAT_AREA].max()) if count > 1 else 0


def same_moment(of_b: Difference, of_s: Difference, step: int, plan: ExposurePlan | None) -> SameMoment:
    """Look for what speaks against B and S having been exposed together.

    Args:
        of_b: change of B against the static scene, on S's grid.
        of_s: the same of S.
        step: pixels of the frame along a sample.
        plan: gives the blur of B and the place of S in it; without one the longest blur is reckoned with.
    """
    strong_s = of_s.strength
    seen_s = (strong_s > SEEN).astype(np.uint8)
    seen_b = (of_b.strength > SEEN_B).astype(np.uint8)
    in_s = np.asarray(cv2.morphologyEx(seen_s, cv2.MORPH_CLOSE, _round(5)), np.uint8)
    in_b = np.asarray(cv2.morphologyEx(seen_b, cv2.MORPH_CLOSE, _round(5)), np.uint8)
    asked = _expected(of_b, of_s, strong_s, in_s, step, plan) > EXPECTED
    _clear_edge(asked)
    missing = asked & (cv2.dilate(in_b, _round(3)) == 0)
    return SameMoment(int(asked.sum()), _largest(missing), _lost(of_b, in_b, seen_s), in_b | in_s)


def longest_blur(step: int, plan: ExposurePlan | None) -> float:
    """Return how far an object moves at most while B is open, in samples."""
    return (LONGEST_BLUR_PX if plan is None else plan.blur_px["B"]) * FASTER / step


def _expected(
    of_b: Difference, of_s: Difference, strong_s: F32, in_s: Places, step: int, plan: ExposurePlan | None
) -> F32:
    """Return how many times its noise B shows at least where the object is in S: (h, w) float32."""
    blur = longest_blur(step, plan)
    sides = 2 if plan is not None and plan.placement == "centre" else 1
    depth = cv2.distanceTransform(cv2.copyMakeBorder(in_s, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3)
    covered = np.clip((depth[1:-1, 1:-1] - np.float32(1.5)) * np.float32(sides / max(blur, 1.0)), 0, 1)
    # Over its way the object's texture is averaged: only what stays of it counts.
    size = int(np.clip(blur, 3, 31)) | 1
    steady = np.abs(cv2.blur(of_s.signed * in_s, (size, size)))
    change = np.minimum(steady, strong_s * np.float32(of_s.noise))
    return np.asarray(covered * change * np.float32(1 / of_b.noise), np.float32)


def _clear_edge(places: NDArray[np.bool_]) -> None:
    places[:_EDGE] = places[-_EDGE:] = False
    places[:, :_EDGE] = places[:, -_EDGE:] = False


def _lost(of_b: Difference, in_b: Places, seen_s: Places) -> int:
    """Return the size of the largest trace in B without anything in S; those at the border are left out."""
    strong = cv2.erode((of_b.strength > SEEN).astype(np.uint8), _round(3))
    if not strong.any():
        return 0
    near_s = cv2.dilate(seen_s, _round(3))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(in_b, connectivity=8)
    core = np.bincount(labels[strong > 0], minlength=count)
    answered = np.bincount(labels[near_s > 0], minlength=count)
    height, width = in_b.shape
    lost = 0
    for label in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[label])
        inside = x > _EDGE and y > _EDGE and x + w < width - _EDGE and y + h < height - _EDGE
        if inside and core[label] >= 3 and not answered[label]:
            lost = max(lost, area)
    return lost


def moment_findings(moment: SameMoment, figures: dict[str, float]) -> list[Finding]:
    """Judge whether B and S show the same moment; figures moment_*, in samples of the view."""
    figures["moment_asked"] = moment.asked
    figures["moment_missing"] = moment.missing
    figures["moment_lost"] = moment.lost
    if moment.contradicted:
        what = (
            "something moves in S where B has seen nothing"
            if moment.missing >= LEAST_MISSING
            else "B has a trace of something that is not in S"
        )
        text = f"B and S do not show the same moment: {what}"
        worst = float(max(moment.missing, moment.lost))
        return [Finding("stop", text, "was a frame lost? test the rig: beamrig sync", worst)]
    if not moment.told:
        return [Finding("note", "nothing moves that would show whether B and S are of the same moment")]
    return []

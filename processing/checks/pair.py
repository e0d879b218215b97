"""Checks of one pair's content while a take runs: clipped, dark, black, repeated, out of focus, off balance.

They look at samples of the frame, some 20 ms a pair at 2448x2048 on one core, so that they keep up with the
cameras. The tolerances stand here, each with its reason.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.checks.blocks import COLOURS, Levels, levels
from processing.checks.brightness import Tiles, expected_ratio, middle_ratios, tile_ratios
from processing.checks.sharpness import LEAST_PATCHES, SMOOTH, Sharpness, pair_sharpness
from rig.capture.findings import Finding, Level
from rig.plan import ExposurePlan
from rig.raw_image import RawImage
from rig.records import RawPair

BOARDS: Final = ("whiteboard", "lightbox")

CLIPPED_SCENE: Final = 0.005
"""Half a percent of a colour: lamps and glints may clip, they are left out of every estimate."""

CLIPPED_BOARD: Final = 0.001
"""A board is measured everywhere; the 99.9th percentile is also what the light help plans with."""

CLIPPED_BOARD_STOP: Final = 0.01
"""From here on the fit of the cast is wrong over a patch of the frame."""

BLACK: Final = 0.003
"""99.9th percentile over the range: 12 codes of 4095, a few times the read noise. No lit scene is there."""

DARK: Final = 0.05
"""99.9th percentile over the range: the upper four bits are empty, mid-tones lie in the noise."""

RATIO_WARN: Final = 0.15
"""B/S off tau * t_L/t_S: label 5 %, plate 2 %, sensors 3 %, cast within the middle 5 %, added."""

RATIO_STOP: Final = 0.40
"""Half-way to the next filter, which is a factor of two: another filter is in front of B than planned."""

FOCUS_WARN: Final = 0.8
"""Sharpness of B over S: a defocus of 1 px (sigma) on photographs gives 0.75, misregistration none."""

DARK_TAKE: Final = 0.05
"""Median over the range in a dark take: a cap lets nothing through."""

_ROWS: Final = 16
"""Every 16th row is kept to recognise a frame that comes twice: noise never repeats in 300,000 pixels."""


class PairCheck:
    """Checks the pairs of one take, one after the other; give it to `Rig.capture(check=...)`.

    Args:
        kind: Kind of the take.
        plan: The plan in force; without one the brightness of B is not compared with S's.
    """

    def __init__(self, kind: str, plan: ExposurePlan | None) -> None:
        self._kind = kind
        self._plan = plan
        self._before: dict[str, NDArray[np.uint16]] = {}

    def __call__(self, pair: RawPair, tiles: Tiles | None = None) -> list[Finding]:
        """Return what is wrong with a pair; empty when nothing is.

        Args:
            pair: As recorded.
            tiles: Its `tile_ratios`, if they are at hand.
        """
        found: list[Finding] = []
        seen = {"B": levels(pair.b), "S": levels(pair.s)}
        for name, raw in (("B", pair.b), ("S", pair.s)):
            found += self._repeated(name, raw, seen[name])
            found += level_findings(self._kind, raw, seen[name], name)
        if self._kind == "dark" or any(one.level == "stop" for one in found):
            return found
        ratios = middle_ratios(tiles or tile_ratios(pair))
        if ratios is not None and self._plan is not None:
            found += ratio_findings(ratios, expected_ratio(pair, self._plan.tau))
        if self._kind not in BOARDS:
            found += focus_findings(pair_sharpness(pair.b, pair.s))
        return found

    def _repeated(self, name: str, raw: RawImage, seen: Levels) -> list[Finding]:
        now = raw.pixels[::_ROWS].copy()
        before, self._before[name] = self._before.get(name), now
        if seen.constant or before is None or not np.array_equal(now, before):
            return []
        return [
            Finding("stop", f"camera {name} delivered the same frame twice", "restart the camera, take again")
        ]


def level_findings(kind: str, raw: RawImage, seen: Levels, name: str) -> list[Finding]:
    """Judge the brightness of a frame of camera ``name``."""
    span = raw.white_level - raw.black_level
    if kind == "dark":
        middle = max(seen.median_dn.values()) / span
        return (
            [Finding("warn", f"camera {name} sees light in a dark take", "put the caps on", middle)]
            if middle > DARK_TAKE
            else []
        )
    found = dark_findings(raw, seen, name)
    if found and found[0].level == "stop":
        return found
    clipped = {colour: seen.colour(seen.clipped, colour) for colour in COLOURS}
    worst = max(clipped, key=lambda colour: clipped[colour])
    share, board = clipped[worst], kind in BOARDS
    if share > (CLIPPED_BOARD if board else CLIPPED_SCENE):
        level: Level = "stop" if board and share > CLIPPED_BOARD_STOP else "warn"
        text = f"camera {name} clips {share:.2%} of {worst}"
        found.append(Finding(level, text, "dim the light or shorten the exposure", share))
    return found


def dark_findings(raw: RawImage, seen: Levels, name: str) -> list[Finding]:
    """Judge whether a frame of camera ``name`` is black ("stop") or too dark ("warn")."""
    high = max(seen.high_dn.values()) / (raw.white_level - raw.black_level)
    if high < BLACK:
        return [Finding("stop", f"camera {name} delivers black frames", "cap, lamp or aperture?", high)]
    if high < DARK:
        text = f"camera {name} is too dark: highlights reach {high:.1%} of its range"
        return [Finding("warn", text, "add light or lengthen the exposure", high)]
    return []


def ratio_findings(ratios: dict[str, float], expected: float, stop: bool = False) -> list[Finding]:
    """Judge B's brightness against S's; with ``stop`` another filter than planned stops."""
    worst = max(ratios, key=lambda colour: abs(np.log(ratios[colour] / expected)))
    off = ratios[worst] / expected - 1
    if abs(off) <= RATIO_WARN:
        return []
    level: Level = "stop" if stop and abs(np.log1p(off)) > np.log1p(RATIO_STOP) else "warn"
    text = f"B is {ratios[worst]:.2f} times as bright as S in {worst}, tau and exposures give {expected:.2f}"
    return [Finding(level, text, "is the planned filter in front of B?", float(off))]


def same_frame(first: RawImage, second: RawImage) -> bool:
    """Whether two frames hold the same pixels, on every 16th row; noise never repeats."""
    one, two = first.pixels, second.pixels
    if one.shape != two.shape or not np.array_equal(one[0], two[0]):
        return False
    return bool(np.array_equal(one[::_ROWS], two[::_ROWS])) and bool(np.ptp(one[::_ROWS]))


def refocus_findings(
    now: NDArray[np.float32], static: NDArray[np.float32], figures: dict[str, float]
) -> list[Finding]:
    """Judge the sharpness of S's patches against those of the static take; figure sharpness_S_change."""
    if now.shape != static.shape:
        return []
    usable = np.isfinite(now) & np.isfinite(static)
    if np.count_nonzero(usable) < LEAST_PATCHES:
        return []
    detail = [np.maximum(part[usable] - SMOOTH, 0) + SMOOTH / 4 for part in (now, static)]
    change = float(np.median(detail[0] / detail[1]))
    figures["sharpness_S_change"] = change
    if FOCUS_WARN < change < 1 / FOCUS_WARN:
        return []
    text = f"the focus of S has changed since the static take: {change:.2f} of its sharpness"
    return [Finding("warn", text, "was the lens touched? focus, then whiteboard and static again", change)]


def focus_findings(sharp: Sharpness | None) -> list[Finding]:
    """Judge the focus of B against S."""
    if sharp is None:
        return []
    if sharp.ratio < FOCUS_WARN:
        text = f"camera B is less sharp than S: {sharp.ratio:.2f} of its sharpness"
        return [Finding("warn", text, "focus camera B", sharp.ratio)]
    if sharp.ratio > 1 / FOCUS_WARN:
        text = f"camera S is less sharp than B: {1 / sharp.ratio:.2f} of its sharpness"
        return [Finding("warn", text, "focus camera S", sharp.ratio)]
    return []

"""Does the background of a pair look alike in B and S, as the static pair's does?"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.checks.view import F32, Difference, Mask, View
from rig.capture.findings import Finding

DELTA_L_GROWTH: Final = 1.25
"""The background's Delta-L over the static pair's own: noise gives 1 within 1 %, 0.3 px of shift 1.3."""

DELTA_L_ADDED: Final = 0.003
"""And so much added: on a noiseless background any small thing would be a large growth."""

APART_WARN: Final = 0.02
"""Light of B's background over S's, unevenly, against the static pair's: a reflection or a shadow that only
one camera sees. Twice what one beta may be off."""

BLOCK: Final = 16
"""Samples along a block of the view: noise of its mean is a thousandth."""

CHANGED: Final = 5.0
"""A sample has changed from five times its noise on."""

ROW_STEP: Final = 4
"""Every 4th row of the developed images: a million pixels."""


def delta_l(b: NDArray[np.uint8], s: NDArray[np.uint8], still: NDArray[np.bool_]) -> float:
    """Return Delta-L = sum |s - b| / sum b (the paper's appendix) over the pixels chosen.

    Args:
        b: (h, w, 3) uint8 sRGB-encoded.
        s: the same of S.
        still: (h, w) bool.
    """
    chosen = still.astype(np.uint8)
    apart, light = (sum(cv2.mean(part, chosen)[:3]) for part in (cv2.absdiff(b, s), b))
    return float(apart / max(light, 1e-9))


def delta_l_findings(now: float, static: float, figures: dict[str, float]) -> list[Finding]:
    """Judge the background's Delta-L against the static pair's own at the same places."""
    figures["delta_l_background"], figures["delta_l_static"] = now, static
    if now <= DELTA_L_GROWTH * static + DELTA_L_ADDED:
        return []
    text = f"the background differs between B and S by {now:.2%} (Delta-L), {static:.2%} in the static pair"
    return [Finding("warn", text, "shift, light or a reflection: see the other findings", now)]


def background_apart(view: View, static: View, still: Mask) -> float:
    """Return how unevenly B's light over S's differs from the static pair's: mean over blocks, as a share."""
    height, width = (size // BLOCK for size in view.s.shape)
    if not height or not width:
        return 0.0

    def blocks(values: F32) -> F32:
        cut = values[: height * BLOCK, : width * BLOCK]
        return np.asarray(cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA), np.float32)

    pedestal = np.float32(view.pedestal)
    light = {name: blocks(part * part) - pedestal for name, part in (
        ("b", view.b), ("s", view.s), ("b0", static.b), ("s0", static.s)
    )}  # fmt: skip
    usable = blocks(still.astype(np.float32)) > 0.99
    usable &= light["s0"] > 0.1 * float(np.median(light["s0"]))
    usable &= (light["b0"] > 0) & (light["s"] > 0)
    if np.count_nonzero(usable) < 8:
        return 0.0
    ratio = (light["b"] * light["s0"])[usable] / (light["s"] * light["b0"])[usable]
    return float(np.mean(np.abs(ratio / np.median(ratio) - 1)))


def _unmoved(change: Difference, reach: int) -> Mask:
    moving = (change.strength > CHANGED).astype(np.uint8)
    moving = np.asarray(cv2.morphologyEx(moving, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    size = 2 * (reach + 2) + 1
    return np.asarray(cv2.dilate(moving, np.ones((size, size), np.uint8)) == 0, np.bool_)


def apart_findings(
    view: View, static: View, changes: tuple[Difference, Difference], reach: int, figures: dict[str, float]
) -> list[Finding]:
    """Judge the light on the background, B against S; figure background_apart.

    The mover is taken from one camera alone, and then from the other: a reflection in B would else pass for
    something that moves, and be left out.

    Args:
        view: the pair.
        static: the static pair.
        changes: of B and of S against it.
        reach: samples by which the mover in one camera may stick out of that in the other.
        figures: gets what was measured.
    """
    apart = max(background_apart(view, static, _unmoved(change, reach)) for change in changes)
    figures["background_apart"] = apart
    if apart <= APART_WARN:
        return []
    text = f"one camera sees light on the background that the other does not: {apart:.1%} on average"
    return [Finding("warn", text, "look for a reflection in the plate, or a shadow", apart)]

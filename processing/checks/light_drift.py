"""Has the light changed since the static take: between the cameras (beta), and altogether?"""

from __future__ import annotations

from typing import Final

from rig.capture.findings import Finding
from rig.flicker import MAINS_HZ, ratio_error
from rig.plan import ExposurePlan

RATIO_WARN: Final = 0.01
"""Of B/S: one beta serves the whole scene, and 1 % is what the eye would see of it."""

LEVEL_WARN: Final = 0.05
"""Of S alone: both images change alike, but masks and figures compare with the static pair; 5 % of a mid-tone
are 3 codes of 8 bits, what the noise of a pixel is."""

_FULL: Final = 0.99
"""Modulation of lamps that go out altogether; nothing on the mains can do more."""


def drift_findings(
    drift: tuple[dict[str, float], float] | None,
    level: float,
    plan: ExposurePlan | None,
    figures: dict[str, float],
) -> list[Finding]:
    """Judge the light against that of the static take; figures ratio_drift_R, _G, _B and level_drift.

    Args:
        drift: B/S now over B/S then, by colour, and its error; None where it could not be measured.
        level: brightness of S now over then.
        plan: tells what lamps on the mains can do to B/S.
        figures: gets what was measured.
    """
    found = []
    figures["level_drift"] = level - 1
    if drift is None:
        found.append(Finding("note", "too dark or clipped to compare the light with that of the static take"))
    else:
        ratio, error = drift
        for colour, value in ratio.items():
            figures[f"ratio_drift_{colour}"] = value - 1
        worst = max(ratio, key=lambda colour: abs(ratio[colour] - 1))
        off = ratio[worst] - 1
        if abs(off) > RATIO_WARN + 3 * error:
            text = f"B/S is {off:+.1%} off that of the static take in {worst}: {_cause(off, plan)}"
            hint = "steady light, or exposures of whole half-periods of the mains"
            found.append(Finding("warn", text, hint, off))
    if abs(level - 1) > LEVEL_WARN:
        text = f"the light changed by {level - 1:+.1%} since the static take"
        found.append(Finding("warn", text, "keep daylight out, or take the static pairs again", level - 1))
    return found


def _cause(off: float, plan: ExposurePlan | None) -> str:
    """Say which lamps can do that."""
    if plan is None:
        return "the lamp flickers"
    hertz = [
        2 * mains
        for mains in MAINS_HZ
        if ratio_error(plan.applied_us, plan.placement, 2 * mains, _FULL) >= abs(off)
    ]
    if not hertz:
        return "no lamp on the mains does that with these exposures, has a filter or aperture changed?"
    return f"the lamp flickers ({' or '.join(str(one) for one in hertz)} Hz)"

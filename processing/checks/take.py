"""Checks of a whole take, between the steps of a scene: is it good enough to go on?

Findings of level "warn" are told, one of level "stop" means that the take should be made again: what follows
would be built on it. Every figure is kept, also where nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from processing.checks.blocks import COLOURS, levels
from processing.checks.brightness import brightness_ratios, expected_ratio
from processing.checks.evenness import board_evenness
from processing.checks.pair import (
    BOARDS,
    PairCheck,
    focus_findings,
    level_findings,
    ratio_findings,
)
from processing.checks.sharpness import SMOOTH, pair_sharpness
from processing.checks.stillness import EVERYWHERE, Change, change_between
from processing.errors import ProcessingError
from processing.survey.light import SNR_ACCEPTABLE
from processing.survey.noise import photon_transfer
from rig.capture.findings import Finding, Level
from rig.plan import ExposurePlan
from rig.raw_image import RawImage
from rig.records import RawPair
from rig.take_check import Checked, Figures

FLICKER: Final = 0.01
"""Spread of B/S over a take: one factor serves the whole scene, and 1 % is what the eye would see of it."""

DRIFT: Final = 0.02
"""Change of the light itself over a board or static take, of which means are taken."""

MOVED_STOP: Final = 0.005
"""Share of the frame that moves in a static take: 25 blocks of 32x32 px. Below, a leaf; above, a person."""

UNEVEN: Final = 0.02
"""Share of the board that a smooth cast cannot explain; the fit leaves so few out unharmed."""

UNEVEN_STOP: Final = 0.15
"""From here on there is no telling the cast from the board."""

SOFT: Final = 0.08
"""Sharpness (1/16 is smooth) below which the picture has no detail of some pixels' size at all."""


def check_take(kind: str, pairs: Iterable[RawPair], plan: ExposurePlan | None) -> Checked:
    """Check all pairs of a take; they are read one after the other.

    Args:
        kind: Kind of the take.
        pairs: Its pairs in order.
        plan: The plan it was made with.

    Returns:
        Findings, the worst first of their kind, and figures by name.
    """
    run = _Run(kind, plan)
    for pair in pairs:
        run.look(pair)
    return run.result()


class _Run:
    """One pass over a take."""

    def __init__(self, kind: str, plan: ExposurePlan | None) -> None:
        self._kind, self._plan = kind, plan
        self._pair_check = PairCheck(kind, None)
        self._count = 0
        self._found: dict[tuple[str, str], Finding] = {}
        self._figures: Figures = {}
        self._before: RawPair | None = None
        self._ratios: list[dict[str, float]] = []
        self._expected = 1.0
        self._scales: list[float] = []
        self._sharp: list[tuple[float, float, float]] = []
        self._change: Change | None = None

    def look(self, pair: RawPair) -> None:
        """Take one pair in."""
        self._count += 1
        for one in self._pair_check(pair):
            self._keep(one, one.text.partition(" clips ")[0].partition(":")[0])
        self._levels(pair)
        if self._kind == "dark":
            return
        ratios = brightness_ratios(pair)
        if ratios is not None:
            self._ratios.append(ratios)
            if self._plan is not None:
                self._expected = expected_ratio(pair, self._plan.tau)
        if self._kind in (*BOARDS, "static"):
            self._compare(pair)
        if self._kind not in BOARDS and (sharp := pair_sharpness(pair.b, pair.s)) is not None:
            self._sharp.append((sharp.b, sharp.s, sharp.ratio))
        if self._kind in BOARDS and self._count == 1:
            self._even(pair)
        self._before = pair

    def _keep(self, one: Finding, key: str) -> None:
        """Keep the worst finding of a kind; one a pair would be the same line twenty times."""
        known = self._found.get((one.level, key))
        if known is None or abs(one.figure or 0) > abs(known.figure or 0):
            self._found[one.level, key] = one

    def _levels(self, pair: RawPair) -> None:
        for name, raw in (("B", pair.b), ("S", pair.s)):
            seen, span = levels(raw), raw.white_level - raw.black_level
            for colour in COLOURS:
                self._most(f"clipped_{name}_{colour}", seen.colour(seen.clipped, colour))
            self._most(f"high_{name}", max(seen.high_dn.values()) / span)
            self._figures[f"middle_{name}"] = seen.colour(seen.median_dn, "G") / span

    def _most(self, name: str, value: float) -> None:
        self._figures[name] = max(value, self._figures.get(name) or 0.0)

    def _compare(self, pair: RawPair) -> None:
        """Compare S with the frame before, and measure the noise once."""
        if self._before is None:
            return
        change = change_between(self._before.s, pair.s)
        self._scales.append(change.scale)
        if self._change is None or change.share > self._change.share:
            self._change = change
        if self._count == 2:
            for name, before, now in (("B", self._before.b, pair.b), ("S", self._before.s, pair.s)):
                self._snr(name, before, now)

    def _snr(self, name: str, before: RawImage, now: RawImage) -> None:
        try:
            noise = photon_transfer(before, now)
        except ProcessingError:  # black or clipped: other checks say so
            return
        seen = levels(now)
        snr = noise.snr(max(seen.colour(seen.median_dn, "G"), 0.0))
        self._figures[f"snr_{name}"] = snr
        self._figures[f"gain_dn_per_e_{name}"] = noise.gain_dn_per_e
        if snr < SNR_ACCEPTABLE:
            text = f"camera {name} drowns in noise: signal-to-noise ratio of mid-tones {snr:.1f}"
            self._keep(Finding("warn", text, "add light or lengthen the exposure", snr), f"noise {name}")

    def _even(self, pair: RawPair) -> None:
        # Both cameras look: dust on a filter or a stray reflection is in one of them only.
        name, even = max(
            (("B", board_evenness(pair.b)), ("S", board_evenness(pair.s))), key=lambda one: one[1].off_share
        )
        self._figures["uneven_share"] = even.off_share
        self._figures["uneven_rms"] = even.rms
        if even.off_share > UNEVEN:
            level: Level = "stop" if even.off_share > UNEVEN_STOP else "warn"
            text = (
                f"the {self._kind} is uneven in {even.off_share:.0%} of {name}'s frame, {_place(even.box_px)}"
            )
            self._keep(
                Finding(level, text, "no edge, shadow or glare of it may be seen", even.off_share), "even"
            )

    def result(self) -> Checked:
        """Judge what was gathered."""
        if not self._count:
            return Checked((Finding("stop", "the take has no pair", "make it again"),))
        self._figures["pairs"] = float(self._count)
        if self._change is not None:
            self._judge_stillness(self._change)
        if self._ratios:
            self._judge_ratios()
        if len(self._scales) > 0:
            self._judge_drift()
        if self._sharp:
            self._judge_focus()
        order = {"stop": 0, "warn": 1, "note": 2}
        return Checked(tuple(sorted(self._found.values(), key=lambda one: order[one.level])), self._figures)

    def _judge_ratios(self) -> None:
        middle = {colour: float(np.median([one[colour] for one in self._ratios])) for colour in COLOURS}
        for colour in COLOURS:
            self._figures[f"ratio_{colour}"] = middle[colour]
        if self._plan is not None:
            self._figures["ratio_expected"] = self._expected
            for one in ratio_findings(middle, self._expected, stop=self._kind in (*BOARDS, "static")):
                self._keep(one, "ratio")
        if len(self._ratios) < 3:
            return
        spread = float(np.std(np.log([one["G"] for one in self._ratios])))
        self._figures["ratio_spread"] = spread
        if spread > FLICKER and ("stop", "still") not in self._found:  # what moves tilts the balance, too
            text = f"the lamp flickers: B/S varies by {spread:.1%} over the take"
            hint = "light from a steady source, or choose exposures of whole half-periods of the mains"
            self._keep(Finding("warn", text, hint, spread), "flicker")

    def _judge_drift(self) -> None:
        steps = np.concatenate([[0.0], np.cumsum(np.log(self._scales))])
        drift = float(np.ptp(steps))
        self._figures["light_drift"] = drift
        if drift > DRIFT:
            text = f"the light changes by {drift:.1%} over the {self._kind} take"
            self._keep(Finding("warn", text, "let the lamps warm up, keep daylight out", drift), "drift")

    def _judge_stillness(self, change: Change) -> None:
        self._figures["moving_share"] = change.share
        if self._kind != "static" or not change.moved:
            return
        if change.share > EVERYWHERE:
            text = f"the rig itself moves: {change.share:.0%} of the frame changes in the static take"
            self._keep(Finding("stop", text, "fix the rig and take again", change.share), "still")
            return
        level: Level = "stop" if change.share > MOVED_STOP else "warn"
        text = f"something moves in the static take, {_place(change.box_px)}"
        self._keep(Finding(level, text, "clear the view and take again", change.share), "still")

    def _judge_focus(self) -> None:
        b, s, ratio = (float(np.median(part)) for part in zip(*self._sharp, strict=True))
        self._figures.update(sharpness_B=b, sharpness_S=s, sharpness_ratio=ratio)
        if s < SOFT and b < SOFT:
            text = f"neither camera shows fine detail: sharpness {s:.3f}, a smooth picture has {SMOOTH:.3f}"
            self._keep(Finding("warn", text, "focus both cameras", s), "soft")


def _place(box: tuple[int, int, int, int] | None) -> str:
    if box is None:
        return "nowhere in particular"
    left, top, right, bottom = box
    return f"at x {left} to {right}, y {top} to {bottom} px"


__all__ = ["PairCheck", "check_take", "focus_findings", "level_findings"]

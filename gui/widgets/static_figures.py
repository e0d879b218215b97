"""How well the static pair agrees, before and after the pipeline, beside the paper's Table 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel

from gui import theme
from processing.calibration.overview import SceneKnown
from processing.page import paper_figures as paper

COLUMNS = (
    ("ΔL, %", "delta_l_percent", 3, False),
    ("PSNR, dB", "psnr_db", 2, True),
    ("SSIM", "ssim", 4, True),
    ("geometric error, px", "geometric_px", 4, False),
    ("p95, px", "p95_px", 4, False),
)
"""Title, key, digits, and whether more is better."""
PAPER = {
    state: {**paper.STATIC_PAIR[state], "geometric_px": paper.GEOMETRIC_ERROR_PX[state]}
    for state in ("before", "after")
}
WHOLE_DIGITS = {"geometric_px": 0}
"""The paper gives its geometric error in whole pixels."""


class StaticFigures(QFrame):
    """A table with a row for each state; what is at least as good as the paper's is green with a tick."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(16, 10, 16, 12)
        self._grid.setHorizontalSpacing(18)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 1)
        self.rows: dict[str, list[str]] = {}

    def show_scene(self, scene: str, known: Sequence[SceneKnown]) -> None:
        """Show the newest calibration of each profile that a scene has."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self.rows = {}
        self._put("STATIC PAIR" + (f"  {scene}" if scene else ""), 0, 0, heading=True)
        for column, (title, *_) in enumerate(COLUMNS, start=1):
            self._put(title, 0, column, colour=theme.MUTED, right=True)
        found: dict[str, SceneKnown] = {}
        for one in known:
            if not one.refused:
                found.setdefault(one.profile, one)
        for profile, one in sorted(found.items()):
            name = "Paper's way" if profile == "paper" else profile.capitalize()
            for state in ("before", "after"):
                self._row(f"{name}, {state}", _values(one, state), compare=state == "after")
        if not found:
            self._put("Not measured yet", 1, 0, colour=theme.MUTED)
            self.rows["Not measured yet"] = []
        for state in ("before", "after"):
            self._row(f"Paper's Table 1, {state}", PAPER[state], muted=True)

    def _row(
        self, name: str, values: Mapping[str, float], *, compare: bool = False, muted: bool = False
    ) -> None:
        row = len(self.rows) + 1
        self._put(name, row, 0, colour=theme.MUTED if muted else theme.TEXT)
        shown = []
        for column, (_, key, digits, more) in enumerate(COLUMNS, start=1):
            value, limit = values.get(key), PAPER["after"].get(key)
            places = WHOLE_DIGITS.get(key, digits) if muted else digits
            text, colour = "–", theme.MUTED
            if value is not None:
                text, colour = f"{value:.{places}f}", theme.MUTED if muted else theme.TEXT
                if compare and limit is not None and (value >= limit if more else value <= limit):
                    text, colour = f"✓ {text}", theme.OK
            self._put(text, row, column, colour=colour, right=True)
            shown.append(text)
        self.rows[name] = shown

    def _put(
        self,
        text: str,
        row: int,
        column: int,
        *,
        colour: str = theme.TEXT,
        right: bool = False,
        heading: bool = False,
    ) -> None:
        label = QLabel(text)
        if heading:
            label.setObjectName("heading")
        else:
            label.setStyleSheet(f"color: {colour};")
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        self._grid.addWidget(label, row, column, side | Qt.AlignmentFlag.AlignVCenter)


def _values(known: SceneKnown, state: str) -> dict[str, float]:
    values = dict(known.static_pair.get(state, {}))
    if state in known.geometric_px:
        values["geometric_px"] = known.geometric_px[state]
    if state == "after" and "p95" in known.geometric_px:
        values["p95_px"] = known.geometric_px["p95"]
    return values

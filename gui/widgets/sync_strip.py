"""One line about synchrony: what the last take proved, and the button of the sync test."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton

from gui import actions, theme
from gui.sync_summary import DASH, SyncSummary

CELLS = {
    "verdict": ("Last take", "Shots that are proven pairs: exactly one pulse explains both frames"),
    "clock": ("Clocks", "One clock for both cameras (PTP), or two that are related by a fitted line"),
    "skew": ("Skew p50 / max", "How far S started from its planned time, against B"),
    "drift": ("Drift S to B", "How much faster S's clock runs than B's"),
    "shots": ("Box shots, frames", "Pulses by the box's own counter, and the frames of each camera"),
    "ignored": ("Ignored", "Triggers that each camera counted as ignored; – where it does not count them"),
}


class SyncStrip(QFrame):
    """Six figures and a button; dashes before the first take."""

    test_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("panel")
        grid = QGridLayout(self)
        grid.setContentsMargins(14, 6, 10, 6)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(1)
        self._cells: dict[str, QLabel] = {}
        for column, (key, (title, hint)) in enumerate(CELLS.items()):
            heading, value = QLabel(title), QLabel(DASH)
            heading.setObjectName("muted")
            for row, label in enumerate((heading, value)):
                label.setToolTip(hint)
                grid.addWidget(label, row, column)
            grid.setColumnStretch(column, 1)
            self._cells[key] = value
        self.test = QPushButton("Sync test")
        self.test.setToolTip(actions.tooltip("rig.sync"))
        self.test.clicked.connect(self.test_wanted)
        grid.addWidget(self.test, 0, len(CELLS), 2, 1)

    def show_summary(self, now: SyncSummary) -> None:
        """Show what a take proved."""
        for key in CELLS:
            self._cells[key].setText(str(getattr(now, key)))
        self._colour("verdict", theme.OK if now.good else theme.WARN)
        ignored = any(figure in now.ignored for figure in "123456789")
        self._colour("ignored", theme.WARN if ignored else theme.TEXT)

    def text(self, key: str) -> str:
        """Return what a cell shows."""
        return self._cells[key].text()

    def _colour(self, key: str, colour: str) -> None:
        self._cells[key].setStyleSheet(f"color: {colour}; font-weight: 600;")

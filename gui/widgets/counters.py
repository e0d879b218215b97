"""Trigger and drop counters of both cameras, always in sight."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel

from gui import theme
from gui.widgets.readout import EMPTY

COLUMNS = {
    "frames": ("Frames", "Complete frames the camera delivered"),
    "ignored": ("Ignored triggers", "Pulses that came while the camera was busy"),
    "incomplete": ("Incomplete", "Frames that arrived damaged"),
    "underruns": ("Underruns", "Frames the transport had no buffer for"),
    "dropped": ("Live not shown", "Live frames that a newer one overtook: harmless"),
    "temperature": ("Temperature", "Of the camera"),
}
ALARMING = ("ignored", "incomplete", "underruns")


class CounterTable(QFrame):
    """A row a camera, a column a counter; numbers that should be 0 turn amber when they are not."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("panel")
        grid = QGridLayout(self)
        grid.setContentsMargins(14, 8, 14, 8)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(2)
        self._cells: dict[tuple[str, str], QLabel] = {}
        for column, (title, hint) in enumerate(COLUMNS.values(), start=1):
            heading = QLabel(title)
            heading.setObjectName("muted")
            heading.setToolTip(hint)
            heading.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(heading, 0, column)
            grid.setColumnStretch(column, 1)
        for row, camera in enumerate(("B", "S"), start=1):
            name = QLabel(camera)
            name.setStyleSheet(f"color: {theme.CAMERA[camera]}; font-weight: 700;")
            grid.addWidget(name, row, 0)
            for column, key in enumerate(COLUMNS, start=1):
                cell = QLabel(EMPTY)
                cell.setFont(theme.font(13, mono=True))
                cell.setAlignment(Qt.AlignmentFlag.AlignRight)
                grid.addWidget(cell, row, column)
                self._cells[camera, key] = cell

    def set(self, camera: str, values: dict[str, int | float | None]) -> None:
        """Show the counters of a camera; None is a dash: not counted, which is not zero."""
        for key in COLUMNS:
            value = values.get(key)
            cell = self._cells[camera, key]
            if value is None:
                cell.setText(EMPTY)
            elif key == "temperature":
                cell.setText(f"{value:.1f} °C")
            else:
                cell.setText(f"{value:d}" if isinstance(value, int) else f"{value:.0f}")
            alarm = key in ALARMING and bool(value)
            cell.setStyleSheet(f"color: {theme.WARN if alarm else theme.TEXT};")

    def text(self, camera: str, key: str) -> str:
        """Return what a cell shows."""
        return self._cells[camera, key].text()

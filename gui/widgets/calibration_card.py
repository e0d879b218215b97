"""One kind of calibration: whether it is there, how old, from what; what to use, make or capture."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout

from gui import theme
from gui.planning import sentence
from gui.widgets.fields import CalmComboBox
from processing.calibration.overview import Known

TITLES = {
    "lightbox": ("Lightbox", "colour cast of both cameras, Eq. 3-5"),
    "colour": ("Colour", "white balance and colour map"),
    "geometry": ("Geometry", "where each pixel of S lies in B"),
    "scene": ("Scene", "what its pairs are developed with"),
}
TAKES = {
    "lightbox": "lightbox",
    "colorchecker": "colour chart",
    "static": "static",
    "whiteboard": "whiteboard",
}
MARKS = {
    "good": ("✓", theme.OK, theme.MUTED),
    "warn": ("!", theme.WARN, theme.WARN),
    "bad": ("✕", theme.BAD, theme.BAD),
    "none": ("○", theme.FAINT, theme.MUTED),
}
"""Level -> mark, its colour, and the colour of the words."""


class CalibrationCard(QFrame):
    """A card; a click on it or its title shows its calibration at the right.

    Args:
        kind: lightbox, colour, geometry or scene.
        choice: What its box offers to choose.
    """

    selected = Signal(str)
    make_wanted = Signal(str)
    capture_wanted = Signal(str)
    choice_made = Signal(str, object)

    def __init__(self, kind: str, choice: str) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.kind = kind
        self.shown: Known | None = None
        self._missing = ""
        self.mark = QLabel()
        self.mark.setFixedWidth(16)
        self.title = QToolButton()
        self.title.setText(TITLES[kind][0])
        self.title.setStyleSheet("font-weight: 600;")
        self.title.setCheckable(True)
        self.title.setToolTip("Show its figures and its picture")
        self.title.clicked.connect(lambda: self.selected.emit(kind))
        what = QLabel(TITLES[kind][1])
        what.setObjectName("muted")
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.state.setMinimumHeight(34)
        self.state.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.box = CalmComboBox()
        self.box.setAccessibleName(choice)
        self.box.setToolTip(choice)
        self.box.setMinimumContentsLength(8)
        self.box.setSizeAdjustPolicy(CalmComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.activated.connect(self._activated)
        self.button = QPushButton()
        self.button.clicked.connect(self._pressed)
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.mark)
        top.addWidget(self.title)
        top.addWidget(what, 1)
        low = QHBoxLayout()
        low.setSpacing(8)
        low.addWidget(self.box, 1)
        low.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 10)
        column.setSpacing(5)
        column.addLayout(top)
        column.addWidget(self.state)
        column.addLayout(low)

    def set_chosen(self, chosen: bool) -> None:
        """Mark the card whose calibration is shown."""
        self.title.setChecked(chosen)
        self.setStyleSheet(f"QFrame#panel {{ border-color: {theme.ACCENT}; }}" if chosen else "")

    def offer(self, choices: list[tuple[str, object]], current: object) -> None:
        """Fill the box; what it shows does not count as a choice."""
        self.box.clear()
        for text, value in choices:
            self.box.addItem(text, value)
        at = next((row for row, (_, value) in enumerate(choices) if value == current), 0)
        self.box.setCurrentIndex(at)

    def show_known(self, known: Known | None, level: str, words: str) -> None:
        """Show a calibration in force or at hand, or that there is none.

        Args:
            known: the calibration.
            level: key of `MARKS`.
            words: about it, in a line or two.
        """
        self.shown = known
        mark, colour, ink = MARKS[level]
        self.mark.setText(mark)
        self.mark.setStyleSheet(f"color: {colour}; font-weight: 700;")
        self.state.setText(sentence(words))
        self.state.setToolTip(words)
        self.state.setStyleSheet(f"color: {ink};")

    def set_missing(self, missing: tuple[str, ...], scene: str, *, busy: bool) -> None:
        """Offer to make it, or to capture first what that needs."""
        self._missing = missing[0] if missing else ""
        if self._missing:
            self.button.setText(f"Capture {TAKES[self._missing]}")
            self.button.setToolTip(
                f"Scene {scene} has no {TAKES[self._missing]} take: go to the Capture page"
            )
        else:
            self.button.setText("Make from takes")
            self.button.setToolTip(f"Measure it on the takes of scene {scene}  [Ctrl+Return]")
        self.button.setEnabled(bool(scene) and not busy)

    @property
    def makeable(self) -> bool:
        """Whether its button makes it now."""
        return self.button.isEnabled() and not self._missing

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Choose this card."""
        self.selected.emit(self.kind)
        super().mousePressEvent(event)

    def _activated(self, row: int) -> None:
        self.selected.emit(self.kind)
        self.choice_made.emit(self.kind, self.box.itemData(row))

    def _pressed(self) -> None:
        if self._missing:
            self.capture_wanted.emit(self._missing)
        else:
            self.selected.emit(self.kind)
            self.make_wanted.emit(self.kind)


def file_name(known: Known, folder: Path) -> str:
    """Return a file's name for the box: with its place when it is from elsewhere."""
    inside = known.path.is_relative_to(folder)
    name = known.path.name if inside else str(known.path)
    return f"{name}  (refused)" if known.refused else name

"""Three buttons that measure what a plan needs, and what came of the last one."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.measuring import Measured, What
from gui.planning import sentence
from gui.workers import Trouble

BUTTONS: dict[What, tuple[str, str]] = {
    "speed": ("Measure speed", "From four live frames of S while the object moves"),
    "light": ("Measure light", "The exposures at which the cameras clip or drown in noise, from live frames"),
    "tau": ("Check tau", "What filter and plate really pass to B, against the filter's label"),
}


class MeasureCard(QWidget):
    """Live frames with the plan on the rig are used; nothing is recorded."""

    wanted = Signal(str)
    speed_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[str, QPushButton] = {}
        row = QHBoxLayout()
        row.setSpacing(8)
        for what, (text, hint) in BUTTONS.items():
            button = QPushButton(text)
            button.setToolTip(hint)
            button.clicked.connect(lambda _=False, what=what: self._ask(what))
            row.addWidget(button)
            self.buttons[what] = button
        row.addStretch(1)
        self.text = QLabel("Uses live frames with the plan on the rig; nothing is recorded.")
        self.text.setWordWrap(True)
        self.use = QPushButton("Use this speed")
        self.use.clicked.connect(self._use)
        self.use.hide()
        self._speed = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.text)
        below = QHBoxLayout()
        below.addWidget(self.use)
        below.addStretch(1)
        column.addLayout(below)
        self._colour(theme.MUTED)

    def set_usable(self, usable: bool) -> None:
        """Say whether the rig can measure now."""
        for button in self.buttons.values():
            button.setEnabled(usable)

    def show_measured(self, found: Measured) -> None:
        """Show a result; a speed can be taken into the form."""
        self.set_usable(True)
        self.text.setText("\n".join(found.lines))
        self._colour(theme.TEXT if found.good else theme.WARN)
        self._speed = found.speed
        self.use.setVisible(bool(found.speed))

    def show_trouble(self, trouble: Trouble) -> None:
        """Show why it could not be measured."""
        self.set_usable(True)
        hint = f". {sentence(trouble.hint)}" if trouble.hint else ""
        self.text.setText(f"{sentence(trouble.message)}{hint}")
        self._colour(theme.WARN)
        self.use.hide()

    def _ask(self, what: str) -> None:
        self.set_usable(False)
        self.use.hide()
        self.text.setText("Measuring…")
        self._colour(theme.MUTED)
        self.wanted.emit(what)

    def _use(self) -> None:
        self.use.hide()
        self.speed_chosen.emit(self._speed)

    def _colour(self, colour: str) -> None:
        self.text.setStyleSheet(f"color: {colour};")

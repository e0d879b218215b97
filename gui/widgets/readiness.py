"""Is the rig ready, and if not, what is missing: a strip while it opens, chips in the status bar after."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from gui import theme

COLOURS = {
    "waiting": theme.FAINT,
    "working": theme.ACCENT,
    "ready": theme.OK,
    "warning": theme.WARN,
    "failed": theme.BAD,
    "off": theme.FAINT,
}
MARKS = {"waiting": "○", "working": "◔", "ready": "●", "warning": "▲", "failed": "✕", "off": "○"}


CHIPS = {"B": "capturing", "S": "capturing", "Box": "ready", "Disk": "999 999 pairs left", "Session": ""}
"""The chips of the status bar, each with the widest words that it shows day by day."""
CHIP_PADDING_PX = 18
MENDS = {"Camera B": "Restart camera B", "Camera S": "Restart camera S", "Trigger box": "Reconnect box"}
"""What can be mended by itself while the rest of the rig stays open, and how the button says it."""


@dataclass(frozen=True)
class Readiness:
    """State of one part of the rig.

    Attributes:
        part: Its name for the operator.
        state: "waiting", "working", "ready", "warning", "failed" or "off".
        text: What is going on, or the reason.
    """

    part: str
    state: str = "waiting"
    text: str = ""


class ReadinessPanel(QFrame):
    """One column a part, with the reason under every part that is not ready."""

    retry_wanted = Signal()
    mend_wanted = Signal(str)

    def __init__(self, title: str, parts: tuple[str, ...]) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._title = QLabel(title)
        self._title.setStyleSheet("font-weight: 600; font-size: 15px;")
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setFixedHeight(6)
        self._bar.setTextVisible(False)
        self.retry = QPushButton("Try again")
        self.retry.clicked.connect(self.retry_wanted)
        self.retry.hide()
        self._mendable = False
        self._rows = {part: self._row() for part in parts}
        self.mend = {part: self._mend_button(part) for part in parts if part in MENDS}
        self.parts = {part: Readiness(part) for part in parts}
        top = QHBoxLayout()
        top.addWidget(self._title)
        top.addWidget(self._bar, 1)
        top.addStretch(0)
        for button in (*self.mend.values(), self.retry):
            top.addWidget(button)
        columns = QHBoxLayout()
        columns.setSpacing(24)
        for name, text in self._rows.values():
            column = QVBoxLayout()
            column.setSpacing(2)
            column.addWidget(name)
            column.addWidget(text)
            column.addStretch(1)
            columns.addLayout(column, 1)
        self._columns = columns
        outer = QVBoxLayout(self)
        outer.setContentsMargins(18, 12, 18, 12)
        outer.setSpacing(10)
        outer.addLayout(top)
        outer.addLayout(columns)
        for part in parts:
            self.set_part(Readiness(part))

    def _row(self) -> tuple[QLabel, QLabel]:
        text = QLabel()
        text.setObjectName("muted")
        text.setWordWrap(True)
        return QLabel(), text

    def _mend_button(self, part: str) -> QPushButton:
        button = QPushButton(MENDS[part])
        button.clicked.connect(lambda: self.mend_wanted.emit(part))
        button.hide()
        return button

    def set_mendable(self, mendable: bool) -> None:
        """Offer to mend single parts, and show only those: possible while the rig as a whole is open."""
        self._mendable = mendable
        self.retry.setText("Reopen the rig" if mendable else "Try again")
        for part in self.parts.values():
            self.set_part(part)

    def set_title(self, title: str) -> None:
        """Change the headline."""
        self._title.setText(title)

    def set_part(self, readiness: Readiness) -> None:
        """Show the state of a part."""
        self.parts[readiness.part] = readiness
        name, text = self._rows[readiness.part]
        colour = COLOURS[readiness.state]
        name.setText(
            f"<span style='color:{colour}'>{MARKS[readiness.state]}</span>&nbsp; <b>{readiness.part}</b>"
        )
        text.setText(readiness.text)
        shown = readiness.state != "ready" or not self._mendable
        name.setVisible(shown)
        text.setVisible(shown)
        self._columns.setStretch(list(self._rows).index(readiness.part), int(shown))
        if readiness.part in self.mend:
            self.mend[readiness.part].setVisible(self._mendable and readiness.state == "failed")
        failed = any(item.state == "failed" for item in self.parts.values())
        working = any(item.state in ("working", "waiting") for item in self.parts.values())
        self._bar.setVisible(working and not failed)
        self.retry.setVisible(failed)

    def all_ready(self) -> bool:
        """Whether every part is ready."""
        return all(item.state == "ready" for item in self.parts.values())


class Chip(QLabel):
    """One short fact in the status bar with a coloured dot."""

    def __init__(self, name: str, widest: str = "") -> None:
        super().__init__()
        self._name = name
        self.setObjectName("badge")
        self._least = f"● {name} {widest}" if widest else ""
        self.set("off", "")

    def set(self, state: str, text: str, tooltip: str = "") -> None:
        """Show a state and a few words."""
        dot = f"<span style='color:{COLOURS[state]}'>●</span>"
        words = f" <span style='color:{theme.MUTED}'>{text}</span>" if text else ""
        self.setText(f"{dot} {self._name}{words}")
        self.setToolTip(tooltip)
        if self._least:  # one chip that changes its words must not push the others about
            self.setMinimumWidth(self.fontMetrics().horizontalAdvance(self._least) + CHIP_PADDING_PX)

    def plain(self) -> str:
        """Return what is shown, without markup."""
        from PySide6.QtGui import QTextDocument

        document = QTextDocument()
        document.setHtml(self.text())
        return document.toPlainText()


class StatusChips(QWidget):
    """The chips of the status bar: both cameras, the box, the disk, the session."""

    def __init__(self) -> None:
        super().__init__()
        self.chips = {name: Chip(name, widest) for name, widest in CHIPS.items()}
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 3, 10, 3)
        row.setSpacing(8)
        for chip in self.chips.values():
            row.addWidget(chip)

    def set(self, name: str, state: str, text: str, tooltip: str = "") -> None:
        """Show a state in one chip.

        Raises:
            KeyError: There is no such chip.
        """
        self.chips[name].set(state, text, tooltip)

"""The devices of the rig as cards, and below them whatever else is connected."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gui import theme
from gui.device_facts import DeviceFacts
from gui.widgets.elided import ElidedLabel
from gui.widgets.readiness import COLOURS

PARTS = {"B": "Camera B", "S": "Camera S", "Box": "Trigger box"}
BUTTONS = {"B": "Restart", "S": "Restart", "Box": "Reconnect"}
BUTTON_HINTS = {
    "B": "Open camera B anew in a new process",
    "S": "Open camera S anew in a new process",
    "Box": "Open the trigger box anew and make it safe",
}


class DeviceCard(QFrame):
    """One device: state, what it is, what is wrong, more."""

    pressed = Signal()

    def __init__(self, button: str = "", hint: str = "") -> None:
        super().__init__()
        self.setObjectName("panel")
        self.facts: DeviceFacts | None = None
        self._head = QLabel()
        self._head.setTextFormat(Qt.TextFormat.RichText)
        self._what = ElidedLabel(colour=theme.TEXT)
        self._problem = _wrapped("warning")
        self._more = _wrapped("muted")
        self.button = QPushButton(button)
        self.button.setToolTip(hint)
        self.button.clicked.connect(self.pressed)
        self.button.setVisible(bool(button))
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._head, 1)
        top.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 9)
        column.setSpacing(3)
        column.addLayout(top)
        for label in (self._what, self._problem, self._more):
            column.addWidget(label)

    def show_facts(self, facts: DeviceFacts) -> None:
        """Show what is known of the device; the same again costs nothing."""
        if facts == self.facts:
            return
        self.facts = facts
        self._head.setText(
            f"<span style='color:{COLOURS[facts.state]}'>●</span>&nbsp; <b>{_escape(facts.name)}</b>"
            f"&nbsp; <span style='color:{theme.MUTED}'>{_escape(facts.words)}</span>"
        )
        self._what.setText(facts.what)
        self._what.setVisible(bool(facts.what))
        self._problem.setText(facts.problem)
        self._problem.setVisible(bool(facts.problem))
        colour = theme.BAD if facts.state == "failed" else theme.WARN
        self._problem.setStyleSheet(f"color: {colour};")
        self._more.setText("\n".join(facts.lines))
        self._more.setVisible(bool(facts.lines))


class DeviceList(QScrollArea):
    """Three cards for the rig, then one for each other device."""

    restart_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.cards = {part: DeviceCard(BUTTONS[part], BUTTON_HINTS[part]) for part in PARTS}
        self.others: list[DeviceCard] = []
        self._note = _wrapped("muted")
        self._column = QVBoxLayout()
        self._column.setSpacing(8)
        inner = QWidget()
        outer = QVBoxLayout(inner)
        outer.setContentsMargins(0, 0, 6, 0)
        outer.setSpacing(8)
        outer.addWidget(_heading("THIS RIG"))
        for part, card in self.cards.items():
            card.pressed.connect(lambda part=part: self.restart_wanted.emit(part))
            card.show_facts(DeviceFacts(PARTS[part], "off", "not open"))
            outer.addWidget(card)
        outer.addSpacing(4)
        outer.addWidget(_heading("ALSO CONNECTED"))
        outer.addWidget(self._note)
        outer.addLayout(self._column)
        outer.addStretch(1)
        self.setWidget(inner)

    def show_rig(self, facts: dict[str, DeviceFacts]) -> None:
        """Show the rig's own devices."""
        for part, one in facts.items():
            self.cards[part].show_facts(one)

    def show_closed(self, words: str) -> None:
        """Say of every device of the rig that it is not open."""
        for part, card in self.cards.items():
            card.show_facts(DeviceFacts(PARTS[part], "off", words))

    def set_buttons(self, enabled: bool, why: str = "") -> None:
        """Let devices be restarted, or say why not."""
        for part, card in self.cards.items():
            card.button.setEnabled(enabled)
            card.button.setToolTip(BUTTON_HINTS[part] if enabled else why)

    def show_others(self, facts: Sequence[DeviceFacts]) -> None:
        """Show what else is connected."""
        while self.others:
            card = self.others.pop()
            self._column.removeWidget(card)
            card.deleteLater()
        for one in facts:
            card = DeviceCard()
            card.show_facts(one)
            self._column.addWidget(card)
            self.others.append(card)

    def set_note(self, text: str) -> None:
        """Say how the search went."""
        self._note.setText(text)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("heading")
    return label


def _wrapped(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")

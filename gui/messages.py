"""Everything that was told or happened since the start, for reading again and for copying."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.app import log_path

MOST = 500
"""Older messages are dropped; the log file has them."""


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        time: When it was told, local time.
        level: "error", "warning" or "info".
        text: What happened, what to do about it, details: one under the other.
        part: What it is about, such as "Camera B"; empty for the window itself.
    """

    time: datetime
    level: str
    text: str
    part: str = ""

    def lines(self) -> str:
        """Return it as lines of text, those after the first set in."""
        part = f"{self.part}: " if self.part else ""
        return f"{self.time:%H:%M:%S}  {self.level}: {part}" + self.text.replace("\n", "\n          ")


class MessageLog(QObject):
    """Keeps the messages of this run."""

    added = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.messages: list[Message] = []
        self._dialog: MessagesDialog | None = None

    def add(self, level: str, text: str, part: str = "") -> None:
        """Keep a message."""
        message = Message(datetime.now().astimezone(), level, text, part)
        self.messages = [*self.messages[-MOST + 1 :], message]
        self.added.emit(message)

    def show_in(self, parent: QWidget) -> None:
        """Show them in a window beside the main one."""
        if self._dialog is None:
            self._dialog = MessagesDialog(self, parent)
        self._dialog.show()
        self._dialog.raise_()

    def text(self) -> str:
        """Return all of them, the oldest first."""
        return "\n".join(message.lines() for message in self.messages)


class MessagesDialog(QDialog):
    """Shows the messages; may stay open beside the work."""

    def __init__(self, log: MessageLog, parent: QWidget) -> None:
        super().__init__(parent)
        self._log = log
        self.setWindowTitle("Messages")
        self.resize(760, 420)
        self.view = QPlainTextEdit()
        self.view.setReadOnly(True)
        self.view.setFont(theme.font(12, mono=True))
        self.view.setPlaceholderText("Nothing was told since the start.")
        self.view.setMaximumBlockCount(20_000)
        where = QLabel(f"The log file has more: {log_path()}")
        where.setObjectName("muted")
        where.setWordWrap(True)
        copy = QPushButton("Copy all")
        copy.clicked.connect(self._copy)
        close = QPushButton("Close")
        close.clicked.connect(self.hide)
        row = QHBoxLayout()
        row.addWidget(where, 1)
        row.addWidget(copy)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.addWidget(self.view, 1)
        column.addLayout(row)
        self.view.setPlainText(log.text())
        log.added.connect(self._add)

    def _add(self, message: Message) -> None:
        self.view.appendPlainText(message.lines())

    def _copy(self) -> None:
        QApplication.clipboard().setText(self._log.text())

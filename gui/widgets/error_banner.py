"""A strip over the pages that says what went wrong and what to do, until it is read."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from gui import theme

COLOURS = {
    "error": ("#44181c", theme.BAD),
    "warning": ("#3a2d12", theme.WARN),
    "info": ("#14304a", theme.ACCENT),
}


class ErrorBanner(QFrame):
    """Shows the newest message; several of them are counted, not stacked, so that it never grows."""

    closed = Signal()
    told = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(self._text.textInteractionFlags().TextSelectableByMouse)
        # a path without a space must not make the window wider than the screen
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._copied = ""
        self._count = 0
        self._copy = QPushButton("Copy")
        self._copy.setToolTip("Message, hint and details to the clipboard")
        self._copy.clicked.connect(self._copy_text)
        close = QPushButton("Close")
        close.setToolTip("Close  [Esc]")
        close.clicked.connect(self.dismiss)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 10, 8)
        row.addWidget(self._text, 1)
        row.addWidget(self._copy)
        row.addWidget(close)
        self.hide()

    @property
    def message(self) -> str:
        """The message as shown, empty when the banner is hidden."""
        return self._text.text() if not self.isHidden() else ""

    def show_message(self, message: str, hint: str = "", *, level: str = "error", details: str = "") -> None:
        """Show a message.

        Args:
            message: What happened.
            hint: What to do about it.
            level: "error", "warning" or "info".
            details: A traceback or the like for the clipboard.
        """
        self._count = self._count + 1 if not self.isHidden() else 1
        background, edge = COLOURS[level]
        self.setStyleSheet(
            f"QFrame#banner {{ background: {background}; border: 1px solid {edge}; border-radius: 8px; }}"
        )
        lines = f"<b>{_escape(message)}</b>" + (f"<br>{_escape(hint)}" if hint else "")
        if self._count > 1:
            lines += f" <span style='color:{theme.MUTED}'>({self._count} messages)</span>"
        self._text.setText(lines)
        self._copied = "\n".join(part for part in (message, hint, details) if part)
        self.told.emit(level, self._copied)
        self.show()

    def dismiss(self) -> None:
        """Hide the banner."""
        self._count = 0
        self.hide()
        self.closed.emit()

    def _copy_text(self) -> None:
        QApplication.clipboard().setText(self._copied)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>")

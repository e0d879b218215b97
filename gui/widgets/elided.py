"""A label that shortens its text with an ellipsis instead of cutting it or widening the window."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy

from gui import theme


class ElidedLabel(QLabel):
    """One line; the whole text is in the tooltip when it does not fit."""

    def __init__(
        self, text: str = "", *, colour: str = theme.MUTED, align: Qt.AlignmentFlag | None = None
    ) -> None:
        super().__init__(text)
        self._colour = colour
        self._align = align or Qt.AlignmentFlag.AlignLeft
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def set_colour(self, colour: str) -> None:
        """Change the colour of the text."""
        self._colour = colour
        self.update()

    def setText(self, text: str) -> None:  # noqa: N802 (Qt's name)
        """Show a text."""
        super().setText(text)
        self.setToolTip(text)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """Draw what fits."""
        painter = QPainter(self)
        painter.setPen(theme.colour(self._colour))
        painter.setFont(self.font())
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), self._align | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.end()

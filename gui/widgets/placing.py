"""Where S's exposure lies in B's: two bars, to scale, right below the choice."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme

LEAST_PX = 3.0
"""A short exposure must still be seen."""


class PlacingDiagram(QWidget):
    """B's exposure over the whole width, S's below it where it lies."""

    def __init__(self) -> None:
        super().__init__()
        self._bars: tuple[float, float] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """Fixed height."""
        return QSize(200, 40)

    def show_exposures(self, start: float | None, length: float = 0.0) -> None:
        """Show where S starts and how long it is, as shares of B's exposure; None shows nothing."""
        self._bars = None if start is None else (start, length)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """Draw both bars with their names."""
        if self._bars is None:
            return
        painter = QPainter(self)
        painter.setFont(theme.font(11, bold=True))
        left, width = 18.0, self.width() - 18.0
        start, length = self._bars
        for index, (name, at, long) in enumerate((("B", 0.0, 1.0), ("S", start, length))):
            top = 2.0 + index * 19
            long_px = max(long * width, LEAST_PX)
            bar = QRectF(left + min(at * width, width - long_px), top, long_px, 15)
            painter.fillRect(bar, theme.colour(theme.CAMERA[name], 0.85))
            painter.setPen(theme.colour(theme.CAMERA[name]))
            painter.drawText(QRectF(0, top, 14, 15), Qt.AlignmentFlag.AlignVCenter, name)
        painter.end()

"""The few icons of the window, drawn in code: sharp at any size, in the colours of the theme."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPainterPath, QPen, QPixmap

from gui import theme

SIZE = 48


def _plan(painter: QPainter) -> None:
    """Two pulses on a time line."""
    painter.drawLine(6, 40, 42, 40)
    painter.drawRect(QRectF(8, 10, 26, 8))
    painter.drawRect(QRectF(8, 25, 8, 8))


def _capture(painter: QPainter) -> None:
    """A shutter button."""
    painter.drawEllipse(QRectF(7, 7, 34, 34))
    painter.setBrush(painter.pen().color())
    painter.drawEllipse(QRectF(16, 16, 16, 16))


def _review(painter: QPainter) -> None:
    """A picture with a slider in it."""
    painter.drawRect(QRectF(6, 9, 36, 30))
    painter.drawLine(24, 5, 24, 43)
    painter.setBrush(painter.pen().color())
    painter.drawEllipse(QPointF(24, 24), 4, 4)


def _deblur(painter: QPainter) -> None:
    """A smear that becomes a star."""
    for y, length in ((16, 12), (24, 16), (32, 12)):
        painter.drawLine(6, y, 6 + length, y)
    corners = ((34, 12), (37, 21), (45, 24), (37, 27), (34, 36), (31, 27), (23, 24), (31, 21))
    path = QPainterPath(QPointF(*corners[0]))
    for corner in corners[1:]:
        path.lineTo(QPointF(*corner))
    path.closeSubpath()
    painter.drawPath(path)


def _calibrate(painter: QPainter) -> None:
    """A chart of patches on a level line."""
    for row in range(2):
        for column in range(3):
            painter.drawRect(QRectF(7 + 12 * column, 8 + 12 * row, 9, 9))
    painter.drawLine(6, 41, 42, 41)
    painter.setBrush(painter.pen().color())
    painter.drawEllipse(QPointF(29, 41), 4, 4)


def _devices(painter: QPainter) -> None:
    """A camera with its cable to a box."""
    painter.drawRoundedRect(QRectF(6, 8, 26, 18), 3, 3)
    painter.drawRect(QRectF(32, 12, 7, 10))
    painter.drawEllipse(QPointF(19, 17), 4, 4)
    painter.drawLine(19, 26, 19, 39)
    painter.drawLine(19, 39, 28, 39)
    painter.drawRect(QRectF(28, 33, 14, 11))


DRAWINGS: dict[str, Callable[[QPainter], None]] = {
    "plan": _plan,
    "capture": _capture,
    "review": _review,
    "deblur": _deblur,
    "calibrate": _calibrate,
    "devices": _devices,
}


def icon(name: str) -> QIcon:
    """Return an icon with a muted and a chosen state.

    Raises:
        KeyError: There is no drawing of this name.
    """
    result = QIcon()
    for state, colour in ((QIcon.State.Off, theme.MUTED), (QIcon.State.On, theme.TEXT)):
        pixmap = QPixmap(SIZE, SIZE)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(theme.colour(colour), 3)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        DRAWINGS[name](painter)
        painter.end()
        result.addPixmap(pixmap, QIcon.Mode.Normal, state)
    return result

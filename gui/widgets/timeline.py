"""The two exposures of a plan on one time axis: what the trigger box will do in one period."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme


@dataclass(frozen=True)
class Timing:
    """What is drawn, in milliseconds; S opens its delay after B."""

    exposure_b_ms: float
    exposure_s_ms: float
    period_ms: float
    min_period_ms: float
    delay_s_ms: float = 0.0


class Timeline(QWidget):
    """Bars of both exposures within the trigger period, to scale, with the shortest possible period."""

    def __init__(self) -> None:
        super().__init__()
        self._timing: Timing | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """Fixed height."""
        return QSize(400, 132)

    def set_timing(self, timing: Timing | None) -> None:
        """Show a plan, or with None nothing."""
        self._timing = timing
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """Draw axis and bars."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(64, 8, -16, -30)
        painter.setFont(theme.font(12))
        if self._timing is None:
            painter.setPen(theme.colour(theme.FAINT))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No plan to draw")
            painter.end()
            return
        timing = self._timing
        scale = area.width() / max(timing.period_ms * 1.04, 1e-9)
        lanes = (
            ("Pulse", 0.0, 0.0, theme.MUTED),
            ("B", 0.0, timing.exposure_b_ms, theme.CAMERA["B"]),
            ("S", timing.delay_s_ms, timing.exposure_s_ms, theme.CAMERA["S"]),
        )
        lane = area.height() / len(lanes)
        for index, (name, delay, length, colour) in enumerate(lanes):
            top = area.top() + index * lane
            painter.setPen(theme.colour(colour))
            painter.drawText(
                QRectF(8, top, 48, lane), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name
            )
            painter.setPen(QPen(theme.colour(theme.BORDER), 1))
            painter.drawLine(QPointF(area.left(), top + lane - 3), QPointF(area.right(), top + lane - 3))
            if index == 0:
                self._paint_pulses(painter, area.left(), top + 4, lane - 7, scale * timing.period_ms)
            else:
                box = QRectF(area.left() + delay * scale, top + 5, max(length * scale, 1.5), lane - 8)
                painter.fillRect(box, theme.colour(colour, 0.85))
                painter.setPen(theme.colour(theme.TEXT))
                label = f"{length:.3f} ms"
                room = painter.fontMetrics().horizontalAdvance(label) + 12
                inside = box.width() > room
                where = (
                    box.adjusted(6, 0, 0, 0)
                    if inside
                    else QRectF(box.right() + 6, box.top(), room, box.height())
                )
                if inside:
                    painter.setPen(theme.colour(theme.BACKGROUND))
                painter.drawText(where, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, label)
        self._paint_axis(painter, area, scale, timing)
        painter.end()

    def _paint_pulses(
        self, painter: QPainter, left: float, top: float, height: float, period_px: float
    ) -> None:
        painter.setPen(QPen(theme.colour(theme.TEXT), 2))
        for x in (left, left + period_px):
            painter.drawLine(QPointF(x, top), QPointF(x, top + height))

    def _paint_axis(self, painter: QPainter, area: QRectF, scale: float, timing: Timing) -> None:
        least = area.left() + timing.min_period_ms * scale
        painter.setPen(QPen(theme.colour(theme.WARN, 0.9), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(least, area.top()), QPointF(least, area.bottom()))
        painter.setFont(theme.font(11))
        y = area.bottom() + 4
        least_text = f"shortest period {timing.min_period_ms:.1f} ms"
        period_text = f"period {timing.period_ms:.1f} ms"
        metrics = painter.fontMetrics()
        end = area.left() + timing.period_ms * scale
        period_box = QRectF(
            end - metrics.horizontalAdvance(period_text), y, metrics.horizontalAdvance(period_text) + 2, 20
        )
        width = metrics.horizontalAdvance(least_text)
        x = min(max(least - width / 2, area.left()), period_box.left() - width - 16)
        painter.setPen(theme.colour(theme.WARN))
        if x >= area.left():
            painter.drawText(QRectF(x, y, width + 2, 20), Qt.AlignmentFlag.AlignLeft, least_text)
        painter.setPen(theme.colour(theme.MUTED))
        painter.drawText(period_box, Qt.AlignmentFlag.AlignLeft, period_text)

"""One camera's live view: picture, clipped pixels, readouts, and in words what is wrong with the camera."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.imaging import region_around
from gui.prepare import PreparedFrame, ViewWish
from gui.widgets.histogram import HistogramView
from gui.widgets.image_canvas import ImageCanvas, draw_visible, smooth_at
from gui.widgets.view_state import ViewState

ROLES = {"B": "B  long, blurred", "S": "S  short, sharp"}

SHARPEST_VIEW = 1.1
"""Screen pixels that a prepared pixel may cover before a finer picture is prepared."""
BACKDROP_STEP = 2
"""How coarse the whole picture may be while sensor pixels of the seen part lie over it."""
MARGIN_PX = 48
"""Sensor pixels around the seen part: a small pan shows no edge before the next frame."""
CROSS_PX = 22
FIGURE_SPACE = "\u2007"
"""As wide as a figure: numbers keep their width, so nothing dances."""


class LiveCanvas(ImageCanvas):
    """The picture, over it the seen part in sensor pixels, clipped pixels and the grid."""

    def __init__(self, state: ViewState, camera: str) -> None:
        super().__init__(state)
        self._camera = camera
        self._frame: PreparedFrame | None = None
        self.show_clipping = True
        self.show_grid = False
        self._pause = self._badge = ""

    def set_pause(self, words: str) -> None:
        """Say over the picture why it stands still; nothing with an empty text."""
        self._pause = words
        self.update()

    def set_badge(self, words: str) -> None:
        """Say in the corner what kind of pictures these are; nothing with an empty text."""
        self._badge = words
        self.update()

    def set_frame(self, frame: PreparedFrame) -> None:
        """Show a prepared frame."""
        self._frame = frame
        self.set_image(frame.picture, QSizeF(frame.width_px, frame.height_px))

    def wanted(self) -> ViewWish:
        """Return what the next frames must bring, so that no picture is coarser than the screen can show."""
        scale, size = self.screen_scale(), self.full_size
        step = next((step for step in (4, 2) if 2 * step * scale <= SHARPEST_VIEW), 1)
        target = self.target_rect()
        if target.isEmpty() or 2 * step * scale <= SHARPEST_VIEW:
            return ViewWish(step)
        seen = target.intersected(QRectF(self.rect()))
        per_x, per_y = size.width() / target.width(), size.height() / target.height()
        left, top = (seen.left() - target.left()) * per_x, (seen.top() - target.top()) * per_y
        whole = (int(size.width()), int(size.height()))
        region = region_around(left, top, seen.width() * per_x, seen.height() * per_y, whole, MARGIN_PX)
        return ViewWish(BACKDROP_STEP, region)

    def paint_picture(self, painter: QPainter, target: QRectF) -> None:
        """Draw the picture, what is clipped in it, and over both the seen part with its own marks."""
        frame, view = self._frame, QRectF(self.rect())
        super().paint_picture(painter, target)
        if frame is None:
            return
        if self.show_clipping and not frame.clipped.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            draw_visible(painter, target, view, frame.clipped)
        if frame.detail is not None:
            region = frame.detail.region
            sx, sy = target.width() / frame.width_px, target.height() / frame.height_px
            place = QRectF(
                target.left() + region.left * sx,
                target.top() + region.top * sy,
                region.width * sx,
                region.height * sy,
            )
            smooth = smooth_at(self.screen_scale())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            draw_visible(painter, place, place.intersected(view), frame.detail.picture)
            if self.show_clipping and not frame.detail.clipped.isNull():
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
                draw_visible(painter, place, place.intersected(view), frame.detail.clipped)
        if self.show_grid:
            self._paint_grid(painter, target)

    def _paint_grid(self, painter: QPainter, target: QRectF) -> None:
        """Draw thirds and a cross in the middle, fixed to the picture: the same place in both cameras."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        dark, light = theme.colour("#000000", 0.45), theme.colour("#ffffff", 0.55)
        for colour, shift in ((dark, 1.0), (light, 0.0)):
            painter.setPen(QPen(colour, 1))
            for part in (1 / 3, 2 / 3):
                x, y = (
                    target.left() + part * target.width() + shift,
                    target.top() + part * target.height() + shift,
                )
                painter.drawLine(QPointF(x, target.top()), QPointF(x, target.bottom()))
                painter.drawLine(QPointF(target.left(), y), QPointF(target.right(), y))
            middle = target.center() + QPointF(shift, shift)
            painter.drawLine(middle - QPointF(CROSS_PX, 0), middle + QPointF(CROSS_PX, 0))
            painter.drawLine(middle - QPointF(0, CROSS_PX), middle + QPointF(0, CROSS_PX))

    def paint_overlay(self, painter: QPainter) -> None:
        """Draw a thin frame in the camera's colour, and why the picture stands still."""
        painter.setPen(theme.colour(theme.CAMERA[self._camera], 0.8))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        if self._badge and self.has_image():
            painter.setFont(theme.font(12, bold=True))
            width = painter.fontMetrics().horizontalAdvance(self._badge) + 20
            badge = QRectF(8, 8, min(width, self.width() - 16), 24)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(theme.BACKGROUND, 0.82))
            painter.drawRoundedRect(badge, 5, 5)
            painter.setPen(theme.colour(theme.TEXT))
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, self._badge)
        if self._pause and self.has_image():
            strip = QRectF(1, self.height() / 2 - 18, self.width() - 2, 36)
            painter.fillRect(strip, theme.colour(theme.BACKGROUND, 0.78))
            painter.setPen(theme.colour(theme.TEXT))
            painter.setFont(theme.font(14, bold=True))
            painter.drawText(strip, Qt.AlignmentFlag.AlignCenter, self._pause)


class LiveView(QWidget):
    """Canvas, header and histogram of one camera."""

    restart_wanted = Signal(str)

    def __init__(self, camera: str, state: ViewState) -> None:
        super().__init__()
        self.camera = camera
        self.canvas = LiveCanvas(state, camera)
        self.canvas.clear("Waiting for the camera")
        self.histogram = HistogramView()
        self.histogram.setMinimumHeight(96)
        self._title = QLabel(ROLES[camera])
        self._title.setStyleSheet(f"font-weight: 600; font-size: 14px; color: {theme.CAMERA[camera]};")
        self._facts = QLabel("")
        self._facts.setFont(theme.font(12))
        self._facts.setStyleSheet("font-size: 12px;")
        self._facts.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._facts.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._codes = QLabel("")
        self._codes.setStyleSheet("font-size: 12px;")
        self._codes.setToolTip(
            "From the RAW codes, before any processing. The focus number grows with "
            "sharpness: compare it within one scene. Zoomed in it is that of what you see, else of the "
            "middle of the picture."
        )
        self._codes.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._trouble = self._make_trouble()
        header = QHBoxLayout()
        header.addWidget(self._title)
        header.addWidget(self._facts, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(header)
        column.addWidget(self.canvas, 12)
        column.addWidget(self._codes)
        column.addWidget(self.histogram, 1)
        self._ratio = 2048 / 2448

    def _make_trouble(self) -> QFrame:
        """Build the card that covers the picture while the camera is not there."""
        card = QFrame(self.canvas)
        card.setObjectName("trouble")
        card.setStyleSheet(
            "QFrame#trouble { background: rgba(30, 12, 14, 225); border-radius: 8px;"
            f" border: 2px solid {theme.BAD}; }}"
        )
        self._trouble_title = QLabel()
        self._trouble_title.setStyleSheet(f"font-size: 16px; font-weight: 600; color: {theme.BAD};")
        self._trouble_text = QLabel()
        for label in (self._trouble_title, self._trouble_text):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.restart_button = QPushButton("Restart camera")
        self.restart_button.setToolTip(f"Start the process of camera {self.camera} anew and go on")
        self.restart_button.clicked.connect(self._ask_restart)
        column = QVBoxLayout(card)
        column.setContentsMargins(20, 16, 20, 16)
        column.addStretch(1)
        column.addWidget(self._trouble_title)
        column.addWidget(self._trouble_text)
        column.addSpacing(8)
        column.addWidget(self.restart_button, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(1)
        card.hide()
        outer = QVBoxLayout(self.canvas)
        outer.setContentsMargins(16, 16, 16, 16)
        outer.addWidget(card)
        return card

    def show_frame(self, frame: PreparedFrame) -> None:
        """Show a prepared frame with its numbers."""
        ratio = frame.height_px / max(frame.width_px, 1)
        if ratio != self._ratio:
            self._ratio = ratio
            self.canvas.setMaximumHeight(max(round(self.width() * ratio), self.canvas.minimumHeight()))
        self.canvas.set_frame(frame)
        self.histogram.set_histogram(frame.histogram)
        rate = steady(frame.rate_hz, 4, 1) if frame.rate_hz else "–".rjust(4, FIGURE_SPACE)
        self._facts.setText(
            f"{frame.exposure_us / 1000:.3f} ms applied   {frame.gain_db:.1f} dB   {rate} fps"
        )
        share = max(frame.histogram.clipped.values(), default=0.0)
        worst = max(frame.histogram.clipped, key=lambda name: frame.histogram.clipped[name], default="")
        if share > 0:
            clip = f"<span style='color:{theme.CLIPPED}'><b>clipped {worst} {share:.2%}</b></span>"
        else:
            clip = f"<span style='color:{theme.OK}'>nothing clipped</span>"
        where = "focus" if frame.detail is None else "focus here"
        self._codes.setText(
            f"<span style='color:{theme.MUTED}'>RAW codes</span> &nbsp; {clip} &nbsp; "
            f"<span style='color:{theme.MUTED}'>{where}</span> {steady(frame.focus, 6, 2)}"
        )

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        """Give the picture its own shape; height that it cannot use goes to the histogram."""
        super().resizeEvent(event)
        self.canvas.setMaximumHeight(max(round(self.width() * self._ratio), self.canvas.minimumHeight()))

    def facts(self) -> str:
        """Return the readouts of the header."""
        return self._facts.text()

    def show_trouble(self, title: str, text: str, *, can_restart: bool = True) -> None:
        """Cover the picture with what is wrong."""
        self._facts.setText("no pictures")
        self._trouble_title.setText(title)
        self._trouble_text.setText(text)
        self.restart_button.setVisible(can_restart)
        self._trouble.show()
        self._trouble.raise_()

    def clear_trouble(self) -> None:
        """Take the cover away."""
        self._trouble.hide()

    @property
    def trouble(self) -> str:
        """What the cover says, empty when there is none."""
        return (
            "" if self._trouble.isHidden() else f"{self._trouble_title.text()}: {self._trouble_text.text()}"
        )

    def set_show_clipping(self, shown: bool) -> None:
        """Show or hide the marks over clipped pixels."""
        self.canvas.show_clipping = shown
        self.canvas.update()

    def set_show_grid(self, shown: bool) -> None:
        """Show or hide thirds and the middle."""
        self.canvas.show_grid = shown
        self.canvas.update()

    def _ask_restart(self) -> None:
        self.restart_wanted.emit(self.camera)


def steady(value: float, width: int, decimals: int) -> str:
    """Write a number that is as wide as the one before it."""
    return f"{value:{width}.{decimals}f}".replace(" ", FIGURE_SPACE)

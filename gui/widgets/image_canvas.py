"""A picture that zooms with the wheel and pans with the mouse; base of live view and compare slider."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.widgets.view_state import ViewState

WHEEL_STEP = 1.25
SMOOTH_BELOW = 3.0
"""Screen pixels a picture pixel up to which smoothing is on; above it single pixels are to be seen."""
SAME = 1e-3
"""Scales closer to 1 than this are 1: the picture then lies exactly on the screen's pixels."""
BUSY_MS = 80
BUSY_STEP_DEG = 24


class ImageCanvas(QWidget):
    """Draws one picture through a `ViewState`, which other canvases may share.

    Args:
        state: The shared state; an own one when None.
        parent: The Qt parent.
    """

    def __init__(self, state: ViewState | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state or ViewState(self)
        self.state.changed.connect(self.update)
        self._image = QImage()
        self._full_size = QSizeF()
        self._placeholder = ""
        self._busy_deg = 0
        self._busy = QTimer(self)
        self._busy.setInterval(BUSY_MS)
        self._busy.timeout.connect(self._turn)
        self._last_mouse: QPointF | None = None
        self.setMinimumSize(160, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def set_image(self, image: QImage, full_size: QSizeF | None = None) -> None:
        """Show a picture.

        Args:
            image: What is drawn; may be smaller than the picture it stands for.
            full_size: Size of that picture in its own pixels; the image's own size when None.
        """
        self._image = image
        self._busy.stop()
        self._full_size = full_size if full_size is not None else QSizeF(image.size())
        self.update()

    def clear(self, placeholder: str = "", *, busy: bool = False) -> None:
        """Show a line of text instead of a picture; `busy` adds a quiet sign that something is under way."""
        self._image, self._full_size, self._placeholder = QImage(), QSizeF(), placeholder
        if busy:
            self._busy.start()
        else:
            self._busy.stop()
        self.update()

    @property
    def placeholder(self) -> str:
        """The line of text; empty while there is a picture."""
        return "" if self.has_image() else self._placeholder

    @property
    def busy(self) -> bool:
        """Whether the sign of something under way is shown."""
        return self._busy.isActive()

    def _turn(self) -> None:
        self._busy_deg = (self._busy_deg - BUSY_STEP_DEG) % 360
        self.update()

    def has_image(self) -> bool:
        """Whether there is a picture."""
        return not self._image.isNull()

    @property
    def full_size(self) -> QSizeF:
        """Size of the picture in its own pixels; empty without a picture."""
        return self._full_size

    def target_rect(self) -> QRectF:
        """Where the whole picture lies in widget coordinates; at 1:1 exactly on the screen's pixels."""
        target = self.state.target(QSizeF(self.size()), self._full_size)
        if abs(self.screen_scale() - 1.0) < SAME:
            ratio = self.devicePixelRatioF()
            origin = QPointF(self.mapTo(self.window(), QPointF()))
            corner = (target.topLeft() + origin) * ratio
            target.moveTopLeft(QPointF(round(corner.x()), round(corner.y())) / ratio - origin)
        return target

    def screen_scale(self) -> float:
        """Device pixels for one picture pixel."""
        return self.state.scale(QSizeF(self.size()), self._full_size) * self.devicePixelRatioF()

    def show_actual_pixels(self) -> None:
        """Zoom so that one picture pixel is one screen pixel."""
        zoom = self.state.actual_zoom(QSizeF(self.size()), self._full_size) / self.devicePixelRatioF()
        self.state.set(zoom, self.state.centre)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """Draw background, picture and what subclasses lay over it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#0b0c0e"))
        if self.has_image():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._smooth())
            self.paint_picture(painter, self.target_rect())
        elif self._placeholder:
            painter.setPen(theme.colour(theme.MUTED))
            painter.setFont(theme.font(14))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(24, 24, -24, -24), flags, self._placeholder)
            if self.busy:
                self._paint_busy(painter)
        self.paint_overlay(painter)
        painter.end()

    def _paint_busy(self, painter: QPainter) -> None:
        """Draw a part of a ring that turns, over the line of text."""
        middle = QRectF(self.rect()).center() - QPointF(0, 40)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour(theme.ACCENT, 0.8), 2.5))
        painter.drawArc(
            QRectF(middle.x() - 11, middle.y() - 11, 22, 22), 16 * (90 + self._busy_deg), 16 * 100
        )

    def paint_picture(self, painter: QPainter, target: QRectF) -> None:
        """Draw the picture into its rectangle."""
        draw_visible(painter, target, QRectF(self.rect()), self._image)

    def paint_overlay(self, painter: QPainter) -> None:
        """Draw what lies over the picture; nothing here, for subclasses."""

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 (Qt's name)
        """Zoom at the mouse."""
        steps = event.angleDelta().y() / 120.0
        self.state.zoom_at(WHEEL_STEP**steps, event.position(), QSizeF(self.size()), self._full_size)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Start to pan."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._last_mouse = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Pan while the button is down."""
        if self._last_mouse is not None:
            self.state.pan(event.position() - self._last_mouse, QSizeF(self.size()), self._full_size)
            self._last_mouse = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """End to pan."""
        self._last_mouse = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Switch between the whole picture and actual pixels at the mouse."""
        if self.state.zoom > 1.0:
            self.state.fit()
        else:
            actual = self.state.actual_zoom(QSizeF(self.size()), self._full_size)
            factor = actual / self.devicePixelRatioF()
            self.state.zoom_at(max(factor, 2.0), event.position(), QSizeF(self.size()), self._full_size)

    def _smooth(self) -> bool:
        per_image_pixel = self.screen_scale() * self._full_size.width() / max(self._image.width(), 1)
        return smooth_at(per_image_pixel)


def smooth_at(per_image_pixel: float) -> bool:
    """Whether to smooth, by screen pixels for an image pixel: not at 1:1, nor where pixels are to be seen."""
    return per_image_pixel < SMOOTH_BELOW and abs(per_image_pixel - 1.0) >= SAME


def draw_visible(painter: QPainter, target: QRectF, clip: QRectF, image: QImage) -> None:
    """Draw the part of an image that is seen, so that a high zoom costs no more than a low one.

    Args:
        painter: Where to draw.
        target: Where the whole image lies.
        clip: What is visible of it.
        image: The image that fills `target`.
    """
    visible = target.intersected(clip)
    if visible.isEmpty() or image.isNull():
        return
    # whole image pixels, else the neighbourhood that smoothing needs is cut off at the edge
    sx, sy = image.width() / target.width(), image.height() / target.height()
    left = int((visible.left() - target.left()) * sx)
    top = int((visible.top() - target.top()) * sy)
    right = min(image.width(), int((visible.right() - target.left()) * sx) + 2)
    bottom = min(image.height(), int((visible.bottom() - target.top()) * sy) + 2)
    source = QRectF(left, top, right - left, bottom - top)
    where = QRectF(
        target.left() + left / sx, target.top() + top / sy, source.width() / sx, source.height() / sy
    )
    painter.save()
    painter.setClipRect(clip)
    painter.drawImage(where, image, source)
    painter.restore()

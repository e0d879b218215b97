"""Two aligned pictures in one view with a handle between them: left of it one, right of it the other."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.widgets.image_canvas import ImageCanvas, draw_visible
from gui.widgets.view_state import ViewState

GRIP_PX = 12
KEY_STEP = 0.02


class CompareSlider(ImageCanvas):
    """Compares two pictures of the same field of view; an overlay may lie over both.

    The split is a fraction of the *view*, not of the picture: the handle stays where the hand put it while
    the pictures are zoomed and panned beneath it.
    """

    split_changed = Signal(float)

    def __init__(
        self, left: str, right: str, state: ViewState | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(state, parent)
        self._names = (left, right)
        self._colours = (theme.TEXT, theme.TEXT)
        self._right = QImage()
        self._overlay = QImage()
        self._opacity = 0.5
        self._split = 0.5
        self._dragging = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def split(self) -> float:
        """Where the handle is, 0 (left edge) to 1 (right edge)."""
        return self._split

    def set_split(self, split: float) -> None:
        """Put the handle somewhere, kept within 0 to 1."""
        split = min(max(split, 0.0), 1.0)
        if split != self._split:
            self._split = split
            self.split_changed.emit(split)
            self.update()

    def set_names(self, left: str, right: str, colours: tuple[str, str] = (theme.TEXT, theme.TEXT)) -> None:
        """Name the two pictures in their upper corners."""
        self._names, self._colours = (left, right), colours
        self.update()

    def set_pair(self, left: QImage, right: QImage, full_size: QSizeF | None = None) -> None:
        """Show two pictures; both stand for the same rectangle of the scene."""
        self._right = right
        self._overlay = QImage()
        self.set_image(left, full_size)

    def set_left(self, left: QImage) -> None:
        """Exchange the left picture only."""
        self._image = left
        self.update()

    def set_right(self, right: QImage) -> None:
        """Exchange the right picture only: the full result that replaces a preview."""
        self._right = right
        self.update()

    def set_overlay(self, overlay: QImage, opacity: float) -> None:
        """Lay an image with alpha over both pictures; a null image takes it away."""
        self._overlay, self._opacity = overlay, min(max(opacity, 0.0), 1.0)
        self.update()

    def flip(self) -> None:
        """Show all of the left picture, then all of the right one, in turn."""
        self.set_split(0.0 if self._split > 0.5 else 1.0)

    def clear(self, placeholder: str = "", *, busy: bool = False) -> None:
        """Show a line of text instead of the pictures."""
        self._right, self._overlay = QImage(), QImage()
        super().clear(placeholder, busy=busy)

    def split_x(self) -> float:
        """Where the handle is, in widget pixels."""
        return self._split * self.width()

    def picture_x(self) -> float:
        """The picture column under the handle, in picture pixels; NaN without a picture."""
        target = self.target_rect()
        if target.isEmpty():
            return float("nan")
        return (self.split_x() - target.left()) / target.width() * self.full_size.width()

    def paint_picture(self, painter: QPainter, target: QRectF) -> None:
        """Draw left picture, right picture and overlay."""
        x = self.split_x()
        draw_visible(painter, target, QRectF(0, 0, x, self.height()), self._image)
        right = self._right if not self._right.isNull() else self._image
        draw_visible(painter, target, QRectF(x, 0, self.width() - x, self.height()), right)
        if not self._overlay.isNull() and self._opacity > 0:
            painter.setOpacity(self._opacity)
            draw_visible(painter, target, QRectF(self.rect()), self._overlay)
            painter.setOpacity(1.0)

    def paint_overlay(self, painter: QPainter) -> None:
        """Draw handle and names."""
        if not self.has_image():
            return
        x = self.split_x()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour(theme.BACKGROUND, 0.7), 4))
        painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        painter.setPen(QPen(theme.colour(theme.TEXT), 1.6))
        painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        middle = QPointF(x, self.height() / 2)
        painter.setBrush(theme.colour(theme.ACCENT if self._dragging or self.hasFocus() else theme.RAISED))
        painter.drawEllipse(middle, GRIP_PX, GRIP_PX)
        painter.setPen(QPen(theme.colour(theme.TEXT), 2))
        for side in (-1, 1):
            tip = middle + QPointF(side * 7, 0)
            painter.drawLine(tip, tip + QPointF(-side * 3.5, -3.5))
            painter.drawLine(tip, tip + QPointF(-side * 3.5, 3.5))
        self._paint_name(painter, self._names[0], self._colours[0], Qt.AlignmentFlag.AlignLeft)
        self._paint_name(painter, self._names[1], self._colours[1], Qt.AlignmentFlag.AlignRight)

    def _paint_name(self, painter: QPainter, name: str, colour: str, side: Qt.AlignmentFlag) -> None:
        if not name:
            return
        painter.setFont(theme.font(12, bold=True))
        box = QRectF(painter.fontMetrics().boundingRect(name)).adjusted(-8, -4, 8, 4)
        left = side == Qt.AlignmentFlag.AlignLeft
        box.moveTopLeft(QPointF(10, 10) if left else QPointF(self.width() - box.width() - 10, 10))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(theme.BACKGROUND, 0.8))
        painter.drawRoundedRect(box, 5, 5)
        painter.setPen(theme.colour(colour))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Take the handle, or pan when it is not near."""
        if (
            event.button() == Qt.MouseButton.LeftButton
            and abs(event.position().x() - self.split_x()) <= GRIP_PX
        ):
            self._dragging = True
            self.update()
            return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Move the handle or the pictures."""
        if self._dragging:
            self.set_split(event.position().x() / max(self.width(), 1))
            return
        near = abs(event.position().x() - self.split_x()) <= GRIP_PX and self.has_image()
        self.setCursor(Qt.CursorShape.SplitHCursor if near else Qt.CursorShape.ArrowCursor)
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Let go."""
        self._dragging = False
        self.update()
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """Move the handle with the arrow keys."""
        step = {Qt.Key.Key_Left: -KEY_STEP, Qt.Key.Key_Right: KEY_STEP}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.set_split(self._split + step)

"""Where several picture views look at: shared by the views that zoom and pan together."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, QRectF, QSizeF, Signal

MAX_ZOOM = 64.0


class ViewState(QObject):
    """Zoom and centre, in units that fit pictures of different sizes.

    Attributes:
        zoom: 1 shows the whole picture, 2 half of it, and so on; 1 to 64.
        centre: The picture point in the middle of the view, as fractions (0 to 1) of width and height.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.zoom = 1.0
        self.centre = QPointF(0.5, 0.5)

    def fit(self) -> None:
        """Show the whole picture."""
        self.set(1.0, QPointF(0.5, 0.5))

    def set(self, zoom: float, centre: QPointF) -> None:
        """Look at a point with a zoom; both are kept within the picture."""
        zoom = min(max(zoom, 1.0), MAX_ZOOM)
        margin = 0.5 / zoom
        centre = QPointF(_clamp(centre.x(), margin), _clamp(centre.y(), margin))
        if zoom != self.zoom or centre != self.centre:
            self.zoom, self.centre = zoom, centre
            self.changed.emit()

    def target(self, view: QSizeF, picture: QSizeF) -> QRectF:
        """Return where the picture is to be drawn.

        Args:
            view: Size of the widget in screen pixels.
            picture: Size of the picture in its own pixels.

        Returns:
            The rectangle of the whole picture in widget coordinates (mostly outside when zoomed in).
        """
        if picture.isEmpty() or view.isEmpty():
            return QRectF()
        scale = self.scale(view, picture)
        width, height = picture.width() * scale, picture.height() * scale
        left = view.width() / 2 - self.centre.x() * width
        top = view.height() / 2 - self.centre.y() * height
        return QRectF(left, top, width, height)

    def scale(self, view: QSizeF, picture: QSizeF) -> float:
        """Return screen pixels for a picture pixel."""
        if picture.isEmpty() or view.isEmpty():
            return 1.0
        return self.zoom * min(view.width() / picture.width(), view.height() / picture.height())

    def actual_zoom(self, view: QSizeF, picture: QSizeF) -> float:
        """Return the zoom at which a picture pixel is a screen pixel."""
        if picture.isEmpty() or view.isEmpty():
            return 1.0
        return 1.0 / min(view.width() / picture.width(), view.height() / picture.height())

    def zoom_at(self, factor: float, point: QPointF, view: QSizeF, picture: QSizeF) -> None:
        """Zoom by a factor and keep the picture point under `point` (widget coordinates) where it is."""
        before = self.target(view, picture)
        if before.isEmpty():
            return
        x = (point.x() - before.left()) / before.width()
        y = (point.y() - before.top()) / before.height()
        zoom = min(max(self.zoom * factor, 1.0), MAX_ZOOM)
        ratio = self.zoom / zoom
        self.set(zoom, QPointF(x + (self.centre.x() - x) * ratio, y + (self.centre.y() - y) * ratio))

    def pan(self, delta: QPointF, view: QSizeF, picture: QSizeF) -> None:
        """Move the picture by a distance on the screen."""
        rect = self.target(view, picture)
        if not rect.isEmpty():
            moved = QPointF(
                self.centre.x() - delta.x() / rect.width(), self.centre.y() - delta.y() / rect.height()
            )
            self.set(self.zoom, moved)


def _clamp(value: float, margin: float) -> float:
    return min(max(value, margin), 1.0 - margin)

"""One camera's live view: picture, clipped pixels, readouts, and in words what is wrong with the camera."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.frames import PreparedFrame
from gui.widgets.histogram import HistogramView
from gui.widgets.image_canvas import ImageCanvas, draw_visible
from gui.widgets.view_state import ViewState

ROLES = {"B": "B  long, blurred", "S": "S  short, sharp"}

SHARPEST_VIEW = 1.1
"""Screen pixels that a prepared pixel may cover before a finer picture is prepared."""


class LiveCanvas(ImageCanvas):
    """The picture with clipped blocks over it."""

    def __init__(self, state: ViewState, camera: str) -> None:
        super().__init__(state)
        self._camera = camera
        self._clipped = QImage()
        self.show_clipping = True
        self._pause = ""

    def set_pause(self, words: str) -> None:
        """Say over the picture why it stands still; nothing with an empty text."""
        self._pause = words
        self.update()

    def set_clipped(self, clipped: QImage) -> None:
        """Give the overlay of clipped blocks; a null image when there are none."""
        self._clipped = clipped

    def paint_picture(self, painter: QPainter, target: QRectF) -> None:
        """Draw picture and overlay."""
        super().paint_picture(painter, target)
        if self.show_clipping and not self._clipped.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            draw_visible(painter, target, QRectF(self.rect()), self._clipped)

    def paint_overlay(self, painter: QPainter) -> None:
        """Draw a thin frame in the camera's colour, and why the picture stands still."""
        painter.setPen(theme.colour(theme.CAMERA[self._camera], 0.8))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
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
        self.canvas.set_clipped(frame.clipped)
        self.canvas.set_image(frame.picture, QSizeF(frame.width_px, frame.height_px))
        self.histogram.set_histogram(frame.histogram)
        rate = f"{frame.rate_hz:.1f} fps" if frame.rate_hz else "– fps"
        self._facts.setText(f"{frame.exposure_us / 1000:.3f} ms applied   {frame.gain_db:.1f} dB   {rate}")
        share = max(frame.histogram.clipped.values(), default=0.0)
        worst = max(frame.histogram.clipped, key=lambda name: frame.histogram.clipped[name], default="")
        if share > 0:
            clip = f"<span style='color:{theme.CLIPPED}'><b>clipped {worst} {share:.2%}</b></span>"
        else:
            clip = f"<span style='color:{theme.OK}'>nothing clipped</span>"
        self._codes.setText(
            f"<span style='color:{theme.MUTED}'>RAW, before any processing</span> &nbsp; {clip} &nbsp; "
            f"<span style='color:{theme.MUTED}'>focus</span> {frame.focus:.2f}"
        )

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        """Give the picture its own shape; height that it cannot use goes to the histogram."""
        super().resizeEvent(event)
        self.canvas.setMaximumHeight(max(round(self.width() * self._ratio), self.canvas.minimumHeight()))

    def wanted_step(self) -> int:
        """Return how coarse the next picture may be without showing its pixels."""
        scale = self.canvas.screen_scale()
        return next((step for step in (4, 2) if 2 * step * scale <= SHARPEST_VIEW), 1)

    def facts(self) -> str:
        """Return the readouts of the header."""
        return self._facts.text()

    def show_trouble(self, title: str, text: str, *, can_restart: bool = True) -> None:
        """Cover the picture with what is wrong."""
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

    def _ask_restart(self) -> None:
        self.restart_wanted.emit(self.camera)

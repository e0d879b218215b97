"""The calibration that is shown: its name, its figures in words, and its picture."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSizeF, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from gui import theme
from gui.calibration_job import CalibrationView
from gui.calibration_words import NOTHING, details
from gui.planning import sentence
from gui.widgets.elided import ElidedLabel
from gui.widgets.image_canvas import ImageCanvas
from processing.calibration.overview import Known


class CalibrationDetail(QWidget):
    """Asks for a picture when another calibration is shown; takes it when it is still wanted."""

    picture_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._wanted: Path | None = None
        self.name = ElidedLabel(colour=theme.TEXT)
        self.lines = QLabel()
        self.lines.setObjectName("muted")
        self.lines.setWordWrap(True)
        self.picture = ImageCanvas()
        self.picture.clear("Reading the session", busy=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.name)
        column.addWidget(self.lines)
        column.addWidget(self.picture, 1)

    def forget(self) -> None:
        """Ask for the picture again, also of the same file."""
        self._wanted = None

    def show_known(self, known: Known | None, kind: str) -> None:
        """Show a calibration, or say that there is none."""
        head, lines = details(known, kind)
        self.name.setText(head)
        self.name.setVisible(bool(head))
        self.lines.setText("\n".join(lines))
        self.lines.setVisible(bool(lines))
        if known is None or (known.refused and not known.lines):
            self._wanted = None
            self.picture.clear(NOTHING[kind] if known is None else sentence(known.refused))
        elif known.path != self._wanted:
            self._wanted = known.path
            self.picture.clear("Drawing", busy=True)
            self.picture_wanted.emit(known)

    def show_view(self, view: CalibrationView) -> None:
        """Show a picture, unless another one was asked for meanwhile."""
        if view.path != self._wanted:
            return
        if view.picture.isNull():
            self.picture.clear(sentence(view.note))
        else:
            self.picture.set_image(view.picture, QSizeF(view.picture.size()))

"""The keyboard shortcuts, laid over the window by F1."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from gui import theme
from gui.actions import ACTIONS, GROUPS


class HelpOverlay(QWidget):
    """A dimmed layer with one card; any key or click takes it away."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._below = parent
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        outer = QVBoxLayout(self)
        outer.addWidget(self._card(), 0, Qt.AlignmentFlag.AlignCenter)
        parent.installEventFilter(self)
        self.hide()

    def toggle(self) -> None:
        """Show or hide the overlay."""
        if self.isHidden():
            self.setGeometry(self._below.rect())
            self.raise_()
            self.show()
            self.setFocus()
        else:
            self.hide()

    def _card(self) -> QFrame:
        card = QFrame()
        card.setObjectName("panel")
        grid = QGridLayout(card)
        grid.setContentsMargins(28, 18, 28, 18)
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(5)
        title = QLabel("Keyboard shortcuts")
        title.setObjectName("title")
        grid.addWidget(title, 0, 0, 1, 5)
        half = (len(ACTIONS) + len(GROUPS)) / 2
        row, column = 1, 0
        for group in GROUPS:
            if row > half and column == 0:
                row, column = 1, 3
                grid.setColumnMinimumWidth(2, 40)
            heading = QLabel(group.upper())
            heading.setObjectName("heading")
            heading.setContentsMargins(0, 6, 0, 0)
            grid.addWidget(heading, row, column, 1, 2)
            row += 1
            for info in (item for item in ACTIONS if item.group == group):
                keys = QLabel("  ".join(QKeySequence(key).toString() for key in info.shortcuts))
                keys.setFont(theme.font(12, bold=True, mono=True))
                grid.addWidget(keys, row, column)
                text = QLabel(f"{info.text.rstrip('…')}.  {info.hint}")
                text.setObjectName("muted")
                grid.addWidget(text, row, column + 1)
                row += 1
        return card

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """Dim what lies below."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("#000000", 0.72))
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """Any key closes."""
        self.hide()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """A click closes."""
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Follow the size of the window."""
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self.setGeometry(self._below.rect())
        return False

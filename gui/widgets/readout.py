"""Small labelled values: one big number with its name, and rows of them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from gui import theme

EMPTY = "–"


class Readout(QWidget):
    """A value under its name, with a line of remarks.

    Args:
        name: What it is.
        px: Height of the value in pixels.
        colour: Colour of the value.
    """

    def __init__(self, name: str, *, px: int = 22, colour: str = theme.TEXT) -> None:
        super().__init__()
        self._name = QLabel(name)
        self._name.setObjectName("muted")
        self._value = QLabel(EMPTY)
        self._value.setFont(theme.font(px, bold=True))
        # a style sheet size rule for all labels would win over the font: say it in the same language
        self._px, self._colour = px, colour
        self._style(colour)
        self._remark = QLabel("")
        self._remark.setObjectName("muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(self._name)
        column.addWidget(self._value)
        column.addWidget(self._remark)
        self._remark.setVisible(False)

    @property
    def text(self) -> str:
        """The value as shown."""
        return self._value.text()

    def set(self, value: str, remark: str = "", *, colour: str | None = None) -> None:
        """Show a value; an empty one becomes a dash."""
        self._value.setText(value or EMPTY)
        self._remark.setText(remark)
        self._remark.setVisible(bool(remark))
        self._style(colour or self._colour)

    def _style(self, colour: str) -> None:
        self._value.setStyleSheet(f"font-size: {self._px}px; font-weight: 600; color: {colour};")


class ValueTable(QWidget):
    """Two columns, name and value, in fixed rows that are filled by name."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._values: dict[str, QLabel] = {}
        for name in names:
            self.set(name, EMPTY)

    def set(self, name: str, value: str, colour: str = theme.TEXT) -> None:
        """Show a value; a new name adds a row."""
        label = self._values.get(name)
        if label is None:
            row = len(self._values)
            key = QLabel(name)
            key.setObjectName("muted")
            key.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            label = QLabel()
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(key, row, 0)
            self._grid.addWidget(label, row, 1)
            self._values[name] = label
        label.setText(value or EMPTY)
        label.setStyleSheet(f"color: {colour};")

    def value(self, name: str) -> str:
        """Return what a row shows.

        Raises:
            KeyError: There is no such row.
        """
        return self._values[name].text()

    def names(self) -> list[str]:
        """Return the names of the rows."""
        return list(self._values)

    def show_all(self, values: dict[str, str]) -> None:
        """Replace all rows."""
        if list(values) != list(self._values):
            while (item := self._grid.takeAt(0)) is not None:
                if (widget := item.widget()) is not None:
                    widget.deleteLater()
            self._values.clear()
        for name, value in values.items():
            self.set(name, value)

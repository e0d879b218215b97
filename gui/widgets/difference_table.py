"""A window with what differs between two sets of a camera's settings."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui.feature_text import value_text
from rig.camera.feature_diff import Difference

COLUMNS = ("Setting", "Saved", "Now")


class DifferenceDialog(QDialog):
    """Lists differences; stays open beside the work."""

    def __init__(self, title: str, found: Sequence[Difference], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(720, 440)
        self.rows = [
            (one.key, value_text(one.before, one.unit), value_text(one.after, one.unit)) for one in found
        ]
        words = "No setting differs." if not found else f"{len(found)} settings differ."
        self.words = QLabel("1 setting differs." if len(found) == 1 else words)
        table = QTableWidget(len(self.rows), len(COLUMNS))
        table.setHorizontalHeaderLabels(list(COLUMNS))
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.verticalHeader().hide()
        table.setShowGrid(False)
        header = table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for row, cells in enumerate(self.rows):
            for column, cell in enumerate(cells):
                table.setItem(row, column, QTableWidgetItem(cell))
        copy = QPushButton("Copy")
        copy.clicked.connect(lambda: QApplication.clipboard().setText(self.text()))
        close = QPushButton("Close")
        close.clicked.connect(self.close)
        bottom = QHBoxLayout()
        bottom.addWidget(self.words, 1)
        bottom.addWidget(copy)
        bottom.addWidget(close)
        column_layout = QVBoxLayout(self)
        column_layout.setContentsMargins(16, 14, 16, 14)
        column_layout.addWidget(table, 1)
        column_layout.addLayout(bottom)

    def text(self) -> str:
        """Return the table as lines with tabs."""
        return "\n".join("\t".join(row) for row in (COLUMNS, *self.rows))

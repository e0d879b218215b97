"""What happened, the newest first: time, part and words; and the button that copies a report."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from gui import actions, theme
from gui.app import log_path
from gui.messages import Message, MessageLog
from gui.widgets.elided import ElidedLabel

COLUMNS = ("Time", "Part", "What happened")
COLOURS = {"error": theme.BAD, "warning": theme.WARN}
TIME_PX, PART_PX = 84, 120
Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()


class EventModel(QAbstractTableModel):
    """The messages of a log as a table."""

    def __init__(self, log: MessageLog) -> None:
        super().__init__(log)
        self._log = log
        self._shown: list[Message] = []
        self.refresh()

    def refresh(self) -> None:
        """Take what is new: at the top, and the oldest may be gone."""
        self.beginResetModel()
        self._shown = self._log.messages[::-1]
        self.endResetModel()

    def message(self, row: int) -> Message:
        """Return the message of a row."""
        return self._shown[row]

    def rowCount(self, parent: Index = NOWHERE) -> int:  # noqa: N802 (Qt's name)
        """Return the number of messages."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = NOWHERE) -> int:  # noqa: N802 (Qt's name)
        """Return the number of columns."""
        return len(COLUMNS)

    def headerData(  # noqa: N802 (Qt's name)
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the names of the columns."""
        horizontal = orientation == Qt.Orientation.Horizontal
        return COLUMNS[section] if horizontal and role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return text, colour or tooltip of a cell."""
        message = self._shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            words = ". ".join(line.rstrip(".") for line in message.text.split("\n")[:2])
            return (f"{message.time:%H:%M:%S}", message.part or "App", words)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return message.text
        if role == Qt.ItemDataRole.ForegroundRole:
            last = index.column() == len(COLUMNS) - 1
            return theme.colour(COLOURS.get(message.level, theme.TEXT) if last else theme.MUTED)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        return None


class EventLog(QWidget):
    """The table with its buttons."""

    report_wanted = Signal()

    def __init__(self, log: MessageLog) -> None:
        super().__init__()
        self.model = EventModel(log)
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setShowGrid(False)
        self.table.setWordWrap(True)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.table.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.verticalHeader().setResizeContentsPrecision(0)  # rows that can be seen are enough
        header = self.table.horizontalHeader()
        header.setStretchLastSection(True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.setColumnWidth(0, TIME_PX)
        self.table.setColumnWidth(1, PART_PX)
        self.empty = QLabel("Nothing happened since the start.")
        self.empty.setObjectName("muted")
        where = ElidedLabel(f"The log file has more: {log_path()}")
        self.copied = QLabel()
        self.copied.setObjectName("muted")
        self.report_button = QPushButton("Copy report")
        self.report_button.setToolTip(actions.tooltip("devices.report"))
        self.report_button.clicked.connect(self.report_wanted)
        bottom = QHBoxLayout()
        bottom.setSpacing(10)
        bottom.addWidget(where, 1)
        bottom.addWidget(self.copied)
        bottom.addWidget(self.report_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 10, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.empty)
        column.addWidget(self.table, 1)
        column.addLayout(bottom)
        log.added.connect(self._added)
        self._added()

    def show_copied(self) -> None:
        """Say that the report is on the clipboard."""
        self.copied.setText("Copied")

    def _added(self, *_: object) -> None:
        self.copied.setText("")
        if self.isVisible():
            self._refresh()

    def _refresh(self) -> None:
        self.model.refresh()
        self.empty.setVisible(self.model.rowCount() == 0)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """Take what happened while nobody looked."""
        super().showEvent(event)
        self._refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        """Break the lines anew."""
        super().resizeEvent(event)
        self.table.resizeRowsToContents()

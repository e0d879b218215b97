"""The tree of a camera's features: it tells which rows can be seen, so that only those are read."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeView

from gui import theme
from gui.widgets.feature_model import FeatureModel
from rig.camera.browser import FeatureNode

SETTLE_MS = 40
"""Scrolling asks once it pauses for so long, not for every line that flies by."""


class FeatureTree(QTreeView):
    """A tree view of a `FeatureModel`; opening a row by double click or Return wishes to edit it."""

    looked_at = Signal(object)
    chosen = Signal(object)
    edit_wanted = Signal()

    def __init__(self, model: FeatureModel) -> None:
        super().__init__()
        self.features = model
        self.placeholder = ""
        self.setModel(model)
        self.setUniformRowHeights(True)
        self.setAlternatingRowColors(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setIndentation(16)
        header = self.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        header.setSectionsMovable(False)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLE_MS)
        self._timer.timeout.connect(lambda: self.looked_at.emit(self.visible_names()))
        self.verticalScrollBar().valueChanged.connect(self._changed)
        self.expanded.connect(self._changed)
        self.collapsed.connect(self._changed)
        model.modelReset.connect(self._changed)
        self.activated.connect(lambda _: self.edit_wanted.emit())
        self.selectionModel().currentChanged.connect(self._current_changed)

    def visible_names(self) -> list[str]:
        """Return the names of the features that are on the screen now."""
        names: list[str] = []
        bottom = self.viewport().rect().bottom()
        index = self.indexAt(self.viewport().rect().topLeft())
        while index.isValid() and self.visualRect(index).top() <= bottom:
            node = self.features.node(index)
            if node is not None and node.type != "category":
                names.append(node.name)
            index = self.indexBelow(index)
        return names

    def select(self, name: str) -> bool:
        """Select a feature and bring it into view; False where it is not shown."""
        index = self.features.index_of(name)
        if index.isValid():
            self.setCurrentIndex(index)
            self.scrollTo(index)
        return index.isValid()

    def current(self) -> FeatureNode | None:
        """Return the selected feature or category."""
        return self.features.node(self.currentIndex())

    def _changed(self, *_: object) -> None:
        self._timer.start()

    def _current_changed(self, now: QModelIndex, before: QModelIndex) -> None:
        self.chosen.emit(self.features.node(now))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """Say why there is nothing, where there is nothing."""
        super().paintEvent(event)
        if not self.features.rowCount() and self.placeholder:
            painter = QPainter(self.viewport())
            painter.setPen(theme.colour(theme.MUTED))
            centred = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.viewport().rect().adjusted(24, 0, -24, 0), centred, self.placeholder)
            painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        """Share the width: names and values first, remarks take the rest."""
        super().resizeEvent(event)
        width = self.viewport().width()
        if event.oldSize().width() != event.size().width():
            self.setColumnWidth(0, int(width * 0.40))
            self.setColumnWidth(1, int(width * 0.25))
        self._changed()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """Ask for what is seen first."""
        super().showEvent(event)
        self._changed()

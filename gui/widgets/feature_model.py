"""The features of a camera as a tree for a view; values come later, for the rows that somebody looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from gui import theme
from gui.feature_text import state_text, tooltip, value_text
from rig.camera.browser import Category, FeatureNode, FeatureState
from rig.camera.feature_diff import Difference
from rig.camera.types import Applied

COLUMNS = ("Setting", "Value", "Remark")
Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()


@dataclass
class Row:
    """A row: a feature, or a category with rows below it; `place` is where it stands among its sisters."""

    node: FeatureNode
    above: int = -1
    place: int = 0
    below: list[int] = field(default_factory=list)


class FeatureModel(QAbstractItemModel):
    """Rows are made once for a choice of features; states and remarks are filled in by name."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Row] = []
        self._top: list[int] = []
        self._by_name: dict[str, int] = {}
        self.states: dict[str, FeatureState] = {}
        self.differs: dict[str, Difference] = {}
        self.applied: dict[str, Applied] = {}

    # ---- what is shown

    def show_tree(self, top: Sequence[Category]) -> None:
        """Show categories with their features."""
        self._begin()
        for category in top:
            self._add_category(category, -1)
        self.endResetModel()

    def show_list(self, nodes: Sequence[FeatureNode]) -> None:
        """Show features without categories, in this order."""
        self._begin()
        for node in nodes:
            self._add(node, -1)
        self.endResetModel()

    def forget(self) -> None:
        """Forget rows and values: another camera."""
        self._begin()
        self.states, self.differs, self.applied = {}, {}, {}
        self.endResetModel()

    def set_states(self, states: Mapping[str, FeatureState]) -> None:
        """Fill in what was read."""
        changed = [name for name, state in states.items() if self.states.get(name) != state]
        self.states.update(states)
        self._repaint(changed)

    def set_differs(self, differs: Mapping[str, Difference]) -> None:
        """Mark the settings that are not the profile's."""
        changed = [*self.differs, *differs]
        self.differs = dict(differs)
        self._repaint(changed)

    def set_applied(self, applied: Applied) -> None:
        """Keep what became of a write."""
        self.applied[applied.name] = applied
        self._repaint([applied.name])

    def node(self, index: Index) -> FeatureNode | None:
        """Return the feature or category of a row."""
        return self._rows[index.internalId()].node if index.isValid() else None

    def index_of(self, name: str) -> QModelIndex:
        """Return the row of a feature; an invalid index where it is not shown."""
        number = self._by_name.get(name)
        return QModelIndex() if number is None else self.createIndex(self._rows[number].place, 0, number)

    def count(self) -> int:
        """Return how many features are shown."""
        return sum(1 for row in self._rows if row.node.type != "category")

    # ---- Qt's side

    def index(self, row: int, column: int, parent: Index = NOWHERE) -> QModelIndex:
        """Return an index."""
        below = self._below(parent)
        if not (0 <= row < len(below) and 0 <= column < len(COLUMNS)):
            return QModelIndex()
        return self.createIndex(row, column, below[row])

    def parent(self, index: Index = NOWHERE) -> QModelIndex:  # type: ignore[override]  # Qt overloads it
        """Return the category of a row."""
        above = self._rows[index.internalId()].above if index.isValid() else -1
        return QModelIndex() if above < 0 else self.createIndex(self._rows[above].place, 0, above)

    def rowCount(self, parent: Index = NOWHERE) -> int:  # noqa: N802 (Qt's name)
        """Return how many rows lie below."""
        return len(self._below(parent)) if parent.column() <= 0 else 0

    def columnCount(self, parent: Index = NOWHERE) -> int:  # noqa: N802 (Qt's name)
        """Return the number of columns."""
        return len(COLUMNS)

    def headerData(  # noqa: N802 (Qt's name)
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the names of the columns."""
        return COLUMNS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return text, colour or tooltip of a cell; called for what is on the screen only."""
        node = self.node(index)
        if node is None:
            return None
        state = self.states.get(node.name)
        if role == Qt.ItemDataRole.DisplayRole:
            if index.column() == 0:
                return node.display_name if node.type == "category" else node.name
            return state_text(node, state) if index.column() == 1 else self.remark(node)[0]
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip(node, state)
        if role == Qt.ItemDataRole.ForegroundRole:
            if index.column() == 2:
                return theme.colour(self.remark(node)[1])
            plain = node.type == "category" or (state is not None and state.writable)
            return theme.colour(theme.TEXT if plain else theme.MUTED)
        if role == Qt.ItemDataRole.FontRole and node.type == "category":
            return theme.font(bold=True)
        return None

    def remark(self, node: FeatureNode) -> tuple[str, str]:
        """Return what is to be said of a row, and in which colour."""
        state, applied = self.states.get(node.name), self.applied.get(node.name)
        if node.type == "category" or state is None:
            return "", theme.MUTED
        if applied is not None and applied.applied is not None and applied.applied != applied.asked:
            asked, got = value_text(applied.asked), value_text(applied.applied, applied.unit)
            return f"asked {asked}, applied {got}", theme.ACCENT
        differs = self.differs.get(node.name)
        if differs is not None:
            return f"≠ profile: {value_text(differs.after, differs.unit)}", theme.WARN
        plain = state.access == "read only" and not state.locked
        return ("read only" if plain else state.why), theme.MUTED

    # ---- inside

    def _begin(self) -> None:
        self.beginResetModel()
        self._rows, self._top, self._by_name = [], [], {}

    def _add(self, node: FeatureNode, above: int) -> int:
        number = len(self._rows)
        sisters = self._top if above < 0 else self._rows[above].below
        self._rows.append(Row(node, above, len(sisters)))
        self._by_name[node.name] = number
        sisters.append(number)
        return number

    def _add_category(self, category: Category, above: int) -> None:
        number = self._add(category.node, above)
        for inner in category.categories:
            self._add_category(inner, number)
        for node in category.features:
            self._add(node, number)

    def _below(self, parent: Index) -> list[int]:
        return self._rows[parent.internalId()].below if parent.isValid() else self._top

    def _repaint(self, names: Sequence[str]) -> None:
        for name in names:
            first = self.index_of(name)
            if first.isValid():
                self.dataChanged.emit(first, first.siblingAtColumn(len(COLUMNS) - 1))

"""The list of shots of a session: pairs, and rejected shots with their reasons."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QTreeWidget, QTreeWidgetItem

from gui import theme
from gui.session_index import Listing, Shot
from gui.verdicts import MARKS, PairState, passes, state_of
from rig.records import PairRecord


class ShotList(QTreeWidget):
    """Scenes and kinds as branches, shots as leaves; what is selected survives a new listing."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setColumnCount(2)
        self.setHeaderLabels(["Shot", "Verdict"])
        self.setRootIsDecorated(True)
        self.setIndentation(14)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setUniformRowHeights(True)
        self.header().setStretchLastSection(True)
        self.setColumnWidth(0, 150)
        self._leaves: dict[str, QTreeWidgetItem] = {}
        self._branches: dict[str, QTreeWidgetItem] = {}
        self._shots: dict[str, Shot] = {}
        self._states: Mapping[str, PairState] = {}
        self._listing: Listing | None = None
        self._filter = "all"
        self._by_hand = False
        self._folder: Path | None = None
        self.itemClicked.connect(self._clicked)
        self.currentItemChanged.connect(self._item_changed)

    def show_listing(self, listing: Listing) -> None:
        """Show all shots; new branches are open. A shot that stays selected is not told again."""
        self._listing, self._states = listing, listing.states
        current = self.current_id()
        same_session = listing.folder == self._folder
        self._folder = listing.folder
        self._by_hand = self._by_hand and same_session
        closed = {key for key, item in self._branches.items() if not item.isExpanded()}
        self.blockSignals(True)
        self.clear()
        self._leaves, self._shots = {}, {shot.id: shot for shot in listing.shots if self._passes(shot)}
        branches: dict[str, QTreeWidgetItem] = {}
        for shot in self._shots.values():
            key = f"{shot.scene}/{shot.kind}"
            branch = branches.get(key)
            if branch is None:
                branch = QTreeWidgetItem([f"{shot.scene}  {shot.kind}", ""])
                branch.setForeground(0, theme.colour(theme.MUTED))
                branch.setFlags(Qt.ItemFlag.ItemIsEnabled)
                self.addTopLevelItem(branch)
                branch.setExpanded(key not in closed)
                branches[key] = branch
            branch.addChild(self._leaf(shot))
        for key, branch in branches.items():
            total = branch.childCount()
            branch.setText(1, f"{total} shot{'s' if total != 1 else ''}")
            branch.setExpanded(key not in closed)
        self._branches = branches
        if self._leaves:
            wanted = current if self._by_hand and current in self._leaves else self._best()
            self.blockSignals(wanted == current and same_session)
            self.setCurrentItem(self._leaves[wanted])
        self.blockSignals(False)

    def set_filter(self, chosen: str) -> None:
        """Show only some shots.

        Args:
            chosen: "all", "findings" or "stop".
        """
        self._filter = chosen
        if self._listing is not None:
            self.show_listing(self._listing)

    def _passes(self, shot: Shot) -> bool:
        known = self._states.get(shot.id)
        noted = known is not None and bool(known.findings)
        return passes(state_of(shot, self._states), self._filter, noted=noted)

    def _leaf(self, shot: Shot) -> QTreeWidgetItem:
        mark, word, colour = MARKS[state_of(shot, self._states)]
        leaf = QTreeWidgetItem([f"t{shot.take:02d}_{shot.index:04d}", f"{mark}  {word}"])
        leaf.setForeground(1, theme.colour(colour))
        leaf.setData(0, Qt.ItemDataRole.UserRole, shot.id)
        known = self._states.get(shot.id)
        reasons = [shot.sync.reason] if not isinstance(shot, PairRecord) else known.reasons() if known else []
        leaf.setToolTip(1, "\n".join(reasons))
        self._leaves[shot.id] = leaf
        return leaf

    def _best(self) -> str:
        """Return the first action pair, else the first shot."""
        for shot in self._shots.values():
            if shot.kind == "action" and isinstance(shot, PairRecord):
                return shot.id
        return next(iter(self._shots))

    def current_id(self) -> str:
        """Return the name of the selected shot, empty when none is."""
        item = self.currentItem()
        return str(item.data(0, Qt.ItemDataRole.UserRole) or "") if item is not None else ""

    def current_shot(self) -> Shot | None:
        """Return the selected shot."""
        return self._shots.get(self.current_id())

    def ids(self) -> list[str]:
        """Return the names of the shots that are listed."""
        return list(self._leaves)

    def word(self, shot_id: str) -> str:
        """Return mark and word of a shot that is listed.

        Raises:
            KeyError: It is not listed.
        """
        return self._leaves[shot_id].text(1)

    def select(self, shot_id: str) -> None:
        """Select a shot by its name; an unknown one changes nothing."""
        if shot_id in self._leaves:
            self._by_hand = True
            self.setCurrentItem(self._leaves[shot_id])

    def step(self, by: int) -> None:
        """Select the next (1) or previous (-1) shot."""
        ids = list(self._leaves)
        if not ids:
            return
        now = self.current_id()
        index = ids.index(now) + by if now in ids else 0
        self.select(ids[min(max(index, 0), len(ids) - 1)])

    def _clicked(self) -> None:
        self._by_hand = True

    def _item_changed(self, current: QTreeWidgetItem | None, previous: QTreeWidgetItem | None) -> None:
        shot = self.current_shot()
        if shot is not None:
            self.chosen.emit(shot)

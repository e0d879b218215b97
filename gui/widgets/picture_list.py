"""The developed pairs of a session, by the file of their B picture."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from gui.pictures import derived_path
from gui.session_index import Listing
from rig.records import PairRecord

PATH_ROLE = Qt.ItemDataRole.UserRole
KIND_ROLE = Qt.ItemDataRole.UserRole + 1


class PictureList(QListWidget):
    """One line a pair; only the operator's choice is told, not that of `mark`."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Developed pairs")
        self.currentItemChanged.connect(self._item_changed)

    def show_listing(self, listing: Listing) -> None:
        """List the pairs that are developed; nothing is selected afterwards."""
        self.blockSignals(True)
        self.clear()
        for shot in listing.shots:
            path = derived_path(listing.folder, shot, "B") if isinstance(shot, PairRecord) else None
            if path is not None:
                item = QListWidgetItem(shot.id)
                item.setData(PATH_ROLE, path)
                item.setData(KIND_ROLE, shot.kind)
                self.addItem(item)
        self.blockSignals(False)

    def mark(self, path: Path | None) -> None:
        """Select a picture without telling; none when it is not in the list."""
        self.blockSignals(True)
        rows = [row for row, item in enumerate(self._items()) if item.data(PATH_ROLE) == path]
        self.setCurrentRow(rows[0] if rows else -1)
        self.blockSignals(False)

    def first(self) -> Path | None:
        """Return the first action pair, else the first pair, None when there is none."""
        items = self._items()
        best = next((item for item in items if item.data(KIND_ROLE) == "action"), items[0] if items else None)
        return None if best is None else Path(best.data(PATH_ROLE))

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(row) for row in range(self.count())]

    def _item_changed(self, item: QListWidgetItem | None, previous: QListWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(item.data(PATH_ROLE))

"""Where a data set goes, and which scenes are held back for testing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui.session_output import ExportOrder

RULE = (
    "Layout of ReLoBlur, at most 2152x1436, 8 bits. A scene is either in train or in test. With none ticked,"
    " a hash decides for each scene (16 % to test), and never changes its mind."
)


class ExportDialog(QDialog):
    """Asks for folder, test scenes, author and licence.

    Args:
        parent: The main window.
        scenes: Names of the session's scenes.
        folder: The folder that is proposed.
    """

    def __init__(self, parent: QWidget, scenes: Sequence[str], folder: Path) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export a data set")
        self.setMinimumWidth(560)
        self.folder = QLineEdit(str(folder))
        self.folder.textChanged.connect(self._update)
        browse = QPushButton("Choose…")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        self.scenes = QListWidget()
        self.scenes.setFixedHeight(min(max(len(scenes), 2), 6) * 28 + 8)
        for name in scenes:
            item = QListWidgetItem(name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked)
            self.scenes.addItem(item)
        self.author = QLineEdit()
        self.author.setPlaceholderText("the session's operator")
        self.license = QLineEdit()
        self.license.setPlaceholderText("such as CC-BY-4.0")
        self.export_button = QPushButton("Export")
        self.export_button.setObjectName("primary")
        self.export_button.clicked.connect(self.accept)
        cancel = QPushButton("Cancel")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        rule = QLabel(RULE)
        rule.setObjectName("muted")
        rule.setWordWrap(True)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(10)
        place = QHBoxLayout()
        place.setSpacing(8)
        place.addWidget(self.folder, 1)
        place.addWidget(browse)
        grid.addWidget(QLabel("Folder"), 0, 0)
        grid.addLayout(place, 0, 1)
        grid.addWidget(QLabel("Test scenes"), 1, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.scenes, 1, 1)
        grid.addWidget(rule, 2, 1)
        grid.addWidget(QLabel("Author"), 3, 0)
        grid.addWidget(self.author, 3, 1)
        grid.addWidget(QLabel("Licence"), 4, 0)
        grid.addWidget(self.license, 4, 1)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.export_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 16)
        column.setSpacing(14)
        column.addLayout(grid)
        column.addLayout(buttons)
        self._update()

    def order(self) -> ExportOrder:
        """Return what was chosen."""
        items = (self.scenes.item(row) for row in range(self.scenes.count()))
        return ExportOrder(
            Path(self.folder.text().strip()).expanduser(),
            tuple(item.text() for item in items if item.checkState() == Qt.CheckState.Checked),
            self.author.text().strip(),
            self.license.text().strip(),
        )

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of the data set", self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    def _update(self) -> None:
        self.export_button.setEnabled(bool(self.folder.text().strip()))

"""Two buttons that save all values of a camera to a file, and compare the camera with such a file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QWidget

from gui.feature_reader import FeatureReader
from gui.widgets.difference_table import DifferenceDialog
from rig.camera.feature_diff import Difference

FILTER = "Snapshots (*.json)"


class SnapshotButtons(QWidget):
    """Asks for the file and shows what differs.

    Args:
        reader: Reads the cameras.
        camera: The first camera.

    Attributes:
        camera: The camera that the buttons are for.
    """

    def __init__(self, reader: FeatureReader, camera: str) -> None:
        super().__init__()
        self.camera = camera
        self._reader = reader
        self.save_button = QPushButton("Save snapshot…")
        self.save_button.setToolTip("Write all values to a file")
        self.save_button.clicked.connect(self.save)
        self.compare_button = QPushButton("Compare with…")
        self.compare_button.setToolTip("Show which settings differ from a snapshot")
        self.compare_button.clicked.connect(self.compare)
        reader.compared.connect(self._compared)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.save_button)
        row.addWidget(self.compare_button)

    def save(self) -> None:
        """Save a snapshot."""
        suggested = f"camera_{self.camera}.json"
        name, _ = QFileDialog.getSaveFileName(self, "Save a snapshot of all values", suggested, FILTER)
        if name:
            self._reader.save(self.camera, Path(name))

    def compare(self) -> None:
        """Compare with a snapshot."""
        name, _ = QFileDialog.getOpenFileName(self, "Compare with a snapshot", "", FILTER)
        if name:
            self._reader.compare(self.camera, Path(name))

    def _compared(self, camera: str, name: str, found: list[Difference]) -> None:
        DifferenceDialog(f"Camera {camera} and {name}", found, self.window()).show()

"""Which weights the network runs with: the usual ones, those adapted to the session, or a file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QSizePolicy, QWidget

from gui.widgets.fields import CalmComboBox
from models.weights import are_shipped, choose_weights

WEIGHTS_FILES = "Weights (*.safetensors *.ckpt *.pkl *.pt *.pth)"
FILE = "Choose a file…"


def usual_words() -> str:
    """Say which weights run where none are chosen."""
    usual = choose_weights()
    if usual is None:
        return "Untrained"
    return "Shipped" if are_shipped(usual) else f"BEAMRIG_WEIGHTS: {usual.name}"


class WeightsBox(QWidget):
    """One choice; only the operator's own is told."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._adapted: tuple[Path, ...] = ()
        self._current: Path | None = None
        self._files: tuple[Path, ...] = ()
        name = QLabel("Run with")
        name.setObjectName("muted")
        self.box = CalmComboBox()
        self.box.setAccessibleName("Weights of the network")
        self.box.setToolTip("The usual weights, those adapted to this session, or a file")
        self.box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.box.activated.connect(self._activated)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(name)
        row.addWidget(self.box, 1)
        self._fill()

    def show_adapted(self, found: tuple[Path, ...]) -> None:
        """Offer the weights that were adapted to the session, newest first."""
        if found != self._adapted:
            self._adapted = found
            self._fill()

    def show_current(self, weights: Path | None) -> None:
        """Mark what runs; None the usual weights."""
        if weights is not None and weights not in (*self._adapted, *self._files):
            self._files = (*self._files, weights)
        self._current = weights
        self._fill()

    def _fill(self) -> None:
        self.box.clear()
        self.box.addItem(usual_words(), None)
        for path in self._adapted:
            self.box.addItem(f"Adapted {path.parent.name.replace('_', ' ')}", path)
        for path in self._files:
            if path not in self._adapted:
                self.box.addItem(path.name, path)
        self.box.addItem(FILE, FILE)
        self.box.setCurrentIndex(max(self._row_of(self._current), 0))

    def _row_of(self, weights: Path | None) -> int:
        rows = range(self.box.count())
        return next((row for row in rows if self.box.itemData(row) == weights), -1)

    def _activated(self, row: int) -> None:
        wanted = self.box.itemData(row)
        if wanted == FILE:
            self._fill()
            name, _ = QFileDialog.getOpenFileName(self, "Open weights", "", WEIGHTS_FILES)
            if name:
                self.chosen.emit(Path(name))
        elif wanted != self._current:
            self.chosen.emit(wanted)

"""What the inference engine runs, where and why, as soon as it is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.readout import ValueTable
from models.weights import are_shipped

if TYPE_CHECKING:
    from models.deblur import EngineInfo

ROWS = ("Device", "Precision", "Network", "Weights")


class EngineCard(QWidget):
    """Four facts, and in amber that nothing is trained where that is so."""

    def __init__(self) -> None:
        super().__init__()
        self.table = ValueTable(ROWS)
        self.untrained = QLabel("")
        self.untrained.setObjectName("untrained")
        self.untrained.setWordWrap(True)
        self.untrained.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.table)
        column.addWidget(self.untrained)

    def show_starting(self) -> None:
        """Say that the engine starts, unless it is there already."""
        if self.table.value("Precision") == "–":
            self.table.set("Device", "starting…", theme.MUTED)

    def show_failed(self) -> None:
        """Say that there is no engine."""
        self.table.set("Device", "not available", theme.BAD)

    def show_info(self, info: EngineInfo) -> None:
        """Show what the engine says of itself."""
        plural = "" if info.threads == 1 else "s"
        device = f"cpu, {info.threads} thread{plural}" if info.device == "cpu" else info.device
        weights = _weights_words(info.weights)
        self.table.set("Device", device)
        self.table.set("Precision", f"{info.precision}: {info.reason}")
        self.table.set("Network", f"{info.architecture}, {info.parameters / 1e6:.2f} million parameters")
        self.table.set("Weights", weights)
        self.untrained.setVisible(not info.trained)
        self.untrained.setText(
            "<b>Untrained weights.</b> The right picture shows that the way from file to preview works, "
            "not what a trained network can do."
        )


def _weights_words(weights: str | None) -> str:
    if weights is None:
        return "none: random, from a fixed seed"
    name = Path(weights).name
    return f"{name}, as shipped" if are_shipped(weights) else name

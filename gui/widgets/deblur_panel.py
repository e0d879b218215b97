"""The right side of the Deblur page: engine, how a result was made, what is shown, and the buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from gui import actions
from gui.widgets.adapt_card import AdaptCard
from gui.widgets.engine_card import EngineCard
from gui.widgets.readout import EMPTY, ValueTable
from gui.widgets.weights_box import WeightsBox

FACTS = ("Computed", "Route", "Time", "Mover")
WIDTH = 320


class DeblurPanel(QFrame):
    """Facts and switches scroll where the window is low; the buttons stay.

    Args:
        opacity: Of the mask, in percent.
    """

    def __init__(self, opacity: int) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setFixedWidth(WIDTH)
        self.engine = EngineCard()
        self.weights = WeightsBox()
        self.facts = ValueTable(FACTS)
        self.moved_box = _switch("Only where it moved", "deblur.moved")
        self.moved_box.setChecked(True)
        self.mask_box = _switch("Show where the network sees blur", "deblur.mask")
        self.sharp_box = _switch("Compare with S instead of B", "deblur.sharp")
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setValue(opacity)
        self.opacity.setAccessibleName("Opacity of the mask")
        self.adapt = AdaptCard()
        self.run_button = QPushButton("Run deblur")
        self.run_button.setObjectName("primary")
        self.run_button.setToolTip(actions.tooltip("deblur.run"))
        self.cancel_button = QPushButton("Stop")
        self.cancel_button.setToolTip(actions.tooltip("capture.cancel"))
        self.save_button = QPushButton("Save result…")
        self.save_button.setToolTip(actions.tooltip("deblur.save"))
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        self._build()

    def show_facts(self, facts: dict[str, str]) -> None:
        """Show how the result was made; dashes where there is none."""
        for name in FACTS:
            self.facts.set(name, facts.get(name, EMPTY))

    def _build(self) -> None:
        inner = QWidget()
        side = QVBoxLayout(inner)
        side.setContentsMargins(16, 14, 16, 8)
        side.setSpacing(9)
        side.addWidget(_heading("ENGINE"))
        side.addWidget(self.engine)
        side.addWidget(self.weights)
        side.addSpacing(6)
        side.addWidget(_heading("RESULT"))
        side.addWidget(self.facts)
        side.addWidget(self.moved_box)
        side.addWidget(self.sharp_box)
        side.addWidget(self.mask_box)
        row = QHBoxLayout()
        name = QLabel("Opacity")
        name.setObjectName("muted")
        row.addWidget(name)
        row.addWidget(self.opacity, 1)
        side.addLayout(row)
        side.addSpacing(6)
        side.addWidget(_heading("ADAPT TO THIS SET"))
        side.addWidget(self.adapt)
        side.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inner)
        below = QVBoxLayout()
        below.setContentsMargins(16, 4, 16, 14)
        below.setSpacing(9)
        below.addWidget(self.progress)
        buttons = QHBoxLayout()
        buttons.addWidget(self.run_button, 1)
        buttons.addWidget(self.cancel_button)
        below.addLayout(buttons)
        below.addWidget(self.save_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 1, 0, 0)
        column.setSpacing(0)
        column.addWidget(scroll, 1)
        column.addLayout(below)


def _switch(text: str, key: str) -> QCheckBox:
    made = QCheckBox(text)
    made.setToolTip(actions.tooltip(key))
    return made


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("heading")
    return label

"""The bar over the live views: plan, clipping marks, zoom, live on or off."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QWidget

from gui import actions
from gui.widgets.elided import ElidedLabel
from rig.exposure import ExposurePlan

PLACED = {"start": "at B's start", "centre": "in B's centre", "end": "at B's end"}
"""Where S lies in B, in words."""


class CaptureBar(QWidget):
    """Title, plan in one line, and switches of the views."""

    fit_wanted = Signal()
    actual_wanted = Signal()
    live_wanted = Signal(bool)

    def __init__(self, show_clipping: bool, show_grid: bool) -> None:
        super().__init__()
        title = QLabel("Capture")
        title.setObjectName("title")
        self.plan_line = ElidedLabel()
        self.clipping = QCheckBox("Clipping")
        self.clipping.setToolTip(actions.tooltip("view.clipping"))
        self.clipping.setChecked(show_clipping)
        self.grid = QCheckBox("Grid")
        self.grid.setToolTip(actions.tooltip("view.grid"))
        self.grid.setChecked(show_grid)
        self.aligned = QCheckBox("Aligned")
        self.aligned.setToolTip(actions.tooltip("view.aligned"))
        fit = QPushButton("Fit")
        fit.setToolTip(actions.tooltip("view.fit"))
        fit.clicked.connect(self.fit_wanted)
        actual = QPushButton("1:1")
        actual.setToolTip(actions.tooltip("view.actual"))
        actual.clicked.connect(self.actual_wanted)
        self.live = QPushButton("Live")
        self.live.setCheckable(True)
        self.live.setChecked(True)
        self.live.setToolTip(actions.tooltip("rig.live"))
        self.live.clicked.connect(self.live_wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(title)
        row.addWidget(self.plan_line, 1)
        for widget in (self.aligned, self.clipping, self.grid, fit, actual, self.live):
            row.addWidget(widget)

    def show_plan(self, applied: ExposurePlan | None, wished: ExposurePlan | None) -> None:
        """Say which exposures the rig has or will get."""
        plan = applied or wished
        if plan is None:
            self.plan_line.setText("No plan: the Plan page says what is missing")
            return
        if applied is None:
            words = "goes to the rig with the first take"
        elif wished is not None and wished != applied:
            words = "on the rig; the Plan page has another one"
        else:
            words = "on the rig"
        control = ", by pulse width" if plan.exposure_control == "width" else ""
        exposures = [
            f"{camera} {plan.applied_us[camera] / 1e3:.3f} ms {plan.blur_px[camera]:.1f} px"
            for camera in "BS"
        ]
        self.plan_line.setText(f"{'   '.join(exposures)} {PLACED[plan.placement]}{control}   {words}")

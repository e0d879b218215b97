"""What a plan leads to: exposures, blur, the time line, remarks, and what the rig made of it."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from gui import theme
from gui.planning import PlanOutcome, sentence
from gui.widgets.measure_card import MeasureCard
from gui.widgets.readout import Readout
from gui.widgets.timeline import Timeline, Timing
from rig.exposure import ExposurePlan
from rig.flicker import in_passing
from rig.placement import explain, s_delay_s


class PlanResults(QWidget):
    """Cards with the numbers of one plan."""

    def __init__(self) -> None:
        super().__init__()
        cameras = theme.CAMERA
        self.readouts = {
            "t_s": Readout("t_S, exposure of S", px=28, colour=cameras["S"]),
            "t_l": Readout("t_L, exposure of B", px=28, colour=cameras["B"]),
            "blur_s": Readout("Blur in S", px=28, colour=cameras["S"]),
            "blur_b": Readout("Blur in B", px=28, colour=cameras["B"]),
            "ratio": Readout("Real ratio t_S / t_L"),
            "brightness": Readout("Brightness of B to S"),
            "period": Readout("Trigger period"),
            "image_distance": Readout("Image distance l'"),
        }
        self.trouble = QFrame()
        self.trouble.setObjectName("planTrouble")
        self.trouble.setStyleSheet(
            f"QFrame#planTrouble {{ background: #3a2d12; border: 1px solid {theme.WARN};"
            " border-radius: 8px; }"
        )
        self.reason = QLabel()
        self.reason.setStyleSheet(f"font-size: 16px; font-weight: 600; color: {theme.WARN};")
        self.hint = QLabel()
        for label in (self.reason, self.hint):
            label.setWordWrap(True)
        inner = QVBoxLayout(self.trouble)
        inner.setContentsMargins(18, 14, 18, 14)
        inner.addWidget(self.reason)
        inner.addWidget(self.hint)
        self.trouble.hide()
        self.timeline = Timeline()
        self.placing = QLabel("")
        self.placing.setWordWrap(True)
        self.control = QLabel("")
        self.control.setObjectName("muted")
        self.control.setWordWrap(True)
        self.notes = QLabel("")
        self.notes.setWordWrap(True)
        self.measure = MeasureCard()
        self.applied = AppliedTable()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.trouble)
        column.addWidget(self._numbers())
        column.addWidget(_card("ONE PERIOD", self.timeline, self.placing, self.control))
        self._notes_card = _card("REMARKS", self.notes)
        column.addWidget(self._notes_card)
        column.addWidget(_card("MEASURE", self.measure))
        column.addWidget(_card("ON THE RIG", self.applied))
        column.addStretch(1)

    def _numbers(self) -> QFrame:
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(16)
        for index, readout in enumerate(self.readouts.values()):
            grid.addWidget(readout, index // 4, index % 4)
        for column in range(4):
            grid.setColumnStretch(column, 1)
        return _card("PLAN", box)

    def show_outcome(self, outcome: PlanOutcome) -> None:
        """Show a plan, or why there is none."""
        plan = outcome.plan
        if plan is not None:
            self.trouble.hide()
            self._show_plan(plan)
            return
        for readout in self.readouts.values():
            readout.set("")
        self.timeline.set_timing(None)
        self.placing.setText("")
        self.control.setText("")
        self._notes_card.hide()
        if not outcome.reason:
            self.reason.setText("A field cannot be read")
            self.hint.setText("See the red line at the field on the left.")
        else:
            self.reason.setText(outcome.reason)
            self.hint.setText(outcome.hint)
        self.hint.setVisible(bool(self.hint.text()))
        self.trouble.show()

    def _show_plan(self, plan: ExposurePlan) -> None:
        for key, camera in (("t_s", "S"), ("t_l", "B")):
            applied, planned = plan.applied_us[camera], plan.planned_us[camera]
            self.readouts[key].set(milliseconds(applied), f"planned {milliseconds(planned)}")
        wanted = plan.blur_requested_s_px
        self.readouts["blur_s"].set(
            f"{plan.blur_px['S']:.2f} px", f"wanted {wanted:.2f} px" if wanted else " "
        )
        self.readouts["blur_b"].set(f"{plan.blur_px['B']:.2f} px", "predicted by Eq. 2")
        self.readouts["ratio"].set(f"{plan.ratio_applied:.4f}", f"tau {plan.tau:g} on the label")
        self.readouts["brightness"].set(
            f"{plan.brightness_ratio:.4f}", f"with {plan.filter_name}; 1 is equal"
        )
        self.readouts["period"].set(
            f"{plan.period_s * 1e3:.1f} ms",
            f"shortest {plan.min_period_s * 1e3:.1f} ms, {1 / plan.period_s:.2f} Hz",
        )
        self.readouts["image_distance"].set(
            f"{plan.image_distance_m * 1e3:.4f} mm", f"object at {plan.distance_m:g} m"
        )
        self.timeline.set_timing(
            Timing(
                plan.applied_us["B"] / 1e3,
                plan.applied_us["S"] / 1e3,
                plan.period_s * 1e3,
                plan.min_period_s * 1e3,
                s_delay_s(plan.applied_us, plan.placement) * 1e3,
            )
        )
        self.placing.setText(explain(plan.applied_us, plan.placement) + ".")
        self.control.setText(f"{CONTROL[plan.exposure_control]}\n{sentence(in_passing(plan))}")
        self.notes.setText("\n".join(plan.notes))
        self._notes_card.setVisible(bool(plan.notes))


class AppliedTable(QWidget):
    """Asked against got, camera by camera, after a plan was written to the rig."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(28)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(4, 1)
        self.rows: list[tuple[str, str, str, str]] = []
        self.clear()

    def clear(self) -> None:
        """Say that nothing was written yet."""
        self._fill([])
        empty = QLabel("No plan was written to the rig yet.")
        empty.setObjectName("muted")
        self._grid.addWidget(empty, 0, 0)

    def show_rows(self, rows: list[tuple[str, str, str, str]]) -> None:
        """Show (camera, feature, asked, got) of each write."""
        self._fill(rows)

    def _fill(self, rows: list[tuple[str, str, str, str]]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.rows = rows
        if not rows:
            return
        for column, name in enumerate(("Camera", "Feature", "Asked", "Got")):
            heading = QLabel(name)
            heading.setObjectName("muted")
            self._grid.addWidget(heading, 0, column)
        for index, (camera, feature, asked, got) in enumerate(rows, start=1):
            first = QLabel(camera)
            first.setStyleSheet(f"color: {theme.CAMERA.get(camera, theme.TEXT)}; font-weight: 600;")
            result = QLabel(got)
            result.setStyleSheet(f"color: {theme.OK if asked == got else theme.WARN};")
            for column, label in enumerate((first, QLabel(feature), QLabel(asked), result)):
                self._grid.addWidget(label, index, column)


def milliseconds(exposure_us: float) -> str:
    """Write an exposure in milliseconds, to the microsecond."""
    return f"{exposure_us / 1e3:.3f} ms"


CONTROL = {
    "timed": "Exposures are timed by the cameras; a pulse only starts them.",
    "width": "Exposures last as long as the box's pulses: their widths are what the box reads back.",
}


def _card(name: str, *contents: QWidget) -> QFrame:
    card = QFrame()
    card.setObjectName("panel")
    column = QVBoxLayout(card)
    column.setContentsMargins(18, 14, 18, 14)
    column.setSpacing(10)
    heading = QLabel(name)
    heading.setObjectName("heading")
    column.addWidget(heading)
    for content in contents:
        column.addWidget(content)
    return card

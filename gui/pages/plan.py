"""Plan page: speed, distance and the blur that is wanted, to the exposures of both cameras (Eq. 2)."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gui import actions
from gui.pages.plan_results import PlanResults
from gui.planning import PLACES, TARGETS, PlanInput, PlanOutcome, make_plan
from gui.settings import Settings
from gui.widgets.fields import CalmComboBox, Field, TextEdit
from gui.widgets.placing import PlacingDiagram
from rig.exposure import ExposurePlan
from rig.placement import s_delay_s
from rig.profiles import RigProfile

DEBOUNCE_MS = 120


class PlanPage(QWidget):
    """The form on the left, what it leads to on the right."""

    use_plan = Signal(object)
    plan_changed = Signal(object)

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.setObjectName("page")
        self._settings = settings
        self._rig: RigProfile | None = None
        self.outcome = PlanOutcome(reason="No rig profile is loaded")
        self.results = PlanResults()
        self.speed = Field("Speed of the object", TextEdit(settings.speed), "For example 1.4 m/s or 5 km/h")
        self.distance = Field(
            "Distance to the object", TextEdit(settings.distance), "From the lens; for example 5 m"
        )
        self.target_value = Field(TARGETS[settings.target], TextEdit(settings.target_value), "")
        self.period = Field(
            "Trigger period",
            TextEdit(settings.period, "as the rig profile says"),
            "Time between two pulses: 200 ms",
        )
        self._target = CalmComboBox()
        for key, text in TARGETS.items():
            self._target.addItem(text, key)
        self._target.setCurrentIndex(list(TARGETS).index(settings.target))
        self.target = Field("Given", self._target, "Which unknown of Eq. 2 is given")
        self._filter = CalmComboBox()
        self.filter = Field(
            "Density filter before B", self._filter, "Its transmittance tau gives t_L = t_S / tau"
        )
        self._placement = CalmComboBox()
        for place, text in PLACES.items():
            self._placement.addItem(text, place)
        self.placement = Field("Exposure of S", self._placement, "Where it lies in the exposure of B")
        self.placing = PlacingDiagram()
        self.use_button = QPushButton("Use this plan")
        self.use_button.setObjectName("primary")
        self.use_button.setToolTip(actions.tooltip("plan.use"))
        self.use_button.clicked.connect(self.send_plan)
        self._usable = False
        self._why_not = QLabel("The rig is not open yet")
        self._why_not.setObjectName("muted")
        self._why_not.setWordWrap(True)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self.recompute)
        self._build()
        for editor in self._texts().values():
            editor.textChanged.connect(self._changed)
        self._target.currentIndexChanged.connect(self._target_changed)
        self._filter.currentIndexChanged.connect(self._changed)
        self._placement.currentIndexChanged.connect(self._changed)
        self.results.measure.speed_chosen.connect(self._use_speed)

    def _texts(self) -> dict[str, QLineEdit]:
        fields = {
            "speed": self.speed,
            "distance": self.distance,
            "target_value": self.target_value,
            "period": self.period,
        }
        return {name: item.editor for name, item in fields.items() if isinstance(item.editor, QLineEdit)}

    def _build(self) -> None:
        title = QLabel("Plan")
        title.setObjectName("title")
        lead = QLabel(
            "How long each camera exposes, so that a moving object smears by the wanted number of pixels."
        )
        lead.setObjectName("muted")
        form = QFrame()
        form.setObjectName("panel")
        around = QVBoxLayout(form)
        around.setContentsMargins(1, 1, 1, 18)
        fields = QWidget()
        column = QVBoxLayout(fields)
        column.setContentsMargins(19, 17, 19, 4)
        column.setSpacing(12)
        heading = QLabel("SCENE")
        heading.setObjectName("heading")
        column.addWidget(heading)
        for item in (
            self.speed,
            self.distance,
            self.target,
            self.target_value,
            self.filter,
            self.placement,
            self.placing,
            self.period,
        ):
            column.addWidget(item)
        column.addStretch(1)
        around.addWidget(_scrolled(fields), 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(19, 8, 19, 0)
        foot.addWidget(self.use_button)
        foot.addWidget(self._why_not)
        around.addLayout(foot)
        form.setFixedWidth(310)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(form)
        row.addWidget(_scrolled(self.results), 1)
        grid = QGridLayout(self)
        grid.setContentsMargins(20, 14, 20, 14)
        grid.addWidget(title, 0, 0)
        grid.addWidget(lead, 1, 0)
        grid.addLayout(row, 2, 0)
        grid.setRowStretch(2, 1)
        grid.setVerticalSpacing(6)

    def set_rig(self, rig: RigProfile) -> None:
        """Plan for this rig: its optics, filters and cameras."""
        self._rig = rig
        wanted = self._settings.filter_name
        self._filter.blockSignals(True)
        self._filter.clear()
        for item in rig.filters:
            mounted = ", mounted now" if item.name == rig.filter_in_use else ""
            self._filter.addItem(f"{item.name}, tau {item.transmittance:g}{mounted}", item.name)
        index = self._filter.findData(wanted or rig.filter_in_use)
        self._filter.setCurrentIndex(max(index, 0))
        self._filter.blockSignals(False)
        self._placement.blockSignals(True)
        self._placement.setCurrentIndex(self._placement.findData(self._settings.placement or rig.placement))
        self._placement.blockSignals(False)
        self.recompute()

    def set_usable(self, usable: bool, why_not: str = "") -> None:
        """Say whether the rig can take a plan now."""
        self._usable = usable
        self.results.measure.set_usable(usable)
        self._why_not.setText("" if usable else why_not)
        self._why_not.setVisible(not usable)
        self._update_button()

    def wish(self) -> PlanInput:
        """Return the form as typed."""
        texts = self._texts()
        return PlanInput(
            speed=texts["speed"].text(),
            distance=texts["distance"].text(),
            target=str(self._target.currentData()),
            target_value=texts["target_value"].text(),
            filter_name=str(self._filter.currentData() or ""),
            period=texts["period"].text(),
            placement=str(self._placement.currentData()),
        )

    def plan(self) -> ExposurePlan | None:
        """Return the plan of the form, None when there is none."""
        return self.outcome.plan

    def recompute(self) -> None:
        """Plan anew and show it."""
        self._timer.stop()
        if self._rig is None:
            return
        wish = self.wish()
        self.outcome = make_plan(self._rig, wish)
        for name, item in (
            ("speed", self.speed),
            ("distance", self.distance),
            ("target_value", self.target_value),
            ("period", self.period),
            ("placement", self.placement),
        ):
            item.set_error(self.outcome.field_errors.get(name, ""))
        self.results.show_outcome(self.outcome)
        self._show_placing(self.outcome.plan)
        self._remember(wish)
        self._update_button()
        self.plan_changed.emit(self.outcome.plan)

    def _show_placing(self, plan: ExposurePlan | None) -> None:
        if plan is None:
            self.placing.show_exposures(None)
            return
        long_us = plan.applied_us["B"]
        delay_us = s_delay_s(plan.applied_us, plan.placement) * 1e6
        self.placing.show_exposures(delay_us / long_us, plan.applied_us["S"] / long_us)

    def send_plan(self) -> None:
        """Ask for the plan to be written to the rig."""
        if self._timer.isActive():
            self.recompute()
        if self.outcome.plan is not None and self._usable:
            self.use_plan.emit(self.outcome.plan)

    def _remember(self, wish: PlanInput) -> None:
        if self.outcome.field_errors:
            return
        self._settings.speed, self._settings.distance = wish.speed, wish.distance
        self._settings.target, self._settings.target_value = wish.target, wish.target_value
        self._settings.filter_name, self._settings.period = wish.filter_name, wish.period
        usual = self._rig.placement if self._rig is not None else ""
        self._settings.placement = "" if wish.placement == usual else wish.placement

    def _update_button(self) -> None:
        self.use_button.setEnabled(self._usable and self.outcome.plan is not None)

    def _use_speed(self, speed: str) -> None:
        """Take a measured speed into the form; the plan follows, and is sent by its own button."""
        self._texts()["speed"].setText(speed)
        self.recompute()

    def _changed(self) -> None:
        self._timer.start()

    def _target_changed(self) -> None:
        key = str(self._target.currentData())
        self.target_value.set_name(TARGETS[key])
        edit = self._texts()["target_value"]
        is_time = key == "exposure"
        typed_time = "s" in edit.text()
        if is_time != typed_time:  # a number of pixels is no time: start from a sensible one
            edit.setText("2 ms" if is_time else "4")
        self._changed()

    @property
    def target_choice(self) -> QComboBox:
        """The choice of the given quantity."""
        return self._target

    @property
    def filter_choice(self) -> QComboBox:
        """The choice of the filter."""
        return self._filter

    @property
    def placement_choice(self) -> QComboBox:
        """The choice of where S lies in B."""
        return self._placement


def _scrolled(content: QWidget) -> QScrollArea:
    """Let a column be higher than the window; Tab brings its fields into sight."""
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setWidget(content)
    return scroll

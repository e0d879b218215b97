"""The operator's column of the Capture page: scene, checklist, pairs, the big button, the last verdicts."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
)

from gui import actions, theme
from gui.planning import sentence
from gui.widgets.checklist import Checklist
from gui.widgets.fields import CalmSpinBox, Field, TextEdit
from rig.errors import BeamrigError, UnitError
from rig.records import check_scene_name
from rig.units import parse_quantity

MAX_VERDICTS = 200


class CapturePanel(QFrame):
    """Everything that decides on the next take, and what became of the last one.

    Args:
        own_pairs: Numbers of pairs that the operator wants instead of the suggested ones, for each kind of
            take; kept up to date here.
    """

    capture_wanted = Signal()
    cancel_wanted = Signal()
    new_scene_wanted = Signal()

    def __init__(self, own_pairs: dict[str, int]) -> None:
        super().__init__()
        self._own_pairs = own_pairs
        self.setObjectName("panel")
        self.setFixedWidth(312)
        self.scene_edit = TextEdit("s01")
        self.scene = Field("Scene", self.scene_edit, "Letters, digits, - and _; a new name is a new scene")
        self.new_scene = QPushButton("New")
        self.new_scene.setToolTip("Take the next free name: a new set-up of the rig")
        self.new_scene.clicked.connect(self.new_scene_wanted)
        self.checklist = Checklist()
        self.pairs_spin = CalmSpinBox(1, 9999, 1)
        self.pairs = Field("Pairs", self.pairs_spin, "How many trigger pulses")
        self.period_edit = TextEdit("", "plan's")
        self.period = Field(
            "Period", self.period_edit, "Time between two pulses, for example 250 ms; empty: the plan's"
        )
        self.button = QPushButton("Capture")
        self.button.setObjectName("capture")
        self.button.setToolTip(actions.tooltip("capture.fire"))
        self.button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.button.clicked.connect(self.capture_wanted)
        self.cancel = QPushButton("Stop")
        self.cancel.setToolTip(actions.tooltip("capture.cancel"))
        self.cancel.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.cancel.clicked.connect(self.cancel_wanted)
        self.cancel.setVisible(False)
        self.why_not = QLabel("")
        self.why_not.setObjectName("muted")
        self.why_not.setWordWrap(True)
        self.progress = QProgressBar()
        self.progress.setVisible(False)
        self.verdict = QLabel("No take yet")
        self.verdict.setWordWrap(True)
        self.verdict.setStyleSheet("font-weight: 600;")
        self.shots = QListWidget()
        self.shots.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.shots.setStyleSheet(f"QListWidget {{ border: none; background: {theme.PANEL}; }}")
        self.shots.setWordWrap(True)
        self.shots.setMinimumHeight(60)
        self._build()
        self.checklist.chosen.connect(self._suggest_pairs)
        self.pairs_spin.valueChanged.connect(self._remember_pairs)
        self._suggest_pairs(self.checklist.current)

    def _suggest_pairs(self, kind: str) -> None:
        """Put in the operator's own number for a step, else the suggested one."""
        self.pairs_spin.setValue(self._own_pairs.get(kind, self.checklist.suggested_pairs(kind)))

    def _remember_pairs(self, pairs: int) -> None:
        kind = self.checklist.current
        if pairs == self.checklist.suggested_pairs(kind):
            self._own_pairs.pop(kind, None)
        else:
            self._own_pairs[kind] = pairs

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        top = QHBoxLayout()
        top.addWidget(self.scene, 1)
        top.addWidget(self.new_scene, 0, Qt.AlignmentFlag.AlignBottom)
        column.addLayout(top)
        column.addWidget(self.checklist)
        numbers = QHBoxLayout()
        numbers.setSpacing(10)
        for item in (self.pairs, self.period):
            numbers.addWidget(item, 1, Qt.AlignmentFlag.AlignTop)
        column.addLayout(numbers)
        buttons = QHBoxLayout()
        buttons.addWidget(self.button, 1)
        buttons.addWidget(self.cancel)
        column.addLayout(buttons)
        column.addWidget(self.why_not)
        column.addWidget(self.progress)
        column.addWidget(self.verdict)
        column.addWidget(self.shots, 1)

    def check_fields(self) -> bool:
        """Say at the fields what is wrong with them; return whether nothing is."""
        problem = ""
        try:
            check_scene_name(self.scene_edit.text().strip())
        except BeamrigError as error:
            problem = sentence(error.hint or error.message)
        self.scene.set_error(problem)
        wrong = ""
        try:
            period_s = self.period_s()
            if period_s is not None and period_s <= 0:
                wrong = "Must be above 0"
        except UnitError as error:
            wrong = sentence(error.hint or error.message)
        self.period.set_error(wrong)
        return not problem and not wrong

    def period_s(self) -> float | None:
        """Return the period that was typed; None leaves it to the plan.

        Raises:
            UnitError: It cannot be read.
        """
        text = self.period_edit.text().strip()
        return parse_quantity(text, "time") if text else None

    def set_ready(self, ready: bool, why_not: str = "") -> None:
        """Say whether a take can be made now, and if not, why."""
        self.button.setEnabled(ready)
        self.why_not.setText("" if ready else why_not)
        self.why_not.setVisible(bool(self.why_not.text()))

    def start(self, kind: str, pairs: int) -> None:
        """Show that a take runs."""
        self.checklist.set_running(kind)
        self.progress.setRange(0, pairs)
        self.progress.setValue(0)
        self.progress.setFormat("getting ready")
        self.progress.setVisible(True)
        self.cancel.setVisible(True)
        self.cancel.setEnabled(True)
        self.shots.clear()
        self.say(f"{kind.capitalize()}: {pairs} pulses", theme.TEXT)

    def show_frames(self, frames: int) -> None:
        """Show how many frames of the burst came from both cameras."""
        if self.shots.count() == 0:
            self.progress.setFormat("%v of %m frames from both cameras")
            self.progress.setValue(min(frames, self.progress.maximum()))

    def add_shot(self, index: int, paired: bool, text: str) -> None:
        """Show one shot; the newest is on top."""
        item = QListWidgetItem(f"{index + 1:>3}  {text}")
        item.setForeground(theme.colour(theme.TEXT if paired else theme.WARN))
        self.shots.insertItem(0, item)
        while self.shots.count() > MAX_VERDICTS:
            self.shots.takeItem(self.shots.count() - 1)
        self.progress.setFormat("%v of %m recorded")
        self.progress.setValue(min(self.shots.count(), self.progress.maximum()))

    def finish(self) -> None:
        """Show that no take runs."""
        self.checklist.set_running(None)
        self.progress.setVisible(False)
        self.cancel.setVisible(False)

    def say(self, text: str, colour: str) -> None:
        """Show the verdict on the last take."""
        self.verdict.setText(text)
        self.verdict.setStyleSheet(f"font-weight: 600; color: {colour};")

"""The operator's column of the Capture page: scene, checklist, mode, the big button, counters, verdicts."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gui import actions, theme
from gui.planning import sentence
from gui.settings import Settings
from gui.widgets.checklist import Checklist
from gui.widgets.fields import Field, TextEdit
from gui.widgets.take_counters import TakeCounterGrid
from gui.widgets.take_mode import TakeMode
from rig.errors import BeamrigError
from rig.records import check_scene_name

MAX_VERDICTS = 200


class CapturePanel(QFrame):
    """Everything that decides on the next take, and what became of the last one.

    Args:
        settings: Remembers the mode, and the numbers of pairs that the operator wants instead of the
            suggested ones.
    """

    capture_wanted = Signal()
    cancel_wanted = Signal()
    new_scene_wanted = Signal()
    anyway_wanted = Signal()

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._own_pairs = settings.own_pairs
        self.setObjectName("panel")
        self.setFixedWidth(312)
        self.scene_edit = TextEdit("s01")
        self.scene = Field("Scene", self.scene_edit, "Letters, digits, - and _; a new name is a new scene")
        self.new_scene = QPushButton("New")
        self.new_scene.setToolTip("Take the next free name: a new set-up of the rig")
        self.new_scene.clicked.connect(self.new_scene_wanted)
        self.checklist = Checklist()
        self.mode = TakeMode(settings)
        self.pairs_spin, self.period_edit = self.mode.pairs_spin, self.mode.period_edit
        self.period = self.mode.fields["period"]
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
        self.anyway = QPushButton("Go on anyway")
        self.anyway.setToolTip("Go on in spite of what was found; that is recorded in the session")
        self.anyway.clicked.connect(self.anyway_wanted)
        self.anyway.hide()
        self.counters = TakeCounterGrid()
        self.progress = self.counters.progress
        self.verdict = QLabel("No take yet")
        self.verdict.setWordWrap(True)
        self.verdict.setStyleSheet("font-weight: 600;")
        self.shots = QListWidget()
        self.shots.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.shots.setStyleSheet(f"QListWidget {{ border: none; background: {theme.PANEL}; }}")
        self.shots.setWordWrap(True)
        self.shots.setMinimumHeight(32)
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
        inside = QWidget()
        scroll = QScrollArea()  # with a message over the page there may be too little height for all
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        around = QVBoxLayout(self)
        around.setContentsMargins(1, 1, 1, 1)
        around.addWidget(scroll)
        column = QVBoxLayout(inside)
        column.setContentsMargins(15, 13, 15, 13)
        column.setSpacing(7)
        top = QHBoxLayout()
        top.addWidget(self.scene, 1)
        top.addWidget(self.new_scene, 0, Qt.AlignmentFlag.AlignBottom)
        column.addLayout(top)
        column.addWidget(self.checklist)
        column.addWidget(self.mode)
        buttons = QHBoxLayout()
        buttons.addWidget(self.button, 1)
        buttons.addWidget(self.cancel)
        column.addLayout(buttons)
        column.addWidget(self.why_not)
        column.addWidget(self.anyway)
        column.addWidget(self.counters)
        column.addWidget(self.verdict)
        column.addWidget(self.shots, 1)

    def choose_take(self, scene: str, kind: str) -> None:
        """Set up a take of a kind in a scene."""
        self.scene_edit.setText(scene)
        self.checklist.choose(kind)

    def check_fields(self) -> bool:
        """Say at the fields what is wrong with them; return whether nothing is."""
        problem = ""
        try:
            check_scene_name(self.scene_edit.text().strip())
        except BeamrigError as error:
            problem = sentence(error.hint or error.message)
        self.scene.set_error(problem)
        return not problem and self.mode.schedule() is not None

    def set_button(self, text: str, ready: bool, why_not: str = "") -> None:
        """Say what the big button does now, or why it does nothing."""
        self.button.setText(text)
        self.button.setEnabled(ready)
        self.why_not.setText("" if ready else why_not)
        self.why_not.setVisible(bool(self.why_not.text()))

    def start(self, kind: str, pairs: int) -> None:
        """Show that a take runs; 0 pairs are an open number."""
        self.checklist.set_running(kind)
        self.counters.start(pairs)
        self.mode.set_locked(True)
        self.cancel.setVisible(True)
        self.show_stopping(False)
        self.shots.clear()
        self.say(f"{kind.capitalize()}: {pairs} pulses" if pairs else kind.capitalize(), theme.TEXT)

    def show_stopping(self, stopping: bool) -> None:
        """Offer to stop after the present shot, or once that was asked for, at once."""
        self.cancel.setText("Stop now" if stopping else "Stop")
        self.cancel.setToolTip(
            "Give up frames that are still under way; what is here is recorded"
            if stopping
            else actions.tooltip("capture.cancel")
        )

    def add_shot(self, index: int, number: int, paired: bool, text: str) -> None:
        """Show one shot, the so-and-so-many that is settled; the newest is on top."""
        item = QListWidgetItem(f"{index + 1:>3}  {text}")
        item.setForeground(theme.colour(theme.TEXT if paired else theme.WARN))
        self.shots.insertItem(0, item)
        while self.shots.count() > MAX_VERDICTS:
            self.shots.takeItem(self.shots.count() - 1)
        self.counters.settled(number)

    def finish(self) -> None:
        """Show that no take runs."""
        self.checklist.set_running(None)
        self.counters.hide()
        self.mode.set_locked(False)
        self.cancel.setVisible(False)

    def say(self, text: str, colour: str) -> None:
        """Show the verdict on the last take."""
        self.verdict.setText(text)
        self.verdict.setStyleSheet(f"font-weight: 600; color: {colour};")

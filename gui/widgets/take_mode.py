"""How a take goes: so many pairs, by hand, at intervals or until stopped; only the fields that this needs."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from gui.planning import sentence
from gui.settings import Settings
from gui.widgets.fields import CalmComboBox, CalmSpinBox, Field, TextEdit
from rig.capture.schedule import ByHand, Counted, Interval, Schedule, UntilStopped
from rig.errors import BeamrigError
from rig.units import parse_quantity

MODES = {
    "count": ("N pairs", "The box counts the pulses itself"),
    "hand": ("By hand", "Space or the big button makes each shot"),
    "interval": ("At intervals", "One pair now and one each so many seconds"),
    "stop": ("Until stopped", "Goes on until Stop; a pre-roll keeps what was just before the button"),
}
FIELDS = {
    "count": ("pairs", "period"),
    "hand": ("a_press", "limit"),
    "interval": ("every", "limit"),
    "stop": ("period", "preroll"),
}
"""The two fields of each mode, from left to right."""


class TakeMode(QWidget):
    """The choice of a mode, the warm-up, and the two fields of the mode.

    Args:
        settings: Remembers all of it but period and number of pairs.
    """

    changed = Signal()

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self.mode = CalmComboBox()
        for key, (text, hint) in MODES.items():
            self.mode.addItem(text, key)
            self.mode.setItemData(self.mode.count() - 1, hint, Qt.ItemDataRole.ToolTipRole)
        self.pairs_spin = CalmSpinBox(1, 9999, 1)
        self.period_edit = TextEdit("", "plan's")
        self.every_edit = TextEdit(settings.take_every)
        self.press_spin = CalmSpinBox(1, 9999, settings.pairs_a_press)
        self.limit_spin = CalmSpinBox(0, 9999, 0)
        self.limit_spin.setSpecialValueText("no limit")
        self.preroll_edit = TextEdit(settings.take_preroll, "none")
        self.warmup_spin = CalmSpinBox(0, 99, settings.warmup)
        self._texts = {"period": self.period_edit, "every": self.every_edit, "preroll": self.preroll_edit}
        self.fields = {
            "mode": Field("Take", self.mode, "When the trigger pulses come"),
            "warmup": Field(
                "Warm-up", self.warmup_spin, "Shots before the take; their frames are thrown away"
            ),
            "pairs": Field("Pairs", self.pairs_spin, "How many trigger pulses"),
            "period": Field(
                "Period", self.period_edit, "Time between two pulses, for example 250 ms; empty: the plan's"
            ),
            "every": Field("Every", self.every_edit, "Time from pair to pair, for example 10 s or 2 min"),
            "a_press": Field("Pairs a press", self.press_spin, "Pulses for each press, at the plan's period"),
            "limit": Field("At most", self.limit_spin, "Pairs that end the take; 0 goes on until Stop"),
            "preroll": Field(
                "Pre-roll",
                self.preroll_edit,
                "Pairs of the last so many seconds are held in memory, nothing is written until Keep; "
                "empty: write from the start",
            ),
        }
        self._build()
        self.mode.setCurrentIndex(list(MODES).index(settings.take_mode))
        self.mode.currentIndexChanged.connect(self._mode_changed)
        self.mode.activated.connect(self.mode.clearFocus)  # Space is the shutter again
        for edit in self._texts.values():
            edit.textChanged.connect(self._edited)
        for spin in (self.press_spin, self.warmup_spin, self.limit_spin):
            spin.valueChanged.connect(self._edited)
        self._show_fields()

    def _build(self) -> None:
        grid = self._grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        top = Qt.AlignmentFlag.AlignTop
        for field in self.fields.values():
            field.setParent(self)  # shown without a parent it would be a window
        grid.addWidget(self.fields["mode"], 0, 0, top)
        grid.addWidget(self.fields["warmup"], 0, 1, top)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        for column in range(2):
            grid.setColumnMinimumWidth(column, 134)

    @property
    def current(self) -> str:
        """The chosen mode: "count", "hand", "interval" or "stop"."""
        return str(self.mode.currentData())

    def choose(self, mode: str) -> None:
        """Choose a mode."""
        self.mode.setCurrentIndex(list(MODES).index(mode))

    def shown(self) -> set[str]:
        """Return the names of the fields that this mode needs."""
        return {"mode", "warmup", *FIELDS[self.current]}

    def set_plan_period(self, period_s: float) -> None:
        """Say what an empty period stands for."""
        self.period_edit.setPlaceholderText(f"plan's {period_s * 1e3:.0f} ms")

    def set_locked(self, locked: bool) -> None:
        """A take that runs goes on as it was set up."""
        focused = self.window().focusWidget()
        if locked and focused is not None and self.isAncestorOf(focused):
            focused.clearFocus()  # else the keyboard would pass to the next control, and Space with it
        for field in self.fields.values():
            field.editor.setEnabled(not locked)

    def schedule(self) -> Schedule | None:
        """Return when the pulses are to come; None with what is wrong said at the field."""
        for spin in (self.pairs_spin, self.press_spin, self.limit_spin, self.warmup_spin):
            spin.interpretText()
        period_s, every_s = self._time("period"), self._time("every")
        preroll_s = self._time("preroll")
        if any(self.fields[key].error for key in FIELDS[self.current]):
            return None
        limit = self.limit_spin.value() or None
        if self.current == "hand":
            return ByHand(self.press_spin.value(), limit)
        if self.current == "interval":
            return Interval(every_s or 1.0, limit)
        if self.current == "stop":
            return UntilStopped(period_s, preroll_s or 0.0)
        return Counted(self.pairs_spin.value(), period_s)

    @property
    def warmup(self) -> int:
        """How many shots are fired before the take proper."""
        return self.warmup_spin.value()

    def _time(self, key: str) -> float | None:
        """Read a time above 0, or say at the field why not; None for an empty field."""
        field, wrong, value = self.fields[key], "", None
        text = self._texts[key].text().strip()
        if text:
            try:
                value = parse_quantity(text, "time")
            except BeamrigError as error:
                wrong = sentence(error.hint or error.message)
            else:
                wrong = "" if value > 0 else "Must be above 0"
        elif key == "every":
            wrong = "How many seconds?"
        field.set_error(wrong if key in FIELDS[self.current] else "")
        return None if wrong else value

    def _mode_changed(self) -> None:
        self._show_fields()
        self._edited()

    def _show_fields(self) -> None:
        shown = self.shown()
        for key in ("period", "limit", "pairs", "every", "a_press", "preroll"):
            self.fields[key].setVisible(key in shown)
        self.mode.setToolTip(MODES[self.current][1])
        for column, key in enumerate(FIELDS[self.current]):
            self._grid.addWidget(self.fields[key], 1, column, Qt.AlignmentFlag.AlignTop)

    def _edited(self) -> None:
        good = self.schedule() is not None
        self._settings.take_mode = self.current
        self._settings.pairs_a_press = self.press_spin.value()
        self._settings.warmup = self.warmup_spin.value()
        if good:
            self._settings.take_every = self.every_edit.text()
            self._settings.take_preroll = self.preroll_edit.text()
        self.changed.emit()

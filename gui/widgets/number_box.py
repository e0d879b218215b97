"""A spin box for any number of a camera: 64-bit integers and floats, with limits and steps, calm."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox

from gui.feature_text import bounds, limits_text
from rig.camera.browser import FeatureState

RETURN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
ROUNDING = 1e-9


class NumberBox(QAbstractSpinBox):
    """Edits a number as text; nothing is sent before Return, and the wheel changes nothing at all."""

    submitted = Signal()
    edited = Signal()

    def __init__(self, integer: bool) -> None:
        super().__init__()
        self._integer = integer
        self._state = FeatureState("", "not available")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.lineEdit().setTextMargins(7, 0, 0, 0)
        self.lineEdit().textEdited.connect(self.edited)

    def show_state(self, state: FeatureState) -> None:
        """Show the value, and take limits and step."""
        self._state = state
        value = state.value
        if isinstance(value, int | float):
            self._show(value)

    def value(self) -> int | float:
        """Return the number as typed.

        Raises:
            ValueError: It is none, or out of its limits or between its steps; the message says so.
        """
        text = self.text().strip().removesuffix(self._state.unit).strip()
        try:
            value = int(text, 0) if self._integer else float(text)
        except ValueError:
            kind = "whole number" if self._integer else "number"
            raise ValueError(f"'{text}' is not a {kind}") from None
        low, high = bounds(self._state)
        too_low, too_high = low is not None and value < low, high is not None and value > high
        if too_low or too_high or not math.isfinite(value):
            raise ValueError(f"it must be {limits_text(self._state)}")
        step = self._state.increment
        if self._integer and step is not None and step > 1:
            base = int(low or 0)
            if (int(value) - base) % int(step):
                below = base + (int(value) - base) // int(step) * int(step)
                raise ValueError(f"steps of {int(step)}: {below} or {below + int(step)}")
        return value

    def stepBy(self, steps: int) -> None:  # noqa: N802 (Qt's name)
        """Go up or down by the camera's step, or by a sensible one."""
        text = self.text().removesuffix(self._state.unit).strip()
        try:
            value: int | float = int(text, 0) if self._integer else float(text)
        except ValueError:
            return
        low, high = bounds(self._state)
        if self._integer:  # in whole numbers throughout: a float has not enough digits for 64 bits
            size, base = max(int(self._state.increment or 1), 1), int(low or 0)
            wanted: int | float = base + ((int(value) - base) // size + steps) * size
        else:
            wanted = value + steps * self._step(value)
        if low is not None and wanted < low:
            wanted = int(low) if self._integer else low
        if high is not None and wanted > high:
            wanted = int(high) if self._integer else high
        self._show(wanted)
        self.edited.emit()

    def _step(self, value: float) -> float:
        step = self._state.increment
        if step is not None and step > ROUNDING * max(abs(value), 1.0):
            return step
        return 10.0 ** math.floor(math.log10(abs(value)) - 1) if value else 1.0

    def _show(self, value: float) -> None:
        self.lineEdit().setText(str(value) if self._integer else f"{value:.10g}")

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:  # noqa: N802 (Qt's name)
        """Both ways; the limits stop it."""
        flags = QAbstractSpinBox.StepEnabledFlag
        return flags.StepUpEnabled | flags.StepDownEnabled

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Let anything be typed; `value` judges it."""
        return QValidator.State.Acceptable, text, position

    def event(self, event: QEvent) -> bool:
        """Claim Return before the shortcuts see it."""
        asked = event.type() == QEvent.Type.ShortcutOverride
        if asked and isinstance(event, QKeyEvent) and event.key() in RETURN:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """Return sends the number."""
        if event.key() in RETURN:
            self.submitted.emit()
            return
        super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 (Qt's name)
        """Settings of a camera are never changed by scrolling."""
        event.ignore()

"""Input fields that say at the field what is wrong with it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QSpinBox, QVBoxLayout, QWidget


class Field(QWidget):
    """A name, an editor and a line for what is wrong (hidden while nothing is)."""

    def __init__(self, name: str, editor: QWidget, hint: str = "") -> None:
        super().__init__()
        self.editor = editor
        self._name = QLabel(name)
        self._name.setObjectName("muted")
        self._name.setBuddy(editor)
        self._error = QLabel()
        self._error.setObjectName("fieldError")
        self._error.setWordWrap(True)
        self._error.hide()
        editor.setToolTip(hint)
        editor.setAccessibleName(name)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._name)
        column.addWidget(editor)
        column.addWidget(self._error)

    @property
    def error(self) -> str:
        """What the field complains about; empty when nothing."""
        return self._error.text()

    def set_name(self, name: str) -> None:
        """Change the name."""
        self._name.setText(name)
        self.editor.setAccessibleName(name)

    def set_error(self, text: str) -> None:
        """Complain, or with an empty text be content."""
        if text == self._error.text():
            return
        self._error.setText(text)
        self._error.setVisible(bool(text))
        self.editor.setProperty("wrong", "true" if text else "false")
        self.editor.style().unpolish(self.editor)
        self.editor.style().polish(self.editor)


class TextEdit(QLineEdit):
    """A line edit that keeps Return for itself, so that ending an entry never fires the window's shortcut."""

    committed = Signal()

    def __init__(self, text: str = "", placeholder: str = "") -> None:
        super().__init__(text)
        self.setPlaceholderText(placeholder)
        self.setClearButtonEnabled(False)

    def event(self, event: QEvent) -> bool:
        """Claim Return before the shortcuts see it."""
        return _claims_return(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """Return ends the entry and gives the keyboard back to the shortcuts."""
        if _is_return(event) or event.key() == Qt.Key.Key_Escape:
            self.committed.emit()
            self.clearFocus()
            return
        super().keyPressEvent(event)


class CalmSpinBox(QSpinBox):
    """A spin box that reports finished numbers only and ignores the wheel unless it has the focus."""

    def __init__(self, low: int, high: int, value: int) -> None:
        super().__init__()
        self.setRange(low, high)
        self.setValue(value)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setButtonSymbols(QSpinBox.ButtonSymbols.PlusMinus)
        self.lineEdit().setTextMargins(7, 0, 0, 0)  # the style sheet's padding does not reach the inner edit

    def event(self, event: QEvent) -> bool:
        """Claim Return before the shortcuts see it."""
        return _claims_return(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """Return ends the entry."""
        super().keyPressEvent(event)
        if _is_return(event):
            self.clearFocus()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 (Qt's name)
        """Scrolling a page must not change numbers."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class CalmComboBox(QComboBox):
    """A combo box that ignores the wheel unless it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 (Qt's name)
        """Scrolling a page must not change choices."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def _claims_return(event: QEvent) -> bool:
    """Take Return for the field, before the window's shortcuts see it; tell whether it was that."""
    if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_return(event):
        event.accept()
        return True
    return False


def _is_return(event: QKeyEvent) -> bool:
    """Whether it is Return alone: Ctrl+Return is a shortcut also while typing."""
    if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
        return False
    return event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)

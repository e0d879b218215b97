"""Keys on focused buttons: Space and Return press the button, not the window's shortcut."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QComboBox, QWidget

PRESS = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)


class ButtonKeys(QObject):
    """Watches all buttons of a window.

    Buttons take the focus from the keyboard only: after a click on one, Space is the shutter again. A button
    that was reached by Tab shows its ring, and there Space and Return press it.

    Args:
        window: The window with all its buttons.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        for button in window.findChildren(QAbstractButton):
            if button.focusPolicy() == Qt.FocusPolicy.StrongFocus:
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.installEventFilter(self)
        for choice in window.findChildren(QComboBox):
            choice.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Claim the keys for the focused button; a click for Return, which Qt leaves to dialogs."""
        if not isinstance(event, QKeyEvent) or event.key() not in PRESS or _modified(event):
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if event.type() == QEvent.Type.KeyPress and event.key() != Qt.Key.Key_Space:
            if isinstance(watched, QAbstractButton):
                watched.click()
            elif isinstance(watched, QComboBox):
                watched.showPopup()
            return True
        return False


def _modified(event: QKeyEvent) -> bool:
    return bool(event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier)

"""The navigation rail on the left, and the menus: both made from the table of actions."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QMainWindow, QMenu, QToolButton, QVBoxLayout, QWidget

from gui import actions
from gui.icons import icon

PAGES = ("plan", "capture", "review", "deblur", "calibrate", "devices")
"""The pages in the order of the work, and the one to look at when something is wrong."""


class Rail(QWidget):
    """One button a page."""

    def __init__(self, by_key: dict[str, QAction]) -> None:
        super().__init__()
        self.setObjectName("rail")
        self.setFixedWidth(86)
        column = QVBoxLayout(self)
        column.setContentsMargins(7, 12, 7, 12)
        column.setSpacing(6)
        self.buttons: dict[str, QToolButton] = {}
        for name in PAGES:
            button = QToolButton()
            button.setText(name.capitalize())
            button.setIcon(icon(name))
            button.setIconSize(QSize(26, 26))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setCheckable(True)
            button.setFixedSize(72, 62)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setToolTip(actions.tooltip(f"page.{name}"))
            button.clicked.connect(by_key[f"page.{name}"].trigger)
            column.addWidget(button)
            self.buttons[name] = button
        column.addStretch(1)
        keys = QLabel("F1  keys")
        keys.setObjectName("muted")
        keys.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(keys)

    def choose(self, page: str) -> None:
        """Mark the page that is shown."""
        for name, button in self.buttons.items():
            button.setChecked(name == page)


def build_menus(window: QMainWindow, by_key: dict[str, QAction]) -> None:
    """Fill the menu bar, one menu a group, and make every shortcut work in the window."""
    for group in actions.GROUPS:
        menu = QMenu(group, window)
        for info in actions.ACTIONS:
            if info.group == group and info.in_menu:
                menu.addAction(by_key[info.key])
        if not menu.isEmpty():
            window.menuBar().addMenu(menu)
    for action in by_key.values():
        window.addAction(action)

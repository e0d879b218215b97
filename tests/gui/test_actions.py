from __future__ import annotations

import itertools

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gui.actions import ACTIONS, GROUPS, build_actions, info_for, shortcut_text, tooltip
from gui.widgets.fields import CalmSpinBox, TextEdit
from gui.widgets.help_overlay import HelpOverlay


def test_no_two_actions_share_a_key_where_both_are_on() -> None:
    for one, other in itertools.combinations(ACTIONS, 2):
        if not one.page or not other.page or one.page == other.page:
            shared = set(one.shortcuts) & set(other.shortcuts)
            assert not shared, f"{one.key} and {other.key} share {shared}"


def test_every_shortcut_is_a_key_that_qt_knows() -> None:
    for info in ACTIONS:
        for keys in info.shortcuts:
            assert not QKeySequence(keys).isEmpty(), keys
            assert QKeySequence(keys).toString(QKeySequence.SequenceFormat.PortableText) == keys


def test_the_help_overlay_lists_every_action(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    overlay = HelpOverlay(window)
    overlay.toggle()
    texts = [label.text() for label in overlay.findChildren(QLabel)]
    for info in ACTIONS:
        assert any(info.hint in text for text in texts), info.key
        assert any(info.shortcuts[0] in text for text in texts), info.key
    assert overlay.sizeHint().height() <= 800
    assert overlay.sizeHint().width() <= 1280
    qtbot.keyClick(overlay, Qt.Key.Key_Escape)
    assert overlay.isHidden()


def test_the_help_overlay_follows_the_size_of_the_window(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(900, 700)
    window.show()
    overlay = HelpOverlay(window)
    overlay.toggle()
    window.resize(1300, 900)
    qtbot.waitUntil(lambda: overlay.size() == window.size())


def test_tooltips_say_the_shortcut(qtbot: QtBot) -> None:
    assert shortcut_text("capture.fire") in tooltip("capture.fire")
    parent = QWidget()
    qtbot.addWidget(parent)
    built = build_actions(parent)
    assert set(built) == {info.key for info in ACTIONS}
    assert all(shortcut_text(key) in action.toolTip() for key, action in built.items())


def test_an_unknown_action_names_the_nearest() -> None:
    with pytest.raises(KeyError, match=r"capture\.fire"):
        info_for("capture.fier")
    assert {info.group for info in ACTIONS} == set(GROUPS)


@pytest.fixture
def form(qtbot: QtBot) -> tuple[QWidget, TextEdit, CalmSpinBox, list[str]]:
    window, fired = QWidget(), []
    qtbot.addWidget(window)
    text, number = TextEdit(), CalmSpinBox(1, 999, 8)
    column = QVBoxLayout(window)
    column.addWidget(text)
    column.addWidget(number)
    for key, action in build_actions(window).items():
        action.triggered.connect(lambda _=False, name=key: fired.append(name))
        window.addAction(action)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window, text, number, fired


def test_typing_into_a_field_fires_nothing(
    form: tuple[QWidget, TextEdit, CalmSpinBox, list[str]], qtbot: QtBot
) -> None:
    _, text, number, fired = form
    text.setFocus()
    qtbot.keyClicks(text, "lf 1 cndmjk")
    assert text.text() == "lf 1 cndmjk"
    number.setFocus()
    number.selectAll()
    qtbot.keyClicks(number, "21")
    assert number.text() == "21"
    assert not fired


def test_return_ends_an_entry_and_only_the_next_one_fires(
    form: tuple[QWidget, TextEdit, CalmSpinBox, list[str]], qtbot: QtBot
) -> None:
    window, text, number, fired = form
    for field in (text, number):
        field.setFocus()
        qtbot.keyClick(field, Qt.Key.Key_Return)
        assert not fired
        assert not field.hasFocus()
    qtbot.keyClick(window, Qt.Key.Key_Return)
    assert fired == ["capture.fire"]

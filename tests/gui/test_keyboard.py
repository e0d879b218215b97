"""The keyboard in the real window, without a rig: who gets a key, and where the focus goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from gui.main_window import MainWindow
from gui.settings import Settings
from tests.gui.windows import opened_window


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    session = tmp_path / "Schulhof am Morgen"
    with opened_window(tmp_path, Settings(page="capture"), session=session, open_rig=False) as made:
        made.activateWindow()
        qtbot.waitUntil(made.isActiveWindow)
        yield made


@pytest.fixture
def fired(window: MainWindow) -> list[str]:
    """Make the shutter ready and note what it does, up to the rig's door."""
    found: list[str] = []
    window.capture_page.capture_wanted.disconnect()
    window.capture_page.capture_wanted.connect(lambda request: found.append(request.kind))
    window.capture_page.set_ready(True)
    assert window.capture_page.panel.button.isEnabled()
    return found


def test_space_on_a_focused_button_presses_it_and_not_the_shutter(
    window: MainWindow, fired: list[str], qtbot: QtBot
) -> None:
    grid = window.capture_page.bar.grid
    grid.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(grid, Qt.Key.Key_Space)
    assert grid.isChecked()
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert not grid.isChecked()
    assert not fired


def test_after_a_click_on_a_button_space_is_the_shutter_again(
    window: MainWindow, fired: list[str], qtbot: QtBot
) -> None:
    qtbot.mouseClick(window.capture_page.bar.grid, Qt.MouseButton.LeftButton)
    assert window.capture_page.bar.grid.isChecked()
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert fired == ["whiteboard"]
    assert window.capture_page.bar.grid.isChecked()


def test_space_and_return_in_a_field_do_not_capture(
    window: MainWindow, fired: list[str], qtbot: QtBot
) -> None:
    panel = window.capture_page.panel
    for field in (panel.scene_edit, panel.period_edit):
        field.setFocus()
        qtbot.keyClick(field, Qt.Key.Key_Space)
        qtbot.keyClick(field, Qt.Key.Key_Return)
    panel.pairs_spin.setFocus()
    qtbot.keyClick(panel.pairs_spin, Qt.Key.Key_Return)
    assert not fired


def test_ctrl_return_sends_the_plan_also_while_typing(window: MainWindow, qtbot: QtBot) -> None:
    window.show_page("plan")
    window.plan_page.set_usable(True)
    editor = window.plan_page.speed.editor
    assert isinstance(editor, QLineEdit)
    editor.setFocus()
    editor.setText("2 m/s")
    window.plan_page.use_plan.disconnect()
    with qtbot.waitSignal(window.plan_page.use_plan) as sent:
        qtbot.keyClick(editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert sent.args[0].speed_mps == 2


def test_the_arrow_keys_choose_the_step(window: MainWindow, qtbot: QtBot) -> None:
    checklist = window.capture_page.panel.checklist
    checklist.setFocus()
    for expected in ("lightbox", "static", "action", "colorchecker", "colorchecker"):
        qtbot.keyClick(checklist, Qt.Key.Key_Down)
        assert checklist.current == expected
    qtbot.keyClick(checklist, Qt.Key.Key_Up)
    assert checklist.current == "action"


@pytest.mark.parametrize("page", ["plan", "capture", "review", "deblur", "calibrate"])
def test_tab_goes_round_the_page_from_the_top_down(window: MainWindow, page: str, qtbot: QtBot) -> None:
    window.stack.setCurrentWidget(window.pages[page])  # without starting an engine for it
    window.pages[page].setFocus()
    seen: list[QWidget] = []
    for _ in range(40):
        qtbot.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        if focused is None or focused in seen:
            break
        seen.append(focused)
    inside = [widget for widget in seen if window.pages[page].isAncestorOf(widget)]
    assert len(inside) >= 3
    missing = [
        button.text()
        for button in window.pages[page].findChildren(QAbstractButton)
        if button.isVisible()
        and button.isEnabled()
        and button.focusPolicy() & Qt.FocusPolicy.TabFocus
        and button not in seen
    ]
    assert not missing


def test_escape_closes_the_message_when_nothing_runs(window: MainWindow, qtbot: QtBot) -> None:
    window.banner.show_message("something")
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.banner.message


def test_the_title_names_the_session_and_the_rig(window: MainWindow) -> None:
    assert "Schulhof am Morgen" in window.windowTitle()
    assert "Virtual rig" in window.windowTitle()


def test_no_message_and_no_path_makes_the_window_wider(window: MainWindow, tmp_path: Path) -> None:
    path = "/" + "Vermessungsaufnahmen_Hochgeschwindigkeitsstrahlteiler" * 8
    window.banner.show_message(f"{path} cannot be written", f"Free {path}")
    window.keeper.switch(tmp_path / ("Strahlteileraufnahmen" * 9))
    window.session.changed()
    window.review_page.work.outcome.setText(path)
    QApplication.processEvents()
    assert window.minimumSizeHint().width() <= 1280
    assert window.width() == 1280
    assert len(window.chips.chips["Session"].plain()) < 90


def test_told_messages_can_be_read_again_and_copied(window: MainWindow) -> None:
    window.banner.show_message("first", "do this", details="Traceback")
    window.banner.dismiss()
    window.banner.show_message("second", level="warning")
    window.action("help.messages").trigger()
    dialog = window.messages._dialog
    assert dialog is not None
    window.banner.show_message("third")
    text = dialog.view.toPlainText()
    assert [word in text for word in ("first", "do this", "Traceback", "second", "third")] == [True] * 5
    assert text.index("first") < text.index("second") < text.index("third")
    assert text.strip() == window.messages.text().strip()
    dialog.close()

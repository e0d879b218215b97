"""The Devices page on the real virtual rig: one window for the whole file."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLineEdit
from pytestqt.qtbot import QtBot
from serial.tools import list_ports

from gui.app import BeamrigApp
from gui.feature_reader import TAKE_RUNS
from gui.main_window import MainWindow
from gui.pages.devices import DevicesPage
from gui.settings import Settings
from gui.widgets.difference_table import DifferenceDialog
from gui.widgets.number_box import NumberBox
from rig.camera.paths import SEARCH_VARIABLE
from rig.rig import Rig
from rig.virtual.client import WorldClient
from tests.gui.windows import opened_window

Wait = Callable[..., None]


@pytest.fixture(scope="module")
def window(
    qapp: BeamrigApp, tmp_path_factory: pytest.TempPathFactory, wait_until: Wait
) -> Iterator[MainWindow]:
    folder = tmp_path_factory.mktemp("gui")
    with pytest.MonkeyPatch.context() as patch:
        # what is plugged into the machine that runs the tests is left alone
        patch.setattr(list_ports, "comports", list)
        with opened_window(folder, Settings(page="devices")) as made:
            wait_until(lambda: made.devices_page.features.browser is not None, "the settings", 60)
            wait_until(lambda: made.service.applied_plan is not None, "the plan", 60)
            yield made


@pytest.fixture
def page(window: MainWindow) -> DevicesPage:
    return window.devices_page


@pytest.fixture
def rig(window: MainWindow) -> Rig:
    assert window.service.rig is not None
    return window.service.rig


@pytest.fixture
def at_rest(window: MainWindow, page: DevicesPage, wait_until: Wait) -> Iterator[None]:
    if page.features._live:
        page.features.live_button.click()
    wait_until(lambda: not page.features._live, "the live view to stop")
    yield
    page.features.live_button.click()
    wait_until(lambda: page.features._live, "the live view to start")


def choose(page: DevicesPage, name: str, wait_until: Wait) -> None:
    assert page.features.tree.select(name)
    wait_until(lambda: page.features.editor.state is not None, f"the state of {name}")


def write(page: DevicesPage, name: str, text: str, wait_until: Wait) -> str:
    choose(page, name, wait_until)
    editor = page.features.editor
    assert isinstance(editor.editor, NumberBox)
    editor.editor.lineEdit().setText(text)
    editor.submit()
    wait_until(lambda: editor.note.text() not in ("", "Writing"), "what became of the write")
    return editor.note.text()


def test_the_cards_say_what_the_rig_says(page: DevicesPage, rig: Rig, wait_until: Wait) -> None:
    card = page.devices.cards["S"]
    wait_until(lambda: card.facts is not None and card.facts.state == "ready", "camera S on its card")
    assert card.facts is not None
    assert rig.cameras["S"].info.serial_number in card.facts.what
    assert f"pid\u00a0{rig.cameras['S'].pid}" in "\n".join(card.facts.lines)
    box = page.devices.cards["Box"].facts
    assert box is not None
    assert rig.box.info.serial_number in box.what


def test_a_search_shows_other_cameras_and_leaves_those_of_the_rig_alone(
    page: DevicesPage, rig: Rig, wait_until: Wait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until(lambda: not page.search.running, "the first search", 60)
    assert page._survey is not None
    assert page._survey.cameras == 0
    pids = {name: camera.pid for name, camera in rig.cameras.items()}
    shutil.copy(rig.profile.cameras["B"].cti, tmp_path / "other.cti")
    (tmp_path / "broken.cti").write_text("no library")
    monkeypatch.setenv(SEARCH_VARIABLE, str(tmp_path))
    page.look_button.click()
    assert page.look_button.text() == "Stop looking"
    wait_until(lambda: not page.search.running, "the search", 60)
    shown = [card.facts for card in page.devices.others if card.facts is not None]
    twins = [facts for facts in shown if "Two producers show it" in facts.problem]
    assert {facts.name for facts in twins} == {"beamrig VR-5M 'Camera B'", "beamrig VR-5M 'Camera S'"}
    (broken,) = [facts for facts in shown if facts.name == "broken.cti"]
    assert broken.state == "failed"
    assert {name: camera.pid for name, camera in rig.cameras.items()} == pids


def test_a_search_can_be_stopped(page: DevicesPage, wait_until: Wait) -> None:
    page.look()
    page.look_button.click()
    wait_until(lambda: not page.search.running, "the end of the search", 60)
    assert page.devices._note.text() == "The search was stopped"
    assert page.look_button.text() == "Look again"


def test_a_locked_setting_says_why_and_has_no_editor(page: DevicesPage, wait_until: Wait) -> None:
    choose(page, "PixelFormat", wait_until)
    wait_until(lambda: page.features.editor.note.text() != "", "the reason")
    assert page.features.editor.note.text() == "Locked while the camera acquires"
    index = page.features.model.index_of("PixelFormat")
    assert index.siblingAtColumn(2).data() == "locked while the camera acquires"
    assert "Locked while the camera acquires" in index.data(Qt.ItemDataRole.ToolTipRole)
    assert not isinstance(page.features.editor.editor, QComboBox)


@pytest.mark.usefixtures("at_rest")
def test_what_was_applied_stands_beside_what_was_asked(page: DevicesPage, rig: Rig, wait_until: Wait) -> None:
    assert write(page, "ExposureTime", "1234.567", wait_until) == "Asked 1234.567, applied 1235 µs"
    index = page.features.model.index_of("ExposureTime")
    assert index.siblingAtColumn(1).data() == "1235 µs"
    assert index.siblingAtColumn(2).data() == "asked 1234.567, applied 1235 µs"
    assert rig.cameras["B"].read("ExposureTime") == 1235


@pytest.mark.usefixtures("at_rest")
def test_a_value_beyond_the_limits_is_refused_before_it_is_sent(
    page: DevicesPage, rig: Rig, wait_until: Wait
) -> None:
    before = rig.cameras["B"].read("ExposureTime")
    assert write(page, "ExposureTime", "1", wait_until) == "It must be 10 to 10000000 µs"
    assert rig.cameras["B"].read("ExposureTime") == before


@pytest.mark.usefixtures("at_rest")
def test_a_setting_that_is_not_the_profiles_is_marked_and_listed(page: DevicesPage, wait_until: Wait) -> None:
    model = page.features.model
    assert write(page, "Gain", "3", wait_until) == "Applied: 3 dB"
    wait_until(lambda: "Gain" in model.differs, "the mark")
    assert model.index_of("Gain").siblingAtColumn(2).data() == "≠ profile: 0 dB"
    page.features.changed_only.setChecked(True)
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == ["Gain"]
    page.features.changed_only.setChecked(False)
    write(page, "Gain", "0", wait_until)
    wait_until(lambda: not model.differs, "no mark")


@pytest.mark.usefixtures("at_rest")
def test_choices_and_switches_are_written_at_once_but_never_by_the_wheel(
    page: DevicesPage, rig: Rig, wait_until: Wait
) -> None:
    choose(page, "PixelFormat", wait_until)
    combo = page.features.editor.editor
    wait_until(lambda: isinstance(page.features.editor.editor, QComboBox), "the entries")
    combo = page.features.editor.editor
    assert isinstance(combo, QComboBox)
    combo.setFocus()
    down = QPoint(0, -120)
    wheel = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), down, down, Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(combo, wheel)
    assert combo.currentText() == "BayerRG12"
    combo.setCurrentText("BayerRG8")
    combo.activated.emit(combo.currentIndex())
    wait_until(lambda: page.features.editor.note.text() == "Applied: BayerRG8", "the read-back")
    assert rig.cameras["B"].read("PixelFormat") == "BayerRG8"
    combo.setCurrentText("BayerRG12")
    combo.activated.emit(combo.currentIndex())
    wait_until(lambda: page.features.editor.note.text() == "Applied: BayerRG12", "the read-back")
    choose(page, "AcquisitionFrameRateEnable", wait_until)
    box = page.features.editor.editor
    assert isinstance(box, QCheckBox)
    before = box.isChecked()
    for wanted in (not before, before):
        box.click()
        words = f"Applied: {'on' if wanted else 'off'}"
        wait_until(lambda w=words: page.features.editor.note.text() == w, "the read-back")
        assert rig.cameras["B"].read("AcquisitionFrameRateEnable") == wanted


@pytest.mark.usefixtures("at_rest")
def test_the_rig_alone_starts_and_stops_its_cameras(page: DevicesPage, wait_until: Wait) -> None:
    choose(page, "AcquisitionStart", wait_until)
    page.features.editor.button.click()
    wait_until(lambda: "the rig itself" in page.features.editor.note.text(), "the refusal")


def test_a_text_is_written_by_return_and_left_alone_by_escape(
    page: DevicesPage, rig: Rig, wait_until: Wait, qtbot: QtBot
) -> None:
    for key, expected in ((Qt.Key.Key_Escape, "Camera B"), (Qt.Key.Key_Return, "1 left flag")):
        page.features.tree.setCurrentIndex(page.features.model.index(0, 0))
        choose(page, "DeviceUserID", wait_until)
        edit = page.features.editor.editor
        assert isinstance(edit, QLineEdit)
        edit.clear()
        qtbot.keyClicks(edit, "1 left flag")
        qtbot.keyClick(edit, key)
        if key == Qt.Key.Key_Return:
            wait_until(lambda: page.features.editor.note.text() == "Applied: 1 left flag", "the read-back")
        assert rig.cameras["B"].read("DeviceUserID") == expected


def test_a_search_ranks_names_and_levels_hide_what_is_for_others(page: DevicesPage) -> None:
    panel = page.features
    all_shown = panel.model.count()
    panel.level.setCurrentIndex(2)
    assert panel.model.count() > all_shown
    panel.level.setCurrentIndex(0)
    panel.search.setText("gain")
    panel._fill()
    names = [panel.model.index(row, 0).data() for row in range(panel.model.rowCount())]
    assert names[0] == "Gain"
    assert panel.tree.current() is not None
    panel.search.setText("no such thing")
    panel._fill()
    assert panel.tree.placeholder == "No setting has these words"
    panel.search.setText("")
    panel._fill()
    assert panel.model.count() == all_shown


@pytest.mark.usefixtures("at_rest")
def test_a_snapshot_is_saved_and_compared(
    window: MainWindow, page: DevicesPage, wait_until: Wait, tmp_path: Path
) -> None:
    panel = page.features
    panel.reader.save("B", tmp_path / "before.json")
    wait_until(lambda: "values saved to" in panel.state.text(), "the snapshot")
    write(page, "Gain", "6", wait_until)
    panel.reader.compare("B", tmp_path / "before.json")
    wait_until(lambda: bool(window.findChildren(DifferenceDialog)), "the differences")
    (dialog,) = window.findChildren(DifferenceDialog)
    assert ("Gain", "0 dB", "6 dB") in dialog.rows
    dialog.close()
    write(page, "Gain", "0", wait_until)


def test_nothing_is_written_and_nobody_looks_while_a_take_runs(
    window: MainWindow, page: DevicesPage, wait_until: Wait
) -> None:
    stop, done = threading.Event(), threading.Event()

    def take(rig: Rig | None) -> None:
        assert rig is not None
        session = window.keeper.ensure(rig.source)
        session.add_scene("s01", rig.plan.plan if rig.plan is not None else None)
        rig.capture(session, "s01", "action", 400, cancel=stop)
        done.set()

    choose(page, "Gain", wait_until)
    assert window.service.with_rig(take, "take")
    wait_until(lambda: page._capturing, "the take")
    assert not page.look_button.isEnabled()
    assert not page.devices.cards["B"].button.isEnabled()
    assert page.features.editor.note.text() == TAKE_RUNS[:1].upper() + TAKE_RUNS[1:]
    refused: list[str] = []
    page.features.reader.refused.connect(lambda camera, name, trouble: refused.append(trouble.message))
    node = page.features.editor.node
    assert node is not None
    page.features.reader.write("B", node, 12.0)
    assert refused == [TAKE_RUNS]
    stop.set()
    wait_until(done.is_set, "the end of the take", 60)
    wait_until(lambda: not page._capturing, "the end on the page")
    assert window.service.rig is not None
    assert window.service.rig.cameras["B"].read("Gain") == 0


def test_a_box_that_was_unplugged_is_reconnected_by_its_button(
    window: MainWindow, page: DevicesPage, rig: Rig, wait_until: Wait
) -> None:
    world, card = WorldClient(rig.run_dir), page.devices.cards["Box"]
    world.fault("box unplug")
    window.service.with_rig(lambda now: now.box.safe() if now is not None else None, "safe")
    wait_until(lambda: card.facts is not None and card.facts.state == "failed", "the loss", 60)
    assert card.facts is not None
    assert "Check cable and power" in card.facts.problem
    world.fault("box replug")
    card.button.click()
    wait_until(lambda: card.facts is not None and card.facts.state == "ready", "the box", 60)
    told = [message.text for message in window.messages.messages if message.part == "Trigger box"]
    assert any("Its port is gone" in text for text in told)
    assert told[-1] == "ready, outputs off"


def test_a_lost_camera_stands_in_the_log_and_in_the_report(
    window: MainWindow, page: DevicesPage, rig: Rig, wait_until: Wait
) -> None:
    pid = rig.cameras["S"].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: rig.cameras["S"].state == "live" and rig.cameras["S"].pid != pid, "the camera", 60)
    wait_until(lambda: any("restarted" in one.text for one in window.messages.messages), "the log")
    page.tabs.setCurrentWidget(page.events)
    model = page.events.model
    rows = [(model.index(row, 1).data(), model.index(row, 2).data()) for row in range(model.rowCount())]
    assert any(part == "Camera S" and "SIGKILL" in words for part, words in rows)
    window.action("devices.report").trigger()
    wait_until(lambda: page.events.copied.text() == "Copied", "the report")
    text = QApplication.clipboard().text()
    for word in ("PySide6 ", "VR-S-0002", "DG645", "SIGKILL", "no problems", "pairs left"):
        assert word in text, word
    page.tabs.setCurrentWidget(page.features)


def test_a_camera_is_restarted_by_the_button_on_its_card(
    page: DevicesPage, rig: Rig, wait_until: Wait
) -> None:
    pid = rig.cameras["B"].pid
    page.devices.cards["B"].button.click()
    wait_until(lambda: rig.cameras["B"].pid not in (pid, None), "another process", 60)
    wait_until(lambda: page.features.browser is not None, "the settings again", 60)

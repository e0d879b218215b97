"""Every way to make a take, pressed by the operator in the window, on the real virtual rig."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.app import BeamrigApp
from gui.main_window import MainWindow
from gui.settings import Settings
from rig.session import Session
from tests.gui.windows import opened_window

Wait = Callable[..., None]


@pytest.fixture(scope="module")
def window(
    qapp: BeamrigApp, tmp_path_factory: pytest.TempPathFactory, wait_until: Wait
) -> Iterator[MainWindow]:
    folder = tmp_path_factory.mktemp("modes")
    with opened_window(folder, Settings(page="capture")) as made:
        wait_until(lambda: made.service.applied_plan is not None, "the plan on the rig", 60)
        yield made


def start(window: MainWindow, kind: str, mode: str, wait_until: Wait) -> None:
    panel = window.capture_page.panel
    panel.checklist.choose(kind)
    panel.mode.choose(mode)
    wait_until(panel.button.isEnabled, "the capture button")
    assert panel.button.text() == f"Start {kind}"
    panel.button.click()
    wait_until(lambda: window.capture_page.take.running is not None, "the start of the take")


def end(window: MainWindow, wait_until: Wait) -> str:
    wait_until(lambda: window.capture_page.take.running is None, "the end of the take", 60)
    return window.capture_page.panel.verdict.text()


def counter(window: MainWindow, key: str) -> str:
    return window.capture_page.panel.counters.text(key)


def test_by_hand_every_press_of_space_makes_a_pair_while_the_take_runs(
    window: MainWindow, wait_until: Wait, qtbot: QtBot
) -> None:
    panel = window.capture_page.panel
    window.activateWindow()
    wait_until(window.isActiveWindow, "the keyboard")
    window.show_page("capture")
    start(window, "static", "hand", wait_until)
    assert panel.button.text() == "Shoot"
    for presses in (1, 2):
        qtbot.keyClick(window, Qt.Key.Key_Space)
        wait_until(lambda n=presses: panel.shots.count() == n, "the verdict of the shot")
        assert "paired" in panel.shots.item(0).text()
    wait_until(lambda: counter(window, "paired") == "2", "the counters")
    assert counter(window, "rejected") == "0"
    assert window.capture_page.take.running is not None
    panel.cancel.click()
    assert panel.cancel.text() == "Stop now"
    assert end(window, wait_until) == "Static: 2 paired of 2 fired"


def test_the_pictures_go_on_during_a_take_and_say_so(window: MainWindow, wait_until: Wait) -> None:
    page = window.capture_page
    start(window, "action", "stop", wait_until)
    wait_until(lambda: int(counter(window, "fired").strip("–") or 0) > 1, "the first shots")
    before = page.live.numbers["B"]
    wait_until(lambda: page.live.numbers["B"] > before + 1, "pictures of the take")
    assert "reduced rate" in page.views["B"].canvas._badge
    assert not page.views["B"].canvas._pause
    assert not page.panel.mode.pairs_spin.isEnabled()
    window.action("capture.cancel").trigger()
    verdict = end(window, wait_until)
    assert "rejected" not in verdict
    assert "failed" not in verdict
    assert not page.views["B"].canvas._badge
    assert page.panel.mode.pairs_spin.isEnabled()


def test_a_pre_roll_writes_nothing_until_it_is_kept(window: MainWindow, wait_until: Wait) -> None:
    page = window.capture_page
    page.panel.mode.preroll_edit.setText("1 s")
    start(window, "action", "stop", wait_until)
    wait_until(lambda: "Pre-roll" in page.panel.counters.phase.text(), "the pre-roll")
    wait_until(lambda: int(counter(window, "fired").strip("–") or 0) >= 3, "shots to hold")
    assert counter(window, "paired") == "0"
    assert page.panel.button.text() == "Keep"
    window.action("capture.keep").trigger()
    assert not page.panel.button.isEnabled()
    wait_until(lambda: page.panel.shots.count() >= 4, "kept shots and those after them")
    page.stop()
    assert "paired" in end(window, wait_until)
    page.panel.mode.preroll_edit.setText("")


def test_an_interval_take_stops_by_itself_and_throws_its_warm_up_away(
    window: MainWindow, wait_until: Wait
) -> None:
    mode = window.capture_page.panel.mode
    mode.every_edit.setText("0.4 s")
    mode.limit_spin.setValue(2)
    mode.warmup_spin.setValue(1)
    start(window, "whiteboard", "interval", wait_until)
    assert end(window, wait_until) == "Whiteboard: 2 paired of 2 fired"
    mode.warmup_spin.setValue(0)
    mode.limit_spin.setValue(0)
    with Session.open(window.keeper.folder) as session:
        warm = [event for event in session.journal.since(0) if event["event"] == "warmup"]
        assert [event["pulses"] for event in warm] == [1]
        assert len(session.pairs("s01", "whiteboard")) == 2


@pytest.mark.parametrize(
    ("mode", "fields"),
    [
        ("count", {"pairs", "period"}),
        ("hand", {"a_press", "limit"}),
        ("interval", {"every", "limit"}),
        ("stop", {"period", "preroll"}),
    ],
)
def test_only_the_fields_that_a_mode_needs_are_shown(window: MainWindow, mode: str, fields: set[str]) -> None:
    chooser = window.capture_page.panel.mode
    chooser.choose(mode)
    shown = {key for key, field in chooser.fields.items() if field.isVisible()}
    assert shown == fields | {"mode", "warmup"}
    chooser.choose("count")


def test_a_wrong_interval_is_refused_at_its_field(window: MainWindow) -> None:
    panel = window.capture_page.panel
    panel.checklist.choose("whiteboard")  # which waits for no check of another step
    panel.mode.choose("interval")
    panel.mode.every_edit.setText("5")
    assert "s" in panel.mode.fields["every"].error
    assert not panel.button.isEnabled()
    panel.mode.choose("count")  # the wrong field is not needed any more
    assert panel.button.isEnabled()


def test_a_take_is_looked_at_and_what_was_found_stands_at_its_step(
    window: MainWindow, wait_until: Wait
) -> None:
    panel = window.capture_page.panel
    wait_until(lambda: panel.checklist.row("static").check is not None, "the check of the static take", 60)
    check = panel.checklist.row("static").check
    assert check is not None
    assert check.figures["pairs"] == 2
    assert "ratio_G" in panel.checklist.row("static").toolTip()

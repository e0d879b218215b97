"""The window as an operator uses it, on the real virtual rig: one window for the whole file."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from gui.app import BeamrigApp
from gui.frames import CAMERAS
from gui.main_window import MainWindow
from gui.settings import Settings
from rig.session import Session
from tests.gui.windows import opened_window

Wait = Callable[..., None]
KINDS = ("whiteboard", "lightbox", "static", "action")


@pytest.fixture(scope="module")
def window(
    qapp: BeamrigApp, tmp_path_factory: pytest.TempPathFactory, wait_until: Wait
) -> Iterator[MainWindow]:
    folder = tmp_path_factory.mktemp("gui")
    with opened_window(folder, Settings(page="capture", own_pairs=dict.fromkeys(KINDS, 2))) as made:
        assert made.isVisible()
        wait_until(lambda: made.service.rig is not None, "the rig", 60)
        wait_until(lambda: live(made), "live pictures", 60)
        yield made


def live(window: MainWindow) -> bool:
    return all(view.canvas.has_image() for view in window.capture_page.views.values())


def newest(window: MainWindow, camera: str) -> int:
    return window.capture_page.live.numbers[camera]


def take(window: MainWindow, kind: str, wait_until: Wait) -> str:
    panel = window.capture_page.panel
    panel.checklist.choose(kind)
    wait_until(panel.button.isEnabled, "the capture button")
    started: list[object] = []
    window.service.take_started.connect(started.append)
    panel.button.click()
    wait_until(lambda: bool(started), "the start of the take")
    wait_until(lambda: window.capture_page.take.running is None, "the end of the take", 60)
    return panel.verdict.text()


def test_the_rig_opens_behind_the_window_and_is_ready(window: MainWindow, wait_until: Wait) -> None:
    wait_until(window.readiness.all_ready, "all parts ready")
    wait_until(lambda: "live" in window.chips.chips["B"].plain(), "the status bar")
    assert "left" in window.chips.chips["Disk"].plain()
    assert "made at the first capture" in window.chips.chips["Session"].plain()


def test_the_plan_is_on_the_rig_and_its_read_back_is_shown(window: MainWindow, wait_until: Wait) -> None:
    wait_until(lambda: bool(window.plan_page.results.applied.rows), "the read-back")
    plan = window.plan_page.plan()
    assert plan is not None
    rows = {(row[0], row[1]): row[2:] for row in window.plan_page.results.applied.rows}
    for camera in CAMERAS:
        asked, got = rows[camera, "Exposure"]
        assert asked == f"{plan.applied_us[camera]:.1f} µs"
        assert float(got.removesuffix(" µs")) == pytest.approx(plan.applied_us[camera], abs=1.0)
        wait_until(
            lambda c=camera: f"{plan.applied_us[c] / 1e3:.3f} ms" in window.capture_page.views[c].facts(),
            "the applied exposure over the live view",
        )


def test_another_plan_goes_to_the_rig_by_its_button(window: MainWindow, wait_until: Wait) -> None:
    window.show_page("plan")
    editor = window.plan_page.speed.editor
    assert isinstance(editor, QLineEdit)
    editor.setText("2.8 m/s")
    window.action("plan.use").trigger()
    plan = window.plan_page.plan()
    assert plan is not None
    wait_until(lambda: window.service.applied_plan == plan, "the plan on the rig")
    window.show_page("capture")
    before = newest(window, "S")
    wait_until(lambda: newest(window, "S") > before, "frames with the new exposure")


def test_the_histogram_on_the_page_is_that_of_the_raw_frame(window: MainWindow, wait_until: Wait) -> None:
    histogram = window.capture_page.views["S"].histogram.histogram
    assert sum(int(counts.sum()) for counts in histogram.counts.values()) == 2448 * 2048
    assert int(np.argmax(histogram.counts["G"])) > 40  # no code of a lit scene lies below the black level


def test_both_views_zoom_together_down_to_sensor_pixels(window: MainWindow, wait_until: Wait) -> None:
    page = window.capture_page
    page.live.show_actual_pixels()
    assert page.views["B"].canvas.state is page.views["S"].canvas.state
    assert page.views["S"].canvas.screen_scale() == pytest.approx(1.0)
    for view in page.views.values():
        wait_until(lambda v=view: v.canvas._frame.detail is not None, "sensor pixels")
        detail = view.canvas._frame.detail
        assert (detail.picture.width(), detail.picture.height()) == (
            detail.region.width,
            detail.region.height,
        )
        assert view.canvas.width() <= detail.region.width < 2448
    window.action("view.fit").trigger()
    assert page.state.zoom == 1.0


def test_a_scene_is_captured_step_by_step(window: MainWindow, wait_until: Wait) -> None:
    assert take(window, "whiteboard", wait_until) == "Whiteboard: 2 paired of 2 fired"
    panel = window.capture_page.panel
    assert panel.checklist.current == "lightbox"  # the next step
    assert panel.shots.count() == 2
    for kind in ("lightbox", "static", "action"):
        assert take(window, kind, wait_until).endswith("2 paired of 2 fired")
    wait_until(lambda: panel.checklist.row("action").paired == 2, "the checklist")
    assert panel.checklist.row("whiteboard").state_text() == "2 pairs"
    with Session.open(window.keeper.folder) as session:
        assert len(session.pairs("s01")) == 8
        assert session.scene("s01").plan == window.service.applied_plan
    before = newest(window, "B")
    wait_until(lambda: newest(window, "B") > before, "live pictures after the take")


def test_space_captures_on_the_capture_page_and_nowhere_else(
    window: MainWindow, wait_until: Wait, qtbot: QtBot
) -> None:
    started: list[object] = []
    window.service.take_started.connect(started.append)
    window.activateWindow()
    window.show_page("plan")
    qtbot.keyClick(window, Qt.Key.Key_Space)
    window.show_page("capture")
    window.capture_page.panel.checklist.choose("action")
    wait_until(window.capture_page.panel.button.isEnabled, "the capture button")
    qtbot.keyClick(window, Qt.Key.Key_Space)
    wait_until(lambda: bool(started), "the take")
    wait_until(lambda: window.capture_page.take.running is None, "the end of the take", 60)
    assert len(started) == 1


def test_a_long_take_can_be_stopped(window: MainWindow, wait_until: Wait) -> None:
    panel = window.capture_page.panel
    panel.pairs_spin.setValue(500)
    panel.checklist.choose("action")
    panel.button.click()
    wait_until(lambda: window.capture_page.take.running is not None, "the start of the take")
    wait_until(lambda: panel.progress.value() > 0, "the first shots", 60)
    window.action("capture.cancel").trigger()
    wait_until(lambda: window.capture_page.take.running is None, "the end of the take", 60)
    assert "cancelled" in panel.verdict.text()
    assert panel.shots.count() < 500
    panel.pairs_spin.setValue(2)


def test_a_wrong_scene_name_is_refused_at_the_field(window: MainWindow) -> None:
    panel = window.capture_page.panel
    for name in ("../evil", "", "a sharp one", "blurry"):
        panel.scene_edit.setText(name)
        assert panel.scene.error
        assert not panel.button.isEnabled()
    panel.scene_edit.setText("s01")
    assert not panel.scene.error
    panel.period_edit.setText("soon")
    assert panel.period.error
    assert not panel.button.isEnabled()
    panel.period_edit.setText("")
    assert panel.button.isEnabled()


def test_a_period_that_the_plan_forbids_fails_in_words_and_the_app_goes_on(
    window: MainWindow, wait_until: Wait
) -> None:
    window.capture_page.panel.period_edit.setText("1 ms")
    verdict = take(window, "action", wait_until)
    assert "too short" in verdict
    assert "too short" in window.banner.message
    window.banner.dismiss()
    window.capture_page.panel.period_edit.setText("")
    assert take(window, "action", wait_until).endswith("2 paired of 2 fired")


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_killed_camera_process_is_shown_and_comes_back_by_itself(
    window: MainWindow, wait_until: Wait, camera: str
) -> None:
    window.show_page("capture")
    rig, view = window.service.rig, window.capture_page.views[camera]
    assert rig is not None
    pid = rig.cameras[camera].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: "lost" in view.trouble, "the words over the view")
    assert not view.restart_button.isHidden()
    wait_until(lambda: not window.capture_page.panel.button.isEnabled(), "no take without both cameras")
    wait_until(lambda: not view.trouble, "the camera to come back", 60)
    assert rig.cameras[camera].pid != pid
    before = newest(window, camera)
    wait_until(lambda: newest(window, camera) > before + 2, "live pictures again", 60)
    assert window.service.rig is rig  # neither the rig nor the app was restarted
    assert take(window, "action", wait_until).endswith("2 paired of 2 fired")


def test_review_lists_the_session_and_shows_a_pair_with_its_proof(
    window: MainWindow, wait_until: Wait
) -> None:
    window.show_page("review")
    page = window.review_page
    wait_until(lambda: page.shots.current_shot() is not None, "the list")
    page.shots.select("s01/static/t01_0001")
    wait_until(lambda: "s01/static/t01_0001   Quick view" in page.shown.text(), "the quick view")
    assert page.slider.has_image()
    assert page.facts.proof.value("Verdict") == "paired"
    assert page.facts.proof.value("Trigger pulse") == "2 of 2 fired"
    assert page.facts.meta["S"].value("File") == "t01_0001_S.dng"
    plan = window.service.applied_plan
    assert plan is not None
    assert page.facts.meta["S"].value("Exposure") == f"{plan.applied_us['S'] / 1e3:.3f} ms"
    assert not page.work.deblur_button.isEnabled()  # not developed yet
    window.action("review.previous").trigger()
    wait_until(lambda: "s01/static/t01_0000   Quick view" in page.shown.text(), "the pair before")


def test_a_new_session_starts_empty_and_the_old_one_can_be_opened_again(
    window: MainWindow, wait_until: Wait
) -> None:
    old = window.keeper.folder
    window.action("session.new").trigger()
    wait_until(lambda: window.keeper.folder != old, "the new session")
    wait_until(lambda: not window.session.listing.made, "the empty list")
    assert not window.keeper.folder.exists()
    assert "No session yet" in window.review_page.slider._placeholder
    window.service.switch_session(old)
    wait_until(lambda: len(window.session.listing.shots) > 8, "the old session")


def test_a_camera_is_restarted_by_its_button_too(window: MainWindow, wait_until: Wait) -> None:
    window.show_page("capture")
    rig = window.service.rig
    assert rig is not None
    pid = rig.cameras["S"].pid
    window.capture_page.views["S"].restart_button.click()
    wait_until(lambda: rig.cameras["S"].pid not in (pid, None), "another process", 60)
    before = newest(window, "S")
    wait_until(lambda: newest(window, "S") > before, "live pictures again", 60)


def test_the_live_view_goes_off_and_on_by_its_key(window: MainWindow, wait_until: Wait) -> None:
    canvas = window.capture_page.views["B"].canvas
    window.action("rig.live").trigger()
    wait_until(lambda: "off" in canvas._pause, "the live view to stop")
    window.action("rig.live").trigger()
    wait_until(lambda: not canvas._pause, "the live view to start")


def test_a_dead_rig_process_is_told_and_the_rig_reopens_in_the_same_window(
    window: MainWindow, wait_until: Wait
) -> None:
    rig = window.service.rig
    assert rig is not None
    assert rig._companion is not None
    os.kill(rig._companion._process.pid, signal.SIGKILL)
    wait_until(lambda: "companion" in window.banner.message, "the words in the banner")
    window.action("rig.reopen").trigger()
    wait_until(lambda: window.service.rig not in (None, rig), "the rig", 60)
    wait_until(lambda: live(window), "live pictures", 60)
    wait_until(lambda: not window.capture_page.views["B"].trouble, "a clean view")
    assert not window.banner.message

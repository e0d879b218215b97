"""A scene from the shutter to the Deblur page, through the window, on a small sensor of the virtual rig."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtGui import QImage

from gui.app import BeamrigApp
from gui.main_window import MainWindow
from gui.settings import Settings
from rig.profiles import profile_text
from tests.gui.windows import opened_window

Wait = Callable[..., None]
KINDS = ("whiteboard", "lightbox", "static", "action")


def small_rig(folder: Path) -> Path:
    """Write the virtual rig with a quarter of the sensor's width and height read out."""
    camera = profile_text("virtual_camera")
    camera = camera.replace("{set: Width, to: 2448}", "{set: Width, to: 816}")
    camera = camera.replace("{set: Height, to: 2048}", "{set: Height, to: 680}")
    camera = camera.replace("name: virtual_camera", "name: small_camera")
    (folder / "small_camera.yaml").write_text(camera)
    rig = profile_text("virtual").replace("profile: virtual_camera", f"profile: {folder}/small_camera.yaml")
    rig = rig.replace("width_px: 2448", "width_px: 816").replace("height_px: 2048", "height_px: 680")
    path = folder / "small.yaml"
    path.write_text(rig)
    return path


@pytest.fixture(scope="module")
def window(
    qapp: BeamrigApp, tmp_path_factory: pytest.TempPathFactory, wait_until: Wait
) -> Iterator[MainWindow]:
    folder = tmp_path_factory.mktemp("process")
    settings = Settings(page="review", own_pairs=dict.fromkeys(KINDS, 2))
    with opened_window(folder, settings, rig=str(small_rig(folder))) as made:
        wait_until(lambda: "No session yet" in made.review_page.slider.placeholder, "the empty page")
        wait_until(lambda: made.service.rig is not None, "the rig", 60)
        made.show_page("capture")
        panel = made.capture_page.panel
        for kind in KINDS:
            assert panel.checklist.current == kind  # each good take leads to the next open step
            wait_until(panel.button.isEnabled, "the capture button", 60)
            panel.button.click()
            wait_until(
                lambda k=kind: (
                    panel.verdict.text().startswith(k.capitalize())
                    and panel.cancel.isHidden()
                    and "fired" in panel.verdict.text()
                ),
                "the take",
                60,
            )
            assert panel.verdict.text() == f"{kind.capitalize()}: 2 paired of 2 fired"
            wait_until(lambda k=kind: panel.checklist.row(k).paired == 2, "the checklist")
        yield made


def test_without_a_calibration_the_aligned_view_says_why_not(window: MainWindow, wait_until: Wait) -> None:
    window.show_page("capture")
    window.action("view.aligned").trigger()
    wait_until(lambda: "Not aligned" in window.banner.message, "the reason")
    assert "not calibrated yet" in window.banner.message
    assert not window.capture_page.bar.aligned.isChecked()
    window.banner.dismiss()


def test_a_stopped_processing_says_so_and_can_go_on(window: MainWindow, wait_until: Wait) -> None:
    window.show_page("review")
    page = window.review_page
    wait_until(lambda: "Quick view" in page.shown.text(), "the first pair")
    assert page.slider.has_image()
    assert page.shots.current_id() == "s01/action/t01_0000"
    seen: list[tuple[str, float]] = []
    page.work.job.progressed.connect(lambda text, done: seen.append((text, done)))
    page.work.process_button.click()
    assert not page.work.progress.isHidden()
    assert not page.work.process_button.isEnabled()
    wait_until(lambda: bool(seen), "the first step", 60)
    assert seen[0][0]
    assert seen[0][0] in page.work.progress.format()
    window.action("capture.cancel").trigger()
    wait_until(lambda: not page.processing, "the stop", 60)
    wait_until(lambda: "Stopped" in page.work.outcome.text(), "the words")
    assert page.work.process_button.isEnabled()


def test_a_processed_scene_is_shown_at_once_with_its_figures(window: MainWindow, wait_until: Wait) -> None:
    window.show_page("review")
    page = window.review_page
    done: list[float] = []
    page.work.job.progressed.connect(lambda text, share: done.append(share))
    window.action("review.process").trigger()
    wait_until(lambda: page.processing, "the start")
    wait_until(lambda: not page.processing, "the end", 100)
    assert done == sorted(done)
    wait_until(lambda: "static pair" in page.work.outcome.text(), "the figures")
    wait_until(lambda: "Developed" in page.shown.text(), "the developed pair")
    assert page.work.deblur_button.isEnabled()
    folder = window.keeper.folder / "derived" / "s01" / "action"
    for name in ("t01_0000_B.png", "t01_0001_S.png", "t01_0001_mask.png"):
        assert cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED) is not None, name


def test_the_deblur_page_opens_with_the_first_action_pair(window: MainWindow, wait_until: Wait) -> None:
    window.show_page("deblur")
    page = window.deblur_page
    wait_until(page.slider.has_image, "the B picture")
    assert page.pictures.currentItem().text() == "s01/action/t01_0000"
    wait_until(lambda: page.engine.table.value("Device") not in ("–", "starting…"), "the engine", 60)
    window.show_page("review")
    window.review_page.shots.select("s01/static/t01_0001")
    wait_until(lambda: "s01/static/t01_0001   Developed" in window.review_page.shown.text(), "the pair")
    window.review_page.work.deblur_button.click()
    assert window.page == "deblur"
    wait_until(lambda: "Not deblurred yet" in page.shown.text(), "the other picture")
    assert page.pictures.currentItem().text() == "s01/static/t01_0001"
    window.show_page("plan")
    window.show_page("deblur")  # the last used one stays
    assert page.pictures.currentItem().text() == "s01/static/t01_0001"


def test_the_aligned_view_shows_one_part_of_the_scene_in_both_cameras(
    window: MainWindow, wait_until: Wait
) -> None:
    window.show_page("capture")
    slots = window.preparer.slots
    window.action("view.aligned").trigger()
    wait_until(lambda: all(s.take(0) and s.take(0)[1].note for s in slots.values()), "aligned pictures")
    newest = {camera: slot.take(0)[1] for camera, slot in slots.items()}
    assert newest["B"].note == "aligned to S, calibrated"
    sizes = {(frame.picture.width(), frame.picture.height()) for frame in newest.values()}
    assert len(sizes) == 1
    width, height = sizes.pop()
    assert 300 < width < 408
    assert 250 < height < 340
    assert newest["B"].width_px == 2 * width
    pictures = [frame.picture.convertToFormat(QImage.Format.Format_RGB888) for frame in newest.values()]
    levels = [
        np.frombuffer(p.constBits(), np.uint8).reshape(p.height(), -1)[:, : 3 * p.width()].astype(float)
        for p in pictures
    ]
    assert np.corrcoef(*(level.ravel() for level in levels))[0, 1] > 0.95
    window.action("view.deblur").trigger()
    wait_until(lambda: window.page == "deblur", "the Deblur page")
    wait_until(lambda: "live_001_B" in window.deblur_page.shown.text(), "the live picture")
    wait_until(window.deblur_page.slider.has_image, "the picture")
    window.show_page("capture")
    window.capture_page.panel.scene_edit.setText("s02")  # another scene: another place, another light
    assert not window.capture_page.bar.aligned.isChecked()
    window.capture_page.panel.scene_edit.setText("s01")
    wait_until(lambda: not any(s.take(0)[1].note for s in slots.values()), "the cameras' own pictures")
    window.action("view.deblur").trigger()
    assert "No aligned picture" in window.banner.message
    window.banner.dismiss()


def test_a_session_on_disk_shows_without_waiting_for_a_rig(
    window: MainWindow, wait_until: Wait, tmp_path: Path
) -> None:
    window.service.switch_session(tmp_path / "elsewhere")  # a session has one writer
    wait_until(lambda: not window.session.listing.made, "the other session")
    folder = window.keeper.folder.parent
    assert "No session yet" in window.review_page.slider.placeholder
    assert folder == tmp_path

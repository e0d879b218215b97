"""The Calibrate page on a small laboratory's session: what is there, made, chosen, refused and missing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.main_window import MainWindow
from gui.settings import Settings
from processing.calibration.chosen import chosen_files
from processing.calibration.make import keep, lightbox_calibration
from tests.gui.windows import opened_window
from tests.processing.laboratory import record_laboratory
from tests.processing.scenes import TrueRig

Wait = Callable[..., None]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calibrate") / "lab"
    with record_laboratory(folder) as session:
        session.add_scene("new")
    return folder


@pytest.fixture
def window(qtbot: QtBot, recorded: Path, tmp_path: Path, wait_until: Wait) -> Iterator[MainWindow]:
    folder = tmp_path / "day"
    shutil.copytree(recorded, folder)
    with opened_window(tmp_path, Settings(page="calibrate"), session=folder, open_rig=False) as made:
        page = made.calibrate_page
        wait_until(lambda: page.overview.scenes == ("lab", "new"), "the overview")
        page.scene_box.setCurrentText("lab")
        yield made


def make(window: MainWindow, kind: str, wait_until: Wait) -> None:
    page = window.calibrate_page
    page.select(kind)
    assert page.cards[kind].button.text() == "Make from takes"
    window.action("calibrate.make").trigger()
    assert page.running
    assert page.progress.isVisible()
    wait_until(lambda: not page.running, f"the {kind} calibration", 60)
    wait_until(lambda: page.cards[kind].shown is not None, "its card")


def test_a_scene_is_measured_and_its_figures_stand_beside_the_papers(
    window: MainWindow, wait_until: Wait
) -> None:
    page = window.calibrate_page
    assert page.current == "scene"
    assert "not measured yet" in page.cards["scene"].state.text()
    assert "Not measured yet" in page.figures.rows
    make(window, "scene", wait_until)
    wait_until(page.detail.picture.has_image, "the map of what is left")
    before, after = page.figures.rows["Best, before"], page.figures.rows["Best, after"]
    assert float(after[1].removeprefix("✓ ")) > float(before[1])
    assert page.figures.rows["Paper's Table 1, after"] == ["2.870", "36.79", "0.9091", "1", "–"]
    assert "made today" in page.cards["scene"].state.text()


def test_a_lightbox_calibration_is_made_chosen_and_remembered_by_the_session(
    window: MainWindow, wait_until: Wait
) -> None:
    page = window.calibrate_page
    make(window, "lightbox", wait_until)
    card = page.cards["lightbox"]
    assert "at hand, not in use" in card.state.text().lower()
    assert "lab lightbox 1 (8 frames)" in card.state.text()
    wait_until(page.detail.picture.has_image, "its picture")
    assert "rms" in page.detail.lines.text()
    row = card.box.findText(card.shown.path.name if card.shown else "")
    card.box.setCurrentIndex(row)
    card.box.activated.emit(row)
    wait_until(lambda: card.state.text().startswith("In use"), "the choice")
    session = window.keeper.session
    assert session is not None
    assert chosen_files(session)["lightbox"].path == page.overview.chosen["lightbox"].path
    card.box.activated.emit(0)
    wait_until(lambda: not page.overview.chosen, "the scenes' own takes again")
    assert chosen_files(session) == {}


def test_a_foreign_file_is_refused_with_its_reason_and_a_hint(
    window: MainWindow, tmp_path: Path, wait_until: Wait
) -> None:
    with record_laboratory(tmp_path / "other", TrueRig(shape=(448, 512), seed=6)) as other:
        path = keep(other, "lab", lightbox_calibration(other), tmp_path / "other.json")
    page = window.calibrate_page
    page.job.choose("lightbox", path)
    wait_until(lambda: "does not fit camera B" in window.banner.message, "the refusal")
    assert "calibrate with the camera" in window.banner.message.lower()
    wait_until(lambda: page.cards["lightbox"].box.currentIndex() == 0, "the own takes")
    shutil.copy(path, window.keeper.folder / "calibration" / "lightbox_other.json")
    page.job.look()
    card = page.cards["lightbox"]
    wait_until(lambda: "refused" in card.state.text().lower(), "the card")
    assert card.mark.text() == "!"  # nothing is processed with it
    assert "512x448" in card.state.text()


def test_what_is_missing_leads_to_the_capture_page(
    window: MainWindow, qtbot: QtBot, wait_until: Wait
) -> None:
    page = window.calibrate_page
    page.scene_box.setCurrentText("new")
    card = page.cards["colour"]
    assert card.button.text() == "Capture colour chart"
    page.select("colour")
    window.action("calibrate.make").trigger()
    assert not page.running
    qtbot.mouseClick(card.button, Qt.MouseButton.LeftButton)
    assert window.page == "capture"
    assert window.capture_page.scene == "new"
    assert window.capture_page.panel.checklist.current == "colorchecker"


def test_making_can_be_stopped_and_writes_nothing(window: MainWindow, wait_until: Wait) -> None:
    page = window.calibrate_page
    page.select("geometry")
    page.job.progressed.connect(lambda text: window.action("capture.cancel").trigger())
    window.action("capture.cancel").setEnabled(True)
    page.make()
    wait_until(lambda: not page.running, "the stop", 60)
    wait_until(lambda: page.outcome.text().startswith("Stopped"), "the words")
    assert not list((window.keeper.folder / "calibration").glob("geometry_*"))

"""What the checks and the reviewer say of each pair, on the Review page of a processed session."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QTimer
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from gui.main_window import MainWindow
from gui.reviewer import ReasonDialog
from gui.settings import Settings
from gui.verdicts import VerdictReader
from processing.jobs.batch import process_session
from processing.jobs.pair_record import write_sealed
from rig.review import reviews
from rig.session import Session
from tests.gui.windows import opened_window
from tests.processing.scenes import record_session

Wait = Callable[..., None]
FIRST, SECOND, THIRD = (f"s01/action/t01_000{n}" for n in range(3))
FINDINGS = {
    FIRST: [],
    SECOND: [
        {"level": "warn", "text": "the lamp <b>flickers</b>", "hint": "use DC light", "figure": 4.2},
    ],
    THIRD: [{"level": "stop", "text": "the rig was bumped", "hint": "take it again", "figure": 3.1}],
}


@pytest.fixture(scope="module")
def processed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verdicts") / "session"
    with record_session(folder, pairs=3) as session:
        process_session(session, blur=False)
    for pair, findings in FINDINGS.items():
        path = folder / "derived" / f"{pair}.json"
        data = json.loads(path.read_text())
        data["verdict"] = {"level": "note", "findings": findings, "figures": {"blur_B_px": 11.5}}
        write_sealed(path, data)
    return folder


@pytest.fixture
def window(qtbot: QtBot, processed: Path, tmp_path: Path, wait_until: Wait) -> Iterator[MainWindow]:
    folder = tmp_path / "day"
    shutil.copytree(processed, folder)
    with opened_window(tmp_path, Settings(page="review"), session=folder, open_rig=False) as made:
        wait_until(lambda: made.review_page.shots.current_id() == FIRST, "the list")
        yield made


def opacity(overlay: QImage) -> NDArray[np.uint8]:
    """Return the opacity of an overlay, (H, W), 0 to 255."""
    rows = np.frombuffer(overlay.constBits(), np.uint8).reshape(overlay.height(), -1)
    return rows[:, : 4 * overlay.width()].reshape(overlay.height(), overlay.width(), 4)[..., 3].copy()


def word(window: MainWindow, pair: str) -> str:
    return window.review_page.shots.word(pair)


def answer(window: MainWindow, reason: str) -> None:
    """Type a reason into the dialog that is about to open, and press its button."""

    def type_it() -> None:
        dialog = window.review_page.findChild(ReasonDialog)
        assert dialog is not None
        dialog.box.setEditText(" ")
        assert not dialog.go.isEnabled()
        dialog.box.setEditText(reason)
        dialog.go.click()

    QTimer.singleShot(0, type_it)


def test_each_pair_has_its_mark_and_the_reasons_stand_beside_it(window: MainWindow) -> None:
    assert [word(window, pair) for pair in FINDINGS] == ["✓  good", "!  warning", "✕  stop"]
    page = window.review_page
    page.shots.select(SECOND)
    panel = page.facts.verdict
    assert "Warning" in panel.head.text()
    assert "The lamp &lt;b&gt;flickers&lt;/b&gt;" in panel.reasons.text()
    assert "Use DC light" in panel.reasons.text()
    assert panel.figures.value("Blur B") == "11.5 px"


def test_the_filter_leaves_what_was_asked_for(window: MainWindow) -> None:
    page = window.review_page
    window.action("review.filter").trigger()
    assert page.filter_box.currentText() == "With findings"
    assert page.shots.ids() == [SECOND, THIRD]
    window.action("review.filter").trigger()
    assert page.shots.ids() == [THIRD]
    assert page.shots.current_id() == THIRD
    window.action("review.filter").trigger()
    assert FIRST in page.shots.ids()


def test_a_rejected_pair_stays_rejected_until_it_is_taken_back(window: MainWindow, wait_until: Wait) -> None:
    page = window.review_page
    answer(window, "a bird flew through")
    window.action("review.reject").trigger()
    wait_until(lambda: word(window, FIRST) == "⊘  left out", "the mark")
    assert "Rejected by the reviewer: a bird flew through" in page.facts.verdict.reasons.text()
    with Session.open(window.keeper.folder) as again:
        assert reviews(again)[FIRST].reason == "a bird flew through"
    window.action("review.reject").trigger()
    wait_until(lambda: word(window, FIRST) == "✓  good", "the mark of the checks again")
    with Session.open(window.keeper.folder) as again:
        assert reviews(again) == {}


def test_a_stopped_pair_can_be_accepted(window: MainWindow, wait_until: Wait) -> None:
    page = window.review_page
    page.shots.select(THIRD)
    answer(window, "the bump is in the sky")
    page.facts.verdict.accept_button.click()
    wait_until(lambda: word(window, THIRD) == "★  accepted", "the mark")
    assert "The rig was bumped" in page.facts.verdict.reasons.text()  # what the checks said still stands
    assert page.facts.verdict.accept_button.text() == "Take back accept"


def test_the_mask_lies_over_the_developed_pair(window: MainWindow, wait_until: Wait) -> None:
    page = window.review_page
    wait_until(lambda: "Developed" in page.shown.text(), "the pictures")
    assert page.slider._overlay.isNull()
    window.action("review.mask").trigger()
    assert page.slider._overlay.size().width() == page.slider.full_size.toSize().width()
    mask = page.slider._overlay
    window.action("review.mask").trigger()
    assert page.overlay.box.currentText() == "Confidence"
    assert page.slider._overlay.isNull()
    wait_until(lambda: not page.slider._overlay.isNull(), "how sure it is", 60)
    sure = opacity(page.slider._overlay)
    assert np.mean((sure >= 128) == (opacity(mask) == 255)) > 0.999  # the mask is where it is 128 or more
    assert len(np.unique(sure)) > 20
    page.shots.select("s01/static/t01_0000")
    wait_until(lambda: "s01/static/t01_0000   Developed" in page.shown.text(), "the static pair")
    assert page.slider._overlay.isNull()


def test_the_profile_of_the_processing_is_chosen_beside_the_button(
    window: MainWindow, wait_until: Wait
) -> None:
    work = window.review_page.work
    work.profile_box.setCurrentText("paper")
    (window.keeper.folder / "derived" / f"{FIRST}.json").unlink()
    said: list[str] = []
    work.job.progressed.connect(lambda text, done: said.append(text))
    window.action("review.process").trigger()
    wait_until(lambda: bool(said), "the first step", 60)
    window.action("capture.cancel").setEnabled(True)
    wait_until(lambda: any("paper" in path.name for path in calibrations(window)), "the scene's measures", 60)
    window.review_page.cancel()
    wait_until(lambda: not work.running, "the stop", 60)


def calibrations(window: MainWindow) -> list[Path]:
    return list((window.keeper.folder / "calibration").glob("s01_*.json"))


def test_a_record_that_was_changed_by_hand_vouches_for_nothing(processed: Path, tmp_path: Path) -> None:
    shutil.copytree(processed, tmp_path / "day")
    record = tmp_path / "day" / "derived" / f"{THIRD}.json"
    record.write_text(record.read_text().replace('"stop"', '"note"'))
    with Session.open(tmp_path / "day") as session:
        known = VerdictReader().read(session, session.shots("s01"), ())
    assert known[THIRD].level == "warn"
    assert not known[THIRD].developed
    assert "was changed" in known[THIRD].reasons()[0]
    assert known[SECOND].developed

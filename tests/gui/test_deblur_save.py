"""The way of a deblur result to the disk: two files, and never over others without a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from gui.app import BeamrigApp
from gui.deblur_save import free_targets, targets_for
from gui.pages.deblur import DeblurPage
from tests.gui.windows import made_deblur_page

Wait = Callable[..., None]


@pytest.mark.parametrize("typed", ["pair", "pair.png", "pair.PNG", "pair.tiff"])
def test_files_are_png_whatever_was_typed(tmp_path: Path, typed: str) -> None:
    targets = targets_for(tmp_path / typed)
    assert targets.sharp == tmp_path / "pair.png"
    assert targets.mask == tmp_path / "pair_mask.png"


def test_a_dot_in_a_name_is_no_suffix(tmp_path: Path) -> None:
    assert targets_for(tmp_path / "take 1.5").sharp.name == "take 1.5.png"


def test_the_suggested_names_are_free(tmp_path: Path) -> None:
    picture = tmp_path / "t01_0000_B.png"
    assert free_targets(picture).sharp.name == "t01_0000_B_deblurred.png"
    free_targets(picture).mask.touch()  # the mask alone is reason enough for other names
    assert free_targets(picture).sharp.name == "t01_0000_B_deblurred_2.png"


@pytest.fixture(scope="module")
def page(
    qapp: BeamrigApp, tmp_path_factory: pytest.TempPathFactory, wait_until: Wait
) -> Iterator[DeblurPage]:
    folder = tmp_path_factory.mktemp("deblur")
    made = made_deblur_page(folder / "session")
    made.show()
    picture = folder / "pair_B.png"
    pixels = np.random.default_rng(3).integers(0, 65535, (40, 56, 3)).astype(np.uint16)
    assert cv2.imwrite(str(picture), pixels)
    made.open_picture(picture)
    wait_until(made.run_button.isEnabled, "the picture", 60)
    assert not made.save_button.isEnabled()
    made.run()
    wait_until(made.save_button.isEnabled, "the result", 60)
    yield made
    made.end()
    made.close()
    made.deleteLater()


def choose(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Answer the file dialog, which belongs to the desktop."""
    target = "gui.deblur_save.QFileDialog.getSaveFileName"
    monkeypatch.setattr(target, lambda *args, **options: (str(path), ""))


def answer(button: QMessageBox.StandardButton, questions: list[str]) -> None:
    """Answer the question as soon as it is there."""

    def look() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            questions.append(box.text())
            box.button(button).click()
        else:
            QTimer.singleShot(20, look)

    QTimer.singleShot(20, look)


def test_sharp_picture_and_mask_are_saved_with_16_and_8_bits(
    page: DeblurPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    choose(monkeypatch, tmp_path / "out.png")
    with qtbot.waitSignal(page.job.saved, timeout=30_000):
        page.save()
    assert page._view is not None
    result = page._view.result
    assert result is not None
    sharp = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    mask = cv2.imread(str(tmp_path / "out_mask.png"), cv2.IMREAD_UNCHANGED)
    assert (sharp.dtype, mask.dtype) == (np.uint16, np.uint8)
    np.testing.assert_allclose(sharp[..., ::-1] / 65535, result.sharp, atol=1 / 65535)
    np.testing.assert_allclose(mask / 255, result.mask, atol=1 / 255)
    assert "out.png" in page.shown.text()


def test_nothing_is_replaced_without_a_yes(
    page: DeblurPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    other = tmp_path / "out_mask.png"
    other.write_text("somebody's work")
    choose(monkeypatch, tmp_path / "out.png")
    questions: list[str] = []
    answer(QMessageBox.StandardButton.No, questions)
    page.save()
    assert "out_mask.png" in questions[0]
    assert other.read_text() == "somebody's work"
    assert not (tmp_path / "out.png").exists()
    answer(QMessageBox.StandardButton.Yes, questions)
    with qtbot.waitSignal(page.job.saved, timeout=30_000):
        page.save()
    assert cv2.imread(str(other), cv2.IMREAD_UNCHANGED).shape == (40, 56)


def test_a_file_that_appears_between_question_and_answer_is_kept(
    page: DeblurPage, tmp_path: Path, qtbot: QtBot
) -> None:
    late = tmp_path / "late.png"
    late.write_text("just written")
    assert page._view is not None
    assert page._view.result is not None
    with qtbot.waitSignal(page.trouble, timeout=30_000) as told:
        page.job.save(page._view.result, late, tmp_path / "late_mask.png", overwrite=False)
    assert "late.png" in told.args[0].message
    assert late.read_text() == "just written"

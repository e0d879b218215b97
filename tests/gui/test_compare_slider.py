from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from gui.widgets.compare_slider import CompareSlider


def plain(colour: str, width: int = 400, height: int = 200) -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    return image


@pytest.fixture
def slider(qtbot: QtBot) -> CompareSlider:
    widget = CompareSlider("", "")
    qtbot.addWidget(widget)
    widget.resize(400, 200)
    widget.set_pair(plain("#ff0000"), plain("#0000ff"))
    widget.show()
    return widget


def colour_at(slider: CompareSlider, x: int, y: int = 20) -> str:
    return slider.grab(QRect(0, 0, slider.width(), slider.height())).toImage().pixelColor(x, y).name()


@pytest.mark.parametrize("split", [0.25, 0.5, 0.8])
def test_left_of_the_handle_is_the_left_picture_and_right_of_it_the_right_one(
    slider: CompareSlider, split: float
) -> None:
    slider.set_split(split)
    x = round(split * 400)
    assert colour_at(slider, x - 8) == "#ff0000"
    assert colour_at(slider, x + 8) == "#0000ff"


def test_dragging_the_handle_moves_the_split_to_the_mouse(slider: CompareSlider, qtbot: QtBot) -> None:
    with qtbot.waitSignal(slider.split_changed):
        qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(200, 100))
        qtbot.mouseMove(slider, QPoint(100, 100))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    assert slider.split == pytest.approx(0.25)


def test_dragging_elsewhere_pans_and_leaves_the_split_alone(slider: CompareSlider, qtbot: QtBot) -> None:
    slider.state.set(4.0, QPointF(0.5, 0.5))
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(50, 100))
    qtbot.mouseMove(slider, QPoint(90, 100))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(90, 100))
    assert slider.split == 0.5
    assert slider.state.centre.x() < 0.5


def test_the_split_stays_within_the_view(slider: CompareSlider) -> None:
    slider.set_split(7)
    assert slider.split == 1.0
    slider.set_split(-1)
    assert slider.split == 0.0


def test_the_arrow_keys_move_the_handle(slider: CompareSlider, qtbot: QtBot) -> None:
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert slider.split > 0.5
    qtbot.keyClick(slider, Qt.Key.Key_Left)
    qtbot.keyClick(slider, Qt.Key.Key_Left)
    assert slider.split < 0.5


def test_the_column_under_the_handle_is_told_in_picture_pixels(slider: CompareSlider) -> None:
    slider.set_split(0.75)
    assert slider.picture_x() == pytest.approx(300)
    slider.state.set(2.0, QPointF(0.5, 0.5))
    assert slider.picture_x() == pytest.approx(250)


def test_a_small_preview_covers_the_same_rectangle_as_the_full_picture(slider: CompareSlider) -> None:
    slider.set_right(plain("#00ff00", 100, 50))
    slider.set_split(0.0)
    assert colour_at(slider, 200) == "#00ff00"
    assert colour_at(slider, 395) == "#00ff00"


def test_the_mask_overlay_mixes_with_its_opacity(slider: CompareSlider) -> None:
    overlay = QImage(400, 200, QImage.Format.Format_ARGB32_Premultiplied)
    overlay.fill(QColor(0, 255, 0))
    slider.set_overlay(overlay, 0.5)
    mixed = QColor(colour_at(slider, 100))
    assert mixed.red() == pytest.approx(128, abs=2)
    assert mixed.green() == pytest.approx(128, abs=2)
    slider.set_overlay(QImage(), 0.5)
    assert colour_at(slider, 100) == "#ff0000"


def test_flipping_shows_all_of_one_picture_and_then_of_the_other(slider: CompareSlider) -> None:
    slider.flip()
    assert {colour_at(slider, 100), colour_at(slider, 300)} == {"#ff0000"}
    slider.flip()
    assert {colour_at(slider, 100), colour_at(slider, 300)} == {"#0000ff"}


def test_waiting_shows_a_sign_that_ends_with_the_picture(slider: CompareSlider) -> None:
    slider.clear("Loading", busy=True)
    assert slider.busy
    assert slider.placeholder == "Loading"
    slider.set_pair(plain("#ff0000"), plain("#0000ff"))
    assert not slider.busy
    assert slider.placeholder == ""

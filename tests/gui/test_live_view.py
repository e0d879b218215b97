"""The live view down to sensor pixels: operators focus with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from gui.frames import CAMERAS, FramePreparer
from gui.imaging import RawFormat, Region, detail_picture, region_around
from gui.prepare import ViewWish, prepare
from gui.widgets.live_view import LiveView
from gui.widgets.view_state import ViewState
from processing.calibration.frame_format import FrameFormat
from processing.live import LiveCamera

Wait = Callable[..., None]
FMT = RawFormat(levels=256, white_dn=255.0)


@dataclass
class Frame:
    pixels: NDArray[np.uint8]
    frame_id: int = 1
    timestamp_ns: int = 1_000
    exposure_us: float = 3070.0
    gain_db: float = 0.0


def noise(height: int = 600, width: int = 800) -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 250, (height, width), dtype=np.uint8)


def rgb(image: QImage) -> NDArray[np.uint8]:
    bits = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(bits.constBits(), np.uint8).reshape(bits.height(), bits.bytesPerLine())
    return rows[:, : 3 * bits.width()].reshape(bits.height(), bits.width(), 3).copy()


@pytest.fixture
def view(qtbot: QtBot) -> LiveView:
    made = LiveView("B", ViewState())
    qtbot.addWidget(made)
    made.resize(351, 560)
    made.show()
    made.show_frame(prepare("B", 1, Frame(noise()), FMT))
    return made


def test_a_calibration_of_other_frames_is_not_used_and_the_picture_says_so() -> None:
    other = LiveCamera(FrameFormat(640, 480, "RGGB", 0.0, 255.0))
    shown = prepare("B", 1, Frame(noise()), FMT, live=other)
    assert shown.note == "not aligned: calibrated for 640x480 pixels, not 800x600"
    assert rgb(shown.picture).shape == rgb(prepare("B", 1, Frame(noise()), FMT).picture).shape


def test_clipped_pixels_stay_marked_in_a_calibrated_picture() -> None:
    pixels = noise()
    pixels[100:110, 200:220] = 255
    part = (40, 290, 80, 380)
    camera = LiveCamera(FrameFormat(800, 600, "RGGB", 0.0, 255.0), crop=part)
    shown = prepare("S", 1, Frame(pixels), FMT, live=camera)
    assert (shown.width_px, shown.height_px) == (600, 500)
    marks = np.array([[shown.clipped.pixelColor(x, y).alpha() for x in range(300)] for y in range(250)])
    assert (np.argwhere(marks > 0).min(axis=0) == (50 - 40, 100 - 80)).all()
    assert (np.argwhere(marks > 0).max(axis=0) == (54 - 40, 109 - 80)).all()


def test_at_1_to_1_every_screen_pixel_is_a_sensor_pixel(view: LiveView) -> None:
    raw = noise()
    canvas = view.canvas
    canvas.show_actual_pixels()
    assert canvas.screen_scale() == pytest.approx(1.0)
    frame = prepare("B", 2, Frame(raw), FMT, canvas.wanted())
    assert frame.detail is not None
    view.show_frame(frame)
    shown = rgb(canvas.grab().toImage())[20:-20, 20:-20]
    whole = rgb(prepare("B", 3, Frame(raw), FMT, ViewWish(2, Region(0, 0, 800, 600))).detail.picture)
    left, top = (round(value) for value in (-canvas.target_rect().left(), -canvas.target_rect().top()))
    expected = whole[top + 20 :, left + 20 :][: shown.shape[0], : shown.shape[1]]
    np.testing.assert_array_equal(shown, expected)


def test_only_the_seen_part_is_made_in_full(view: LiveView) -> None:
    assert view.canvas.wanted().region is None  # 351 screen pixels for 800: the small picture is enough
    view.canvas.state.set(8.0, QPointF(0.25, 0.75))
    region = view.canvas.wanted().region
    assert region is not None
    assert region.left <= 800 * (0.25 - 1 / 16) <= 800 * (0.25 + 1 / 16) <= region.left + region.width
    assert region.width < 250
    assert region.top + region.height <= 600


def test_the_focus_number_is_that_of_the_seen_part(view: LiveView) -> None:
    raw = np.full((600, 800), 100, np.uint8)
    raw[:100, :100] = noise(100, 100)
    corner, middle = Region(0, 0, 96, 96), Region(300, 300, 96, 96)
    assert prepare("B", 1, Frame(raw), FMT, ViewWish(2, middle)).focus == 0
    sharp = prepare("B", 1, Frame(raw), FMT, ViewWish(2, corner))
    assert sharp.focus > 100
    view.show_frame(sharp)
    assert "focus here" in view._codes.text()


def test_a_single_clipped_pixel_is_marked_where_it_is() -> None:
    raw = np.full((600, 800), 100, np.uint8)
    raw[305, 411] = 255
    detail = prepare("B", 1, Frame(raw), FMT, ViewWish(2, Region(400, 300, 64, 64))).detail
    assert detail is not None
    marks = [(x, y) for x in range(64) for y in range(64) if detail.clipped.pixelColor(x, y).alpha() > 0]
    assert marks == [(11, 5)]


def test_a_wish_for_a_part_that_the_frame_lacks_shows_the_whole() -> None:
    assert prepare("B", 1, Frame(noise(40, 40)), FMT, ViewWish(2, Region(30, 30, 20, 20))).detail is None


@pytest.mark.parametrize("cfa", ["RGGB", "BGGR", "GRBG", "GBRG"])
def test_demosaicing_leaves_every_measured_value_as_it_is(cfa: str) -> None:
    raw = noise(32, 40)
    linear = RawFormat(cfa=cfa, levels=256, white_dn=255.0)
    picture = detail_picture(raw, linear, (1.0, 1.0, 1.0))
    level = np.clip(raw / 255.0, 0, 1)
    srgb = np.where(level <= 0.0031308, 12.92 * level, 1.055 * level ** (1 / 2.4) - 0.055) * 255
    for row, col in np.ndindex(raw.shape):
        if 1 <= row < 31 and 1 <= col < 39:
            channel = "BGR".index(cfa[2 * (row % 2) + col % 2])
            assert picture[row, col, channel] == pytest.approx(srgb[row, col], abs=0.51)


def test_demosaicing_follows_a_ramp() -> None:
    ramp = np.repeat(np.linspace(20, 230, 64).astype(np.uint8)[None], 64, axis=0)
    picture = detail_picture(ramp, FMT, (1.0, 1.0, 1.0))[4:-4, 4:-4, :3].astype(int)
    assert (np.ptp(picture, axis=2) <= 4).all()  # grey stays grey


@given(
    st.floats(-50, 900),
    st.floats(-50, 700),
    st.floats(0, 900),
    st.floats(0, 700),
    st.tuples(st.integers(2, 800), st.integers(2, 600)),
    st.integers(0, 64),
)
@settings(max_examples=200, deadline=None)
def test_a_region_holds_what_is_seen_and_stays_on_whole_cells_of_the_sensor(
    left: float, top: float, width: float, height: float, size: tuple[int, int], margin: int
) -> None:
    region = region_around(left, top, width, height, size, margin)
    if region is None:
        assert (
            left - margin >= size[0] // 2 * 2 - 2
            or top - margin >= size[1] // 2 * 2 - 2
            or min(left + width, top + height) + margin < 0
        )
        return
    assert not any(value % 2 for value in (region.left, region.top, region.width, region.height))
    assert min(region.left, region.top) >= 0
    assert min(region.width, region.height) > 0
    assert region.left + region.width <= size[0]
    assert region.top + region.height <= size[1]
    assert region.left <= max(left, 0)
    assert region.left + region.width >= min(left + width, size[0] // 2 * 2)


@pytest.fixture
def preparer() -> Iterator[FramePreparer]:
    made = FramePreparer()
    made.set_active(True)
    yield made
    made.end()


def test_a_paused_view_can_be_looked_at_closely(preparer: FramePreparer, wait_until: Wait) -> None:
    frame = Frame(noise())
    preparer.set_source(lambda camera, after: (1, frame) if after < 1 else None, dict.fromkeys(CAMERAS, FMT))
    slot = preparer.slots["S"]
    wait_until(lambda: slot.take(0) is not None, "the frame")
    preparer.set_wish("S", ViewWish(2, Region(100, 100, 64, 64)))
    wait_until(lambda: (found := slot.take(1)) is not None and found[1].detail is not None, "its detail")


def test_the_grid_lies_over_the_picture_only_when_wanted(view: LiveView) -> None:
    flat = np.full((600, 800), 100, np.uint8)
    view.show_frame(prepare("B", 2, Frame(flat), FMT))
    plain = rgb(view.canvas.grab().toImage())
    view.set_show_grid(True)
    grid = rgb(view.canvas.grab().toImage())
    changed = (plain != grid).any(axis=2)
    assert 0 < changed.mean() < 0.1
    third = round(view.canvas.target_rect().left() + view.canvas.target_rect().width() / 3)
    assert changed[10:-10, third - 2 : third + 3].any(axis=1).all()


def test_opencv_names_its_bayer_codes_as_the_sensor_does() -> None:
    raw = np.zeros((8, 8), np.uint8)
    raw[0::2, 0::2] = 200
    assert cv2.cvtColor(raw, cv2.COLOR_BayerRGGB2BGRA)[4, 4, 2] == 200

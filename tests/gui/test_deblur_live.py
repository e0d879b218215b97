"""The live preview: newest pair, paced by a real small engine, never stale without saying so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gui.deblur_live import LiveDeblur
from gui.frames import FramePreparer
from gui.imaging import RawFormat
from gui.live_pairs import NOT_ALIGNED, LivePairs
from gui.pages.deblur import DeblurPage
from models.checkpoints import save_safetensors
from models.deblur import DeblurEngine
from models.networks.lbag import seeded_lbag
from processing.calibration.frame_format import FrameFormat
from processing.live import LiveCamera, LiveChain
from rig.errors import DeviceLost
from tests.gui.windows import made_deblur_page

Wait = Callable[..., None]
FMT = RawFormat(levels=256, white_dn=255.0)
FORMAT = FrameFormat(128, 96, "RGGB", 0.0, 255.0)
CHAIN = LiveChain(LiveCamera(FORMAT), LiveCamera(FORMAT))
MS = 1_000_000


@dataclass
class Frame:
    pixels: NDArray[np.uint8]
    host_monotonic_ns: int


class Cameras:
    """Two cameras whose frames the test makes; a lost one raises."""

    def __init__(self) -> None:
        self.frames: dict[str, tuple[int, Frame]] = {}
        self.lost = False
        self.asked = 0

    def show(self, camera: str, number: int, at_ns: int | None = None, seed: int | None = None) -> Frame:
        rng = np.random.default_rng(number if seed is None else seed)
        pixels = rng.integers(0, 250, (96, 128), dtype=np.uint8)
        frame = Frame(pixels, time.monotonic_ns() if at_ns is None else at_ns)
        self.frames[camera] = (number, frame)
        return frame

    def latest(self, camera: str, after: int) -> tuple[int, Any] | None:
        self.asked += 1
        if self.lost:
            raise DeviceLost(f"camera {camera} is gone")
        newest = self.frames.get(camera)
        return newest if newest is not None and newest[0] > after else None


@pytest.fixture
def cameras() -> Cameras:
    return Cameras()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_safetensors(path, seeded_lbag(4, 1), trained=True, recipe={})
    return path


@pytest.fixture(scope="module")
def engine(weights: Path) -> DeblurEngine:
    return DeblurEngine(weights, "cpu", "fp32")


@pytest.fixture
def live(cameras: Cameras, tmp_path: Path) -> Iterator[LiveDeblur]:
    made = LiveDeblur(lambda: (cameras.latest, {"B": FMT}), lambda: tmp_path)
    made.set_chain(CHAIN)
    yield made
    made.end()


def test_b_is_paired_with_the_frame_of_s_that_is_nearest_in_time(cameras: Cameras) -> None:
    pairs = LivePairs()
    near = cameras.show("S", 1, 100 * MS)
    assert not pairs.look(cameras.latest)  # without B there is nothing to show
    cameras.show("S", 2, 150 * MS)
    pairs.look(cameras.latest)
    b = cameras.show("B", 1, 110 * MS)
    assert pairs.look(cameras.latest)
    picture = pairs.picture(CHAIN, FMT)
    assert picture.s is not None
    np.testing.assert_array_equal(picture.s, CHAIN.s(near.pixels))
    np.testing.assert_array_equal(picture.b, CHAIN.b(b.pixels))
    assert (picture.number, picture.taken_ns) == (1, 110 * MS)


def test_without_a_calibration_b_is_shown_alone_and_it_is_said(cameras: Cameras) -> None:
    pairs = LivePairs()
    cameras.show("S", 1)
    cameras.show("B", 1)
    pairs.look(cameras.latest)
    other = LiveChain(LiveCamera(FrameFormat(64, 96, "RGGB", 0.0, 255.0)), CHAIN.s)
    for chain in (None, other):  # that of another sensor size is none
        picture = pairs.picture(chain, FMT)
        assert picture.s is None
        assert picture.note == NOT_ALIGNED
        assert picture.b.shape == (48, 64, 3)


def test_a_frame_is_answered_coarsely_then_refined_and_can_then_be_saved(
    live: LiveDeblur, cameras: Cameras, engine: DeblurEngine, wait_until: Wait
) -> None:
    stages: list[str] = []
    live.changed.connect(lambda: stages.append(live.view.take(0)[1].stage))
    cameras.show("S", 1, seed=5)
    cameras.show("B", 1, seed=6)
    live.begin(engine)
    wait_until(lambda: stages[-1:] == ["full"], "the refined answer")
    view = live.view.take(0)
    assert view is not None
    result = view[1].result
    assert result is not None
    assert (result.scale, result.sharp.shape) == (1.0, (48, 64, 3))
    assert view[1].path.name.startswith("live_")
    assert view[1].facts["Computed"] == f"{result.share:.0%} of the frame"
    age_s = live.age_s()
    assert age_s is not None
    assert age_s == pytest.approx(
        (time.monotonic_ns() - cameras.frames["B"][1].host_monotonic_ns) / 1e9, abs=1
    )


def test_a_held_picture_stays_until_it_is_let_go(
    live: LiveDeblur, cameras: Cameras, engine: DeblurEngine, wait_until: Wait
) -> None:
    cameras.show("S", 1)
    cameras.show("B", 1)
    live.begin(engine)
    wait_until(lambda: live.view.take(0) is not None and live.view.take(0)[1].stage == "full", "a picture")
    live.hold(True)
    shown = live.view.take(0)
    cameras.show("B", 2)
    time.sleep(0.2)  # it would have been answered
    assert live.view.take(0) == shown
    live.hold(False)
    wait_until(lambda: live.view.take(shown[0]) is not None, "the newer picture")


def test_at_rest_nobody_asks_the_cameras(
    live: LiveDeblur, cameras: Cameras, engine: DeblurEngine, wait_until: Wait
) -> None:
    cameras.show("B", 1)
    live.begin(engine)
    wait_until(lambda: live.view.take(0) is not None, "a picture")
    live.rest()
    assert not live.active
    time.sleep(0.1)
    asked = cameras.asked
    time.sleep(0.2)
    assert cameras.asked == asked


def test_a_lost_camera_does_not_end_the_live_mode(
    live: LiveDeblur, cameras: Cameras, engine: DeblurEngine, wait_until: Wait
) -> None:
    cameras.lost = True
    live.begin(engine)
    wait_until(lambda: cameras.asked > 3, "some tries")
    cameras.lost = False
    cameras.show("B", 1)
    wait_until(lambda: live.view.take(0) is not None, "a picture")


def test_an_engine_that_fails_ends_the_live_mode_in_words(
    live: LiveDeblur, cameras: Cameras, weights: Path, wait_until: Wait
) -> None:
    told: list[Any] = []
    live.stopped.connect(told.append)
    cameras.show("B", 1)
    live.begin(DeblurEngine(weights, "cpu", "fp32", memory_limit_bytes=10))
    wait_until(lambda: bool(told), "the reason")
    assert "memory" in f"{told[0].message} {told[0].hint}"
    assert not live.active


@pytest.fixture
def page(
    cameras: Cameras, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, qapp: object
) -> Iterator[DeblurPage]:
    monkeypatch.setenv("BEAMRIG_WEIGHTS", str(weights))
    preparer = FramePreparer()
    preparer.set_source(cameras.latest, {"B": FMT, "S": FMT})
    made = made_deblur_page(tmp_path / "session", preparer)
    made.show()
    yield made
    made.end()
    made.close()
    made.deleteLater()
    preparer.end()


def test_the_page_shows_live_pictures_and_stops_when_it_is_left(
    page: DeblurPage, cameras: Cameras, wait_until: Wait
) -> None:
    cameras.show("B", 1)
    page.toggle_live()
    wait_until(page.save_button.isEnabled, "a refined picture", 60)
    assert page.busy
    assert page.shown.text().startswith("Live   not aligned")
    assert not page.run_button.isEnabled()
    numbers = iter(range(2, 100_000))

    def figures() -> bool:
        cameras.show("B", next(numbers))  # cameras that go on
        return "pictures/s" in page.live.bar.status.text()

    wait_until(figures, "the figures")
    page.toggle_hold()
    wait_until(lambda: "held" in page.live.bar.status.text(), "the word held")
    page.leave()
    assert not page.busy
    assert not page.live.job.active
    assert not page.live.bar.live.isChecked()


def test_a_view_that_gets_old_says_so(page: DeblurPage, cameras: Cameras, wait_until: Wait) -> None:
    cameras.show("B", 1, time.monotonic_ns() - 3_000 * MS)
    page.toggle_live()
    wait_until(lambda: "is the live view on" in page.live.bar.status.text(), "the warning", 60)


def test_a_rig_that_is_closed_ends_the_live_mode(
    page: DeblurPage, cameras: Cameras, wait_until: Wait
) -> None:
    cameras.show("B", 1)
    page.toggle_live()
    assert page.live.on
    page.live._preparer.set_source(None)
    wait_until(lambda: not page.live.on, "the end")
    assert "the rig is closed" in page.live.bar.status.text()
    told: list[Any] = []
    page.trouble.connect(told.append)
    page.toggle_live()
    assert "rig is not open" in told[0].message
    assert not page.live.on


def test_ending_while_pictures_come_leaves_no_thread(
    page: DeblurPage, cameras: Cameras, wait_until: Wait
) -> None:
    cameras.show("B", 1)
    page.toggle_live()
    wait_until(lambda: page.live.job.view.take(0) is not None, "a picture", 60)
    page.end()
    assert not page.live.job.isRunning()
    assert "live preview" not in {thread.name for thread in threading.enumerate()}

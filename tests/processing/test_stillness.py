"""What moves between two frames is found and placed; noise and lamps are not motion."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import shift as subpixel_shift

from processing.checks.stillness import EVERYWHERE, change_between
from processing.errors import ImageMismatch
from tests.processing.sensor import photo, raw


@pytest.mark.parametrize("seed", range(8))
def test_noise_alone_is_no_motion(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert not change_between(raw(photo(), rng), raw(photo(), rng)).moved


@pytest.mark.parametrize("factor", [0.7, 0.95, 1.2])
def test_a_lamp_that_changes_is_no_motion(factor: float) -> None:
    rng = np.random.default_rng(1)
    found = change_between(raw(photo(), rng), raw(photo() * np.float32(factor), rng))
    assert not found.moved
    assert found.scale == pytest.approx(factor, rel=0.005)


def test_what_moves_is_placed() -> None:
    rng = np.random.default_rng(2)
    still, moved = photo(), photo()
    moved[128:256, 320:448] = photo("08")[128:256, 320:448]
    found = change_between(raw(still, rng), raw(moved, rng))
    assert found.box_px == (320, 128, 448, 256)
    assert found.share == pytest.approx(128 * 128 / (512 * 640), rel=0.2)


def test_a_plain_grey_object_is_seen_by_its_brightness() -> None:
    rng = np.random.default_rng(3)
    still, moved = np.full((512, 640, 3), 0.5, np.float32), np.full((512, 640, 3), 0.5, np.float32)
    moved[64:192, 64:192] *= 1.1
    assert change_between(raw(still, rng), raw(moved, rng)).moved


@pytest.mark.parametrize("way_px", [0.3, 1.0])
def test_a_rig_that_shakes_changes_the_whole_frame(way_px: float) -> None:
    rng = np.random.default_rng(4)
    shaken = subpixel_shift(photo("08"), (0, way_px, 0), order=3, mode="nearest").astype(np.float32)
    assert change_between(raw(photo("08"), rng), raw(shaken, rng)).share > EVERYWHERE


def test_frames_of_different_size_are_refused() -> None:
    rng = np.random.default_rng(5)
    with pytest.raises(ImageMismatch, match="different kind"):
        change_between(raw(photo(), rng), raw(photo()[:256], rng))

"""A mover is held against S where S shows it, also when that is at another moment than B's middle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from processing.errors import ImageMismatch, MetricUndefined
from processing.quality.mover import best_shift, mover_psnr
from tests.processing.scenes import kodak

MASK = np.zeros((120, 160), np.uint8)
MASK[40:80, 50:110] = 255


def photo() -> NDArray[np.uint8]:
    return np.ascontiguousarray(kodak("08")[:120, :160])


@given(dy=st.integers(-20, 20), dx=st.integers(-20, 20))
@settings(max_examples=15, deadline=None)
def test_the_shift_between_two_moments_is_found(dy: int, dx: int) -> None:
    picture = photo()
    sharp = np.roll(picture, (dy, dx), axis=(0, 1))
    assert best_shift(picture, sharp, MASK, 24) == (dy, dx)
    assert mover_psnr(picture, sharp, MASK) == (float("inf"), (dy, dx))


def test_a_sharp_middle_is_nearer_to_s_at_the_start_than_the_blur_is() -> None:
    start = photo()
    steps = [np.roll(start, step, axis=1).astype(np.float64) for step in range(13)]
    blurred = np.rint(np.mean(steps, axis=0)).astype(np.uint8)
    in_blur, moved = mover_psnr(blurred, start, MASK)
    assert in_blur < 30
    assert moved[0] == 0
    assert moved[1] == pytest.approx(-6, abs=1)
    assert mover_psnr(np.roll(start, 6, axis=1), start, MASK) == (float("inf"), (0, -6))


def test_the_figure_is_the_psnr_of_the_moved_pixels() -> None:
    rng = np.random.default_rng(3)
    sharp = rng.integers(0, 200, (120, 160, 3), dtype=np.uint8)
    moved = np.roll(sharp, (-5, 7), axis=(0, 1))
    picture = moved + rng.integers(0, 9, moved.shape, dtype=np.uint8)
    error = picture.astype(float)[MASK > 0] - moved[MASK > 0]
    found, shift = mover_psnr(picture, sharp, MASK)
    assert shift == (5, -7)
    assert found == pytest.approx(10 * np.log10(255**2 / np.mean(error**2)))


def test_what_cannot_be_compared_is_said() -> None:
    image = photo()
    with pytest.raises(MetricUndefined, match="empty"):
        best_shift(image, image, MASK * 0)
    with pytest.raises(ImageMismatch):
        best_shift(image, image, MASK[1:])

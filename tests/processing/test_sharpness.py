"""The sharpness figure has closed forms, and answers to focus alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.checks.sharpness import pair_sharpness, patch_sharpness
from rig.records import RawPair
from tests.processing.sensor import SHAPE, board, defocused, photo, raw


def _columns(values: np.ndarray) -> np.ndarray:
    """Return a frame whose 2x2 cells are alike down and ``values`` across: one value a cell."""
    return np.broadcast_to(np.repeat(values, 2)[None, :, None], (*SHAPE, 3)).astype(np.float32)


def _figure(light: np.ndarray) -> float:
    return float(np.nanmedian(patch_sharpness(raw(light, np.random.default_rng(0), scale=0.9))[0]))


def test_edges_that_fill_one_cell_give_a_quarter() -> None:
    values = np.where(np.arange(320) // 16 % 2, 0.8, 0.2)
    assert _figure(_columns(values)) == pytest.approx(0.25, rel=0.07)


def test_a_smooth_slope_gives_a_sixteenth() -> None:
    x = np.arange(320)
    assert _figure(_columns(0.5 + 0.4 * np.sin(x / 20))) == pytest.approx(1 / 16, rel=0.07)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.1, 1.0), st.integers(0, 1000))
def test_it_depends_neither_on_light_nor_on_noise(scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    both = RawPair(raw(photo(), rng, "B", scale=scale), raw(photo(), rng, "S", scale=0.9))
    sharp = pair_sharpness(both.b, both.s)
    assert sharp is not None
    assert sharp.ratio == pytest.approx(1, abs=0.08)


def test_the_more_b_is_out_of_focus_the_smaller_the_ratio() -> None:
    rng = np.random.default_rng(1)
    s = raw(photo(), rng)
    ratios = []
    for sigma in (0.4, 0.8, 1.2, 2.0):
        sharp = pair_sharpness(raw(defocused(photo(), sigma), rng, "B"), s)
        assert sharp is not None
        ratios.append(sharp.ratio)
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] < 0.5 < ratios[0]


def test_a_moving_object_that_is_blurred_in_b_is_left_out() -> None:
    rng = np.random.default_rng(2)
    b = photo()
    b[100:300, 100:300] = defocused(b, 6.0)[100:300, 100:300]
    sharp = pair_sharpness(raw(b, rng, "B"), raw(photo(), rng))
    assert sharp is not None
    assert sharp.ratio == pytest.approx(1, abs=0.1)


def test_a_board_has_nothing_to_judge_the_focus_by() -> None:
    rng = np.random.default_rng(3)
    assert pair_sharpness(raw(board(), rng, "B"), raw(board(), rng)) is None

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gui.imaging import (
    RawFormat,
    clipped_cells,
    focus_number,
    grey_world,
    planes,
    raw_histogram,
    view_lut,
    view_picture,
)
from gui.widgets.histogram import coarse

CFAS = st.sampled_from(["RGGB", "BGGR", "GRBG", "GBRG"])
RAW = hnp.arrays(np.uint16, st.tuples(st.integers(2, 24), st.integers(2, 24)), elements=st.integers(0, 4095))


def colour_of(cfa: str, row: int, col: int) -> str:
    return cfa[2 * (row % 2) + col % 2]


@given(RAW, CFAS)
@settings(max_examples=60, deadline=None)
def test_the_histogram_counts_every_raw_pixel_under_its_own_colour(raw: np.ndarray, cfa: str) -> None:
    found = raw_histogram(raw, RawFormat(cfa=cfa))
    height, width = raw.shape[0] // 2 * 2, raw.shape[1] // 2 * 2
    for name in "RGB":
        codes = [raw[r, c] for r in range(height) for c in range(width) if colour_of(cfa, r, c) == name]
        expected = np.bincount(np.array(codes, dtype=np.int64), minlength=4096)
        np.testing.assert_array_equal(found.counts[name], expected)


@given(RAW, CFAS, st.integers(1, 4095))
@settings(max_examples=60, deadline=None)
def test_the_clipped_share_counts_raw_codes_from_the_white_level_on(
    raw: np.ndarray, cfa: str, white: int
) -> None:
    found = raw_histogram(raw, RawFormat(cfa=cfa, white_dn=white))
    for name in "RGB":
        codes = np.concatenate([plane.ravel() for colour, plane in planes(raw, cfa) if colour == name])
        assert found.clipped[name] == pytest.approx(np.mean(codes >= white))


@given(RAW, st.integers(1, 3), st.integers(1, 4095))
@settings(max_examples=60, deadline=None)
def test_no_clipped_pixel_is_lost_in_the_overlay(raw: np.ndarray, step: int, white: int) -> None:
    marks = clipped_cells(raw, RawFormat(white_dn=white), step)
    side = 2 * step
    assert marks.shape == (raw.shape[0] // side, raw.shape[1] // side)
    for row, col in np.ndindex(marks.shape):
        block = raw[row * side : (row + 1) * side, col * side : (col + 1) * side]
        assert marks[row, col] == bool((block >= white).any())


def test_more_than_4096_codes_share_bins_and_none_is_lost() -> None:
    raw = np.random.default_rng(1).integers(0, 65536, (64, 64)).astype(np.uint16)
    found = raw_histogram(raw, RawFormat(levels=65536, white_dn=60000))
    assert found.bin_width_dn == 16
    assert sum(int(counts.sum()) for counts in found.counts.values()) == raw.size
    np.testing.assert_array_equal(
        found.counts["R"], np.bincount(raw[0::2, 0::2].ravel() // 16, minlength=4096)
    )


@given(hnp.arrays(np.int64, st.integers(1, 5000), elements=st.integers(0, 1000)))
@settings(max_examples=40, deadline=None)
def test_drawing_fewer_bins_keeps_the_total(counts: np.ndarray) -> None:
    drawn = coarse(counts)
    assert drawn.size <= 256
    assert drawn.sum() == counts.sum()


def test_the_view_takes_black_to_black_and_white_to_white_with_the_srgb_curve_between() -> None:
    table = view_lut(RawFormat(black_dn=64, white_dn=4095), 1.0)
    assert table[0] == 0
    assert table[64] == 0
    assert table[4095] == 255
    middle = round(64 + 0.2140411 * (4095 - 64))  # linear light of sRGB 0.5
    assert table[middle] == pytest.approx(127.5, abs=1)


@pytest.mark.parametrize("cfa", ["RGGB", "BGGR", "GRBG", "GBRG"])
def test_a_red_filter_gives_a_red_pixel_in_any_pattern(cfa: str) -> None:
    raw = np.zeros((8, 8), dtype=np.uint16)
    for row, col in np.ndindex(raw.shape):
        raw[row, col] = 4095 if colour_of(cfa, row, col) == "R" else 0
    picture = view_picture(raw, RawFormat(cfa=cfa), 1, (1.0, 1.0, 1.0))
    assert picture.shape == (4, 4, 4)
    assert (picture[..., 2] == 255).all()
    assert (picture[..., :2] == 0).all()


def test_grey_world_gains_make_a_coloured_light_grey() -> None:
    raw = np.empty((64, 64), dtype=np.uint16)
    raw[0::2, 0::2], raw[1::2, 1::2] = 64 + 500, 64 + 250
    raw[0::2, 1::2] = raw[1::2, 0::2] = 64 + 1000
    assert grey_world(raw, RawFormat(black_dn=64)) == pytest.approx((2.0, 4.0))


def test_the_focus_number_falls_with_blur_and_does_not_care_about_exposure() -> None:
    rng = np.random.default_rng(2)
    fine = rng.integers(200, 1000, (128, 128)).astype(np.float64)
    soft = (fine + np.roll(fine, 2, 0) + np.roll(fine, 2, 1) + np.roll(fine, (2, 2), (0, 1))) / 4
    fmt = RawFormat()
    sharp = focus_number(fine.astype(np.uint16), fmt)
    assert focus_number(soft.astype(np.uint16), fmt) < sharp / 2
    assert focus_number((fine * 3).astype(np.uint16), fmt) == pytest.approx(sharp, rel=0.01)

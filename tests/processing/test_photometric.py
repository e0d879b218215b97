"""Photometric alignment (Eq. 6-7) and white balance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.colour import gains_on_mosaic
from processing.errors import ImageMismatch
from processing.isp import white_balance
from processing.photometric import (
    brightness_coefficients,
    channel_means,
    unsaturated_cells,
)
from tests.processing.scenes import kodak, mosaic

factor = st.floats(0.3, 3.0)


@given(wanted=st.tuples(factor, factor, factor), cfa=st.sampled_from(["RGGB", "GRBG", "GBRG", "BGGR"]))
def test_beta_is_the_ratio_of_the_channel_means(wanted: tuple[float, float, float], cfa: str) -> None:
    sharp = mosaic(kodak("03")[:64, :96].astype(np.float32), cfa)
    darker = mosaic(kodak("03")[:64, :96] / np.array(wanted), cfa).astype(np.float32)
    assert brightness_coefficients(darker, sharp, cfa) == pytest.approx(wanted, rel=1e-5)


def test_aligned_images_have_equal_channel_means() -> None:
    blurred, sharp = (mosaic(kodak(name).astype(np.float32)) for name in ("08", "13"))
    beta = brightness_coefficients(blurred, sharp, "RGGB")
    aligned = blurred * gains_on_mosaic(blurred.shape, "RGGB", beta)
    assert channel_means(aligned, "RGGB") == pytest.approx(channel_means(sharp, "RGGB"), rel=1e-5)


def test_clipped_highlights_are_kept_out_of_beta() -> None:
    light = mosaic(kodak("13").astype(np.float32)) * 20
    sharp, blurred = np.minimum(light, 4000), np.minimum(light / 0.8, 4000)
    plain = brightness_coefficients(blurred, sharp, "RGGB")
    valid = unsaturated_cells([blurred, sharp], 3900)
    clean = brightness_coefficients(blurred, sharp, "RGGB", valid=valid)
    assert clean == pytest.approx((0.8, 0.8, 0.8), rel=1e-6)
    assert abs(plain[0] - 0.8) > 0.01


def test_a_black_channel_has_no_beta() -> None:
    with pytest.raises(ImageMismatch, match="black"):
        brightness_coefficients(np.zeros((8, 8), np.float32), np.ones((8, 8), np.float32), "RGGB")


def test_frames_of_different_size_are_refused() -> None:
    with pytest.raises(ImageMismatch, match="size"):
        brightness_coefficients(np.ones((8, 8), np.float32), np.ones((8, 10), np.float32), "RGGB")


def test_the_white_balance_makes_the_board_grey() -> None:
    board = mosaic(np.broadcast_to(np.array([900, 1800, 1100], np.float32), (64, 64, 3)))
    red, green, blue = white_balance(board, "RGGB")
    assert (red * 900, green * 1800, blue * 1100) == pytest.approx((1800, 1800, 1800))

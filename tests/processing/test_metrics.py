"""Delta-L, PSNR and SSIM against closed forms and scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from processing.errors import ImageMismatch
from processing.quality.metrics import delta_l, psnr, ssim
from tests.processing.scenes import kodak


@given(seed=st.integers(0, 2**31), sigma=st.floats(0.5, 40), rows=st.integers(11, 200))
@settings(max_examples=12, deadline=None)
def test_ssim_equals_scikit_image_on_the_valid_area(seed: int, sigma: float, rows: int) -> None:
    a = kodak("13")[:rows]
    b = np.clip(a + np.random.default_rng(seed).normal(0, sigma, a.shape), 0, 255).astype(np.uint8)
    _, wanted = structural_similarity(
        a, b, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    assert ssim(a, b) == pytest.approx(float(wanted[5:-5, 5:-5].mean()), abs=2e-5)


def test_psnr_equals_scikit_image() -> None:
    a, b = kodak("03"), kodak("08")
    assert psnr(a, b) == pytest.approx(peak_signal_noise_ratio(a, b, data_range=255))


def test_equal_images_are_equal() -> None:
    a = kodak("03")
    assert (delta_l(a, a), psnr(a, a), ssim(a, a)) == (0.0, float("inf"), pytest.approx(1.0))


def test_delta_l_is_relative_to_the_blurred_image() -> None:
    sharp, blurred = np.full((4, 4, 3), 110, np.uint8), np.full((4, 4, 3), 100, np.uint8)
    assert delta_l(sharp, blurred) == pytest.approx(10.0)
    assert delta_l(blurred, sharp) == pytest.approx(100 * 10 / 110)
    assert delta_l(sharp, blurred, gray=True) == pytest.approx(10.0)


def test_delta_l_against_black_is_not_defined() -> None:
    with pytest.raises(ImageMismatch, match="black"):
        delta_l(np.ones((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8))


@pytest.mark.parametrize("figure", [delta_l, psnr, ssim])
def test_images_of_different_size_are_refused(figure: object) -> None:
    with pytest.raises(ImageMismatch):
        figure(np.ones((16, 16, 3), np.uint8), np.ones((16, 18, 3), np.uint8))  # type: ignore[operator]


def test_ssim_needs_its_window() -> None:
    with pytest.raises(ImageMismatch, match="window"):
        ssim(np.ones((8, 40, 3), np.uint8), np.ones((8, 40, 3), np.uint8))

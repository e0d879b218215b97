"""Weighted and aligned PSNR and SSIM, as printed and as released, against scikit-image and closed forms."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from processing.errors import ImageMismatch, MetricUndefined, RegistrationFailed
from processing.quality.metrics_local import (
    READINGS,
    Alignment,
    Reading,
    aligned_psnr,
    aligned_ssim,
    local_metrics,
    weighted_psnr,
    weighted_ssim,
)
from processing.quality.similarity import ssim_sums
from tests.processing.scenes import kodak

Image = np.ndarray


def disturbed(picture: Image, seed: int, sigma: float) -> Image:
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def some_mask(shape: tuple[int, ...], seed: int) -> Image:
    spots = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, shape[:2]), (0, 0), 4)
    return np.where(spots > np.quantile(spots, 0.7), np.uint8(255), np.uint8(0))


def reference_map(a: Image, b: Image, peak: float = 255.0) -> Image:
    _, full = structural_similarity(
        a, b, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True,
        data_range=peak,
    )  # fmt: skip
    return np.asarray(full)


@given(
    seed=st.integers(0, 2**31), sigma=st.floats(0.3, 40), rows=st.integers(1, 60), columns=st.integers(1, 70)
)
@settings(max_examples=20, deadline=None)
def test_released_weighted_psnr_is_the_psnr_of_the_masked_pixels(
    seed: int, sigma: float, rows: int, columns: int
) -> None:
    a = kodak("13")[:rows, :columns]
    b, mask = disturbed(a, seed, sigma), some_mask(a.shape, seed)
    mask[0, 0], b[0, 0] = 255, 255 - a[0, 0]
    inside = mask > 0
    wanted = peak_signal_noise_ratio(a[inside], b[inside], data_range=255)
    assert weighted_psnr(a, b, mask, "released") == pytest.approx(wanted)


@given(seed=st.integers(0, 2**31), rows=st.integers(1, 12), columns=st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_printed_weighted_psnr_is_the_mean_of_every_pixels_psnr(seed: int, rows: int, columns: int) -> None:
    a = kodak("08")[:rows, :columns]
    b = disturbed(a // 2, seed, 30) // 2 + 128  # differs everywhere or nearly so
    mask = np.ones((rows, columns), np.uint8)
    pixels = [
        10 * np.log10(255**2 / max(mean_squared_error(a[y, x], b[y, x]), 1 / 12))
        for y in range(rows)
        for x in range(columns)
    ]
    assert weighted_psnr(a, b, mask, "paper") == pytest.approx(np.mean(pixels))


def test_equal_pixels_count_with_the_error_of_rounding_in_the_printed_figure() -> None:
    a = kodak("03")[:40, :40]
    b = a.copy()
    everywhere = np.ones((40, 40), np.uint8)
    assert weighted_psnr(a, b, everywhere, "paper") == pytest.approx(10 * np.log10(255**2 * 12))
    assert weighted_psnr(a, b, everywhere, "released") == float("inf")
    b[7, 9, 1] ^= 1  # the smallest difference there is
    lower = 10 * np.log10(255**2 * 3)
    assert weighted_psnr(a, b, everywhere, "paper") == pytest.approx(
        (1599 * 10 * np.log10(255**2 * 12) + lower) / 1600
    )


def test_rows_without_a_masked_pixel_change_nothing() -> None:
    rng = np.random.default_rng(8)
    sharp, other = (rng.integers(0, 256, (40, 30, 3), dtype=np.uint8) for _ in range(2))
    mask = np.full((40, 30), 255, np.uint8)
    tall = [np.vstack([image, np.zeros((600, *image.shape[1:]), np.uint8)]) for image in (sharp, other, mask)]
    assert weighted_psnr(*tall, "paper") == pytest.approx(
        weighted_psnr(sharp, other, mask, "paper"), abs=1e-9
    )


def test_the_two_readings_of_weighted_psnr_differ_where_errors_are_uneven() -> None:
    a = np.full((20, 20), 100, np.uint8)
    b = a.copy()
    b[:, :10] += 40
    b[:, 10:] += 2
    mask = np.ones((20, 20), np.uint8)
    assert weighted_psnr(a, b, mask, "released") == pytest.approx(10 * np.log10(255**2 / 802))
    halves = [10 * np.log10(255**2 / e**2) for e in (40, 2)]
    assert weighted_psnr(a, b, mask, "paper") == pytest.approx(np.mean(halves))


@given(
    seed=st.integers(0, 2**31), sigma=st.floats(1, 40), rows=st.integers(14, 120), columns=st.integers(14, 90)
)
@settings(max_examples=12, deadline=None)
def test_weighted_ssim_is_the_masked_mean_of_scikit_images_map(
    seed: int, sigma: float, rows: int, columns: int
) -> None:
    a = kodak("13")[:rows, :columns]
    b, mask = disturbed(a, seed, sigma), some_mask(a.shape, seed)
    mask[rows // 2, columns // 2] = 255
    values, inside = reference_map(a, b), mask > 0
    assert weighted_ssim(a, b, mask, "paper") == pytest.approx(values[inside].mean(), abs=2e-4)
    inner = slice(5, -5)
    wanted = values[inner, inner][inside[inner, inner]].mean()
    assert weighted_ssim(a, b, mask, "released") == pytest.approx(wanted, abs=2e-4)


@pytest.mark.parametrize("reading", READINGS)
def test_a_full_mask_gives_the_figures_of_the_whole_image(reading: Reading) -> None:
    a = kodak("19")[:90, :100]
    b, mask = disturbed(a, 1, 9), np.ones((90, 100), np.uint8)
    total, count = ssim_sums(a, b, valid=reading == "released")
    assert weighted_ssim(a, b, mask, reading) == pytest.approx(total / count)


def test_ssim_does_not_depend_on_bands_or_threads() -> None:
    a = kodak("19")
    b, mask = disturbed(a, 1, 9), some_mask(a.shape, 4)
    for valid in (True, False):
        sums = {
            ssim_sums(a, b, weight, valid=valid, threads=threads, band_rows=band)
            for weight in (mask,)
            for threads, band in ((1, 1000), (2, 48), (3, 7), (2, 1))
        }
        assert len(sums) == 1


def shifted(picture: Image, dx: float, dy: float) -> Image:
    height, width = picture.shape[:2]
    moved = cv2.warpAffine(
        picture, np.array([[1, 0, dx], [0, 1, dy]]), (width, height), flags=cv2.INTER_LANCZOS4
    )
    return np.asarray(moved, np.uint8)


def test_alignment_finds_a_shift_and_a_gain() -> None:
    big = kodak("08")
    a = np.ascontiguousarray(big[20:-20, 20:-20])
    b = np.ascontiguousarray(shifted((big * 0.8).astype(np.uint8), 2.3, -1.4)[20:-20, 20:-20])
    alignment = Alignment.of(a, b)
    np.testing.assert_allclose(alignment.matrix[:2, 2], [2.3, -1.4], atol=0.05)
    unaligned = a.astype(np.float64) * b
    assert alignment.gain == pytest.approx(unaligned.sum() / (b.astype(np.float64) ** 2).sum(), rel=1e-5)
    assert aligned_psnr(a, b) > peak_signal_noise_ratio(a, b) + 10
    assert aligned_ssim(a, b) > 0.95


def test_what_only_one_image_shows_counts_in_one_reading_and_not_in_the_other() -> None:
    a, b = kodak("08"), shifted(kodak("08"), 9.0, 0.0)
    alignment = Alignment.of(a, b)
    share = float(alignment.seen.mean())
    assert share == pytest.approx(1 - 9 / a.shape[1], abs=0.004)
    difference = alignment.psnr("released") - alignment.psnr("paper")
    assert difference == pytest.approx(-10 * np.log10(share), abs=1e-6)
    values = reference_map(alignment.sharp, alignment.other, 1.0)[5:-5, 5:-5]
    weights = alignment.seen[5:-5, 5:-5]
    assert alignment.ssim("released") == pytest.approx(values.mean(), abs=2e-4)
    assert alignment.ssim("paper") == pytest.approx((values * weights).sum() / weights.sum(), abs=2e-4)


def test_all_local_figures_at_once_are_the_single_ones() -> None:
    a = kodak("03")[:100, :120]
    b, mask = disturbed(a, 2, 8), some_mask(a.shape, 2)
    both = local_metrics(a, b, mask)
    for reading in READINGS:
        assert both[reading] == {
            "psnr_w_db": weighted_psnr(a, b, mask, reading),
            "ssim_w": weighted_ssim(a, b, mask, reading),
            "psnr_a_db": aligned_psnr(a, b, reading),
            "ssim_a": aligned_ssim(a, b, reading),
        }
    alone = local_metrics(a, b, align=False)["paper"]
    assert alone == {"psnr_w_db": None, "ssim_w": None, "psnr_a_db": None, "ssim_a": None}


@pytest.mark.parametrize("reading", READINGS)
def test_an_empty_mask_has_no_weighted_figure(reading: Reading) -> None:
    a, nothing = kodak("03")[:40, :40], np.zeros((40, 40), np.uint8)
    for figure in (weighted_psnr, weighted_ssim):
        with pytest.raises(MetricUndefined, match="empty"):
            figure(a, a, nothing, reading)


def test_a_mask_in_the_edge_alone_has_no_released_ssim() -> None:
    a, edge = kodak("03")[:40, :40], np.zeros((40, 40), np.uint8)
    edge[:5] = 255
    assert weighted_ssim(a, a, edge, "paper") == pytest.approx(1.0)
    with pytest.raises(MetricUndefined, match="outermost 5"):
        weighted_ssim(a, a, edge, "released")


def test_images_without_a_common_scene_are_not_aligned_in_silence() -> None:
    flat = np.full((60, 80, 3), 90, np.uint8)
    with pytest.raises(RegistrationFailed):
        aligned_psnr(kodak("03")[:60, :80], flat)
    with pytest.raises(RegistrationFailed):
        aligned_psnr(flat, kodak("03")[:60, :80])
    with pytest.raises(MetricUndefined, match="black"):
        aligned_psnr(flat, np.zeros_like(flat))


def test_wrong_sizes_are_refused() -> None:
    a, mask = kodak("03")[:40, :40], np.ones((40, 40), np.uint8)
    with pytest.raises(ImageMismatch):
        weighted_psnr(a, a[:30], mask)
    with pytest.raises(ImageMismatch, match="mask"):
        weighted_ssim(a, a, mask[:30])
    with pytest.raises(ImageMismatch, match="window"):
        weighted_ssim(a[:10], a[:10], mask[:10])
    with pytest.raises(ImageMismatch, match="small"):
        aligned_psnr(a[:8], a[:8])

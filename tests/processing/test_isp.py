"""Gamma, the two orders of white balance and demosaicing, rounding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.isp import decode_srgb, encode_srgb, to_8bit, to_16bit, to_linear
from processing.quality.metrics import psnr
from tests.processing.scenes import FULL_WELL_E, kodak, mosaic, noisy


@pytest.mark.parametrize(
    ("linear", "encoded"),
    [(0.0, 0.0), (0.002, 0.02584), (0.18, 0.461356), (0.5, 0.735357), (1.0, 1.0), (2.0, 1.0)],
)
def test_gamma_is_the_curve_of_iec_61966(linear: float, encoded: float) -> None:
    assert float(encode_srgb(np.full((1, 1, 3), linear, np.float32))[0, 0, 0]) == pytest.approx(
        encoded, abs=2e-6
    )


def test_gamma_is_right_to_a_millionth_everywhere() -> None:
    linear = np.concatenate([np.linspace(0, 0.01, 200_001), np.linspace(0.01, 1, 200_001)])
    closed = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    encoded = encode_srgb(linear.astype(np.float32).reshape(-1, 1))
    np.testing.assert_allclose(encoded.ravel(), closed, atol=1e-6)
    straight = closed / 12.92
    undone = np.where(closed <= 0.04045, straight, ((closed + 0.055) / 1.055) ** 2.4)
    decoded = decode_srgb(closed.astype(np.float32).reshape(-1, 1))
    np.testing.assert_allclose(decoded.ravel(), undone, atol=1e-6)


@pytest.mark.parametrize("balanced", [True, False])
def test_encoding_at_once_is_encoding_afterwards(balanced: bool) -> None:
    matrix = np.array([[1.4, -0.3, -0.1], [-0.25, 1.45, -0.2], [0.0, -0.4, 1.4]])
    raw = mosaic(kodak("03").astype(np.float32) / 255)
    linear = to_linear(raw, "GRBG", (1.8, 1.0, 1.4), matrix, balanced=balanced)
    at_once = to_linear(raw, "GRBG", (1.8, 1.0, 1.4), matrix, balanced=balanced, encode=True)
    np.testing.assert_allclose(at_once, encode_srgb(linear), atol=1e-6)


def test_threads_do_not_change_a_developed_frame() -> None:
    raw = mosaic(kodak("08").astype(np.float32) / 255)
    ways = [
        to_linear(raw, "BGGR", (2.0, 1.0, 1.5), np.eye(3), balanced=True, threads=n, encode=True)
        for n in (1, 3)
    ]
    np.testing.assert_array_equal(*ways)


@given(value=st.floats(0, 1, width=32))
def test_decoding_undoes_encoding(value: float) -> None:
    image = np.full((1, 1, 3), value, np.float32)
    np.testing.assert_allclose(decode_srgb(encode_srgb(image)), image, atol=2e-6)


def test_balancing_first_in_the_root_domain_restores_more() -> None:
    """The order of profile `best` against the paper's, on a real picture with sensor noise."""
    truth = kodak("08")
    balance = (2.0, 1.0, 1.67)
    light = decode_srgb(truth.astype(np.float32) / 255)
    raw = noisy(mosaic(light / np.array(balance)).astype(np.float32), np.random.default_rng(0), FULL_WELL_E)
    gains = mosaic(np.broadcast_to(np.array(balance, np.float32), truth.shape))
    best = to_linear(raw * gains, "RGGB", balance, np.eye(3), balanced=True)
    paper = to_linear(raw, "RGGB", balance, np.eye(3), balanced=False)
    inner = slice(8, -8)
    figures = [psnr(to_8bit(encode_srgb(i))[inner, inner], truth[inner, inner]) for i in (best, paper)]
    assert figures[0] > figures[1] + 3


def test_the_order_is_worth_several_decibels_on_photographs() -> None:
    """Without noise, over four pictures of the Kodak suite; over all 24 it is 10 dB (28.7 to 38.9)."""
    balance = (2.0, 1.0, 1.67)
    figures = []
    for name in ("03", "08", "13", "19"):
        truth = kodak(name)
        raw = mosaic(decode_srgb(truth.astype(np.float32) / 255) / np.array(balance)).astype(np.float32)
        gains = mosaic(np.broadcast_to(np.array(balance, np.float32), truth.shape))
        ways = [
            to_linear(raw * gains, "RGGB", balance, np.eye(3), balanced=True),
            to_linear(raw, "RGGB", balance, np.eye(3), balanced=False),
        ]
        inner = slice(10, -10)
        figures.append([psnr(to_8bit(encode_srgb(w))[inner, inner], truth[inner, inner]) for w in ways])
    best, paper = np.mean(figures, axis=0)
    assert best > 36
    assert best > paper + 9


@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_noise_about_black_keeps_its_mean(gain: float) -> None:
    raw = noisy(np.full((256, 256), 0.0, np.float32), np.random.default_rng(1)) * np.float32(gain)
    image = to_linear(raw, "RGGB", (1.0, 1.0, 1.0), np.eye(3), balanced=True)
    assert abs(float(image.mean())) < 0.1 * float(raw.std())


@pytest.mark.parametrize("part", [0.0005, 0.001, 0.004, 0.02])
def test_what_is_nearly_black_keeps_its_mean_in_the_picture(part: float) -> None:
    """The root of noise bends down; demosaicing mixes roots. Of an 8-bit step no fiftieth may be lost."""
    gain = np.float32(2.0)  # as the balance gives red and blue
    raw = noisy(np.full((512, 512), part / gain, np.float32), np.random.default_rng(2)) * gain
    image = to_linear(raw, "RGGB", (1.0, 1.0, 1.0), np.eye(3), balanced=True)
    levels = np.array([image.mean(), raw.mean()], np.float32)
    shown = 255 * encode_srgb(levels)
    assert abs(float(shown[0] - shown[1])) < 0.02


def test_clipped_highlights_stay_white() -> None:
    """A saturated sensor gives equal codes in all colours, which the balance would turn pink."""
    raw = np.ones((32, 32), np.float32)
    image = to_linear(raw, "RGGB", (2.0, 1.0, 1.67), np.eye(3), balanced=False)
    np.testing.assert_allclose(image, 1.0)


def test_the_colour_map_keeps_white() -> None:
    matrix = np.array([[1.4, -0.3, -0.1], [-0.25, 1.45, -0.2], [0.0, -0.4, 1.4]])
    image = to_linear(np.full((32, 32), 0.5, np.float32), "RGGB", (1.0, 1.0, 1.0), matrix, balanced=True)
    np.testing.assert_allclose(image, 0.5, atol=1e-5)


def test_rounding_uses_the_whole_range() -> None:
    edges = np.array([[[-0.1, 0.0, 1.0], [1.2, 0.5, 0.25]]], np.float32)
    assert to_8bit(edges).tolist() == [[[0, 0, 255], [255, 128, 64]]]
    assert to_16bit(edges)[0, 0].tolist() == [0, 0, 65535]

"""Photon transfer and what follows from it, against sensors of known gain and read noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.errors import ProcessingError
from processing.survey.measure import noise_of
from processing.survey.noise import NoiseModel, photon_transfer
from rig.profile_devices import SensorNoise
from tests.processing.sensor import GAIN_DN_PER_E, READ_NOISE_E, WHITE_DN, board, photo, raw


def test_two_frames_of_a_scene_give_gain_and_read_noise() -> None:
    rng = np.random.default_rng(1)
    found = photon_transfer(raw(photo(), rng), raw(photo(), rng))
    assert found.gain_dn_per_e == pytest.approx(GAIN_DN_PER_E, rel=0.02)
    assert found.read_e < 3 * READ_NOISE_E
    assert found.source == "photon transfer"


def test_read_noise_is_found_where_the_scene_has_dark_parts() -> None:
    rng = np.random.default_rng(2)
    dark = photo() * np.linspace(0, 1, 640, dtype=np.float32)[None, :, None] ** 4
    found = photon_transfer(raw(dark, rng, scale=0.2), raw(dark, rng, scale=0.2))
    true = np.hypot(READ_NOISE_E, 12**-0.5 / GAIN_DN_PER_E)  # rounding adds to it
    assert found.read_e == pytest.approx(true, rel=0.15)


def test_a_moving_object_and_a_lamp_that_dims_change_nothing() -> None:
    rng = np.random.default_rng(3)
    first, second = photo(), photo() * np.float32(0.98)
    first[100:250, 100:300] = 0.2
    second[100:250, 160:360] = 0.2
    assert photon_transfer(raw(first, rng), raw(second, rng)).gain_dn_per_e == pytest.approx(
        GAIN_DN_PER_E, rel=0.03
    )


def test_an_even_board_has_one_level_and_gives_the_gain_alone() -> None:
    rng = np.random.default_rng(4)
    found = photon_transfer(raw(board(), rng), raw(board(), rng))
    assert found.gain_dn_per_e == pytest.approx(GAIN_DN_PER_E, rel=0.02)


@pytest.mark.parametrize("scale", [0.0, 5.0])
def test_a_black_or_clipped_frame_tells_nothing(scale: float) -> None:
    rng = np.random.default_rng(5)
    with pytest.raises(ProcessingError):
        photon_transfer(raw(photo() + 1, rng, scale=scale), raw(photo() + 1, rng, scale=scale))


@given(st.floats(1, 60), st.floats(0.05, 5), st.floats(0.3, 20))
def test_the_signal_for_a_ratio_has_that_ratio(snr: float, gain: float, read_dn: float) -> None:
    noise = NoiseModel(gain, read_dn, "profile")
    assert noise.snr(noise.signal_for(snr)) == pytest.approx(snr)


def test_full_range_shot_noise_is_the_root_of_the_electrons() -> None:
    noise = NoiseModel(GAIN_DN_PER_E, 0.0, "profile")
    electrons = WHITE_DN / GAIN_DN_PER_E
    assert noise.snr(WHITE_DN) == pytest.approx(np.sqrt(electrons))


def test_a_profiles_word_goes_before_measuring_and_follows_the_gain() -> None:
    frame = replace(raw(photo(), np.random.default_rng(6)), gain_db=6.0206)
    noise = noise_of([frame], SensorNoise(system_gain_dn_per_e=0.39, read_noise_e=2.4))
    assert noise.source == "profile"
    assert noise.gain_dn_per_e == pytest.approx(0.78)
    assert noise.read_e == pytest.approx(np.hypot(2.4, 12**-0.5 / 0.78))


def test_one_frame_and_no_profiles_word_tell_nothing() -> None:
    with pytest.raises(ProcessingError, match="two frames"):
        noise_of([raw(photo(), np.random.default_rng(7))])

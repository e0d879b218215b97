"""Exposures at which a camera clips or drowns, against light of known strength."""

from __future__ import annotations

import numpy as np
import pytest

from processing.errors import ProcessingError
from processing.survey.light import HEADROOM, SNR_ACCEPTABLE, read_light
from processing.survey.noise import NoiseModel
from tests.processing.sensor import FULL_E, GAIN_DN_PER_E, READ_NOISE_E, T_B_US, T_S_US, photo, raw

NOISE = NoiseModel(GAIN_DN_PER_E, READ_NOISE_E * GAIN_DN_PER_E, "profile")
TAU = T_S_US / T_B_US


def _frames(scale: float, light: np.ndarray | None = None) -> dict[str, object]:
    rng = np.random.default_rng(1)
    seen = photo() if light is None else light
    return {name: raw(seen, rng, name, scale=scale) for name in "BS"}


def test_at_the_exposure_said_a_thousandth_of_the_picture_clips() -> None:
    frames = _frames(0.4)
    said = read_light(frames, {"B": NOISE, "S": NOISE}, TAU).cameras["S"].clips_us["G"]
    again = raw(photo(), np.random.default_rng(2), scale=0.4 * said / T_S_US)
    greens = np.concatenate([again.pixels[0::2, 1::2].ravel(), again.pixels[1::2, 0::2].ravel()])
    assert 2e-4 < float(np.mean(greens >= again.white_level)) < 5e-3


def test_at_the_exposure_said_mid_tones_have_the_acceptable_ratio() -> None:
    grey = np.full((256, 256, 3), 0.5, np.float32)
    said = read_light(_frames(0.5, grey), {"B": NOISE, "S": NOISE}, TAU).cameras["S"].drowns_us
    electrons = 0.25 * FULL_E * said / T_S_US
    assert electrons / np.sqrt(electrons + READ_NOISE_E**2) == pytest.approx(SNR_ACCEPTABLE, rel=0.01)


def test_b_is_counted_in_exposures_of_s() -> None:
    report = read_light(_frames(0.5), {"B": NOISE, "S": NOISE}, TAU)
    b, s = report.cameras["B"], report.cameras["S"]
    assert report.most_s_us == pytest.approx(HEADROOM * min(s.first_clip_us, TAU * b.first_clip_us))
    assert report.least_s_us == pytest.approx(max(s.drowns_us, TAU * b.drowns_us))
    assert report.possible
    assert "is fine" in report.advice()


@pytest.mark.parametrize(("scale", "said"), [(0.003, "too short"), (1.02, "too long"), (3.0, "too bright")])
def test_the_advice_says_what_to_do(scale: float, said: str) -> None:
    assert said in read_light(_frames(scale), {"B": NOISE, "S": NOISE}, TAU).advice()


def test_a_range_of_light_beyond_the_sensor_leaves_no_exposure() -> None:
    light = np.full((256, 256, 3), 1e-3, np.float32)
    light[:8] = 1.5
    report = read_light(_frames(0.6, light), {"B": NOISE, "S": NOISE}, TAU)
    assert not report.possible
    assert "no exposure fits" in report.advice()


def test_a_black_frame_cannot_be_measured() -> None:
    with pytest.raises(ProcessingError, match="too little light"):
        read_light(_frames(0.0), {"B": NOISE, "S": NOISE}, TAU)

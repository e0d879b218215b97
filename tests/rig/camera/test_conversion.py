"""Units of aliases: what is asked in one comes back within half a step of the camera's own."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rig.camera.conversion import Candidate, unit_of_alias
from rig.camera.types import Limits
from rig.errors import FeatureRejected

scales = st.floats(1e-3, 1e3)
WIDE = Limits(-1e9, 1e9, 1.0, "")


def nothing(name: str) -> float:
    raise AssertionError(f"{name} was read")


@given(scales, st.floats(-100, 100), st.integers(1, 8), st.floats(-1e4, 1e4))
def test_a_scaled_value_comes_back_within_half_a_step(
    scale: float, offset: float, step: int, value: float
) -> None:
    limits = Limits(0.0, 1e9, float(step), "")
    candidate = Candidate("Raw", scale=scale, offset=offset)
    assume(candidate.converts)
    raw = candidate.to_feature(value, limits, nothing, whole=True)
    assert isinstance(raw, int)
    assert raw % step == 0
    back = float(candidate.to_alias(raw, nothing))
    assert abs(back - value) <= step * scale / 2 * (1 + 1e-6) + 1e-6


@given(st.floats(0.1, 1000), st.floats(0, 48))
def test_decibels_and_factors_are_each_others_inverse(one: float, decibels: float) -> None:
    candidate = Candidate("Factor", decibels_of=one)
    factor = candidate.to_feature(decibels, WIDE, nothing, whole=False)
    assert factor == pytest.approx(one * 10 ** (decibels / 20))
    assert candidate.to_alias(factor, nothing) == pytest.approx(decibels, abs=1e-9)


@given(st.integers(0, 2**60), st.integers(2, 1000))
def test_ticks_become_nanoseconds_without_losing_one(ticks: int, tick_ns: int) -> None:
    assert Candidate("Ticks", scale=float(tick_ns)).to_alias(ticks, nothing) == ticks * tick_ns


def test_other_features_scale_a_value_as_they_are_now() -> None:
    now = {"TimeBase": 35.0, "Frequency": 125e6}
    base = Candidate("Raw", times="TimeBase")
    assert base.to_alias(100, now.__getitem__) == 3500
    clock = Candidate("Ticks", scale=1e9, per="Frequency")
    assert clock.fixed(now.__getitem__).to_alias(2**55, nothing) == 2**55 * 8
    assert clock.limits(Limits(0, 1000, 1, ""), "ns", now.__getitem__) == Limits(0, 8000, 8, "ns")


def test_a_frequency_of_nothing_converts_nothing() -> None:
    with pytest.raises(FeatureRejected, match="Frequency is 0"):
        Candidate("Ticks", per="Frequency").to_alias(1, lambda _: 0.0)


def test_a_factor_of_zero_is_endless_attenuation() -> None:
    assert Candidate("Factor", decibels_of=1.0).to_alias(0, nothing) == -math.inf


@pytest.mark.parametrize("value", ["", "loud", "1,5"])
def test_what_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(FeatureRejected, match="cannot be"):
        Candidate("Raw", scale=2).to_feature(value, WIDE, nothing, whole=True)


def test_a_text_has_no_unit() -> None:
    with pytest.raises(FeatureRejected, match="no number to convert"):
        Candidate("Raw", scale=2).to_alias("Off", nothing)


@pytest.mark.parametrize(
    ("alias", "unit"),
    [("exposure_us", "us"), ("$gain_db", "dB"), ("trigger_waiting", ""), ("black_level_dn", "DN")],
)
def test_the_name_of_an_alias_tells_its_unit(alias: str, unit: str) -> None:
    assert unit_of_alias(alias) == unit

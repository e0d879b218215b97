"""Mains flicker in B and S: closed forms against numeric integration, and what a plan says of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import quad

from rig.exposure import plan_exposure
from rig.flicker import flicker, ratio_error, rectified_error, sinusoidal_error, steady_exposure_us
from rig.placement import PLACEMENTS, Placement, s_delay_s
from rig.profiles import load_rig

RIG = load_rig("virtual")
PHASES = np.linspace(0, 1, 361)


def means(start_s: NDArray[np.float64], length_s: float, modulation: float, hz: float) -> NDArray[np.float64]:
    """Mean of 1 + m cos over each exposure by the midpoint rule, (N,)."""
    inside = (np.arange(400) + 0.5) / 400 * length_s
    return np.asarray(
        1 + modulation * np.cos(2 * np.pi * hz * (start_s[:, None] + inside)).mean(axis=1), np.float64
    )


@given(st.floats(2e-4, 0.06), st.sampled_from([100.0, 120.0]), st.floats(0.01, 0.9))
def test_the_error_of_one_exposure_is_that_of_the_worst_phase(
    length_s: float, hz: float, modulation: float
) -> None:
    seen = means(PHASES / hz, length_s, modulation, hz)
    assert sinusoidal_error(length_s, hz, modulation) == pytest.approx(np.abs(seen - 1).max(), abs=2e-4)


@pytest.mark.parametrize("length_s", [5e-4, 3e-3, 0.0049, 0.0074, 0.01, 0.0123, 0.024564])
def test_the_error_under_rectified_light_is_that_of_the_worst_phase(length_s: float) -> None:
    seen = [
        quad(lambda u: abs(np.sin(np.pi * 100 * u)), a, a + length_s, limit=200, points=[0.01, 0.02, 0.03])[0]
        for a in np.linspace(0, 0.01, 201)
    ]
    worst = np.abs(np.array(seen) / length_s / (2 / np.pi) - 1).max()
    assert rectified_error(length_s, 100) == pytest.approx(worst, abs=1e-3)


@given(
    st.floats(2e-4, 8e-3),
    st.floats(1, 16),
    st.sampled_from(PLACEMENTS),
    st.sampled_from([100.0, 120.0]),
    st.floats(0.01, 0.8),
)
def test_the_error_of_the_ratio_is_that_of_the_worst_phase(
    short_s: float, factor: float, placement: Placement, hz: float, modulation: float
) -> None:
    exposure_us = {"B": short_s * factor * 1e6, "S": short_s * 1e6}
    delay_s = s_delay_s(exposure_us, placement)
    ratio = means(PHASES / hz, short_s * factor, modulation, hz) / means(
        PHASES / hz + delay_s, short_s, modulation, hz
    )
    expected = np.abs(ratio - 1).max()
    assert ratio_error(exposure_us, placement, hz, modulation) == pytest.approx(expected, rel=2e-3, abs=1e-4)


def test_whole_periods_of_the_light_see_no_flicker() -> None:
    assert sinusoidal_error(0.02, 100) == pytest.approx(0, abs=1e-12)
    assert rectified_error(0.02, 100) == pytest.approx(0, abs=1e-12)
    assert ratio_error({"B": 80_000, "S": 10_000}, "centre", 100) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize(("tau", "periods"), [(0.125, 1), (0.4, 2), (1.0, 1)])
def test_the_exposure_that_is_suggested_is_whole_periods_in_both(tau: float, periods: int) -> None:
    assert steady_exposure_us(3000, tau, 100) == pytest.approx(periods * 10_000)


def test_a_filter_that_never_fits_leaves_steady_light_only() -> None:
    assert steady_exposure_us(3000, 0.0093, 100) is None


def test_a_plan_warns_of_flicker_where_the_rig_is_lit_from_the_mains() -> None:
    wish = {"speed_mps": 1.4, "blur_s_px": 4.0}
    assert not any("mains" in note for note in plan_exposure(RIG, **wish).notes)
    lit = RIG.model_copy(update={"mains_hz": 50})
    plan = plan_exposure(lit, **wish)
    note = next(note for note in plan.notes if "mains" in note)
    assert f"{flicker(plan, 50).ratio_error:.1%}" in note
    assert "with 10 ms in S none" in note
    steady = plan_exposure(lit, speed_mps=0.4, exposure_s=0.01)
    assert not any("mains" in note for note in steady.notes)

"""Colour constants (Eq. 3-5): what a known cast leaves behind after the correction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.colour import (
    PHASES,
    ColourConstants,
    exponents,
    fit_colour_constants,
    phase_offsets,
    subtract_black,
)
from processing.errors import CalibrationError, ImageMismatch
from rig.virtual.parameters import draw_parameters
from rig.virtual.truth import Truth
from tests.processing.scenes import TrueRig, mosaic, noisy

WIDTH, HEIGHT = 480, 320


def _gain(coefficients: list[float]) -> np.ndarray:
    """A cubic gain 1 + c1 x^3 + ... over the frame, written out term by term as the paper does."""
    x = ((np.arange(WIDTH) - (WIDTH - 1) / 2) / (WIDTH / 2))[None, :]
    y = ((np.arange(HEIGHT) - (HEIGHT - 1) / 2) / (HEIGHT / 2))[:, None]
    terms = [x**3, x**2 * y, x * y**2, y**3, x**2, x * y, y**2, x, y]
    return 1 + sum(c * t for c, t in zip(coefficients, terms, strict=True))


@given(coefficients=st.lists(st.floats(-0.03, 0.03), min_size=9, max_size=9))
@settings(max_examples=20, deadline=None)
def test_a_cubic_correction_is_found_again(coefficients: list[float]) -> None:
    wanted = _gain(coefficients)
    even = (2000 / wanted).astype(np.float32)
    found = fit_colour_constants(even, "RGGB").gain_map()
    # Patch means of 1/gain differ from 1/(mean gain) by the curvature within a patch, 1e-4 here.
    np.testing.assert_allclose(found, wanted, rtol=3e-4)


def test_every_phase_has_its_own_constants() -> None:
    casts = [_gain([0, 0, 0, 0, a, 0, 0, a, 0]) for a in (0.02, -0.02, 0.05)]
    even = mosaic(np.stack([1500 / c for c in casts], axis=2)).astype(np.float32)
    constants = fit_colour_constants(even, "RGGB")
    assert set(constants.constants) == set(PHASES)
    assert constants.constants["R"][7] == pytest.approx(0.02, abs=1e-4)
    assert constants.constants["Gr"][7] == pytest.approx(-0.02, abs=1e-4)
    assert constants.constants["B"][7] == pytest.approx(0.05, abs=1e-4)


def test_the_correction_flattens_a_noisy_lightbox() -> None:
    rig = TrueRig()
    even = np.mean([noisy(mosaic(rig.cast("B")) * 0.7, rig.rng) for _ in range(8)], axis=0) * 4000
    constants = fit_colour_constants(even.astype(np.float32), "RGGB")
    flat = mosaic(rig.cast("B")) * constants.gain_map()
    for row, column in phase_offsets("RGGB").values():
        plane = flat[row::2, column::2]
        assert plane.std() / plane.mean() < 1e-3
    assert np.ptp(mosaic(rig.cast("B"))) > 0.1


def test_uncorrected_black_would_leave_a_cast() -> None:
    cast = _gain([0, 0, 0, 0, 0, 0, 0, 0.08, 0])
    codes = np.round(800 / cast + 256).astype(np.uint16)
    right = fit_colour_constants(subtract_black(codes, 256.0), "RGGB").gain_map()
    wrong = fit_colour_constants(subtract_black(codes, 0.0), "RGGB").gain_map()
    assert np.abs(right / cast - 1).max() < 2e-3
    assert np.abs(wrong / cast - 1).max() > 1e-2


def test_the_gain_brightens_what_is_dark() -> None:
    # The paper's text has patch and centre the other way round, which would double the fall-off.
    x = np.linspace(-1, 1, WIDTH)[None, :]
    even = np.broadcast_to(1000 * (1 - 0.3 * x * x), (HEIGHT, WIDTH)).astype(np.float32)
    gain = fit_colour_constants(even, "RGGB", degree=4).gain_map()
    assert gain[HEIGHT // 2, 2] > 1.3
    assert np.ptp(even * gain) / 1000 < 0.02


def test_a_dust_spot_does_not_bend_the_fit() -> None:
    wanted = _gain([0, 0, 0, 0, 0.05, 0, 0.04, 0.02, 0])
    even = (2000 / wanted).astype(np.float32)
    even[40:60, 100:125] *= 0.6
    found = fit_colour_constants(even, "RGGB").gain_map()
    np.testing.assert_allclose(found, wanted, rtol=5e-4)


def test_constants_survive_the_way_through_a_file() -> None:
    constants = fit_colour_constants((2000 / _gain([0.01] * 9)).astype(np.float32), "GBRG")
    assert ColourConstants.from_dict(constants.to_dict()) == constants


def test_damaged_constants_are_refused() -> None:
    data = fit_colour_constants((2000 / _gain([0.01] * 9)).astype(np.float32), "RGGB").to_dict()
    data["constants"]["R"] = data["constants"]["R"][:-1]
    with pytest.raises(CalibrationError, match="degree 3"):
        ColourConstants.from_dict(data)


def test_a_dark_frame_is_no_lightbox() -> None:
    with pytest.raises(ImageMismatch, match="dark"):
        fit_colour_constants(np.zeros((HEIGHT, WIDTH), np.float32), "RGGB")


def test_the_terms_are_those_of_equation_5() -> None:
    assert exponents(3) == [(3, 0), (2, 1), (1, 2), (0, 3), (2, 0), (1, 1), (0, 2), (1, 0), (0, 1), (0, 0)]


@pytest.mark.parametrize("camera", ["B", "S"])
def test_degree_4_leaves_less_of_the_virtual_rigs_cast_even_from_one_noisy_frame(camera: str) -> None:
    shape = (512, 612)
    truth = Truth(draw_parameters(seed=2, width=shape[1], height=shape[0]), {})
    cast = np.empty(shape)
    for phase, (row, column) in phase_offsets("RGGB").items():
        x, y = np.meshgrid(np.arange(column, shape[1], 2), np.arange(row, shape[0], 2))
        cast[row::2, column::2] = truth.cast(camera, "RGB".index(phase[0]), x, y)
    # A quarter of the width has a sixteenth of the pixels: as much noise as one frame of full size has.
    rng = np.random.default_rng(0)
    even = np.mean([noisy(cast * 0.6, rng) for _ in range(16)], axis=0).astype(np.float32) * 4000
    left = {}
    for degree in (3, 4):
        corrected = cast * fit_colour_constants(even, "RGGB", degree=degree).gain_map()
        planes = [corrected[row::2, column::2] for row, column in phase_offsets("RGGB").values()]
        left[degree] = np.mean([plane.std() / plane.mean() for plane in planes])
    assert left[4] < 2e-4
    assert left[4] < 0.6 * left[3]

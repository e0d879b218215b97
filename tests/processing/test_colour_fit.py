"""The colour map by CIEDE2000: against OpenCV's own fit, on patches unseen, and with white kept."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import deltaE_ciede2000, rgb2lab

from processing.chart.colour_fit import PatchFit, fit_delta_e, judge, least_squares, scaled_to_greys
from processing.colour_map import CHART_SRGB, REFERENCE
from processing.errors import CalibrationError

CAMERA_FROM_SRGB = np.array([[0.76, 0.18, 0.06], [0.14, 0.76, 0.10], [0.04, 0.22, 0.74]])


def _patches(seed: int = 0, odd: float = 0.04) -> np.ndarray:
    """Patches of a camera that no matrix describes: each colour is a little off."""
    rng = np.random.default_rng(seed)
    off = 1 + odd * rng.standard_normal((24, 3))
    off[18:] = 1 + 0.2 * odd * rng.standard_normal((6, 3))
    return scaled_to_greys((REFERENCE @ CAMERA_FROM_SRGB.T) * off, REFERENCE)


def _mean_delta_e(linear: np.ndarray) -> float:
    """Mean CIEDE2000 to the chart by scikit-image, from encoded values."""
    encoded = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    )
    return float(deltaE_ciede2000(rgb2lab(encoded), rgb2lab(CHART_SRGB / 255.0)).mean())


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_white_stays_white(seed: int) -> None:
    matrix, _ = fit_delta_e(_patches(seed), REFERENCE)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-12)


def test_a_true_matrix_is_found() -> None:
    matrix, scale = fit_delta_e(_patches(odd=0.0), REFERENCE)
    np.testing.assert_allclose(matrix, np.linalg.inv(CAMERA_FROM_SRGB), atol=1e-4)
    assert scale == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_about_as_good_as_opencvs_fit_which_may_move_white(seed: int) -> None:
    patches = _patches(seed)
    model = cv2.ccm.ColorCorrectionModel(
        patches[:, None], REFERENCE[:, None].copy(), cv2.ccm.COLOR_SPACE_SRGBL
    )
    model.setColorSpace(cv2.ccm.COLOR_SPACE_SRGB)
    model.setLinearization(cv2.ccm.LINEARIZATION_IDENTITY)
    model.setDistance(cv2.ccm.DISTANCE_CIE2000)
    model.setCcmType(cv2.ccm.CCM_LINEAR)
    theirs = np.asarray(model.compute())
    matrix, scale = fit_delta_e(patches, REFERENCE)
    of_ours, of_theirs = _mean_delta_e(scale * patches @ matrix.T), _mean_delta_e(patches @ theirs)
    assert of_ours < 1.12 * of_theirs
    assert of_ours < _mean_delta_e(patches @ least_squares(patches, REFERENCE).T) + 0.05


def test_patches_left_out_are_the_harder_test() -> None:
    patches = _patches(3)
    matrix, scale = fit_delta_e(patches, REFERENCE)
    figures = judge(patches, REFERENCE, matrix, scale, np.zeros((24, 4, 2))).figures()
    assert figures["delta_e_after_mean"] < figures["delta_e_before_mean"]
    assert figures["delta_e_left_out_mean"] > figures["delta_e_after_mean"]


def test_a_damaged_fit_is_refused() -> None:
    patches = _patches()
    whole = judge(patches, REFERENCE, np.eye(3), 1.0, np.zeros((24, 4, 2))).to_dict()
    assert PatchFit.from_dict(whole).to_dict() == whole
    with pytest.raises(CalibrationError, match="chart"):
        PatchFit.from_dict({**whole, "measured": whole["measured"][:-1]})

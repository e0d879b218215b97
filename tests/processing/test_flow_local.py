"""The local correction of the map: it stays out of polynomial fields and finds local bumps.

The views are rendered by SciPy's splines of order 5 in float64; the code under test has none of these.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.ndimage import map_coordinates, spline_filter

from processing.alignment.flow import PolynomialFlow, SplineFlow, register
from processing.alignment.flow_cells import cell_shifts, cell_sums
from processing.alignment.flow_files import flow_from_dict, flow_to_dict
from tests.processing.scenes import filled, kodak, linear, noisy

SHAPE = (720, 960)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float64)


def _base() -> tuple[np.ndarray, np.ndarray]:
    """Return a displacement that is a cubic polynomial, in px."""
    x, y = (X - 480) / 480, (Y - 360) / 480
    return 1.4 + 0.5 * x - 0.8 * y + 0.6 * x * (x * x + y * y), -0.9 + 0.7 * x + 0.4 * y - 0.5 * x * y


def _bumps() -> tuple[np.ndarray, np.ndarray]:
    """Return two local displacements, as behind a wavy pane: 0.8 and -0.6 px, 150 and 120 px wide."""
    wide = np.exp(-((X - 330) ** 2 + (Y - 300) ** 2) / (2 * 150**2))
    narrow = np.exp(-((X - 690) ** 2 + (Y - 420) ** 2) / (2 * 120**2))
    return 0.8 * wide, -0.6 * narrow


def _views(u: np.ndarray, v: np.ndarray, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    scene = linear(filled(kodak("13"), SHAPE[0] + 80, SHAPE[1] + 80)).mean(axis=2).astype(np.float64)
    scene = cv2.GaussianBlur(scene, (0, 0), 0.6)
    of_s = map_coordinates(spline_filter(scene, 5), [Y + v + 40, X + u + 40], order=5, prefilter=False)
    rng = np.random.default_rng(seed)
    views = (noisy(view, rng) for view in (of_s, scene[40:-40, 40:-40] * 0.95))
    of_s, of_b = (np.sqrt(np.maximum(view, 0)).astype(np.float32) for view in views)
    return of_s, of_b


def _error(flow: PolynomialFlow | SplineFlow, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    map_x, map_y = flow.grid()
    return np.hypot(map_x - X - u, map_y - Y - v)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_polynomial_field_is_left_to_the_polynomial(seed: int) -> None:
    field = _base()
    flow = register(*_views(*field, seed=seed))
    assert isinstance(flow, PolynomialFlow)
    assert _error(flow, *field).mean() < 0.005


def test_local_bumps_are_found_where_the_polynomial_cannot_follow() -> None:
    (u, v), (du, dv) = _base(), _bumps()
    views = _views(u + du, v + dv)
    without, found = register(*views, residual="never"), register(*views)
    assert isinstance(without, PolynomialFlow)
    assert isinstance(found, SplineFlow)
    assert _error(without, u + du, v + dv).mean() > 0.06
    assert _error(found, u + du, v + dv).mean() < 0.02
    again = flow_from_dict(flow_to_dict(found))
    np.testing.assert_array_equal(again.grid(), found.grid())


def test_a_cells_standard_error_is_what_noise_makes_its_shift_scatter_by() -> None:
    """Of two normal components the median length is 0.83 of the root of their variances' sum."""
    scatter = []
    for seed in (1, 2):
        of_s, of_b = _views(np.zeros(SHAPE), np.zeros(SHAPE), seed=seed)
        of_b *= of_s.mean() / of_b.mean()
        shifts, errors = cell_shifts(cell_sums(of_s, of_b), SHAPE, 128)
        scatter.append(np.hypot(shifts[..., 0], shifts[..., 1]) / errors)
    assert np.nanmedian(scatter) == pytest.approx(0.83, abs=0.2)


def test_the_number_of_threads_changes_no_bit() -> None:
    (u, v), (du, dv) = _base(), _bumps()
    views = _views(u + du, v + dv)
    maps = []
    before = cv2.getNumThreads()
    try:
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            maps.append(register(*views).grid())
    finally:
        cv2.setNumThreads(before)
    np.testing.assert_array_equal(maps[0], maps[1])

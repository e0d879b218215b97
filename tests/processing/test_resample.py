"""The spline warp against SciPy's spline interpolation of order 3."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from processing.alignment.resample import SplineWarp, warp
from tests.processing.scenes import kodak

Y, X = np.mgrid[:256, :384].astype(np.float32)


@given(dx=st.floats(-4, 4), dy=st.floats(-4, 4), turn=st.floats(-0.01, 0.01))
@settings(max_examples=10, deadline=None)
def test_equals_scipys_cubic_splines(dx: float, dy: float, turn: float) -> None:
    image = kodak("08")[..., 1].astype(np.float32) / 255
    at_x, at_y = (X + dx - turn * Y).astype(np.float32), (Y + dy + turn * X).astype(np.float32)
    wanted = map_coordinates(image.astype(np.float64), [at_y, at_x], order=3, mode="mirror")
    np.testing.assert_allclose(warp(image, at_x, at_y)[12:-12, 12:-12], wanted[12:-12, 12:-12], atol=2e-4)


def test_standing_still_changes_nothing() -> None:
    image = kodak("19").astype(np.float32) / 255
    np.testing.assert_allclose(warp(image, X, Y), image, atol=1e-4)


def test_a_cached_warp_serves_images_of_one_and_of_three_channels() -> None:
    image = kodak("03").astype(np.float32)
    shift = SplineWarp(X[8:-8] + 0.4, Y[8:-8] - 0.7)
    colour = shift(image)
    assert colour.shape == (240, 384, 3)
    np.testing.assert_allclose(shift(np.ascontiguousarray(image[..., 2])), colour[..., 2], rtol=1e-5)


def test_a_ramp_is_moved_by_what_was_asked() -> None:
    """Cubic convolution with a = -0.75 would move it by 0.071 instead of 0.05."""
    moved = warp(X, X + 0.05, Y)
    np.testing.assert_allclose(moved[20:-20, 20:-20] - X[20:-20, 20:-20], 0.05, atol=1e-3)

"""The shutter against closed forms: what a moving bar leaves is known for every pixel."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.synth.compositing import COVERED, Mover, Still, expose
from models.synth.objects import premultiplied
from models.synth.trajectories import Trajectory, draw_trajectory, matrices

F32 = npt.NDArray[np.float32]


def straight(dx: float, dy: float) -> Trajectory:
    keys = np.zeros((7, 4))
    keys[:, 0], keys[:, 1] = np.linspace(-dx / 2, dx / 2, 7), np.linspace(-dy / 2, dy / 2, 7)
    return Trajectory(keys)


def box(width: int, height: int, light: float) -> F32:
    """An opaque box with hard edges and an empty border of two pixels."""
    rgba = np.zeros((height + 4, width + 4, 4), np.float32)
    rgba[2:-2, 2:-2] = (light, light, light, 1)
    return rgba


def scene(side: int, seed: int = 0) -> F32:
    return np.random.default_rng(seed).random((side, side, 3), np.float32)


@pytest.mark.parametrize("n", [5, 9, 13])
def test_a_bar_that_moves_n_px_covers_as_a_trapezoid(n: int) -> None:
    left, width = 20, 17
    mover = Mover(box(width, 8, 0.8), left - 2, 18, straight(n, 0))
    exposed = expose(np.full((48, 64, 3), 0.1, np.float32), [mover], n)
    # A bar [left, left + width) shifted by -(n-1)/2 .. (n-1)/2: the share of instants that cover a pixel.
    x = np.arange(64)
    shifts = np.arange(n) - (n - 1) // 2
    share = np.mean([(x >= left + s) & (x < left + width + s) for s in shifts], axis=0)
    ramp = np.clip(np.minimum(x - left + (n + 1) / 2, left + width - x + (n - 1) / 2) / n, 0, 1)
    np.testing.assert_allclose(share, ramp, atol=1e-12)  # the trapezoid
    want = 0.8 * share + 0.1 * (1 - share)
    np.testing.assert_allclose(exposed.blurred[24, :, 1], want, atol=1e-5)
    np.testing.assert_array_equal(exposed.mask[24] > 0, share > 0)
    np.testing.assert_array_equal(
        exposed.sharp[24, :, 0] > 0.5, (x >= left) & (x < left + width)
    )  # the temporal middle


@given(seed=st.integers(0, 10**6), pair=st.booleans())
def test_the_exposure_is_the_mean_of_the_composed_pictures(seed: int, pair: bool) -> None:
    """Against the plain way: compose every instant over the background, then average in linear light."""
    rng = np.random.default_rng(seed)
    background, samples = scene(40, seed), 9
    movers = []
    for _ in range(1 + pair):
        soft = premultiplied(np.pad(np.ones((9, 12, 4), np.float32), ((4, 4), (4, 4), (0, 0))) * 0.7)
        at = rng.integers(-4, 34, 2)
        movers.append(Mover(soft, int(at[0]), int(at[1]), draw_trajectory(7, (6, 5), rng)))
    pictures, opacities = [], []
    for instant in range(samples):
        picture, clear = background.astype(np.float64), np.ones((40, 40))
        for mover in movers:
            height, width = mover.rgba.shape[:2]
            m = matrices(mover.trajectory.samples(samples), ((width - 1) / 2, (height - 1) / 2))[instant]
            m[:, 2] += (mover.left_px, mover.top_px)
            layer = cv2.warpAffine(mover.rgba, m, (40, 40), flags=cv2.INTER_LINEAR)
            picture = layer[:, :, :3] + picture * (1 - layer[:, :, 3:])
            clear = clear * (1 - layer[:, :, 3])
        pictures.append(picture)
        opacities.append(1 - clear)
    exposed = expose(background, movers, samples)
    covered = exposed.mask > 0
    np.testing.assert_allclose(exposed.blurred[covered], np.mean(pictures, axis=0)[covered], atol=2e-4)
    np.testing.assert_allclose(exposed.sharp, pictures[samples // 2], atol=2e-4)
    np.testing.assert_allclose(exposed.coverage, np.max(opacities, axis=0), atol=2e-4)
    np.testing.assert_array_equal(covered, exposed.coverage > COVERED)


@given(seed=st.integers(0, 10**6))
def test_outside_the_mask_blurred_and_sharp_are_the_background(seed: int) -> None:
    rng = np.random.default_rng(seed)
    background = scene(48, seed)
    soft = premultiplied(np.pad(np.ones((10, 10, 4), np.float32), ((4, 4), (4, 4), (0, 0))))
    mover = Mover(soft, int(rng.integers(40)), int(rng.integers(40)), draw_trajectory(8, (7, 7), rng))
    exposed = expose(background, [mover], 13)
    outside = exposed.mask == 0
    assert outside.any()
    np.testing.assert_array_equal(exposed.blurred[outside], exposed.sharp[outside])
    np.testing.assert_allclose(exposed.sharp[outside], background[outside], atol=COVERED)


def test_what_stands_before_the_mover_is_sharp_and_not_in_the_mask() -> None:
    background = scene(60)
    mover = Mover(box(20, 20, 0.9), 18, 18, straight(9, 0))
    post = Still(box(6, 50, 0.2), 26, 3)
    exposed = expose(background, [mover], 13, [post])
    inside = np.s_[10:50, 28:34]
    assert not exposed.mask[inside].any()
    np.testing.assert_allclose(exposed.blurred[inside], 0.2, atol=1e-6)
    assert exposed.mask[28, 25] == 255
    assert exposed.mask[28, 36] == 255


def test_a_soft_edge_has_the_colour_of_the_object_not_of_its_surroundings() -> None:
    weighted = np.zeros((20, 20, 4), np.float32)
    weighted[6:14, 6:14] = (0.9, 0.5, 0.1, 1.0)
    rgba = premultiplied(weighted)
    seen = rgba[:, :, 3] > 0
    np.testing.assert_allclose(
        rgba[seen][:, :3] / rgba[seen][:, 3:], [[0.9, 0.5, 0.1]] * seen.sum(), rtol=1e-4
    )
    assert 0 < rgba[10, 5, 3] < rgba[10, 6, 3] < 1  # a ramp
    assert rgba[10, 4, 3] == 0  # that ends after a pixel

"""Trajectories: as long as asked for, at home in the temporal middle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.errors import SynthesisError
from models.synth.trajectories import FRAMES, STEP_PX, Trajectory, draw_trajectory, matrices, samples_needed


@given(
    seed=st.integers(0, 10**6),
    blur=st.floats(1, 40),
    radii=st.tuples(st.floats(4, 120), st.floats(4, 120)),
)
@example(seed=1783, blur=12.0, radii=(4.0, 4.0))  # comes much nearer: the way grows faster than the keys
def test_the_longest_way_is_the_blur_asked_for(seed: int, blur: float, radii: tuple[float, float]) -> None:
    trajectory = draw_trajectory(blur, radii, np.random.default_rng(seed))
    assert trajectory.way_px(radii) == pytest.approx(blur, rel=0.02)
    assert len(trajectory.keys) in FRAMES
    # Independently: follow the object's own points through the affine maps of a fine sampling.
    maps = matrices(trajectory.samples(301), (10.0, 20.0))
    points = np.array([(10, 20), (10 - radii[0], 20), (10 + radii[0], 20), (10, 20 - radii[1])])
    placed = np.stack([points @ m[:, :2].T + m[:, 2] for m in maps])
    longest = np.linalg.norm(np.diff(placed, axis=0), axis=2).sum(axis=0).max()
    assert longest <= blur * 1.02


@given(seed=st.integers(0, 10**6), count=st.integers(0, 40).map(lambda k: 2 * k + 7))
def test_the_middle_sample_is_the_object_as_it_was_cut_out(seed: int, count: int) -> None:
    trajectory = draw_trajectory(9.0, (20, 30), np.random.default_rng(seed))
    middle = matrices(trajectory.samples(count), (20.0, 30.0))[count // 2]
    np.testing.assert_allclose(middle, [[1, 0, 0], [0, 1, 0]], atol=1e-12)


@given(way=st.floats(0.5, 200), frames=st.sampled_from(FRAMES))
def test_samples_are_odd_and_close(way: float, frames: int) -> None:
    count = samples_needed(way, frames)
    assert count % 2 == 1
    assert count >= frames
    assert way / count <= STEP_PX


def test_a_way_that_is_elsewhere_in_the_middle_is_refused() -> None:
    with pytest.raises(SynthesisError, match="middle"):
        Trajectory(np.ones((7, 4)))
    with pytest.raises(SynthesisError, match="odd"):
        Trajectory(np.zeros((8, 4)))

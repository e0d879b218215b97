"""Electrons to codes, casts and filters: the sensor's laws, from rendered frames alone."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from rig.virtual import kernel
from rig.virtual.kernel import WorldError
from rig.virtual.parameters import WorldParameters, draw_parameters
from rig.virtual.render import CameraRenderer
from rig.virtual.state import SceneState
from rig.virtual.truth import Truth

US = 1000


def take(
    renderer: CameraRenderer,
    exposure_us: float,
    *,
    roi: tuple[int, int, int, int] | None = None,
    gain_db: float = 0,
) -> NDArray[np.uint16]:
    grid = renderer.parameters.grid
    x0, y0, w, h = roi or (0, 0, grid.width, grid.height)
    out = np.empty((h, w), np.uint16)
    renderer.render(
        SimpleNamespace(
            frame_id=0,
            t_start_ns=0,
            exposure_ns=round(exposure_us * US),
            gain_db=gain_db,
            black_level_dn=64.0,
            offset_x=x0,
            offset_y=y0,
            triggered=1,
        ),
        out,
    )
    return out


@pytest.fixture
def world() -> tuple[WorldParameters, SceneState]:
    parameters = draw_parameters(seed=7)
    return parameters, SceneState(parameters)


def centre(frame: NDArray[np.uint16], channel: str, half: int = 100) -> float:
    """Mean of one colour in the middle of the frame, black subtracted."""
    y, x = (size // 2 // 2 * 2 for size in frame.shape)
    cut = frame[y - half : y + half, x - half : x + half].astype(float) - 64
    planes = {"R": [cut[0::2, 0::2]], "G": [cut[0::2, 1::2], cut[1::2, 0::2]], "B": [cut[1::2, 1::2]]}
    return float(np.mean(planes[channel]))


def test_the_signal_is_rate_times_time(world: tuple[WorldParameters, SceneState]) -> None:
    parameters, state = world
    state.set_stage("whiteboard")
    state.set_values(0, board_level=0.5)
    renderer = CameraRenderer(parameters, state, "S")
    camera = parameters.cameras["S"]
    for exposure_us in (500.0, 1000.0, 4000.0):
        electrons = parameters.white_e_per_s * camera.share * 0.5 * exposure_us * 1e-6
        mean = centre(take(renderer, exposure_us), "G")
        assert mean == pytest.approx(electrons * camera.gain_dn_per_e, rel=2e-3)


def test_noise_follows_the_photon_transfer_curve(world: tuple[WorldParameters, SceneState]) -> None:
    parameters, state = world
    state.set_stage("lightbox")
    renderer = CameraRenderer(parameters, state, "S")
    camera = parameters.cameras["S"]
    means, variances = [], []
    for exposure_us in (50.0, 400.0, 1500.0, 3000.0):
        one, two = (take(renderer, exposure_us)[900:1100, 1100:1300].astype(float) for _ in range(2))
        green = (one - two)[0::2, 1::2]  # fixed pattern and casts go with the difference
        means.append(one[0::2, 1::2].mean() - 64)
        variances.append(green.var() / 2)
    slope, offset = np.polyfit(means, variances, 1)
    assert slope == pytest.approx(camera.gain_dn_per_e, rel=0.05)
    read = (camera.read_noise_e * camera.gain_dn_per_e) ** 2 + 1 / 12  # rounding to codes
    assert variances[0] - slope * means[0] == pytest.approx(read, abs=3)
    assert offset == pytest.approx(read, abs=5)


@pytest.mark.parametrize("mean_e", [0.5, 6.0, 9.9, 10.1, 25.0, 300.0])
def test_few_photons_have_the_moments_of_a_poisson_law(mean_e: float) -> None:
    rate = np.full((512, 1024), mean_e, np.float32)
    out = np.empty(rate.shape, np.uint16)
    kernel.expose(
        rate,
        out,
        origin=(0, 0),
        exposure_s=1.0,
        dark_e=0.0,
        read_noise_e=0.0,
        full_well_e=1e6,
        gain_dn_per_e=16.0,
        black_level_dn=1000.0,
        max_code=65535,
        key=99,
    )
    electrons = (out - 1000.0) / 16
    spread = electrons - electrons.mean()
    assert electrons.mean() == pytest.approx(mean_e, rel=5e-3)
    assert electrons.var() == pytest.approx(mean_e, rel=1.5e-2)
    assert (spread**3).mean() == pytest.approx(mean_e, rel=0.15, abs=0.1 + 0.05 * mean_e)


def test_noise_is_the_same_for_the_same_frame_and_new_for_the_next(
    world: tuple[WorldParameters, SceneState],
) -> None:
    parameters, state = world
    state.set_stage("static")
    one, again = CameraRenderer(parameters, state, "B"), CameraRenderer(parameters, state, "B")
    first, second = take(one, 20000), take(one, 20000)
    np.testing.assert_array_equal(first, take(again, 20000))
    assert (first != second).mean() > 0.9
    third = take(one, 20000).astype(float)[:512]
    a, b = first.astype(float)[:512] - second[:512], second.astype(float)[:512] - third
    a, b = a - a.mean(), b - b.mean()
    assert (a * b).mean() / a.var() == pytest.approx(
        -0.5, abs=0.02
    )  # two differences share one frame, no more


def test_a_region_of_interest_is_a_cut_of_the_whole_frame(world: tuple[WorldParameters, SceneState]) -> None:
    parameters, state = world
    whole = take(CameraRenderer(parameters, state, "S"), 3000)
    part = take(CameraRenderer(parameters, state, "S"), 3000, roi=(640, 300, 512, 256))
    np.testing.assert_array_equal(part, whole[300:556, 640:1152])


def test_a_region_that_leaves_the_sensor_is_refused(world: tuple[WorldParameters, SceneState]) -> None:
    parameters, state = world
    with pytest.raises(WorldError, match="leaves the sensor"):
        take(CameraRenderer(parameters, state, "S"), 3000, roi=(2000, 0, 512, 256))


def test_the_filter_passes_its_true_tau_and_not_its_label(world: tuple[WorldParameters, SceneState]) -> None:
    parameters, state = world
    state.set_stage("whiteboard")
    b, s = (CameraRenderer(parameters, state, name) for name in "BS")
    truth = Truth(parameters, state.to_dict())
    for index, channel in enumerate("RGB"):
        bright, dim = centre(take(s, 3000), channel), centre(take(b, 24000), channel)
        measured = bright / dim
        assert measured == pytest.approx(truth.beta_expected(24000, 3000)[index], rel=4e-3)
        assert 0.93 < measured < 1.07
    assert 0.015 < abs(truth.tau / truth.tau_nominal - 1) < 0.045


def test_the_casts_are_the_cubic_polynomials_of_the_truth(world: tuple[WorldParameters, SceneState]) -> None:
    parameters, state = world
    state.set_stage("lightbox")
    truth = Truth(parameters, state.to_dict())
    for name, exposure_us in (("B", 24000), ("S", 3000)):
        renderer = CameraRenderer(parameters, state, name)
        frame = np.mean([take(renderer, exposure_us) for _ in range(3)], axis=0) - 64
        for channel, (row, column) in enumerate([(0, 0), (0, 1), (1, 1)]):
            plane = frame[row::2, column::2]
            middle = plane[480:544, 580:644].mean()
            for top, left in [(0, 0), (0, 1160), (960, 0), (960, 1160), (480, 20), (900, 600)]:
                patch = plane[top : top + 64, left : left + 64].mean()
                x, y = np.meshgrid(
                    2 * np.arange(left, left + 64) + column, 2 * np.arange(top, top + 64) + row
                )
                assert patch / middle == pytest.approx(truth.cast(name, channel, x, y).mean(), rel=3e-3)
        corners = truth.cast(name, 1, np.array([0, 2447, 0, 2447]), np.array([0, 0, 2047, 2047]))
        assert np.abs(corners - 1).max() > 0.02
        assert float(truth.cast(name, 0, 1223.5, 1023.5)) == 1.0


def test_a_neutral_board_has_the_raw_colours_that_the_truth_balances(
    world: tuple[WorldParameters, SceneState],
) -> None:
    parameters, state = world
    state.set_stage("lightbox")
    frame = take(CameraRenderer(parameters, state, "S"), 3000)
    red, _, blue = Truth(parameters, state.to_dict()).white_balance
    assert centre(frame, "G") / centre(frame, "R") == pytest.approx(red, rel=5e-3)
    assert centre(frame, "G") / centre(frame, "B") == pytest.approx(blue, rel=5e-3)
    np.testing.assert_allclose(
        Truth(parameters, {}).colour_matrix @ np.ones(3), np.ones(3), rtol=1e-12
    )  # neutral stays neutral


def test_the_boards_never_clip_and_use_the_range(world: tuple[WorldParameters, SceneState]) -> None:
    parameters, state = world
    b, s = (CameraRenderer(parameters, state, name) for name in "BS")
    for t_s in (700, 3000, 9000):
        take(s, t_s), take(b, 8 * t_s)  # the live view before the take
        for stage in ("lightbox", "whiteboard"):
            state.set_stage(stage)
            bright = max(take(s, t_s).max(), take(b, 8 * t_s).max())
            assert bright < 4095
            assert bright > 2400 or stage == "whiteboard"


def test_the_scene_fills_the_range_at_the_default_plan(world: tuple[WorldParameters, SceneState]) -> None:
    parameters, state = world
    frame = take(CameraRenderer(parameters, state, "S"), 3070)
    assert (frame >= 4095).mean() < 1e-5
    assert 0.6 < (np.percentile(frame, 99.9) - 64) / (4095 - 64) < 0.95


def test_too_much_light_saturates_at_the_largest_code(world: tuple[WorldParameters, SceneState]) -> None:
    parameters, state = world
    state.set_stage("whiteboard")
    state.set_values(0, board_level=30.0)
    assert (take(CameraRenderer(parameters, state, "S"), 3000) == 4095).all()


def test_gain_multiplies_signal_and_noise(world: tuple[WorldParameters, SceneState]) -> None:
    parameters, state = world
    state.set_stage("whiteboard")
    renderer = CameraRenderer(parameters, state, "S")
    plain, amplified = take(renderer, 500), take(renderer, 500, gain_db=12)
    assert centre(amplified, "G") / centre(plain, "G") == pytest.approx(10 ** (12 / 20), rel=3e-3)


def test_with_the_cap_on_only_black_level_and_read_noise_are_left(
    world: tuple[WorldParameters, SceneState],
) -> None:
    parameters, state = world
    state.set_stage("dark")
    camera = parameters.cameras["B"]
    frame = take(CameraRenderer(parameters, state, "B"), 24000).astype(float)
    dark = camera.dark_e_per_s * 0.024
    assert frame.mean() == pytest.approx(64 + dark * camera.gain_dn_per_e, abs=0.01)
    wanted = np.sqrt((camera.read_noise_e**2 + dark) * camera.gain_dn_per_e**2 + 1 / 12)
    assert frame.std() == pytest.approx(wanted, rel=0.01)


def test_the_chart_has_its_six_greys_in_order(world: tuple[WorldParameters, SceneState]) -> None:
    parameters, state = world
    state.set_stage("colorchecker")
    frame = take(CameraRenderer(parameters, state, "S"), 3000).astype(float) - 64
    pitch = int(min(2448 * 0.66 / 6, 2048 * 0.8 / 4))
    y = 1024 + round(1.5 * pitch)
    greys = []
    for column in range(6):
        x = 1224 + round((column - 2.5) * pitch)
        cut = frame[y // 2 * 2 - 40 : y // 2 * 2 + 40, x // 2 * 2 - 40 : x // 2 * 2 + 40]
        greys.append(np.mean([cut[0::2, 1::2], cut[1::2, 0::2]]))
    code = np.array([243, 200, 160, 122, 85, 52]) / 255
    linear = ((code + 0.055) / 1.055) ** 2.4
    np.testing.assert_allclose(np.array(greys) / greys[0], linear / linear[0], rtol=0.12, atol=0.01)
    assert greys == sorted(greys, reverse=True)

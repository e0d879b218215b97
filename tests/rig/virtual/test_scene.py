"""Moving objects and the two cameras' grids: exact integrals against independent references."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rig.virtual import kernel
from rig.virtual.frames import RenderedFrame
from rig.virtual.motion import Path
from rig.virtual.optics import shift_maps
from rig.virtual.parameters import WorldParameters, draw_parameters
from rig.virtual.render import CameraRenderer
from rig.virtual.scene import spline_coefficients
from rig.virtual.state import ObjectSpec, SceneState
from rig.virtual.truth import Truth

MS = 1_000_000
SMALL = ObjectSpec(0.12, 0.1, Path(0.2, angle_deg=0.0))


def small_world(seed: int = 3, **changes: float) -> WorldParameters:
    """A 704x512 sensor that counts 16-bit codes and hardly any noise: physics without statistics."""
    parameters = draw_parameters(seed=seed, width=704, height=512)
    quiet = {"read_noise_e": 0.0, "dark_e_per_s": 0.0, "prnu": 0.0, "full_well_e": 1e12, "max_code": 65535}
    cameras = {
        name: replace(camera, **{**quiet, "gain_dn_per_e": 4e-4, **changes})
        for name, camera in parameters.cameras.items()
    }
    return replace(parameters, cameras=cameras)


def shot(
    renderer: CameraRenderer, t_ns: int, exposure_ns: int, frame_id: int = 0
) -> tuple[NDArray[np.uint16], RenderedFrame]:
    grid = renderer.parameters.grid
    out = np.empty((grid.height, grid.width), np.uint16)
    request = SimpleNamespace(
        frame_id=frame_id,
        t_start_ns=t_ns,
        exposure_ns=exposure_ns,
        gain_db=0.0,
        black_level_dn=64.0,
        offset_x=0,
        offset_y=0,
        triggered=1,
    )
    return out, renderer.render(request, out)


def bright_state(parameters: WorldParameters, spec: ObjectSpec = SMALL, speed: float = 1.4) -> SceneState:
    state = SceneState(parameters, (spec,), speed_mps=speed)
    state.set_values(0, illumination=1000.0)
    return state


def soft_bar(length: int, height: int) -> tuple[NDArray[np.float64], float, float, float]:
    """The running sums of a white bar with soft ends; sum, mean and variance of its row of samples."""
    row = np.zeros(length + 64)
    row[32:-32] = 1.0
    row = np.convolve(row, np.exp(-(np.arange(-6, 7) ** 2) / 2) / np.sqrt(2 * np.pi), "same")
    plane = np.zeros((height + 32, row.size))
    plane[16:-16] = row
    sums = np.ascontiguousarray(
        np.repeat(np.cumsum(spline_coefficients(plane), axis=1)[..., None], 4, axis=2)
    )
    column = np.arange(row.size)
    mean = (row * column).sum() / row.sum()
    return sums, row.sum(), mean, (row * (column - mean) ** 2).sum() / row.sum()


@settings(max_examples=60, deadline=None)
@given(st.floats(0.001, 70), st.floats(-1, 1))
def test_a_bar_that_moves_n_pixels_is_the_bar_convolved_with_a_box_of_n_pixels(
    n: float, phase: float
) -> None:
    width = 256
    bar, total, middle, spread = soft_bar(40, 16)
    rate = np.zeros((48, width), np.float32)
    start = 60 + phase
    kernel.compose(
        rate,
        np.ones_like(rate),
        box=(0, 0, width, 48),
        width=width,
        shift=None,
        cumulative=bar,
        direction=(1.0, 0.0),
        across=0.0,
        pieces=np.array([[start], [start + n], [1.0]]),
    )
    profile = rate[24].astype(float)
    x = np.arange(width)
    mean = (profile * x).sum() / profile.sum()
    variance = (profile * (x - mean) ** 2).sum() / profile.sum()
    # Interpolation by a cubic spline leaves sum, mean and variance as they are; a box of n adds n^2 / 12.
    assert profile.sum() == pytest.approx(total, rel=1e-4)
    assert mean == pytest.approx(start + middle + n / 2, abs=2e-3)
    assert variance == pytest.approx(spread + n**2 / 12, rel=1e-3)


@pytest.mark.parametrize("angle", [0.0, 25.0])
@pytest.mark.parametrize("camera", ["B", "S"])
def test_a_long_exposure_is_the_mean_of_many_instants(camera: str, angle: float) -> None:
    parameters = small_world()
    spec = ObjectSpec(0.12, 0.1, Path(0.1, angle_deg=angle))
    start, exposure, parts = 20 * MS, 24 * MS, 32
    long, record = shot(CameraRenderer(parameters, bright_state(parameters, spec), camera), start, exposure)
    instants = []
    for part in range(parts):
        way = 1.4 * (start + (part + 0.5) * exposure / parts) * 1e-9
        standing = bright_state(parameters, replace(spec, phase_m=way), speed=0.0)
        instants.append(shot(CameraRenderer(parameters, standing, camera), start, exposure)[0].astype(float))
    assert len(record.objects[0].pieces) == 1
    difference = long - np.mean(instants, axis=0)
    assert np.abs(difference).max() < 0.02 * (long.max() - 64)
    assert np.sqrt(np.mean(difference**2)) < 0.002 * (long.max() - 64)


def test_an_exposure_over_the_turning_point_is_the_mean_of_both_ways() -> None:
    parameters = small_world()
    turn = round(0.4 / 1.4 * 1e9)
    whole, record = shot(CameraRenderer(parameters, bright_state(parameters), "S"), turn - 8 * MS, 16 * MS)
    assert len(record.objects[0].pieces) == 2
    way_in, _ = shot(CameraRenderer(parameters, bright_state(parameters), "S"), turn - 8 * MS, 8 * MS)
    way_out, _ = shot(CameraRenderer(parameters, bright_state(parameters), "S"), turn, 8 * MS)
    both = (way_in.astype(float) - 64) + (way_out.astype(float) - 64)
    assert np.abs(whole - 64 - both).max() < 0.02 * both.max()


@pytest.mark.parametrize(("camera", "exposure_ms"), [("S", 3), ("B", 25)])
def test_the_trace_of_the_object_is_its_length_plus_the_blur_of_equation_2(
    camera: str, exposure_ms: int
) -> None:
    parameters = small_world()
    state = bright_state(parameters)
    moving = CameraRenderer(parameters, state, camera)
    with_object, _ = shot(moving, 50 * MS, exposure_ms * MS)
    state.set_stage("static")
    without, _ = shot(moving, 50 * MS, exposure_ms * MS)
    centre = parameters.grid.height // 2
    rows = slice(centre - 20, centre + 20)
    change = np.abs(with_object[rows].astype(float) - without[rows]).mean(axis=0)
    columns = np.flatnonzero(change > 0.02 * change.max())
    # Eq. 2 with the thin lens, written out: c = 3.45 um, f = 16 mm, d = 5 m, v = 1.4 m/s.
    image_distance = 1 / (1 / 0.016 - 1 / 5.0)
    blur = image_distance * 1.4 * exposure_ms * 1e-3 / (3.45e-6 * 5.0)
    length = 0.12 * image_distance / (3.45e-6 * 5.0)
    assert columns[-1] - columns[0] + 1 == pytest.approx(length + blur, abs=3)
    truth = Truth(parameters, state.to_dict())
    assert truth.blur_px(camera, exposure_ms * 1000) == pytest.approx(blur, rel=1e-9)


def test_dots_of_the_scene_appear_where_the_truth_says() -> None:
    parameters = small_world()
    grid = parameters.grid
    x, y = np.meshgrid(np.arange(grid.width + 12.0), np.arange(grid.height + 12.0))
    dots = [(60.0, 70.0), (350.3, 250.7), (640.2, 60.5), (80.6, 440.1), (630.9, 450.4)]
    plane = sum(np.exp(-((x - 6 - u) ** 2 + (y - 6 - v) ** 2) / (2 * 2.5**2)) for u, v in dots)
    coefficients = spline_coefficients(np.asarray(plane, np.float32))
    planes = np.ascontiguousarray(np.repeat(coefficients[None], 3, axis=0))
    truth = Truth(parameters, {})
    for name in ("S", "B"):
        image = np.empty((grid.height, grid.width), np.float32)
        shift = shift_maps(parameters, parameters.cameras[name])
        kernel.bayer_sample(planes, image, scale=1.0, offset=(6.0, 6.0), shift=shift)
        for u, v in dots:
            left, top = int(u) - 20, int(v) - 20
            cut = image[top : top + 41, left : left + 41].astype(float)
            seen = (
                (cut.sum(axis=0) * np.arange(left, left + 41)).sum() / cut.sum(),
                (cut.sum(axis=1) * np.arange(top, top + 41)).sum() / cut.sum(),
            )
            wanted = truth.b_from_s(u, v) if name == "B" else (u, v)
            assert seen == pytest.approx([float(w) for w in wanted], abs=0.01)


def test_the_footprint_is_where_the_frames_differ_from_the_static_scene() -> None:
    parameters = small_world()
    state = bright_state(parameters)
    renderer = CameraRenderer(parameters, state, "S")
    long, record_long = shot(renderer, 50 * MS, 24 * MS)
    short, record_short = shot(renderer, 50 * MS, 24 * MS // 8)
    state.set_stage("static")
    empty_long, _ = shot(renderer, 50 * MS, 24 * MS)
    empty_short, _ = shot(renderer, 50 * MS, 24 * MS // 8)
    footprint = Truth(parameters, state.to_dict()).footprint(record_long, record_short)
    seen = np.abs(long.astype(float) - empty_long) > 0.01 * (long.max() - 64)
    seen |= np.abs(short.astype(float) - empty_short) > 0.01 * (short.max() - 64)
    assert footprint.dtype == bool
    assert (seen & ~footprint).mean() < 1e-3
    assert (seen & footprint).sum() > 0.8 * footprint.sum()


def test_records_survive_json() -> None:
    parameters = small_world()
    _, record = shot(CameraRenderer(parameters, bright_state(parameters), "B"), 280 * MS, 24 * MS)
    import json

    assert RenderedFrame.from_dict(json.loads(json.dumps(record.to_dict()))) == record


def test_of_two_objects_the_later_one_is_in_front() -> None:
    parameters = small_world()
    far, near = ObjectSpec(0.2, 0.15, Path(0.1)), ObjectSpec(0.12, 0.1, Path(0.1), tile=3)
    both = SceneState(parameters, (far, near), speed_mps=0.0)
    alone = SceneState(parameters, (near,), speed_mps=0.0)
    for state in (both, alone):
        state.set_values(0, illumination=1000.0)
    with_both, record = shot(CameraRenderer(parameters, both, "S"), 0, 3 * MS)
    with_one, _ = shot(CameraRenderer(parameters, alone, "S"), 0, 3 * MS)
    inner = Truth(parameters, alone.to_dict()).opacity(replace(record, objects=record.objects[1:])) > 0.999
    assert inner.sum() > 5000
    assert np.abs(with_both.astype(float) - with_one)[inner].max() < 0.02 * with_one.max()
    assert np.abs(with_both.astype(float) - with_one).max() > 0.1 * with_one.max()

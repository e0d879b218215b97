"""Objects run to and fro; every exposure is cut into exact straight pieces."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.virtual.geometry import Misregistration
from rig.virtual.kernel import WorldError
from rig.virtual.motion import Motion, Path
from rig.virtual.parameters import draw_parameters
from rig.virtual.state import SceneState

SECOND = 1_000_000_000


def triangle(way_m: float, half_m: float) -> float:
    """An independent triangular wave: -half at 0, +half after 2 half."""
    return -2 * half_m / math.pi * math.asin(math.cos(math.pi * way_m / (2 * half_m)))


times = st.integers(0, 30 * SECOND)
exposures = st.integers(1_000, 3 * SECOND)
speeds = st.floats(0.05, 30)
halves = st.floats(0.05, 3)


@given(speeds, halves, times)
def test_the_position_is_a_triangular_wave(speed: float, half: float, t_ns: int) -> None:
    motion = Motion(Path(half), speed, 0)
    assert motion.position_m(t_ns) == pytest.approx(triangle(speed * t_ns * 1e-9, half), abs=1e-6)


@given(speeds, halves, times, exposures)
def test_the_pieces_of_an_exposure_cover_the_way_and_the_time(
    speed: float, half: float, t_ns: int, exposure_ns: int
) -> None:
    motion = Motion(Path(half), speed, 0)
    pieces = motion.pieces(t_ns, t_ns + exposure_ns)
    assert sum(p.share for p in pieces) == pytest.approx(1)
    assert sum(abs(p.end_m - p.start_m) for p in pieces) == pytest.approx(
        speed * exposure_ns * 1e-9, rel=1e-6
    )
    assert all(-half - 1e-9 <= p.start_m <= half + 1e-9 for p in pieces)
    assert pieces[0].start_m == pytest.approx(motion.position_m(t_ns), abs=1e-6)
    assert pieces[-1].end_m == pytest.approx(motion.position_m(t_ns + exposure_ns), abs=1e-6)


@given(speeds, speeds, times, exposures)
def test_a_new_speed_holds_from_then_on_and_nothing_jumps(
    before: float, after: float, t_ns: int, exposure_ns: int
) -> None:
    motion = Motion(Path(0.8), before, 0)
    old = motion.position_m(t_ns)
    motion.set_speed(after, t_ns)
    assert motion.position_m(t_ns) == pytest.approx(old, abs=1e-6)
    around = motion.pieces(t_ns - exposure_ns, t_ns + exposure_ns)
    way = sum(abs(p.end_m - p.start_m) for p in around)
    if t_ns >= exposure_ns:
        assert way == pytest.approx((before + after) * exposure_ns * 1e-9, rel=1e-6)


def test_an_object_that_stands_still_has_one_piece_without_length() -> None:
    (piece,) = Motion(Path(1.0), 0.0, 0, start_way_m=0.3).pieces(5, 1_000_000)
    assert piece.start_m == piece.end_m == pytest.approx(-0.7)
    assert piece.share == 1


@given(st.floats(1.6, 60), st.floats(-90, 90))
def test_the_object_stays_inside_the_frame_whatever_distance_and_angle(distance: float, angle: float) -> None:
    parameters = draw_parameters()
    state = SceneState(parameters)
    try:
        state.set_values(0, distance_m=distance, path_angle_deg=angle)
    except WorldError:
        assert distance < 3
        return
    (item,) = state.to_dict()["objects"]
    per_metre = parameters.pixels_per_metre(distance)
    half, direction = item["half_length_m"], math.radians(angle)
    for end in (-half, half):
        x = (item["centre_m"][0] + end * math.cos(direction)) * per_metre
        y = (item["centre_m"][1] + end * math.sin(direction)) * per_metre
        assert abs(x) + item["size_m"][0] / 2 * per_metre < parameters.grid.width / 2 - 4
        assert abs(y) + item["size_m"][1] / 2 * per_metre < parameters.grid.height / 2 - 4


@given(st.integers(0, 10_000), st.floats(0, 2447), st.floats(0, 2047))
def test_the_map_from_s_to_b_undoes_the_map_from_b_to_s(seed: int, x: float, y: float) -> None:
    misregistration = draw_parameters(seed=seed).misregistration
    xs, ys = misregistration.s_from_b(x, y)
    xb, yb = misregistration.b_from_s(xs, ys)
    assert float(xb) == pytest.approx(x, abs=1e-9)
    assert float(yb) == pytest.approx(y, abs=1e-9)
    assert misregistration.largest() == pytest.approx(3.3, abs=0.05)
    again = Misregistration.from_dict(misregistration.to_dict())
    assert again == misregistration


@pytest.mark.parametrize(
    ("name", "value"), [("speed_mps", -1), ("distance_m", 0.1), ("illumination", math.nan), ("colour", 1)]
)
def test_the_world_refuses_settings_that_make_no_sense(name: str, value: float) -> None:
    state = SceneState(draw_parameters())
    before = state.to_dict()
    with pytest.raises(WorldError, match=name):
        state.set_values(0, **{name: value})
    assert state.to_dict() == before

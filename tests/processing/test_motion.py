"""The speed of an object that was moved exactly, and the cases that have no answer."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from processing.survey.motion import MotionNotMeasurable, measure_speed, speed_mps, step_between
from rig.exposure import plan_exposure
from rig.plan import ExposurePlan
from rig.profiles import load_rig
from rig.raw_image import RawImage
from tests.processing.scenes import MovingScene, kodak, linear
from tests.processing.sensor import photo, raw

DT_NS = 100_000_000


@cache
def _scene() -> MovingScene:
    return MovingScene(photo("13"), linear(kodak("08"))[40:180, 60:260])


def _frames(*corners: tuple[float, float], blur_px: float = 2.0, angle: float = 0.0) -> list[RawImage]:
    rng = np.random.default_rng(1)
    return [
        raw(_scene().frame(x, y, blur_px, angle), rng, timestamp_ns=k * DT_NS)
        for k, (x, y) in enumerate(corners)
    ]


def _plan() -> ExposurePlan:
    return plan_exposure(load_rig("virtual"), speed_mps=1.4, blur_s_px=4.0)


@pytest.mark.parametrize("angle_deg", [0, 35, 90, 180, 250])
@pytest.mark.parametrize("way_px", [7.3, 31.6, 90.25])
def test_the_displacement_is_found_to_a_tenth_of_a_pixel(angle_deg: float, way_px: float) -> None:
    angle = math.radians(angle_deg)
    way = (way_px * math.cos(angle), way_px * math.sin(angle))
    x, y = 220 - way[0] / 2, 180 - way[1] / 2
    step = step_between(*_frames((x, y), (x + way[0], y + way[1]), angle=angle))
    assert step.dx_px == pytest.approx(way[0], abs=0.15)
    assert step.dy_px == pytest.approx(way[1], abs=0.15)
    assert step.dt_s == pytest.approx(0.1)


def test_a_displacement_larger_than_the_object_is_found() -> None:
    step = step_between(*_frames((20, 180), (300, 190)))
    assert (step.dx_px, step.dy_px) == pytest.approx((280, 10), abs=0.2)


def test_pixels_become_metres_by_equation_2() -> None:
    plan = _plan()
    frames = _frames((100, 180), (140, 180), (180, 180))
    found = measure_speed(frames, plan)
    per_metre = plan.image_distance_m / (plan.pixel_pitch_um * 1e-6 * plan.distance_m)
    assert found.speed_px_per_s == pytest.approx(400, rel=2e-3)
    assert found.speed_mps == pytest.approx(400 / per_metre, rel=2e-3)
    assert speed_mps(per_metre, plan) == pytest.approx(1.0)
    assert found.confidence > 0.8


def test_a_step_in_which_the_object_turned_is_outvoted() -> None:
    found = measure_speed(_frames((60, 180), (100, 180), (140, 180), (128, 180)), _plan())
    assert found.speed_px_per_s == pytest.approx(400, rel=0.01)
    assert len(found.steps) == 2
    assert found.confidence < 0.8


def test_a_step_in_which_the_object_just_began_to_turn_does_not_slow_the_others_down() -> None:
    found = measure_speed(_frames((60, 180), (100, 180), (140, 180), (178.5, 180)), _plan())
    assert len(found.steps) == 3
    assert found.speed_px_per_s == pytest.approx(400, rel=2e-3)


def test_steps_that_disagree_give_no_speed() -> None:
    with pytest.raises(MotionNotMeasurable, match="of 2 steps"):
        measure_speed(_frames((100, 180), (140, 180), (160, 180)), _plan())


def test_nothing_that_moves_gives_no_speed() -> None:
    with pytest.raises(MotionNotMeasurable, match="nothing moves"):
        measure_speed(_frames((100, 180), (100, 180)), _plan())


def test_a_rig_that_shakes_gives_no_speed() -> None:
    rng = np.random.default_rng(2)
    frames = [raw(np.roll(photo("08"), k, axis=1), rng, timestamp_ns=k * DT_NS) for k in (0, 2)]
    with pytest.raises(MotionNotMeasurable, match="the rig moves"):
        measure_speed(frames, _plan())


def test_a_fence_fits_more_than_one_displacement() -> None:
    rng = np.random.default_rng(3)
    bars = np.where(np.arange(480) // 8 % 2, 0.8, 0.2)[None, :, None]
    frames = []
    for k, left in enumerate((100, 104)):
        light = np.full((512, 640, 3), 0.4, np.float32)
        light[150:330, 80:560] = np.roll(bars, left, axis=1)
        frames.append(raw(light, rng, timestamp_ns=k * DT_NS))
    with pytest.raises(MotionNotMeasurable):
        measure_speed(frames, _plan())


def test_two_frames_of_one_time_give_no_speed() -> None:
    first, second = _frames((100, 180), (140, 180))
    with pytest.raises(MotionNotMeasurable, match="order of their times"):
        step_between(second, first)


def test_one_frame_gives_no_speed() -> None:
    with pytest.raises(MotionNotMeasurable, match="one frame"):
        measure_speed(_frames((100, 180)), _plan())


def test_way_and_time_follow_the_frames() -> None:
    frames = _frames((60, 180), (100, 180), (160, 180))
    ways = [step_between(a, b).shift_px for a, b in pairwise(frames)]
    assert ways == pytest.approx([40, 60], abs=0.2)

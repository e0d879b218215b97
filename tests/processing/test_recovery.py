"""Every hidden number of the virtual rig is found again in its frames, to the tolerance stated here.

The frames are small (816x680, a ninth of the rig's pixels), so chance is three times as large as at full
size; `benchmarks/figures_pipeline.py` gives the figures of the whole rig.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest

from beamrig.demo.truth import cast_error_percent, geometric_error_px, mask_ious, true_tau
from processing.blur.scene import measure_scene_blur
from processing.masks import FrozenBackground
from processing.pipeline import ScenePipeline
from processing.survey.tau import measure_tau
from tests.processing.world_scene import SCENE, WorldSession, record_world

CAST_RMS_PERCENT, CAST_MAX_PERCENT = 0.02, 0.2
BALANCE_PERCENT = 0.05
BETA_PERCENT = 0.25
TAU_BOARD_PERCENT, TAU_SCENE_PERCENT = 0.1, 0.25
WARP_MEAN_PX, WARP_MAX_PX = 0.005, 0.02
BLUR_PX = 0.1
IOU = 0.97


@dataclass
class Found:
    """A recorded scene with its truth, and both ways through the pipeline, made when first asked for."""

    world: WorldSession

    @cached_property
    def best(self) -> ScenePipeline:
        return ScenePipeline.from_session(self.world.session, SCENE, "best")

    @cached_property
    def paper(self) -> ScenePipeline:
        return ScenePipeline.from_session(self.world.session, SCENE, "paper")

    def off_beta_percent(self, pipeline: ScenePipeline) -> float:
        exposure = self.world.exposure_us
        true = self.world.truth.beta_expected(exposure["B"], exposure["S"])
        return max(
            abs(100 * (found / one - 1)) for found, one in zip(pipeline.calibration.beta, true, strict=True)
        )


@pytest.fixture(scope="module", params=[(1, "mural"), (2, "garden"), (3, "posters")], ids=lambda p: p[1])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    seed, background = request.param
    world = record_world(tmp_path_factory.mktemp(background) / "session", seed, background)
    with world.session:
        yield Found(world)


@pytest.mark.parametrize("camera", ["B", "S"])
def test_the_colour_polynomials_undo_the_cast(found: Found, camera: str) -> None:
    truth = found.world.truth
    best = cast_error_percent(found.best.calibration.colour[camera], truth, camera)
    paper = cast_error_percent(found.paper.calibration.colour[camera], truth, camera)
    assert best["rms"] < CAST_RMS_PERCENT
    assert best["max"] < CAST_MAX_PERCENT
    # The inverse of a cubic is no cubic: what degree 3 leaves is the model's, not the noise's.
    assert 2 * best["rms"] < paper["rms"] < 0.2


def test_the_white_balance_is_that_of_the_sensors(found: Found) -> None:
    gains, true = np.array(found.best.calibration.balance), np.array(found.world.truth.white_balance)
    assert np.abs(gains / true - 1).max() < BALANCE_PERCENT / 100


def test_beta_is_the_ratio_of_exposures_filter_plate_and_sensors(found: Found) -> None:
    assert found.off_beta_percent(found.best) < BETA_PERCENT
    # Whole-image means see other parts of the scene at the edges: 2 px of 816.
    assert found.off_beta_percent(found.paper) < 1


def test_tau_is_the_transmittance_of_filter_plate_and_sensors(found: Found) -> None:
    session, true = found.world.session, true_tau(found.world.truth)
    board = measure_tau(pair.load() for pair in session.pairs(SCENE, "lightbox"))
    scene = measure_tau(pair.load() for pair in session.pairs(SCENE, "static"))
    assert abs(100 * (board.overall / true - 1)) < TAU_BOARD_PERCENT
    assert abs(100 * (scene.overall / true - 1)) < TAU_SCENE_PERCENT
    assert abs(scene.overall - true) < 3 * scene.overall_error


def test_the_warp_is_the_misregistration_of_the_cameras(found: Found) -> None:
    error = geometric_error_px(found.best.flow, found.world.truth, found.best.box)
    assert error["before_mean"] > 1
    assert error["mean"] < WARP_MEAN_PX
    assert error["max"] < WARP_MAX_PX
    dense = geometric_error_px(found.paper.flow, found.world.truth, found.paper.box)
    assert 5 * error["mean"] < dense["mean"] < 0.3


def test_the_residual_tells_the_error_of_the_warp_without_the_truth(found: Found) -> None:
    error = geometric_error_px(found.best.flow, found.world.truth, found.best.box)
    assert error["mean"] / 2 < found.best.residual.mean_px < error["mean"] + WARP_MEAN_PX


def test_the_blur_is_that_of_equation_2(found: Found) -> None:
    blur = measure_scene_blur(found.best, found.world.session.pairs(SCENE, "action")[:2])
    for camera, measured in (("B", blur.b_px), ("S", blur.s_px)):
        true = found.world.truth.blur_px(camera, found.world.exposure_us[camera])
        assert measured == pytest.approx(true, abs=BLUR_PX)


def test_the_masks_are_the_footprint_of_the_object(found: Found) -> None:
    background = FrozenBackground(found.best.static_8bit())
    masks = []
    for record in found.world.session.pairs(SCENE, "action"):
        raw = record.load()
        masks.append(background.mask(*found.best.develop(raw.b, raw.s).as_8bit()))
    ious = mask_ious(masks, found.world.frames, found.world.truth, found.best.box, lambda done: None)
    assert min(ious) > IOU

"""Beta of the static take (Eq. 6): what moves, clips or is seen by one camera only must not bias it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from processing.alignment.flow import PolynomialFlow
from processing.calibration.brightness_ratio import Brightness, aligned_brightness
from processing.calibration.static_take import StaticTake
from processing.errors import ImageMismatch
from processing.photometric import brightness_coefficients, unsaturated_cells
from rig.profiles import load_rig
from rig.session import Session
from tests.processing.scenes import MovingScene, TrueRig, filled, kodak, linear, mosaic

SHAPE = (512, 640)
TRUE_BETA = (1 / 0.96, 1 / 0.93, 1 / 0.95)
"""`TrueRig` dims B by so much."""


class EvenRig(TrueRig):
    """Without cast and misregistration, so that nothing but the mover can bias beta."""

    def cast(self, camera: str) -> np.ndarray:
        return np.ones((*self.shape, 3), np.float32)

    def b_from_s(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x, y


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Six static pairs; somebody stands still in the third and walks off while B is still exposing."""
    rig = EvenRig(SHAPE)
    session = Session.create(tmp_path_factory.mktemp("visited") / "s", load_rig("virtual"))
    session.add_scene("s01", None)
    scene = MovingScene(linear(filled(kodak("13"), *SHAPE)), np.full((130, 150, 3), 0.95, np.float32))
    empty = scene.background
    there, leaving = scene.frame(200, 150, 0.0), scene.frame(200, 150, 500.0)
    rig.record(session, "static", [(leaving, there) if k == 2 else (empty, empty) for k in range(6)])
    return session


def _measure(take: StaticTake, still: dict[str, np.ndarray]) -> Brightness:
    flow = PolynomialFlow(SHAPE, np.zeros((4, 4)), np.zeros((4, 4)))
    unclipped = unsaturated_cells(list(take.mean.values()), 3900)
    return aligned_brightness(take.mean["B"], take.mean["S"], "RGGB", flow, still, unclipped)


def test_a_visitor_in_one_static_pair_biases_whole_image_means_only(visited: Session) -> None:
    take = StaticTake.of(visited.pairs("s01", "static"))
    whole = brightness_coefficients(take.mean["B"], take.mean["S"], "RGGB")
    found = _measure(take, take.still)
    assert max(abs(w / t - 1) for w, t in zip(whole, TRUE_BETA, strict=True)) > 3e-3
    assert found.beta == pytest.approx(TRUE_BETA, rel=3e-4)
    assert found.moving > 0.1


def test_in_a_single_pair_the_visitor_is_found_by_the_ratio(visited: Session) -> None:
    take = StaticTake.of(visited.pairs("s01", "static")[2:3])
    assert take.still["B"].all()  # there is nothing to compare with
    whole = brightness_coefficients(take.mean["B"], take.mean["S"], "RGGB")
    found = _measure(take, take.still)
    assert max(abs(w / t - 1) for w, t in zip(whole, TRUE_BETA, strict=True)) > 0.02
    assert found.beta == pytest.approx(TRUE_BETA, rel=2e-3)
    assert found.unlike > 0.05


def test_a_still_scene_is_used_nearly_whole(visited: Session) -> None:
    take = StaticTake.of(visited.pairs("s01", "static")[3:])
    found = _measure(take, take.still)
    assert found.used > 0.95
    assert found.moving == 0


@pytest.mark.parametrize("cfa", ["RGGB", "GRBG", "GBRG", "BGGR"])
def test_beta_is_measured_on_the_part_that_both_cameras_see(cfa: str) -> None:
    # B sees everything 40 px further right; the right end of the scene is much brighter in red.
    scene = linear(filled(kodak("03"), 256, 480)) * 1500
    scene[:, 430:, 0] *= 2.5
    sharp = mosaic(scene[:, :440], cfa)
    blurred = mosaic(scene[:, 40:] / np.array([1.1, 0.9, 0.95], np.float32), cfa)
    shift = np.zeros((4, 4))
    shift[0, 0] = -40.0
    flow = PolynomialFlow((256, 440), shift, np.zeros((4, 4)))
    everywhere = np.ones((128, 220), bool)
    found = aligned_brightness(blurred, sharp, cfa, flow, {"B": everywhere, "S": everywhere}, everywhere)
    assert found.beta == pytest.approx((1.1, 0.9, 0.95), rel=1e-5)
    assert abs(brightness_coefficients(blurred, sharp, cfa)[0] / 1.1 - 1) > 0.02


def test_shares_come_back_from_plain_values() -> None:
    light = Brightness((1.0, 1.1, 0.9), used=0.8, moving=0.1, clipped=0.05, unlike=0.05)
    assert Brightness.from_shares(light.beta, light.shares()) == light


def test_a_take_in_which_everything_moves_is_refused(tmp_path: Path) -> None:
    rig = EvenRig(SHAPE)
    session = Session.create(tmp_path / "s", load_rig("virtual"))
    session.add_scene("s01", None)
    light, other = (linear(filled(kodak(name), *SHAPE)) for name in ("13", "03"))
    rig.record(session, "static", [(light, light), (other, other)])
    with pytest.raises(ImageMismatch, match="everything moves"):
        StaticTake.of(session.pairs("s01", "static"))


def test_a_frame_that_is_clipped_nearly_everywhere_has_no_beta() -> None:
    light = np.ones((128, 128), np.float32)
    flow = PolynomialFlow((128, 128), np.zeros((4, 4)), np.zeros((4, 4)))
    everywhere, nowhere = np.ones((64, 64), bool), np.zeros((64, 64), bool)
    with pytest.raises(ImageMismatch, match="0 %"):
        aligned_brightness(light, light, "RGGB", flow, {"B": everywhere, "S": everywhere}, nowhere)

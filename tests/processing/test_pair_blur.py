"""The blur of one pair: right lengths with honest errors on any slant, and no figure where there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from processing.blur.pair import PairBlur, blur_findings, measure_pair_blur
from processing.errors import BlurNotMeasurable
from rig.exposure import plan_exposure
from rig.plan import ExposurePlan
from rig.profiles import load_rig
from tests.processing.scenes import Float, MovingScene, filled, kodak, linear, noisy

USUAL = plan_exposure(load_rig("virtual"), speed_mps=1.4, blur_s_px=4.0)
STILL = np.ones((480, 640), np.uint8)


@pytest.fixture(scope="module")
def scene() -> MovingScene:
    def grey(name: str, height: int, width: int) -> Float:
        return linear(filled(kodak(name), height, width))[..., 1:2]

    return MovingScene(grey("13", 480, 640), grey("08", 220, 300))


def plan_of(b_px: float, s_px: float) -> ExposurePlan:
    return replace(USUAL, blur_px={"B": b_px, "S": s_px})


def measured(
    scene: MovingScene, b_px: float, s_px: float, angle_deg: float, seed: int, level: float = 1.0
) -> PairBlur:
    """Render a pair with shot noise, cut off at white, and measure it as planned."""
    rng = np.random.default_rng(seed)
    x, y, angle = 150 + 10 * rng.random(), 110 + 10 * rng.random(), np.deg2rad(angle_deg)
    lights = [scene.background, scene.background]
    lights += [scene.frame(x, y, blur, angle) for blur in (b_px, s_px)]
    static_b, static_s, b, s = (noisy(level * light[..., 0], rng) for light in lights)
    return measure_pair_blur(static_b, static_s, b, s, STILL, plan_of(b_px, s_px))


def test_lengths_are_off_by_what_their_errors_say(scene: MovingScene) -> None:
    pulls = []
    cases = [(24.0, 3.0), (16.0, 2.0), (32.0, 4.0)]
    for number in range(15):
        (b_px, s_px), angle = cases[number % 3], (-20.0, -7.0, 0.0, 12.0, 25.0)[number % 5]
        found = measured(scene, b_px, s_px, angle, number)
        assert found.s_px is not None
        assert found.s_error_px is not None
        assert found.s_error_px < 0.4
        pulls.append([(found.b_px - b_px) / found.b_error_px, (found.s_px - s_px) / found.s_error_px])
        slant = np.rad2deg(np.arctan2(found.direction[1], found.direction[0]))
        assert abs((slant - angle + 90) % 180 - 90) < 1.5  # the outline alone is up to 4.6 degrees off
    rms = np.sqrt(np.mean(np.square(pulls), axis=0))
    assert (rms > 0.2).all()  # errors that are far too large are no errors either
    assert (rms < 1.6).all()
    assert np.abs(pulls).max() < 4


def test_a_clipped_object_has_no_blur_length(scene: MovingScene) -> None:
    with pytest.raises(BlurNotMeasurable, match=r"no two lengths explain the pair.*clipped"):
        measured(scene, 24.0, 3.0, 0.0, 1, level=3.0)


def test_a_blur_of_s_that_is_not_told_from_none_is_no_figure(scene: MovingScene) -> None:
    found = measured(scene, 24.0, 0.3, 0.0, 2)
    assert found.b_px == pytest.approx(24.0, abs=0.2)
    assert found.s_px is None
    figures: dict[str, float] = {}
    (finding,) = blur_findings(found, plan_of(24.0, 0.3), figures)
    assert (finding.level, finding.text) == ("note", "blur of S not measurable: not told from none")
    assert set(figures) == {"blur_B_px", "blur_B_error_px", "blur_B_planned_px", "blur_S_planned_px"}

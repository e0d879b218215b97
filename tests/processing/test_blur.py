"""Blur lengths measured in images whose object moves by a known length, at 10 500 electrons full well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from processing.blur.lengths import BlurMeasurement, measure_blur
from processing.errors import BlurNotMeasurable, ImageMismatch
from tests.processing.scenes import Float, MovingScene, filled, kodak, linear, noisy

HEIGHT, WIDTH = 420, 640


@dataclass
class Filmed:
    """Static images and action pairs in linear luminance."""

    static_b: Float
    static_s: Float
    pairs: list[tuple[Float, Float]]

    def measure(self, **options: tuple[float, float]) -> BlurMeasurement:
        return measure_blur(self.static_b, self.static_s, self.pairs, **options)


def _film(
    b_px: float,
    s_px: float,
    *,
    angle: float = 0.0,
    lag_px: float = 0.0,
    seed: int = 0,
    count: int = 2,
    object_: str = "08",
) -> Filmed:
    rng = np.random.default_rng(seed)
    gray = [linear(kodak(name)).mean(axis=2, keepdims=True) for name in ("13", object_)]
    texture = gray[1] if abs(np.sin(angle)) < 0.5 else np.ascontiguousarray(np.swapaxes(gray[1], 0, 1))
    shape = (HEIGHT, WIDTH) if texture.shape[0] < texture.shape[1] else (WIDTH, HEIGHT)
    scene = MovingScene(filled(gray[0], *shape), texture)
    pairs = []
    for k in range(count):
        way = 1 if k % 2 == 0 else -1  # to and fro
        x = (shape[1] - texture.shape[1]) / 2 - way * b_px / 2 * np.cos(angle) + 3.3 * k
        y = (shape[0] - texture.shape[0]) / 2 - way * b_px / 2 * np.sin(angle) + 1.7 * k
        turned = angle if way > 0 else angle + np.pi
        frames = (scene.frame(x, y, b_px, turned), scene.frame(x, y, s_px, turned, lag_px))
        pairs.append((noisy(frames[0][..., 0], rng), noisy(frames[1][..., 0], rng)))
    still = scene.background[..., 0]
    return Filmed(noisy(still, rng), noisy(still, rng), pairs)


@pytest.mark.parametrize(
    ("b_px", "s_px", "angle"),
    [
        (3.0, 0.4, 0.0),
        (8.0, 1.0, 1.4),
        (32.4, 4.05, -0.2),
        (70.0, 8.75, 0.05),
    ],
)
def test_both_lengths_are_found_to_a_third_of_a_pixel(b_px: float, s_px: float, angle: float) -> None:
    found = _film(b_px, s_px, angle=angle, seed=int(10 * b_px)).measure()
    assert found.b_px == pytest.approx(b_px, abs=0.3)
    assert found.s_px == pytest.approx(s_px, abs=0.3)
    across = found.direction[0] * np.sin(angle) - found.direction[1] * np.cos(angle)
    assert abs(across) < 0.02


def test_the_lengths_do_not_lean_on_a_ratio_of_exposures() -> None:
    found = _film(24.0, 9.0, seed=5, object_="19").measure()
    assert (found.b_px, found.s_px) == (pytest.approx(24.0, abs=0.3), pytest.approx(9.0, abs=0.3))


def test_a_sharp_exposure_in_the_middle_of_the_long_one_is_seen_as_such() -> None:
    found = _film(32.0, 4.0, lag_px=14.0, seed=7).measure()
    assert found.b_px == pytest.approx(32.0, abs=0.3)
    assert abs(found.lag_px) == pytest.approx(14.0, abs=0.3)


def test_an_object_that_turned_round_is_left_out() -> None:
    filmed, turned = _film(32.0, 4.0, seed=8, count=3), _film(20.0, 4.0, seed=9, count=1)
    filmed.pairs.append(turned.pairs[0])
    found = filmed.measure()
    assert found.pairs_left_out == 1
    assert found.b_px == pytest.approx(32.0, abs=0.3)


def test_a_known_direction_can_be_given() -> None:
    found = _film(32.0, 4.0, angle=0.1, seed=11, count=2).measure(
        direction=(2 * np.cos(0.1), 2 * np.sin(0.1))
    )
    assert found.s_px == pytest.approx(4.0, abs=0.3)


def test_nothing_moving_is_said_so() -> None:
    filmed = _film(32.0, 4.0, count=1)
    filmed.pairs = [(filmed.static_b, filmed.static_s)]
    with pytest.raises(BlurNotMeasurable, match="no moving object"):
        filmed.measure()


def test_images_of_different_size_are_refused() -> None:
    filmed = _film(8.0, 1.0, count=1)
    filmed.pairs[0] = (filmed.pairs[0][0][1:], filmed.pairs[0][1])
    with pytest.raises(ImageMismatch):
        filmed.measure()

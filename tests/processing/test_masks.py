"""Local blur masks on an object that moves by physics over a photograph."""

from __future__ import annotations

import numpy as np
import pytest

from processing.errors import ImageMismatch, TakeMissing
from processing.isp import encode_srgb, to_8bit
from processing.masks import FrozenBackground, intersection_over_union, literal_masks, tidy
from tests.processing.scenes import MovingScene, filled, kodak, linear, noisy

Pair = tuple[np.ndarray, np.ndarray]


class Shown:
    """Developed pairs of a scene with their true footprints."""

    def __init__(self, step_px: float, blur_px: float = 30.0, full_well_e: float = 10_500.0) -> None:
        rng = np.random.default_rng(3)
        scene = MovingScene(linear(filled(kodak("13"), 300, 420)), linear(kodak("03"))[60:160, 100:240])
        outline = MovingScene(np.zeros((300, 420, 1), np.float32), np.ones((100, 140, 1), np.float32))

        def show(light: np.ndarray) -> np.ndarray:
            return to_8bit(encode_srgb(noisy(light, rng, full_well_e)))

        self.static: list[Pair] = [(show(scene.background), show(scene.background)) for _ in range(5)]
        self.pairs: list[Pair] = []
        self.truth: list[np.ndarray] = []
        for k in range(6):
            x = 30 + step_px * k
            self.pairs.append((show(scene.frame(x, 90, blur_px)), show(scene.frame(x, 90, blur_px / 8))))
            self.truth.append(outline.frame(x, 90, blur_px)[..., 0] > 0.02)

    def overlaps(self, masks: list[np.ndarray]) -> list[float]:
        return [intersection_over_union(m, t) for m, t in zip(masks, self.truth, strict=True)]


@pytest.mark.parametrize("full_well_e", [10_500.0, 2_000.0])
def test_masks_cover_what_the_object_touched(full_well_e: float) -> None:
    shown = Shown(step_px=30, full_well_e=full_well_e)
    background = FrozenBackground(shown.static)
    assert min(shown.overlaps([background.mask(b, s) for b, s in shown.pairs])) > 0.9


def test_slow_objects_keep_their_mask_where_the_printed_algorithm_loses_it() -> None:
    shown = Shown(step_px=6, blur_px=16)
    background = FrozenBackground(shown.static)
    best = shown.overlaps([background.mask(b, s) for b, s in shown.pairs])
    printed = shown.overlaps(list(literal_masks(shown.static[0], 6, lambda k: shown.pairs[k])))
    assert min(best) > 0.9
    assert np.mean(printed) < np.mean(best) - 0.1


def test_the_printed_algorithm_works_on_fast_objects() -> None:
    shown = Shown(step_px=30)
    assert np.mean(shown.overlaps(list(literal_masks(shown.static[0], 6, lambda k: shown.pairs[k])))) > 0.7


def test_an_empty_scene_has_an_empty_mask() -> None:
    shown = Shown(step_px=30)
    assert FrozenBackground(shown.static[:4]).mask(*shown.static[4]).max() == 0


def test_masks_do_not_depend_on_the_pairs_before() -> None:
    shown = Shown(step_px=6)
    fresh = FrozenBackground(shown.static).mask(*shown.pairs[5])
    used = FrozenBackground(shown.static)
    for pair in shown.pairs[:5]:
        used.mask(*pair)
    np.testing.assert_array_equal(used.mask(*shown.pairs[5]), fresh)


def test_tidying_drops_specks_and_keeps_size() -> None:
    found = np.zeros((60, 60), np.uint8)
    found[20:40, 20:40] = 255
    found[5, 5] = 255
    tidied = tidy(found)
    assert tidied[5, 5] == 0
    assert tidied[20:40, 20:40].all()
    assert set(np.unique(tidied)) == {0, 255}


def test_masks_need_static_frames_of_the_same_size() -> None:
    with pytest.raises(TakeMissing):
        FrozenBackground([])
    small, large = np.zeros((20, 20, 3), np.uint8), np.zeros((24, 20, 3), np.uint8)
    with pytest.raises(ImageMismatch):
        FrozenBackground([(small, small)]).mask(large, large)

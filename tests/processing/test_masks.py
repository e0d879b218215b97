"""Local blur masks on an object that moves by physics over a photograph."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from processing.camera_background import CameraBackground
from processing.errors import ImageMismatch, TakeMissing
from processing.isp import decode_srgb, encode_srgb, to_8bit, to_linear
from processing.masks import (
    FrozenBackground,
    expected_overlap,
    intersection_over_union,
    literal_mask,
    tidy,
)
from tests.processing.scenes import MovingScene, filled, kodak, linear, mosaic, noisy

Pair = tuple[np.ndarray, np.ndarray]


@cache
def shown_scene(
    step_px: float, blur_px: float = 30.0, full_well_e: float = 10_500.0, bayer: str = ""
) -> Shown:
    """Render a scene once for all tests; none of them changes it."""
    return Shown(step_px, blur_px, full_well_e, bayer=bayer)


class Shown:
    """Developed pairs of a scene with their true footprints.

    With `bayer`, the names of the two photographs, through a sensor with colour filters and the demosaicing.
    """

    def __init__(
        self, step_px: float, blur_px: float = 30.0, full_well_e: float = 10_500.0, *, bayer: str = ""
    ) -> None:
        rng = np.random.default_rng(3)
        behind, front = bayer.split() if bayer else ("13", "03")
        scene = MovingScene(linear(filled(kodak(behind), 300, 420)), linear(kodak(front))[60:160, 100:240])
        outline = MovingScene(np.zeros((300, 420, 1), np.float32), np.ones((100, 140, 1), np.float32))

        def show(light: np.ndarray) -> np.ndarray:
            if not bayer:
                return to_8bit(encode_srgb(noisy(light, rng, full_well_e)))
            raw = noisy(mosaic(light), rng, full_well_e)
            return to_8bit(encode_srgb(to_linear(raw, "RGGB", (1.0, 1.0, 1.0), np.eye(3), balanced=True)))

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
    shown = shown_scene(30, full_well_e=full_well_e)
    background = FrozenBackground(shown.static)
    assert min(shown.overlaps([background.mask(b, s) for b, s in shown.pairs])) > 0.93


def printed_masks(shown: Shown) -> list[np.ndarray]:
    """Return the first six pairs' masks by Algorithm 1."""
    pairs = shown.pairs[:6]
    return [literal_mask(shown.static[0], pairs[:k] + pairs[k + 1 :], pair) for k, pair in enumerate(pairs)]


def test_slow_objects_keep_their_mask_where_the_printed_algorithm_loses_it() -> None:
    shown = shown_scene(6, 16)
    background = FrozenBackground(shown.static)
    best = shown.overlaps([background.mask(b, s) for b, s in shown.pairs])
    printed = shown.overlaps(printed_masks(shown))
    assert min(best) > 0.93
    assert np.mean(printed) < np.mean(best) - 0.1


def test_the_printed_algorithm_works_on_fast_objects() -> None:
    shown = shown_scene(30)
    assert np.mean(shown.overlaps(printed_masks(shown))) > 0.7


def test_an_empty_scene_has_an_empty_mask() -> None:
    shown = shown_scene(30)
    assert FrozenBackground(shown.static[:4]).mask(*shown.static[4]).max() == 0


def test_masks_do_not_depend_on_the_pairs_before() -> None:
    shown = shown_scene(6)
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


def flickered(picture: np.ndarray, factor: float) -> np.ndarray:
    """Change the light of a developed picture."""
    return to_8bit(encode_srgb(decode_srgb(picture.astype(np.float32) / 255) * np.float32(factor)))


@pytest.mark.parametrize(("factor_b", "factor_s"), [(1.005, 1.005), (0.99, 1.01), (0.93, 0.93)])
def test_a_flickering_lamp_does_not_light_up_the_mask(factor_b: float, factor_s: float) -> None:
    shown = shown_scene(30)
    background = FrozenBackground(shown.static)
    pairs = [(flickered(b, factor_b), flickered(s, factor_s)) for b, s in shown.pairs]
    overlaps = shown.overlaps([background.mask(b, s) for b, s in pairs])
    steady = shown.overlaps([background.mask(b, s) for b, s in shown.pairs])
    assert min(overlaps) > min(steady) - 0.02
    still = tuple(flickered(i, f) for i, f in zip(shown.static[4], (factor_b, factor_s), strict=True))
    assert background.mask(still[0], still[1]).mean() < 255 * 0.002


def test_leaves_that_sway_in_the_static_frames_stay_background() -> None:
    shown = shown_scene(30)
    rng = np.random.default_rng(4)

    def swayed(picture: np.ndarray) -> np.ndarray:
        out = picture.copy()
        dx, dy = rng.normal(0, 1.2, 2)
        moved = cv2.warpAffine(
            picture, np.array([[1, 0, dx], [0, 1, dy]]), picture.shape[1::-1], flags=cv2.INTER_CUBIC
        )
        out[5:75, 200:400] = np.asarray(moved, np.uint8)[5:75, 200:400]
        return out

    background = FrozenBackground([(swayed(b), swayed(s)) for b, s in shown.static])
    masks = [background.mask(swayed(b), swayed(s)) for b, s in shown.pairs]
    assert np.mean([m[:60, 215:385].mean() / 255 for m in masks]) < 0.02
    assert min(shown.overlaps(masks)) > 0.93


def test_the_surer_the_confidence_the_more_pixels_are_the_objects() -> None:
    counts, hits = np.zeros(256), np.zeros(256)
    rendered = [(30, 30.0, 10_500.0, "13 03"), (6, 16.0, 2_000.0, "08 19"), (30, 30.0, 5_000.0, "19 13")]
    for shown in (shown_scene(*scene) for scene in rendered):
        background = FrozenBackground(shown.static)
        for pair, truth in zip(shown.pairs, shown.truth, strict=True):
            _, confidence = background.mask_and_confidence(*pair)
            counts += np.bincount(confidence.ravel(), minlength=256)
            hits += np.bincount(confidence[truth], minlength=256)
    edges = [0, 10, 50, 128, 180, 235, 256]
    bins = [slice(a, b) for a, b in pairwise(edges)]
    precision = np.array([hits[b].sum() / counts[b].sum() for b in bins])
    claimed = np.array([(counts[b] * np.arange(b.start, b.stop)).sum() / counts[b].sum() / 255 for b in bins])
    assert np.all(np.diff(precision) > 0)
    np.testing.assert_allclose(precision[[0, -1]], [0, 1], atol=0.002)
    weights = np.array([counts[b].sum() for b in bins])
    assert np.average(np.abs(precision - claimed), weights=weights) < 0.003


def test_the_mask_is_where_the_confidence_is_a_half() -> None:
    shown = shown_scene(30)
    mask, confidence = FrozenBackground(shown.static).mask_and_confidence(*shown.pairs[2])
    np.testing.assert_array_equal(mask > 0, confidence >= 128)
    assert set(np.unique(mask)) == {0, 255}


def test_the_expected_overlap_is_near_the_true_one() -> None:
    shown = shown_scene(30)
    background = FrozenBackground(shown.static)
    both = [background.mask_and_confidence(*pair) for pair in shown.pairs]
    expected = np.mean([expected_overlap(*b) for b in both])
    assert expected == pytest.approx(np.mean(shown.overlaps([mask for mask, _ in both])), abs=0.03)
    assert expected_overlap(np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)) == 1.0
    half = np.full((4, 4), 128, np.uint8)
    assert expected_overlap(half, half) == pytest.approx(128 / 255)


def test_clipped_backgrounds_neither_hide_an_object_nor_make_one_up() -> None:
    rng = np.random.default_rng(0)
    sky = np.full((120, 160, 3), 255, np.uint8)
    sky[80:] = np.clip(100 + rng.normal(0, 3, (40, 160, 3)), 0, 255).astype(np.uint8)
    background = FrozenBackground([(sky, sky)] * 3)
    dimmer, brighter = flickered(sky, 0.95), flickered(sky, 1.05)
    dimmer[:80] = 255  # the sky is far beyond clipping
    assert background.mask(dimmer, brighter).max() == 0
    bird = sky.copy()
    bird[30:50, 60:90] = 240
    truth = np.zeros((120, 160), np.bool_)
    truth[30:50, 60:90] = True
    assert intersection_over_union(background.mask(sky, bird), truth) > 0.8


def test_threads_do_not_change_masks() -> None:
    shown = shown_scene(30)
    background = FrozenBackground(shown.static)
    one = background.mask_and_confidence(*shown.pairs[0], threads=1)
    three = background.mask_and_confidence(*shown.pairs[0], threads=3)
    np.testing.assert_array_equal(one, three)


def test_a_background_read_from_a_file_makes_the_same_mask(tmp_path: Path) -> None:
    shown = shown_scene(8.0)
    b, s = zip(*shown.static, strict=True)
    models = [CameraBackground.measure(b, s[0]), CameraBackground.measure(s, b[0])]
    for name, model in zip("bs", models, strict=True):
        np.save(tmp_path / f"{name}.npy", model.model)
    of_b, of_s = (CameraBackground(np.load(tmp_path / f"{name}.npy", mmap_mode="r")) for name in "bs")
    stored = FrozenBackground.of(of_b, of_s).mask_and_confidence(*shown.pairs[2], threads=1)
    made = FrozenBackground(shown.static).mask_and_confidence(*shown.pairs[2])
    for one, other in zip(stored, made, strict=True):
        np.testing.assert_array_equal(one, other)

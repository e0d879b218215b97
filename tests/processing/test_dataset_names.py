"""Names, splits and crops of a data set: what holds for all sessions, scenes and masks."""

from __future__ import annotations

import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.dataset.check import loader_paths
from processing.dataset.crop import Window, choose_size, parse_size, place
from processing.dataset.split import hashed_split, split_scenes
from processing.errors import ProcessingError
from processing.page.pair_figures import rounded_to_8bit

HEX = st.text("0123456789abcdef", min_size=32, max_size=32)
NAMES = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
SCENES = st.lists(
    st.tuples(HEX, NAMES, NAMES), min_size=1, max_size=12, unique_by=lambda one: (one[0], one[2])
)


@given(scene=st.integers(1, 999), group=st.integers(0, 99), index=st.integers(0, 9999))
def test_the_loader_finds_all_three_files_of_any_name(scene: int, group: int, index: int) -> None:
    item = f"s{scene:02d}/{group:02d}/{index:02d}"
    found = loader_paths(f"data/dataset/train/{item}_sharp.png")
    assert found.blur == f"data/dataset/train/{item}_blur.png"
    assert found.mask == f"data/masks/train/{item}.png"
    assert found.item == item


@given(scenes=SCENES, share=st.floats(0, 1), extra=SCENES)
def test_a_scene_stays_on_its_side_when_others_are_added(
    scenes: list[tuple[str, str, str]], share: float, extra: list[tuple[str, str, str]]
) -> None:
    sides = split_scenes(scenes, share)
    more = split_scenes([*scenes, *extra], share)
    assert set(sides) == {(key, name) for key, _, name in scenes}
    assert all(more[scene] == side for scene, side in sides.items())


def test_the_share_of_the_test_split_is_about_what_was_asked_for() -> None:
    held = sum(hashed_split(f"{n:032x}", "s01", 0.16) == "test" for n in range(4000))
    assert held / 4000 == pytest.approx(0.16, abs=4 * (0.16 * 0.84 / 4000) ** 0.5)


def test_named_test_scenes_are_exactly_those() -> None:
    scenes = [("a" * 32, "monday", "s01"), ("b" * 32, "tuesday", "s01"), ("b" * 32, "tuesday", "s02")]
    sides = split_scenes(scenes, 1.0, ["monday/s01", "s02"])
    assert [sides[key, name] for key, _, name in scenes] == ["test", "train", "test"]
    with pytest.raises(ProcessingError, match="several"):
        split_scenes(scenes, 0.16, ["s01"])
    with pytest.raises(ProcessingError, match="no scene"):
        split_scenes(scenes, 0.16, ["s09"])


@given(
    box=st.tuples(st.integers(30, 120), st.integers(30, 120)),
    size=st.tuples(st.integers(4, 30), st.integers(4, 30)),
    corner=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    extent=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_the_crop_keeps_a_mover_that_fits_and_leaves_the_centre_only_for_it(
    box: tuple[int, int],
    size: tuple[int, int],
    corner: tuple[float, float],
    extent: tuple[float, float],
) -> None:
    mask = np.zeros(box[::-1], np.int64)
    w, h = (max(1, round(e * s)) for e, s in zip(extent, size, strict=True))
    x, y = round(corner[0] * (box[0] - w)), round(corner[1] * (box[1] - h))
    mask[y : y + h, x : x + w] = 1
    found = place(mask.sum(1), mask.sum(0), size)
    assert 0 <= found.x <= box[0] - size[0]
    assert 0 <= found.y <= box[1] - size[1]
    assert found.cut(mask).sum() == w * h
    centre = place(mask.sum(1), mask.sum(0), size, follow=False)
    assert (centre.x, centre.y) == ((box[0] - size[0]) // 2, (box[1] - size[1]) // 2)
    for at, middle, start, length, span in (
        (found.x, centre.x, x, w, size[0]), (found.y, centre.y, y, h, size[1])
    ):  # fmt: skip
        nearest = min(max(middle, start + length - span), start)  # the least shift that shows all of it
        assert at == nearest


def test_sizes_are_what_the_published_loader_can_read() -> None:
    assert choose_size((2431, 2031), (2152, 1436), at_most=True) == (2152, 1436)
    assert choose_size((631, 503), (2152, 1436), at_most=True) == (628, 500)
    assert choose_size((2100, 1435), None, at_most=False) == (2100, 1432)
    assert choose_size((2431, 2031), None, at_most=False, allow_larger=True) == (2428, 2028)
    with pytest.raises(ProcessingError, match="cuts masks"):
        choose_size((2431, 2031), None, at_most=False)
    with pytest.raises(ProcessingError, match="does not fit"):
        choose_size((631, 503), (2152, 1436), at_most=False)
    with pytest.raises(ProcessingError, match="too small"):
        choose_size((631, 203), None, at_most=False)


@pytest.mark.parametrize("text", ["", "1024", "1024*768", "x", "1022x768", "128x128", "-4x300"])
def test_wrong_sizes_are_refused(text: str) -> None:
    with pytest.raises(ProcessingError):
        parse_size(text)


def test_sizes_are_read() -> None:
    assert parse_size("1024x768") == (1024, 768)
    assert parse_size("full") is None
    assert Window(3, 4, 8, 4).to_list() == [3, 4, 8, 4]


def test_sixteen_bits_are_rounded_to_the_nearest_of_eight() -> None:
    codes = np.arange(65536, dtype=np.uint16)
    exact = np.rint(codes.astype(np.float64) * 255 / 65535)
    np.testing.assert_array_equal(rounded_to_8bit(codes), exact)
    with pytest.raises(ProcessingError, match="float32"):
        rounded_to_8bit(codes.astype(np.float32))

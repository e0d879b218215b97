"""Blur-aware patch cropping: where the patches lie, and that a patch is a piece of its pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ImageError
from models.training.pairs import TrainingPair
from models.training.patches import Patches, Reading, patch_corner


@dataclass
class Coordinates:
    """One pair whose pixels say where they are: row, column, and a third value."""

    height: int
    width: int
    blurred_pixels: tuple[tuple[int, int], ...] = ()
    dtype: type = np.uint16
    masked: bool = True

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> TrainingPair:
        rows, columns = np.mgrid[: self.height, : self.width]
        blurred = np.stack([rows, columns, np.full_like(rows, index)], axis=2).astype(self.dtype)
        mask = np.zeros((self.height, self.width), np.uint8)
        for row, column in self.blurred_pixels:
            mask[row, column] = 255
        return TrainingPair(f"p{index}", blurred, blurred + 1, mask if self.masked else None)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(8, 40),
    width=st.integers(8, 40),
    side=st.integers(1, 8),
    at=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    seed=st.integers(0, 1000),
)
def test_the_chosen_pixel_is_in_the_patch_and_in_its_middle_where_it_can_be(
    height: int, width: int, side: int, at: tuple[float, float], seed: int
) -> None:
    row, column = round(at[0] * (height - 1)), round(at[1] * (width - 1))
    source = Coordinates(height, width, ((row, column),))
    patch = Patches(source, side, blurred_share=1, flips=()).sample(np.random.default_rng(seed))
    assert patch.blurred.shape == (side, side, 3)
    assert patch.mask is not None
    (place,) = np.argwhere(patch.mask)
    for found, pixel, size in zip(place, (row, column), (height, width), strict=True):
        assert found == side // 2 or pixel - side // 2 < 0 or pixel - side // 2 > size - side


def test_half_of_the_patches_are_centred_on_a_blurred_pixel() -> None:
    source = Coordinates(101, 101, ((50, 50),))
    patches, rng = Patches(source, 11), np.random.default_rng(1)
    centred = sum(patches.sample(rng).mask[5, 5] > 0 for _ in range(2000))  # type: ignore[index]
    assert (
        1000 - 4 * 22.4 < centred < 1000 + 4 * 22.4 + 1
    )  # binomial, sigma 22.4; 1/8281 of the others as well


def test_blur_along_the_border_is_not_starved() -> None:
    rim = tuple((0, column) for column in range(60))
    inside = tuple((30, column) for column in range(60))
    source, rng = Coordinates(60, 60, rim + inside), np.random.default_rng(2)
    seen = [Patches(source, 16, blurred_share=1, flips=()).sample(rng) for _ in range(600)]
    at_the_rim = sum(int(one.blurred[0, 0, 0]) == 0 for one in seen)
    assert abs(at_the_rim - 300) < 4 * 12.3


def test_the_released_reading_never_chooses_the_rim() -> None:
    mask = np.full((60, 60), 255, np.uint8)
    rng = np.random.default_rng(3)
    corners = np.array([patch_corner(mask, (60, 60), 16, rng, "released") for _ in range(3000)])
    assert corners.min() == 0
    assert corners.max() == 60 - 16 - 1


def released_corner(mask: np.ndarray, side: int, choice: int) -> tuple[int, int] | None:
    """dataset.py of the released code with its mask of three channels."""
    mask = mask[..., None].repeat(repeats=3, axis=2)
    if not mask.sum() / np.prod(mask.shape) > 0.05:
        return None
    pixels = np.stack(np.where(mask[side // 2 : -side // 2, side // 2 : -side // 2, 0]), 1)
    return tuple(pixels[choice % len(pixels)]) if len(pixels) else None


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), side=st.integers(2, 12))
def test_the_released_reading_is_the_released_code(seed: int, side: int) -> None:
    rng = np.random.default_rng(seed)
    mask = (rng.random((30, 26)) < rng.choice([0.0, 0.0001, 0.01, 0.3])).astype(np.uint8) * 255
    draws = {patch_corner(mask, mask.shape, side, rng, "released") for _ in range(20)}
    allowed = {released_corner(mask, side, choice) for choice in range(mask.size)}
    if None in allowed:
        assert all(0 <= y < 30 - side and 0 <= x < 26 - side for y, x in draws)
    else:
        assert draws <= allowed


@pytest.mark.parametrize("reading", ["paper", "released"])
@pytest.mark.parametrize("masked", [True, False])
def test_without_blur_patches_lie_anywhere(reading: Reading, masked: bool) -> None:
    source, rng = Coordinates(12, 13, masked=masked), np.random.default_rng(4)
    patches = Patches(source, 8, blurred_share=1, flips=(), reading=reading)
    corners = {tuple(patches.sample(rng).blurred[0, 0, :2].tolist()) for _ in range(600)}
    last = 4 if reading == "paper" else 3
    assert corners == {(y, x) for y in range(last + 1) for x in range(last + 2)}


def test_all_pictures_of_a_patch_are_the_same_place_turned_alike() -> None:
    source, rng = Coordinates(40, 50, ((3, 4), (20, 21))), np.random.default_rng(5)
    patches, turns = Patches(source, 9), set()
    for _ in range(100):
        patch = patches.sample(rng)
        np.testing.assert_array_equal(patch.sharp, patch.blurred + 1)
        rows, columns = patch.blurred[:, :, 0].astype(int), patch.blurred[:, :, 1].astype(int)
        assert patch.mask is not None
        inside = {(r, c) for r, c in ((3, 4), (20, 21)) if r in rows and c in columns}
        assert {(rows[y, x], columns[y, x]) for y, x in np.argwhere(patch.mask)} == inside
        assert patch.blurred.flags.owndata
        assert patch.blurred.flags.c_contiguous
        turns.add((rows[0, 0] > rows[-1, 0], columns[0, 0] > columns[0, -1]))
    assert len(turns) == 4


def test_flips_can_be_left_out() -> None:
    source, rng = Coordinates(40, 50), np.random.default_rng(6)
    for _ in range(30):
        rows = Patches(source, 9, flips=("horizontal",)).sample(rng).blurred[:, 0, 0].astype(int)
        assert rows[0] < rows[-1]


def test_the_same_dice_give_the_same_patches() -> None:
    source = Coordinates(40, 50, ((3, 4),))
    first, second = (
        [Patches(source, 9).sample(rng).blurred.tobytes() for _ in range(20)]
        for rng in (np.random.default_rng(7), np.random.default_rng(7))
    )
    assert first == second
    assert len(set(first)) > 10


def test_a_picture_as_large_as_the_patch_is_taken_whole() -> None:
    source = Coordinates(9, 9, ((8, 8),), dtype=np.uint8)
    for reading in ("paper", "released"):
        patch = Patches(source, 9, flips=(), reading=reading).sample(np.random.default_rng(0))  # type: ignore[arg-type]
        assert patch.blurred[0, 0, 0] == 0
        assert patch.blurred.dtype == np.uint8


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ImageError, match=r"p\d is 9x8: no patch of 9 px"):
        Patches(Coordinates(8, 9), 9).sample(np.random.default_rng(0))
    for wrong in ({"blurred_share": 1.5}, {"flips": ("diagonal",)}, {"reading": "mine"}, {"side_px": 0}):
        with pytest.raises(ValueError, match=r"patches of|flips"):
            Patches(Coordinates(8, 9), **{"side_px": 4, **wrong})  # type: ignore[arg-type]

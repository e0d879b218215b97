"""Picture files: what is read and written is what another reader sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ImageError
from models.images import read_picture, write_png
from models.pictures import pad_to_multiple


def codes(dtype: Any, shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_png_comes_back_bit_by_bit(tmp_path: Path, dtype: Any) -> None:
    rgb = codes(dtype, (7, 5, 3))
    write_png(tmp_path / "x.png", rgb)
    picture = read_picture(tmp_path / "x.png")
    np.testing.assert_array_equal(picture.rgb, rgb)
    assert picture.rgb.dtype == dtype
    assert picture.notes == ()
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "x.png"), cv2.IMREAD_UNCHANGED)[..., ::-1], rgb)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_a_tiff_of_another_writer_is_read_as_rgb(tmp_path: Path, dtype: Any, byteorder: str) -> None:
    rgb = codes(dtype, (9, 6, 3))
    tifffile.imwrite(tmp_path / "x.tif", rgb, photometric="rgb", byteorder=byteorder)
    np.testing.assert_array_equal(read_picture(tmp_path / "x.tif").rgb, rgb)


def test_an_alpha_channel_is_dropped_and_said(tmp_path: Path) -> None:
    bgra = codes(np.uint8, (6, 6, 4))
    cv2.imwrite(str(tmp_path / "x.png"), bgra)
    picture = read_picture(tmp_path / "x.png")
    np.testing.assert_array_equal(picture.rgb, bgra[..., 2::-1])
    assert picture.notes == ("the alpha channel was dropped",)


def test_grey_is_taken_as_rgb_and_said(tmp_path: Path) -> None:
    grey = codes(np.uint16, (6, 8))
    write_png(tmp_path / "x.png", grey)
    picture = read_picture(tmp_path / "x.png")
    np.testing.assert_array_equal(picture.rgb, np.stack([grey] * 3, axis=2))
    assert picture.notes == ("grey was taken as RGB",)


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + b"\x00" * 99]
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"x\.png"):
        read_picture(path)


def test_a_float_tiff_is_refused_with_what_is_read(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((4, 4, 3), np.float32), photometric="rgb")
    with pytest.raises(ImageError, match="float32"):
        read_picture(tmp_path / "x.tif")


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="nowhere"):
        read_picture(tmp_path / "nowhere.png")


def test_an_existing_file_is_replaced_only_when_allowed(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    write_png(path, np.zeros((2, 2), np.uint8))
    with pytest.raises(ImageError, match="exists"):
        write_png(path, np.ones((2, 2), np.uint8))
    assert read_picture(path).rgb.max() == 0
    write_png(path, np.ones((2, 2), np.uint8), overwrite=True)
    assert read_picture(path).rgb.min() == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_missing_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot write"):
        write_png(tmp_path / "no" / "x.png", np.zeros((2, 2), np.uint8))
    assert list(tmp_path.iterdir()) == []


@given(height=st.integers(1, 20), width=st.integers(1, 20))
def test_padding_reflects_at_the_bottom_and_right_and_keeps_the_rest(height: int, width: int) -> None:
    image = np.random.default_rng(height * 32 + width).random((height, width, 3), dtype=np.float32)
    padded = pad_to_multiple(image, 4)
    assert padded.shape[0] % 4 == padded.shape[1] % 4 == 0
    assert padded.shape[0] - height < 4
    np.testing.assert_array_equal(padded[:height, :width], image)
    for row in range(height, padded.shape[0]):
        mirrored = 2 * (height - 1) - row
        if mirrored >= 0:
            np.testing.assert_array_equal(padded[row, :width], image[mirrored])

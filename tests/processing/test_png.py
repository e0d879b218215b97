"""The PNG encoder against other programs' decoders: every pixel comes back, and the file is in order."""

from __future__ import annotations

import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from processing.errors import ProcessingError
from processing.png import encode_png
from tests.processing.scenes import filled, kodak

Pixels = NDArray[Any]


def decoded(data: bytes) -> Pixels:
    """Return what OpenCV (libpng) reads, RGB."""
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert read is not None
    return np.asarray(read[..., ::-1] if read.ndim == 3 else read)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    channels=st.sampled_from([1, 3]),
    dtype=st.sampled_from([np.uint8, np.uint16]),
    steepness=st.floats(0.05, 40),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_image_comes_back(
    height: int, width: int, channels: int, dtype: Any, steepness: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    top = np.iinfo(dtype).max
    shape = (height, width, 3) if channels == 3 else (height, width)
    image = (rng.random(shape) ** steepness * top).astype(dtype)  # from even to hardly ever bright
    np.testing.assert_array_equal(decoded(encode_png(image)), image)


@pytest.mark.parametrize("growth", [1.3, 1.6180339887, 2.0, 3.0])
def test_counts_that_ask_for_overlong_codes_still_give_a_stream_that_inflates(growth: float) -> None:
    counts = np.minimum(growth ** np.arange(40), 100_000).astype(int) + 1
    first = np.repeat(np.arange(40, dtype=np.uint8) * 5, counts)[:120_000]
    rows = np.zeros((2, len(first)), np.uint8)
    rows[1] = np.random.default_rng(1).permutation(first)
    np.testing.assert_array_equal(decoded(encode_png(rows)), rows)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_noisy_photograph_is_no_larger_than_from_libpng(dtype: Any) -> None:
    rng = np.random.default_rng(3)
    scale = np.iinfo(dtype).max / 255
    light = filled(kodak("13"), 700, 900) + rng.normal(0, 3, (700, 900, 3))
    image = np.clip(light * scale, 0, 255 * scale).astype(dtype)
    ours = encode_png(image)
    np.testing.assert_array_equal(decoded(ours), image)
    fastest = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    _, theirs = cv2.imencode(".png", image[..., ::-1], fastest)
    assert len(ours) < 1.01 * len(theirs)


def test_other_programs_read_it_and_find_its_check_sums_right(tmp_path: Any) -> None:
    image = kodak("08")
    path = tmp_path / "a.png"
    path.write_bytes(encode_png(image))
    with Image.open(path) as opened:
        opened.verify()
    with Image.open(path) as opened:
        np.testing.assert_array_equal(np.asarray(opened), image)


def test_a_cut_out_is_encoded_as_it_is_seen() -> None:
    image = kodak("08")[10:100:2, ::-3]
    np.testing.assert_array_equal(decoded(encode_png(image)), image)


def test_the_stream_is_zlib_with_one_filter_byte_a_row() -> None:
    image = np.zeros((3, 5), np.uint8)
    data = encode_png(image)
    start = data.index(b"IDAT")
    length = int.from_bytes(data[start - 4 : start], "big")
    assert zlib.decompress(data[start + 4 : start + 4 + length]) == b"".join(
        bytes([3, 0, 0, 0, 0, 0]) for _ in image
    )


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4), np.uint8), np.zeros((4, 4), np.float32)]
)
def test_what_is_no_picture_is_refused(image: Pixels) -> None:
    with pytest.raises(ProcessingError, match="PNG image"):
        encode_png(image)

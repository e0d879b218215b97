"""What a scene is calibrated from: means of any number of frames, and stored takes found again."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.calibration.takes import MosaicMean, Takes
from processing.errors import CalibrationError, ImageMismatch
from rig.raw_image import RawImage
from rig.session import Session
from tests.processing.scenes import TrueRig

SMALL = TrueRig(shape=(8, 8))


def _frame(code: int, black: float = 64.0, shape: tuple[int, int] = (8, 8)) -> RawImage:
    raw = SMALL.expose("S", np.zeros((8, 8, 3), np.float32), 0)
    return replace(raw, pixels=np.full(shape, code, np.uint16), black_level=black)


def test_the_mean_of_frames_loses_black_and_no_fraction() -> None:
    mean = MosaicMean()
    for code in (100, 101, 101):
        mean.add(_frame(code, black=64.5))
    np.testing.assert_allclose(mean.mosaic(), 100 + 2 / 3 - 64.5, rtol=1e-6)


@given(codes=st.lists(st.integers(0, 65535), min_size=2, max_size=40), seed=st.integers(0, 99))
def test_the_order_of_the_frames_does_not_matter(codes: list[int], seed: int) -> None:
    one, other = MosaicMean(), MosaicMean()
    for code in codes:
        one.add(_frame(code))
    for code in np.random.default_rng(seed).permutation(codes):
        other.add(_frame(int(code)))
    np.testing.assert_array_equal(one.mosaic(), other.mosaic())
    assert one.mosaic()[0, 0] == pytest.approx(np.mean(codes) - 64, rel=1e-6, abs=1e-3)


def test_a_hundred_frames_take_no_more_memory_than_three() -> None:
    peaks = []
    for count in (3, 100):
        tracemalloc.start()
        mean = MosaicMean()
        for code in range(count):
            mean.add(_frame(code, shape=(256, 256)))
        mean.mosaic()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_frames_of_different_size_have_no_mean() -> None:
    mean = MosaicMean()
    mean.add(_frame(100))
    with pytest.raises(ImageMismatch, match="size"):
        mean.add(_frame(100, shape=(8, 10)))


def test_no_frames_have_no_mean() -> None:
    with pytest.raises(ImageMismatch, match="no frames"):
        MosaicMean().mosaic()


def test_stored_takes_are_the_ones_that_were_measured(recorded: Session) -> None:
    takes = Takes.of(recorded, "s01")
    again = Takes.stored(recorded, "s01", takes.sources(), takes.formats)
    assert (again.even, again.white, again.static, again.chart) == (
        takes.even, takes.white, takes.static, takes.chart,
    )  # fmt: skip


def test_a_take_that_changed_since_is_refused(recorded: Session) -> None:
    takes = Takes.of(recorded, "s01")
    first, *rest = takes.sources()
    with pytest.raises(CalibrationError, match="another file"):
        Takes.stored(recorded, "s01", [replace(first, sha256="0" * 64), *rest], takes.formats)
    with pytest.raises(CalibrationError, match="gone"):
        Takes.stored(recorded, "s01", [replace(first, pair="s01/static/t09_0000"), *rest], takes.formats)

"""DNG files, judged by LibRaw (through rawpy), by tifffile and by their own reader."""

from __future__ import annotations

import contextlib
import hashlib
import math
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import rawpy
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.dng import CFA_PATTERNS, RawImage, read_dng, write_dng
from rig.dng_tags import to_rational
from rig.errors import DiskFull, RawFileError


def frame(**changes: object) -> RawImage:
    pixels = np.random.default_rng(3).integers(0, 4001, (48, 64), dtype=np.uint16)
    image = RawImage(
        pixels=pixels, cfa="RGGB", black_level=64.0, white_level=4000.0, significant_bits=12,
        exposure_us=2000.125, gain_db=6.0, serial_number="VR-B-0001", camera="B", trigger_index=3, frame_id=7,
        timestamp_ns=123_456_789_012_345_678, model="beamrig VR-5M",
        captured_at="2025-03-01T10:11:12.345678+00:00",
        extra={"session": "<a&b>", "scene": "s01", "note": "µ \"quoted\" ]]>"},
    )  # fmt: skip
    return replace(image, **changes)


@st.composite
def frames(draw: st.DrawFn) -> RawImage:
    height, width = draw(st.integers(22, 70)), draw(st.integers(22, 70))
    bits = draw(st.sampled_from([8, 10, 12, 14, 16]))
    top = 2**bits - 1
    white = draw(st.integers(top // 2, top))
    seed = draw(st.integers(0, 2**32 - 1))
    return frame(
        pixels=np.random.default_rng(seed).integers(0, top + 1, (height, width), dtype=np.uint16),
        cfa=draw(st.sampled_from(CFA_PATTERNS)), significant_bits=bits, white_level=float(white),
        black_level=float(draw(st.integers(0, white // 4))), exposure_us=draw(st.floats(1.0, 1e7)),
        gain_db=draw(st.floats(0, 48)), frame_id=draw(st.integers(0, 2**63)),
        timestamp_ns=draw(st.integers(0, 2**63)),
        extra=draw(st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=3)),
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(frames())
def test_libraw_sees_the_very_codes_and_levels_that_were_written(image: RawImage) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_dng(Path(folder) / "f.dng", image).path
        with rawpy.imread(str(path)) as raw:
            np.testing.assert_array_equal(raw.raw_image_visible, image.pixels)
            letters = "".join(chr(raw.color_desc[index]) for index in raw.raw_pattern.ravel())
            assert letters == image.cfa
            assert raw.black_level_per_channel == [int(image.black_level)] * 4
            assert raw.white_level == image.white_level


@settings(max_examples=40, deadline=None)
@given(frames())
def test_every_field_comes_back_from_our_own_reader(image: RawImage) -> None:
    with tempfile.TemporaryDirectory() as folder:
        back = read_dng(write_dng(Path(folder) / "f.dng", image).path)
    np.testing.assert_array_equal(back.pixels, image.pixels)
    names = [name for name in image.__dataclass_fields__ if name not in ("pixels", "color_matrix")]
    assert {name: getattr(back, name) for name in names} == {name: getattr(image, name) for name in names}
    np.testing.assert_allclose(back.color_matrix, image.color_matrix, rtol=1e-7)


def test_editors_find_exposure_iso_time_and_serial_number_in_standard_tags(tmp_path: Path) -> None:
    path = write_dng(tmp_path / "f.dng", frame()).path
    with tifffile.TiffFile(path) as tiff:
        tags = tiff.pages[0].tags
        exif = tags["ExifTag"].value
        assert tags["CameraSerialNumber"].value == "VR-B-0001"
        assert tags["UniqueCameraModel"].value == "beamrig VR-5M"
        assert tags["DNGVersion"].value == b"\1\4\0\0"
        assert tags["DNGBackwardVersion"].value == b"\1\1\0\0"
        assert tags["StripOffsets"].value[0] % 4096 == 0
    top, bottom = exif["ExposureTime"]
    assert top / bottom == pytest.approx(0.002000125, rel=1e-8)
    assert exif["ISOSpeedRatings"] == 200
    assert exif["DateTimeOriginal"] == "2025:03:01 10:11:12"
    assert exif["SubsecTimeOriginal"] == "345678"


def test_libraw_develops_with_the_white_balance_of_the_neutral(tmp_path: Path) -> None:
    path = write_dng(tmp_path / "f.dng", frame(as_shot_neutral=(0.5, 1.0, 0.8))).path
    with rawpy.imread(str(path)) as raw:
        balance = np.array(raw.camera_whitebalance[:3])
    np.testing.assert_allclose(balance / balance[1], [2.0, 1.0, 1.25], rtol=1e-4)


def test_the_hash_is_that_of_the_bytes_on_the_disk(tmp_path: Path) -> None:
    written = write_dng(tmp_path / "f.dng", frame())
    content = written.path.read_bytes()
    assert written.sha256 == hashlib.sha256(content).hexdigest()
    assert written.bytes == len(content)


def test_a_raw_file_is_never_overwritten(tmp_path: Path) -> None:
    write_dng(tmp_path / "f.dng", frame())
    before = (tmp_path / "f.dng").read_bytes()
    with pytest.raises(RawFileError, match="exists already"):
        write_dng(tmp_path / "f.dng", frame(exposure_us=5.0))
    assert (tmp_path / "f.dng").read_bytes() == before


@pytest.mark.parametrize("kept", [0, 1, 7, 100, 3000, 4096, 8000])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = write_dng(tmp_path / "f.dng", frame()).path
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(RawFileError):
        read_dng(path)


@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, 2400), value=st.integers(0, 255))
def test_a_damaged_header_gives_a_frame_or_a_raw_file_error(position: int, value: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_dng(Path(folder) / "f.dng", frame()).path
        content = bytearray(path.read_bytes())
        content[position] = value
        path.write_bytes(content)
        with contextlib.suppress(RawFileError):
            assert read_dng(path).pixels.dtype == np.uint16


def test_a_tiff_of_someone_else_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.dng", np.zeros((8, 8), np.uint16))
    with pytest.raises(RawFileError, match="not written by beamrig"):
        read_dng(tmp_path / "x.dng")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RawFileError, match=r"gone\.dng does not exist"):
        read_dng(tmp_path / "gone.dng")


@pytest.mark.parametrize(
    "changes",
    [
        {"cfa": "RGBW"},
        {"pixels": np.zeros((4, 4), np.uint8)},
        {"pixels": np.zeros((4, 4, 3), np.uint16)},
        {"pixels": np.full((32, 32), 4096, np.uint16)},
        {"white_level": 4000.5},
        {"white_level": 5000.0},
        {"black_level": 4000.0},
        {"exposure_us": 0.0},
        {"exposure_us": math.nan},
        {"extra": {"a": object()}},
        {"extra": {"a": math.inf}},
        {"color_matrix": (1.0, 2.0)},
    ],
)
def test_what_cannot_be_stored_truly_is_refused_and_leaves_nothing(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    with pytest.raises(RawFileError):
        write_dng(tmp_path / "f.dng", frame(**changes))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_not_a_short_file(tmp_path: Path) -> None:
    (tmp_path / "f.dng.part").symlink_to("/dev/full")
    with pytest.raises(DiskFull, match="No space left"):
        write_dng(tmp_path / "f.dng", frame())
    assert list(tmp_path.iterdir()) == []


@given(st.floats(0, 4e9))
def test_a_tiff_fraction_is_close_to_the_number(value: float) -> None:
    fraction = to_rational(value)
    assert fraction.numerator < 2**32
    assert fraction.denominator < 2**32
    assert float(fraction) == pytest.approx(value, rel=1e-6, abs=1e-9)


def test_the_time_is_now_when_the_camera_gave_none(tmp_path: Path) -> None:
    path = write_dng(tmp_path / "f.dng", frame(captured_at="")).path
    with tifffile.TiffFile(path) as tiff:
        stamp = tiff.pages[0].tags["DateTime"].value
    assert datetime.strptime(stamp, "%Y:%m:%d %H:%M:%S").year >= 2025  # noqa: DTZ007 - TIFF times have no zone

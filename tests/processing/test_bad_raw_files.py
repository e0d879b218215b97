"""RAW files that cannot be developed: each has one clear line, at once, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.raw.cli import develop
from processing.raw.develop import develop_file
from processing.raw.structure import examine
from rig import dng_tags as t
from rig.dng import read_dng
from rig.errors import RawFileError
from tests.processing.raw_files import foreign_dng, noise, own_dng

ROOT = Path(__file__).parents[2]
BITS_SAMPLE_FORMAT = 339


def _jpeg(path: Path) -> None:
    path.write_bytes(cv2.imencode(".jpg", np.full((32, 32, 3), 90, np.uint8))[1].tobytes())


def _cut(share: float) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        foreign_dng(path, noise())
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])

    return make


def _own_cut(path: Path) -> None:
    own_dng(path, noise())
    path.write_bytes(path.read_bytes()[:6000])


def _grey_tiff(path: Path) -> None:
    tifffile.imwrite(path, noise(), photometric="minisblack")


def _loop(path: Path) -> None:
    path.write_bytes(struct.pack("<2sHIHHHIII", b"II", 42, 8, 1, 330, 4, 1, 8, 8))


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "does not exist"),
    "folder": (lambda path: path.mkdir(), "is a folder"),
    "pipe": (os.mkfifo, "is no file"),
    "empty": (lambda path: path.touch(), "is empty"),
    "one byte": (lambda path: path.write_bytes(b"I"), "no RAW file"),
    "header alone": (lambda path: path.write_bytes(b"II*\0"), "damaged or truncated"),
    "text": (lambda path: path.write_text("This is not a picture.\n" * 20), "no RAW file"),
    "random": (lambda path: path.write_bytes(np.random.default_rng(0).bytes(50_000)), "no RAW file"),
    "headerless raw": (lambda path: path.write_bytes(noise(512, 768).tobytes()), "no RAW file"),
    "JPEG": (_jpeg, "JPEG"),
    "grey TIFF": (_grey_tiff, "TIFF picture"),
    "directory loop": (_loop, "TIFF picture"),
    "truncated header": (_cut(0.05), "damaged or truncated"),
    "truncated pixels": (_cut(0.5), "shorter than it says"),
    "one byte short": (_cut(0.9999), "shorter than it says"),
    "own, truncated": (_own_cut, "shorter than it says"),
    "8 bits": (lambda p: foreign_dng(p, noise(), t.integers(t.BITS_PER_SAMPLE, t.SHORT, 8)), "8 bits"),
    "float": (
        lambda p: foreign_dng(p, noise(), t.integers(BITS_SAMPLE_FORMAT, t.SHORT, 3)), "no whole codes"
    ),
    "monochrome": (
        lambda p: foreign_dng(p, noise(), t.integers(t.PHOTOMETRIC, t.SHORT, 1), without=(t.CFA_PATTERN,)),
        "monochrome",
    ),
    "linear DNG": (
        lambda p: foreign_dng(p, noise(), t.integers(t.PHOTOMETRIC, t.SHORT, 34892)), "demosaiced already"
    ),
    "X-Trans": (
        lambda p: foreign_dng(
            p, noise(), t.integers(t.CFA_REPEAT_PATTERN_DIM, t.SHORT, 6, 6),
            t.raw_bytes(t.CFA_PATTERN, t.BYTE, bytes([1, 1, 0, 1, 1, 2] * 6)),
        ), "6x6",
    ),
    "two reds": (
        lambda p: foreign_dng(p, noise(), t.integers(t.CFA_PATTERN, t.BYTE, 0, 0, 1, 2)), "no Bayer pattern"
    ),
    "wrong byte count": (
        lambda p: foreign_dng(p, noise(), t.integers(t.STRIP_BYTE_COUNTS, t.LONG, 1000)), "1000 bytes"
    ),
    "wider than its pixels": (
        lambda p: foreign_dng(p, noise(), t.integers(t.IMAGE_WIDTH, t.LONG, 66)), "need 6336"
    ),
    "huge": (
        lambda p: foreign_dng(p, noise(), t.integers(t.IMAGE_WIDTH, t.LONG, 2**31)), "claims to be"
    ),
    "huge but plausible": (
        lambda p: foreign_dng(p, noise(), t.integers(t.IMAGE_WIDTH, t.LONG, 60_000),
                              t.integers(t.IMAGE_LENGTH, t.LONG, 60_000)), "claims to be"
    ),
    "tiny": (lambda p: own_dng(p, noise(8, 8)), "8x8"),
    "active area outside": (
        lambda p: foreign_dng(p, noise(), t.integers(t.ACTIVE_AREA, t.LONG, 0, 0, 400, 400)), "active area"
    ),
    "white below black": (
        lambda p: foreign_dng(p, noise(), t.integers(t.WHITE_LEVEL, t.LONG, 40)), "white level 40"
    ),
    "matrix of zeros": (
        lambda p: own_dng(p, noise(), color_matrix=(0.0,) * 9), "maps white to black"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_words_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    make, told = BAD[name]
    make(tmp_path / "bad.dng")
    result = CliRunner().invoke(
        develop, [str(tmp_path / "bad.dng"), "--out", str(tmp_path / "out")], catch_exceptions=False
    )
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {tmp_path / 'bad.dng'}")
    assert result.stderr.count("\n") == 1
    assert told in result.stderr
    assert not (tmp_path / "out").exists()


def test_of_several_files_the_good_are_developed_and_the_bad_are_told(tmp_path: Path) -> None:
    own_dng(tmp_path / "a.dng", noise())
    (tmp_path / "b.dng").write_text("no picture")
    foreign_dng(tmp_path / "c.dng", noise())
    words = [str(tmp_path / f"{name}.dng") for name in "abc"]
    result = CliRunner().invoke(
        develop, [*words, "--out", str(tmp_path / "out"), "--json"], catch_exceptions=False
    )
    report = json.loads(result.stdout)
    assert result.exit_code == 2
    assert [Path(item["output"]).name for item in report["files"]] == ["a.png", "c.png"]
    assert [Path(item["input"]).name for item in report["failed"]] == ["b.dng"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a.json", "a.png", "c.json", "c.png",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small DNG of our own."""
    return own_dng(tmp_path_factory.mktemp("good") / "f.dng", noise()).read_bytes()


CHANGES = st.lists(st.tuples(st.integers(0, 2500), st.integers(0, 255)), min_size=1, max_size=12)
CUTS = st.one_of(st.none(), st.integers(0, 10_240))


@settings(max_examples=300, deadline=2000)
@given(CHANGES, CUTS)
def test_our_reader_gives_a_frame_of_some_size_or_a_typed_error_for_any_damage(
    good: bytes, changes: list[tuple[int, int]], cut: int | None
) -> None:
    content = bytearray(good)
    for at, value in changes:
        content[at] = value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.dng"
        path.write_bytes(content[:cut])
        try:
            examine(path)
            image = read_dng(path)
        except RawFileError:
            return
        assert image.pixels.ndim == 2
        assert image.pixels.nbytes <= len(good)


@settings(max_examples=20, deadline=None)
@given(CHANGES)
def test_a_damaged_foreign_file_gives_a_picture_of_the_right_size_or_a_typed_error(
    good: bytes, changes: list[tuple[int, int]]
) -> None:
    content = bytearray(good.replace(b"beamrig\0", b"editor5\0"))
    for at, value in changes:
        content[at] = value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.dng"
        path.write_bytes(content)
        try:
            developed = develop_file(path)
        except RawFileError:
            return
    height, width = developed.raw.pixels.shape
    assert 2 * height * width <= len(content)
    assert sorted(developed.rgb.shape) == sorted((height, width, 3))
    assert np.isfinite(developed.rgb).all()


@pytest.mark.parametrize("limit", ["MEMORY_LIMIT", "CPU_LIMIT_S"])
def test_what_breaks_the_reading_process_does_not_break_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    broken = tmp_path / "processing" / "raw"
    broken.mkdir(parents=True)
    text = (ROOT / "processing" / "raw" / "worker.py").read_text()
    lines = [f"{limit}: Final = 0" if line.startswith(limit) else line for line in text.splitlines()]
    assert lines != text.splitlines()
    (broken / "worker.py").write_text("\n".join(lines))
    for package in (broken, broken.parent):
        (package / "__init__.py").touch()
    monkeypatch.setattr("processing.raw.file.__file__", str(broken / "file.py"))
    path = foreign_dng(tmp_path / "f.dng", noise())
    with pytest.raises(RawFileError, match="LibRaw broke down"):
        develop_file(path)
    (broken / "worker.py").write_text(text)  # the same process without that limit reads the file
    assert develop_file(path).rgb.shape == (48, 64, 3)


def test_pictures_are_not_replaced_unasked(tmp_path: Path) -> None:
    raw = own_dng(tmp_path / "a.dng", noise())
    words = [str(raw), "--out", str(tmp_path / "a.png")]
    assert CliRunner().invoke(develop, words).exit_code == 0
    again = CliRunner().invoke(develop, words)
    assert "exists" in str(again.exception)
    assert CliRunner().invoke(develop, [*words, "--overwrite"]).exit_code == 0


@pytest.mark.parametrize(
    "words",
    [["--white-balance", "1,2"], ["--white-balance", "1,nan,1"], ["--exposure", "nan"], ["--exposure", "x"],
     ["--matrix", "x"], ["--bits", "12"]],
    ids=" ".join,
)  # fmt: skip
def test_a_wrong_wish_is_refused(tmp_path: Path, words: list[str]) -> None:
    raw = own_dng(tmp_path / "a.dng", noise())
    assert CliRunner().invoke(develop, [str(raw), *words]).exit_code == 2


@pytest.mark.parametrize(("bits", "dtype"), [("8", np.uint8), ("16", np.uint16)])
@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_the_picture_lies_where_and_as_it_was_asked(
    tmp_path: Path, bits: str, dtype: type, suffix: str
) -> None:
    raw = own_dng(tmp_path / "a.dng", noise())
    words = [str(raw), "--out", str(tmp_path), "--bits", bits, "--format", suffix]
    assert CliRunner().invoke(develop, words, catch_exceptions=False).exit_code == 0
    picture = cv2.imread(str(tmp_path / f"a.{suffix}"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    scale = np.iinfo(dtype).max
    assert picture.dtype == dtype
    np.testing.assert_allclose(picture / scale, develop_file(raw).rgb, atol=0.51 / scale)
    record = json.loads((tmp_path / "a.json").read_text())
    assert record["white_level"] == [4000.0] * 4

"""The walk by the published loader's rules finds what is wrong with a data set, and nothing else."""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from processing.dataset.check import check_dataset
from processing.errors import ProcessingError


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def picture(seed: int, shape: tuple[int, int] = (260, 300), bits: int = 8) -> np.ndarray:
    kind = np.uint8 if bits == 8 else np.uint16
    return np.random.default_rng(seed).integers(0, 2**bits, (*shape, 3), kind)


def moved(value: int = 255, shape: tuple[int, int] = (260, 300)) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    mask[100:150, 80:200] = value
    return mask


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A sound data set of three pairs, made without the export."""
    folder = tmp_path / "set"
    for number, item in enumerate(("train/s01/00/00", "train/s01/00/01", "test/s02/00/00")):
        write(folder / "dataset" / f"{item}_sharp.png", picture(2 * number))
        write(folder / "dataset" / f"{item}_blur.png", picture(2 * number + 1))
        write(folder / "masks" / f"{item}.png", moved())
    return folder


def stops(root: Path) -> list[tuple[str, str]]:
    return [(one.path, one.text) for one in check_dataset(root).findings if one.level == "stop"]


def test_a_sound_data_set_has_no_findings(root: Path) -> None:
    check = check_dataset(root)
    assert check.findings == []
    assert check.pairs == {"train": 2, "test": 1}


FIRST = "train/s01/00/00"
PARTS = ("dataset", "masks")


def halve(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


HARM: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "no mask": (
        lambda r: (r / f"masks/{FIRST}.png").unlink(),
        f"masks/{FIRST}.png", "mask of s01/00/00 is missing",
    ),
    "no blur": (
        lambda r: (r / f"dataset/{FIRST}_blur.png").unlink(),
        f"dataset/{FIRST}_blur.png", "is missing",
    ),
    "size": (
        lambda r: write(r / f"dataset/{FIRST}_blur.png", picture(9, (264, 300))),
        f"dataset/{FIRST}_sharp.png", "sizes differ: sharp 300x260, blur 300x264",
    ),
    "mask size": (
        lambda r: write(r / f"masks/{FIRST}.png", moved(shape=(260, 296))),
        f"dataset/{FIRST}_sharp.png", "mask 296x260",
    ),
    "0 and 1": (lambda r: write(r / f"masks/{FIRST}.png", moved(1)), f"masks/{FIRST}.png", "holds 0 and 1"),
    "grey mask": (
        lambda r: write(r / f"masks/{FIRST}.png", np.tile(np.arange(300, dtype=np.uint8), (260, 1))),
        f"masks/{FIRST}.png", "256 values",
    ),
    "16 bit": (
        lambda r: write(r / f"dataset/{FIRST}_sharp.png", picture(3, bits=16)),
        f"dataset/{FIRST}_sharp.png", "16 bits",
    ),
    "grey": (
        lambda r: write(r / f"dataset/{FIRST}_sharp.png", picture(3)[..., 0]),
        f"dataset/{FIRST}_sharp.png", "is grey, not RGB",
    ),
    "alpha": (
        lambda r: write(r / f"dataset/{FIRST}_sharp.png", np.dstack([picture(3), moved()])),
        f"dataset/{FIRST}_sharp.png", "RGB with alpha",
    ),
    "cut off": (lambda r: halve(r / f"dataset/{FIRST}_blur.png"), f"dataset/{FIRST}_blur.png", "decoded"),
    "no PNG": (lambda r: (r / f"masks/{FIRST}.png").write_bytes(b"JFIF"), f"masks/{FIRST}.png", "no PNG"),
    "in both": (
        lambda r: [shutil.copytree(r / part / "train/s01", r / part / "test/s01") for part in PARTS],
        "dataset/test/s01", "in the train split too",
    ),
    "trap in a scene": (
        lambda r: [(r / part / "train/s01").rename(r / part / "train/sharp_corner") for part in PARTS],
        "dataset/train/sharp_corner/00/00_sharp.png", "'sharp'",
    ),
    "second dataset": (
        lambda r: [(r / part / "test/s02").rename(r / part / "test/dataset2") for part in PARTS],
        "dataset/test/dataset2/00/00_sharp.png", "'dataset'",
    ),
    "unknown name": (
        lambda r: (r / f"dataset/{FIRST}_sharp.png").rename(r / "dataset/train/s01/00/00-sharp.png"),
        "dataset/train/s01/00/00-sharp.png", "does not end in _sharp.png",
    ),
    "sums": (
        lambda r: (r / "SHA256SUMS").write_text("0" * 64 + f"  masks/{FIRST}.png\n"),
        f"masks/{FIRST}.png", "not what SHA256SUMS says",
    ),
    "list": (lambda r: (r / "train.txt").write_text("s01/00/00\n"), "train.txt", "does not list the pairs"),
    "table": (
        lambda r: (r / "pairs.csv").write_text(
            "split,item,session_id,source_scene\ntrain,s01/00/00,a,s01\ntrain,s01/00/01,a,s01\ntest,s02/00/00,a,s01\n"
        ),
        "pairs.csv", "the recorded scene s01 is in both splits",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HARM)
def test_each_damage_is_named_where_it_is(root: Path, case: str) -> None:
    harm, path, text = HARM[case]
    harm(root)
    assert any(found == path and text in said for found, said in stops(root)), stops(root)


def test_large_and_odd_sizes_break_the_loader(root: Path) -> None:
    for shape, text in (
        ((1440, 300), "cuts its mask"),
        ((262, 300), "multiples of 4"),
        ((256, 300), "no patch"),
    ):
        for name in ("sharp", "blur"):
            write(root / f"dataset/{FIRST}_{name}.png", picture(5, shape))
        write(root / f"masks/{FIRST}.png", moved(shape=shape))
        assert any(text in said for _, said in stops(root))


def test_what_does_not_break_is_only_a_warning(root: Path) -> None:
    write(root / f"masks/{FIRST}.png", moved(0))
    shutil.copy(root / f"dataset/{FIRST}_sharp.png", root / f"dataset/{FIRST}_blur.png")
    (root / "dataset/train/s01/notes.txt").write_text("rain")
    check = check_dataset(root)
    assert not check.broken
    said = {(one.path, one.text) for one in check.findings}
    assert said == {
        (f"masks/{FIRST}.png", "marks nothing"),
        (f"dataset/{FIRST}_sharp.png", "both pictures of s01/00/00 are the same"),
        ("dataset/train/s01/notes.txt", "is never read by the loader"),
    }


@pytest.mark.parametrize(
    ("name", "level"), [("sharpness", "warn"), ("my_dataset", "warn"), ("reloblur", "note")]
)
def test_a_trap_in_the_folder_of_the_data_set_is_told_with_the_way_out(
    root: Path, tmp_path: Path, name: str, level: str
) -> None:
    (tmp_path / name).mkdir()
    root.rename(tmp_path / name / "set")
    check = check_dataset(tmp_path / name / "set")
    (finding,) = check.findings
    assert (finding.level, finding.path) == (level, ".")
    assert "link the folder as 'data'" in finding.text
    assert not check.broken


def test_a_folder_that_holds_no_data_set_is_refused_and_an_empty_one_is_broken(tmp_path: Path) -> None:
    with pytest.raises(ProcessingError, match="holds no data set"):
        check_dataset(tmp_path)
    (tmp_path / "dataset").mkdir()
    assert stops(tmp_path) == [
        (".", "no file matches dataset/{train,test}/*/*/*sharp.png: the loader sees nothing")
    ]


def claim(path: Path, width: int, height: int) -> None:
    """Write a PNG of a few bytes that says it is large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    parts = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (8_001, 8_001), (2**31 - 1, 2), (0, 300)])
def test_a_picture_that_claims_to_be_huge_or_nothing_is_not_opened(
    root: Path, width: int, height: int
) -> None:
    claim(root / "dataset" / f"{FIRST}_sharp.png", width, height)
    assert any(path == f"dataset/{FIRST}_sharp.png" for path, _ in stops(root))


@pytest.mark.parametrize("name", ["pairs.csv", "train.txt", "SHA256SUMS"])
@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"a,b\n\x00,\r\r\n", b'"' + b"x" * 200_000])
def test_lists_that_hold_anything_are_told_in_one_line(root: Path, name: str, data: bytes) -> None:
    (root / name).write_bytes(data)
    found = stops(root)
    if data[:1] == b"\xff":
        assert (name, "cannot be read: it is no UTF-8 text") in found


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "dataset/../../secret", ""])
def test_checksums_of_files_elsewhere_are_not_looked_at(root: Path, name: str) -> None:
    (root.parent / "secret").write_text("nobody's business")
    (root / "SHA256SUMS").write_text(f"{'0' * 64}  {name}\n")
    assert ("SHA256SUMS", f"names {name!r}, which is no file of a data set") in stops(root)

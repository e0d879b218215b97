"""Data sets in the layouts of the papers, made of tiny pictures; a session developed for real."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.errors import DataError
from models.training.patches import Patches
from models.training.sources import FilePairs, open_source
from models.training.sources_layouts import PairFiles
from processing.dataset.export import export_sessions
from processing.dataset.plan import Wishes
from processing.dataset.split import hashed_split
from rig.review import review_pairs
from rig.session import Session

HEIGHT, WIDTH = 10, 12


def write(
    path: Path, seed: int, *, grey: bool = False, dtype: type = np.uint8, height: int = HEIGHT
) -> np.ndarray:
    """Write a random picture and return its pixels as RGB (or grey)."""
    rng = np.random.default_rng(seed)
    shape = (height, WIDTH) if grey else (height, WIDTH, 3)
    pixels = rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels if grey else np.ascontiguousarray(pixels[:, :, ::-1]))
    return pixels


def names(source: FilePairs) -> list[str]:
    return [pair.name for pair in source]


def reloblur(root: Path, *, masks: bool = True) -> None:
    for side, scenes in (("train", ("s01", "s02")), ("test", ("s03",))):
        for scene in scenes:
            for stem in ("00", "01"):
                write(root / f"dataset/{side}/{scene}/07/{stem}_sharp.png", 1)
                write(root / f"dataset/{side}/{scene}/07/{stem}_blur.png", 2)
                if masks:
                    path = root / f"masks/{side}/{scene}/07/{stem}.png"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    mask = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
                    mask[2:4, 5] = (0, 0, 255)  # OpenCV's third is red, the loader's first
                    mask[6] = (255, 0, 0)
                    cv2.imwrite(str(path), mask)


@pytest.mark.parametrize("inner", [False, True])
def test_the_published_layout_of_reloblur(tmp_path: Path, inner: bool) -> None:
    reloblur(tmp_path)
    root = tmp_path / "dataset" if inner else tmp_path
    train, test = open_source(root), open_source(root, "test")
    assert train.layout == "ReLoBlur"
    assert names(train) == ["s01/07/00", "s01/07/01", "s02/07/00", "s02/07/01"]
    assert names(test) == ["s03/07/00", "s03/07/01"]
    assert names(open_source(root, "all")) == names(train) + names(test)
    pair = train[0]
    assert pair.mask is not None
    assert pair.mask.dtype == np.uint8
    assert {(y, x, int(pair.mask[y, x])) for y, x in np.argwhere(pair.mask)} == {(2, 5, 255), (3, 5, 255)}
    np.testing.assert_array_equal(pair.sharp, write(tmp_path / "again.png", 1))
    np.testing.assert_array_equal(pair.blurred, write(tmp_path / "again.png", 2))


def test_reloblur_without_its_masks_has_none_but_a_single_one_may_not_lack(tmp_path: Path) -> None:
    reloblur(tmp_path / "without", masks=False)
    assert open_source(tmp_path / "without")[0].mask is None
    reloblur(tmp_path / "with")
    (tmp_path / "with/masks/train/s02/07/01.png").unlink()
    with pytest.raises(DataError, match=r"masks/train/s02/07/01.png is missing"):
        open_source(tmp_path / "with")


def test_gopro_takes_the_blur_of_linear_light(tmp_path: Path) -> None:
    for side in ("train", "test"):
        for sequence in ("GOPR01", "GOPR02"):
            for stem in ("0001", "0002"):
                write(tmp_path / side / sequence / "sharp" / f"{stem}.png", 1)
                write(tmp_path / side / sequence / "blur" / f"{stem}.png", 2)
                if sequence == "GOPR02":
                    write(tmp_path / side / sequence / "blur_gamma" / f"{stem}.png", 3)
    source = open_source(tmp_path, "test")
    assert source.layout == "GOPRO"
    assert names(source) == ["GOPR01/0001", "GOPR01/0002", "GOPR02/0001", "GOPR02/0002"]
    np.testing.assert_array_equal(source[0].blurred, write(tmp_path / "again.png", 2))
    np.testing.assert_array_equal(source[2].blurred, write(tmp_path / "again.png", 3))
    assert source[0].mask is None
    assert len(open_source(tmp_path, "all")) == 8


@pytest.mark.parametrize("nested", [True, False])
def test_reds_tests_on_its_validation_side(tmp_path: Path, nested: bool) -> None:
    for part in ("train", "val"):
        home = tmp_path / part if nested else tmp_path
        for stem in ("00000000", "00000001"):
            write(home / f"{part}_sharp" / "000" / f"{stem}.png", 1)
            write(home / f"{part}_blur" / "000" / f"{stem}.png", 2 if part == "train" else 3)
    assert open_source(tmp_path).layout == "REDS"
    assert names(open_source(tmp_path)) == ["000/00000000", "000/00000001"]
    np.testing.assert_array_equal(open_source(tmp_path, "test")[1].blurred, write(tmp_path / "a.png", 3))


def test_a_plain_folder_keeps_16_bits_and_pairs_by_name(tmp_path: Path) -> None:
    blurred = write(tmp_path / "blurred/x/1.tiff", 1, dtype=np.uint16)
    sharp = write(tmp_path / "sharp/x/1.png", 2, dtype=np.uint16)
    mask = write(tmp_path / "mask/x/1.png", 3, grey=True)
    write(tmp_path / "sharp/unused.png", 4)
    pair = open_source(tmp_path)[0]
    assert pair.name == "x/1"
    assert pair.blurred.dtype == np.uint16
    np.testing.assert_array_equal(pair.blurred, blurred)
    np.testing.assert_array_equal(pair.sharp, sharp)
    np.testing.assert_array_equal(pair.mask, np.where(mask > 0, 255, 0))


def test_a_plain_folder_has_no_test_side_unless_it_says_so(tmp_path: Path) -> None:
    for home in (tmp_path / "one", tmp_path / "two/train", tmp_path / "two/test"):
        write(home / f"blurred/{home.name}.png", 1)
        write(home / f"sharp/{home.name}.png", 2)
    assert names(open_source(tmp_path / "one", "all")) == ["one"]
    with pytest.raises(DataError, match="no pairs on its side 'test'"):
        open_source(tmp_path / "one", "test")
    assert names(open_source(tmp_path / "two", "test")) == ["test"]
    assert names(open_source(tmp_path / "two", "all")) == ["train", "test"]


def test_grey_pictures_become_rgb_and_transparency_goes(tmp_path: Path) -> None:
    grey = write(tmp_path / "blurred/1.png", 1, grey=True)
    rgba = np.random.default_rng(2).integers(0, 255, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    (tmp_path / "sharp").mkdir()
    cv2.imwrite(str(tmp_path / "sharp/1.png"), rgba)
    pair = open_source(tmp_path)[0]
    np.testing.assert_array_equal(pair.blurred, np.stack([grey] * 3, axis=2))
    np.testing.assert_array_equal(pair.sharp, rgba[:, :, 2::-1])


def test_what_is_no_pair_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder of pairs"):
        open_source(tmp_path / "nowhere")
    with pytest.raises(DataError, match="known layout") as caught:
        open_source(tmp_path)
    assert "dataset/train" in str(caught.value.hint)
    assert "blurred/" in str(caught.value.hint)
    write(tmp_path / "sharp/1.png", 1)
    with pytest.raises(DataError, match="neither blurred/ nor blur/"):
        open_source(tmp_path)
    write(tmp_path / "blurred/1.png", 1, height=HEIGHT + 2)
    with pytest.raises(DataError, match=r"12x12 of 8 bit, 1.png is 12x10 of 8 bit"):
        open_source(tmp_path)[0]
    write(tmp_path / "blurred/1.png", 1, dtype=np.uint16)
    with pytest.raises(DataError, match="16 bit"):
        open_source(tmp_path)[0]
    (tmp_path / "blurred/1.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read as a picture"):
        open_source(tmp_path)[0]
    write(tmp_path / "blurred/2.png", 1)
    write(tmp_path / "blurred/3.png", 1)
    with pytest.raises(DataError, match=r"sharp/2.png and 1 more is missing"):
        open_source(tmp_path)


def test_the_cache_keeps_what_was_used_last_within_its_bound(tmp_path: Path) -> None:
    files = []
    for index in range(3):
        for part in ("b", "s"):
            path = tmp_path / f"{part}{index}.png"
            assert cv2.imwrite(str(path), np.full((256, 512, 3), index, np.uint8))
        files.append(PairFiles(str(index), tmp_path / f"b{index}.png", tmp_path / f"s{index}.png", None))
    source = FilePairs(files, cache_mib=2)  # a pair has 0.75 MiB: two fit
    first, second = source[0], source[1]
    assert source[0] is first
    third = source[2]
    assert source[0] is first
    assert source[2] is third
    assert source[1] is not second
    uncached = FilePairs(files, cache_mib=0)
    assert uncached[0] is not uncached[0]
    with pytest.raises(ValueError, match="read-only"):
        first.blurred[0, 0] = 1


def test_a_source_travels_to_a_worker_without_its_pictures(tmp_path: Path) -> None:
    reloblur(tmp_path)
    source = open_source(tmp_path)
    empty = len(pickle.dumps(source))
    expected = [pair.blurred.tobytes() for pair in source]
    assert len(pickle.dumps(source)) == empty
    copy = pickle.loads(pickle.dumps(source))  # noqa: S301 (our own)
    assert [pair.blurred.tobytes() for pair in copy] == expected
    patch = Patches(copy, 4).sample(np.random.default_rng(0))
    assert patch.blurred.shape == (4, 4, 3)
    with pytest.raises(IndexError):
        source[len(source)]


def test_a_developed_session_gives_the_pairs_of_its_export(developed: Path, tmp_path: Path) -> None:
    shutil.copytree(developed, tmp_path / "session")
    with Session.open(tmp_path / "session") as session:
        review_pairs(session, [session.pairs(kind="action")[1].id], "reject", "blinked")
        report = export_sessions([session], tmp_path / "set", Wishes(size="full", test_share=0))
        key = session.id
    from_session, from_export = open_source(tmp_path / "session", "all"), open_source(tmp_path / "set")
    assert (from_session.layout, names(from_session)) == ("session", ["s01/action/t01_0000"])
    assert (from_export.layout, names(from_export)) == ("ReLoBlur", ["s01/00/00"])
    ours, theirs = from_session[0], from_export[0]
    assert ours.blurred.dtype == np.uint16
    assert ours.mask is not None
    assert theirs.mask is not None
    window = report.plan.scenes[0].window
    np.testing.assert_array_equal(window.cut(ours.mask), theirs.mask)
    for exact, rounded in ((ours.blurred, theirs.blurred), (ours.sharp, theirs.sharp)):
        np.testing.assert_allclose(window.cut(exact) / 65535, rounded / 255, atol=0.501 / 255)
    side = hashed_split(key, "s01", 0.16)
    assert names(open_source(tmp_path / "session", side)) == names(from_session)
    with pytest.raises(DataError, match=r"layout: session.*no pairs on its side"):
        open_source(tmp_path / "session", "train" if side == "test" else "test")


def test_a_session_that_is_not_developed_has_no_pairs(developed: Path, tmp_path: Path) -> None:
    shutil.copytree(developed, tmp_path / "session")
    shutil.rmtree(tmp_path / "session/derived")
    with pytest.raises(DataError, match=r"layout: session.*no pairs") as caught:
        open_source(tmp_path / "session", "all")
    assert "developed" in str(caught.value.hint)

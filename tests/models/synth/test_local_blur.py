"""The source of synthetic pairs: the same everywhere, honest about what is blurred, split by photograph."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.errors import SynthesisError
from models.synth.local_blur import LocalBlurSource
from models.synth.photos import LABELS, list_photos, split_of

SIDE = 64


def source(photos: Path, **settings: object) -> LocalBlurSource:
    return LocalBlurSource(
        photos,
        **{"seed": 3, "count": 40, "side_px": SIDE, "split": "all", **settings},  # type: ignore[arg-type]
    )


def digest(made: LocalBlurSource, indices: range) -> str:
    total = hashlib.sha256()
    for index in indices:
        pair = made[index]
        assert pair.mask is not None
        for part in (pair.blurred, pair.sharp, pair.mask):
            total.update(np.ascontiguousarray(part).tobytes())
    return total.hexdigest()


def test_another_process_makes_the_same_pairs(photos: Path) -> None:
    made = source(photos)
    code = (
        "import sys, pickle\nsys.path.insert(0, sys.argv[1])\n"
        "from test_local_blur import digest\n"
        "print(digest(pickle.load(sys.stdin.buffer), range(6)))"
    )
    here = str(Path(__file__).parent)
    answer = subprocess.run(
        [sys.executable, "-c", code, here], input=pickle.dumps(made), capture_output=True, check=True
    )
    assert answer.stdout.decode().strip() == digest(made, range(6))


def test_the_order_of_asking_does_not_matter(photos: Path) -> None:
    one, two = source(photos), source(photos)
    forward = [one[i].blurred for i in range(5)]
    backward = [two[i].blurred for i in reversed(range(5))][::-1]
    for a, b in zip(forward, backward, strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_noise_what_is_not_masked_is_equal_and_what_is_masked_is_blurred(photos: Path) -> None:
    moved = 0
    for pair in source(photos, noise=0.0, still_share=0.0):
        assert pair.mask is not None
        np.testing.assert_array_equal(pair.blurred[pair.mask == 0], pair.sharp[pair.mask == 0])
        moved += bool((pair.blurred != pair.sharp).any())
    assert moved > 30


def test_still_objects_alone_leave_an_empty_mask(photos: Path) -> None:
    made = source(photos, noise=0.0, still_share=1.0)
    with_objects = 0
    for index in range(12):
        one = made.make(index)
        with_objects += "objects" in one.record
        np.testing.assert_array_equal(one.pair.blurred, one.pair.sharp)
        assert one.pair.mask is not None
        assert not one.pair.mask.any()
    assert with_objects >= 4


def test_noise_is_in_the_blurred_picture_only(photos: Path) -> None:
    clean, noisy = source(photos, noise=0.0), source(photos, noise=0.02)
    for index in range(4):
        np.testing.assert_array_equal(clean[index].sharp, noisy[index].sharp)
        assert (clean[index].blurred != noisy[index].blurred).any()


def test_the_splits_share_no_photograph(photos: Path) -> None:
    train, test = list_photos(photos, "train"), list_photos(photos, "test")
    assert not set(train) & set(test)
    assert sorted(train + test) == list(list_photos(photos, "all"))
    assert all(split_of(Path("elsewhere") / path.name) == "train" for path in train)
    for split, allowed in (("train", train), ("test", test)):
        made = source(photos, split=split)
        used = set()
        for index in range(12):
            record = made.make(index).record
            used |= {record["background"]["photo"], *(o["photo"] for o in record.get("objects", []))}
        assert used <= {path.name for path in allowed}


def test_about_one_photograph_in_seven_is_for_testing() -> None:
    count = sum(split_of(Path(f"{number}.jpg")) == "test" for number in range(4000))
    assert 0.13 < count / 4000 < 0.17


def test_the_record_tells_the_blur_of_every_mover(photos: Path) -> None:
    made = source(photos, blur_px=(4.0, 6.0), still_share=0.0)
    for index in range(8):
        movers = [o for o in made.make(index).record["objects"] if o["role"] == "moves"]
        assert movers
        assert all(4 <= mover["blur_px"] <= 6 for mover in movers)


def test_sixteen_bits_are_finer_than_eight(photos: Path) -> None:
    fine, coarse = source(photos, bits=16, noise=0.0)[1], source(photos, noise=0.0)[1]
    assert fine.blurred.dtype == np.uint16
    assert np.abs(fine.blurred / 257 - coarse.blurred).max() <= 0.51


def test_folders_and_settings_that_cannot_work_are_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(SynthesisError, match="no folder"):
        source(tmp_path / "missing")
    with pytest.raises(SynthesisError, match="no photographs"):
        source(tmp_path)
    with pytest.raises(SynthesisError, match="9 to 3 px"):
        source(photos, blur_px=(9.0, 3.0))
    with pytest.raises(IndexError):
        source(photos)[40]
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(SynthesisError, match="damaged"):
        source(tmp_path)[0]


def test_labels_of_another_size_are_refused(tmp_path: Path, photos: Path) -> None:
    import cv2

    picture = np.zeros((90, 90, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    cv2.imwrite(str(tmp_path / f"a{LABELS}"), picture[:50, :, 0])
    with pytest.raises(SynthesisError, match="differ in size"):
        source(tmp_path)[0]


def test_near_movers_fill_the_picture(photos: Path) -> None:
    def blurred_area(near_share: float) -> float:
        made = source(photos, near_share=near_share, still_share=0.0)
        return float(np.mean([np.mean(made[index].mask != 0) for index in range(12)]))

    assert blurred_area(1.0) > 0.6 > 0.4 > blurred_area(0.0)

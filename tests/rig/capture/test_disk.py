"""Room on the disk is asked for before a take."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from rig.capture.disk import RESERVE_BYTES, check_room, frame_bytes, pairs_left
from rig.dng import RawImage, write_dng
from rig.errors import DiskFull


def test_the_estimate_of_a_file_is_never_too_small_and_close(tmp_path: Path) -> None:
    extra = {"session": "0" * 32, "scene": "s" * 32, "kind": "colorchecker", "take": 12, "pair": "x" * 60}
    image = RawImage(
        np.zeros((512, 612), np.uint16), "RGGB", 64, 4095, 12, 1e6, 24.0, "serial" * 4, "B", 9999, 10**9,
        10**18, model="A very long vendor name And a model", extra=extra,
        captured_at="2025-03-01T10:11:12.345678+00:00",
    )  # fmt: skip
    written = write_dng(tmp_path / "x.dng", image)
    assert written.bytes <= frame_bytes(612, 512) <= written.bytes + 8192


def test_pairs_left_counts_what_fits_beside_the_reserve(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    assert pairs_left(tmp_path, 2448, 2048) == pytest.approx((free - RESERVE_BYTES) / 20.07e6, rel=0.02)


def test_a_folder_that_is_not_there_yet_is_judged_by_its_disk(tmp_path: Path) -> None:
    left = pairs_left(tmp_path / "new" / "session", 2448, 2048)
    assert left == pytest.approx(pairs_left(tmp_path, 2448, 2048), rel=0.05)


def test_too_many_pairs_are_refused_with_the_number_that_fits(tmp_path: Path) -> None:
    check_room(tmp_path, 1, 64, 64)
    with pytest.raises(DiskFull, match="there is room for"):
        check_room(tmp_path, 10**9, 2448, 2048)

"""Room on the disk is asked for before a take."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from rig.capture.disk import RESERVE_BYTES, DiskGuard, check_room, frame_bytes, pairs_left
from rig.dng import RawImage, write_dng
from rig.errors import DiskFull
from tests.rig.disk_faults import small_disk


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


@pytest.mark.parametrize(("beside", "level"), [(-5, "hard"), (5, "soft"), (20, "ok")])
def test_the_guard_warns_first_and_stops_then(tmp_path: Path, beside: int, level: str) -> None:
    """Limits around what this disk really has; a pair takes 1 GB, so other programs do not matter."""
    size = 1 << 29
    room = (shutil.disk_usage(tmp_path).free - RESERVE_BYTES) // (2 * size)
    if room < 30:
        pytest.skip("this disk is too full for the test")
    hard = room - beside
    state = DiskGuard(tmp_path, size, soft_pairs=hard + 10, hard_pairs=hard).left()
    assert state.level == level
    assert state.pairs_left == pytest.approx(room, abs=3)


def test_a_full_real_disk_is_at_its_hard_limit_and_the_refusal_says_what_to_do(tmp_path: Path) -> None:
    with small_disk(tmp_path, "2m") as folder:
        guard = DiskGuard(folder / "session", frame_bytes(64, 64), 200, 10)
        state = guard.left()
        assert (state.level, state.pairs_left) == ("hard", 0)
        assert 0 < state.free_bytes <= 2 << 20
        assert "all shots until now are safe" in guard.refusal(state).one_line()


def test_limits_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    for soft, hard in ((1, 2), (5, -1)):
        with pytest.raises(ValueError, match="hard_pairs"):
            DiskGuard(tmp_path, 100, soft, hard)

"""Is there room? Asked before a take and between its shots, so that a full disk never cuts a shot."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from rig.errors import DiskFull, SessionError

HEADER_BYTES: Final = 12288
RESERVE_BYTES: Final = 256 * 2**20
"""What must stay free: journal, cards, and the rest of the computer."""


@dataclass(frozen=True)
class DiskState:
    """What is left on the disk of a session.

    Attributes:
        pairs_left: How many pairs still find room beside :data:`RESERVE_BYTES`.
        free_bytes: What is free, the reserve included.
        level: "ok"; "soft" when it is time to warn; "hard" when no further shot must be fired.
    """

    pairs_left: int
    free_bytes: int
    level: Literal["ok", "soft", "hard"]


class DiskGuard:
    """Watches the disk of a session; one system call a look, so it may be asked between shots.

    Args:
        folder: The session's folder; it need not be there yet.
        frame_bytes: Size of one RAW file, see :func:`frame_bytes`.
        soft_pairs: From so many pairs left downwards the operator is warned.
        hard_pairs: From so many pairs left downwards no shot is fired; it covers frames still under way.

    Raises:
        ValueError: The limits are negative or in the wrong order, or a frame has no size.
    """

    def __init__(self, folder: Path, frame_bytes: int, soft_pairs: int, hard_pairs: int) -> None:
        if frame_bytes <= 0 or not 0 <= hard_pairs <= soft_pairs:
            raise ValueError("a guard needs 0 <= hard_pairs <= soft_pairs and frames of some bytes")
        self._folder = folder
        self._pair_bytes = 2 * frame_bytes
        self._soft_pairs = soft_pairs
        self._hard_pairs = hard_pairs

    def left(self) -> DiskState:
        """Look at the disk.

        Raises:
            SessionError: The disk cannot be asked.
        """
        free = free_bytes(self._folder)
        pairs = max(0, (free - RESERVE_BYTES) // self._pair_bytes)
        low = pairs <= self._soft_pairs
        return DiskState(pairs, free, "hard" if pairs <= self._hard_pairs else "soft" if low else "ok")

    def warning(self, state: DiskState) -> str:
        """Return the line that warns the operator at the soft limit."""
        return f"the disk of {self._folder} has room for {state.pairs_left} more pairs; make room soon"

    def refusal(self, state: DiskState) -> DiskFull:
        """Return the error that stops a take at the hard limit."""
        return DiskFull(
            f"the disk of {self._folder} has room for {state.pairs_left} more pairs, which is the limit",
            hint=f"make room (a pair takes {self._pair_bytes / 1e6:.0f} MB); all shots until now are safe",
        )


def frame_bytes(width_px: int, height_px: int) -> int:
    """Return the size of one RAW file on the disk, in bytes."""
    return 2 * width_px * height_px + HEADER_BYTES


def pairs_left(folder: Path, width_px: int, height_px: int) -> int:
    """Return how many pairs still find room on the disk of ``folder``.

    Raises:
        SessionError: The disk cannot be asked.
    """
    return max(0, (free_bytes(folder) - RESERVE_BYTES) // (2 * frame_bytes(width_px, height_px)))


def check_room(folder: Path, pairs: int, width_px: int, height_px: int) -> None:
    """Make sure that a take finds room.

    Raises:
        DiskFull: It does not.
        SessionError: The disk cannot be asked.
    """
    room = pairs_left(folder, width_px, height_px)
    if room < pairs:
        raise DiskFull(
            f"{pairs} pairs do not fit on the disk of {folder}: there is room for {room}",
            hint=f"a pair takes {2 * frame_bytes(width_px, height_px) / 1e6:.0f} MB; make room or take fewer",
        )


def free_bytes(folder: Path) -> int:
    """Return the free room of the disk that holds, or will hold, a folder.

    Raises:
        SessionError: The disk cannot be asked.
    """
    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    try:
        return shutil.disk_usage(there).free
    except OSError as error:
        raise SessionError(f"the disk of {folder} cannot be asked: {error.strerror}") from error

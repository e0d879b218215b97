"""Is there room? Asked before a take, so that a full disk never ends one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from rig.errors import DiskFull, SessionError

HEADER_BYTES: Final = 12288
RESERVE_BYTES: Final = 256 * 2**20
"""What must stay free: journal, cards, and the rest of the computer."""


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

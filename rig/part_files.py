"""Files that appear under their name only when all their bytes are on the disk: names, flushes, refusals."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rig.errors import BeamrigError, DiskFull, RawFileError

PART_SUFFIX: Final = ".part"

_HINTS: Final = {
    errno.EROFS: "the disk is mounted read-only; take another folder",
    errno.EACCES: "this user may not write there; take another folder",
    errno.EPERM: "this user may not write there; take another folder",
    errno.EIO: "the disk reports a fault; copy the session to another disk before going on",
    errno.EFBIG: "a limit of this program or of the file system forbids files of that size",
    errno.ENOENT: "the folder is gone; was the disk taken out?",
    errno.ENODEV: "the disk is gone",
}


@dataclass(frozen=True)
class WrittenFile:
    """A file on the disk: its path, its length in bytes, and the SHA-256 of its bytes in hexadecimal."""

    path: Path
    bytes: int
    sha256: str


def part_path(path: Path) -> Path:
    """Return the name that a file has until all its bytes are on the disk."""
    return path.with_name(path.name + PART_SUFFIX)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk (a rename is only safe after this).

    Raises:
        OSError: The folder is missing or the disk refused.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refuse_existing(path: Path) -> None:
    """Make sure that a name is free.

    Raises:
        RawFileError: It is taken.
    """
    if path.exists():
        raise RawFileError(f"{path} exists already", hint="RAW files are never overwritten")


def give_names(parts: Sequence[tuple[Path, Path]]) -> None:
    """Rename (part, path) pairs, all or none, then flush their folders so that they survive a power cut.

    Raises:
        RawFileError: A part is missing, a name is taken, or the disk refused.
        DiskFull: The folder cannot take another entry.
    """
    for _, path in parts:
        refuse_existing(path)
    named: list[tuple[Path, Path]] = []
    try:
        for part, path in parts:
            part.rename(path)
            named.append((part, path))
        for folder in dict.fromkeys(path.parent for _, path in parts):
            sync_folder(folder)
    except OSError as error:
        for part, path in named:  # all or none: one frame of a pair alone looks like a frame that was kept
            with contextlib.suppress(OSError):
                path.rename(part)
        raise disk_error(f"{error.filename or 'a RAW file'} cannot be given its name", error) from error


def disk_error(what: str, error: OSError) -> BeamrigError:
    """Return the typed error for what a disk answered; ``what`` is the first half of the message."""
    said = f"{what}: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(said, hint="make room on the disk; what was recorded before is safe")
    return RawFileError(said, hint=_HINTS.get(error.errno or 0, "look at the disk"))

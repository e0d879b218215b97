"""RAW files as sources: nothing is developed from a file that is not the one in the journal."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from processing.errors import SourceChanged
from rig.records import PairRecord, RawPair


def check_source(path: Path, meta: dict[str, Any]) -> None:
    """Make sure that a RAW file is still, byte by byte, what was recorded.

    Raises:
        SourceChanged: if it is missing, cannot be read, or its hash is not the journal's.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceChanged(f"{path.name} cannot be read: {error.strerror or error}") from error
    if found != meta["sha256"]:
        size, was = path.stat().st_size, meta.get("bytes")
        shorter = f"; {size} of {was} bytes are there" if was is not None and was != size else ""
        raise SourceChanged(
            f"{path.name} is not the file that was recorded: its hash differs from the journal{shorter}",
            hint="damaged or changed; bring it back from a copy",
        )


def check_pair(record: PairRecord) -> None:
    """Make sure that both RAW files of a pair are what was recorded.

    Raises:
        SourceChanged: if one is not.
    """
    check_source(record.path_b, record.meta_b)
    check_source(record.path_s, record.meta_s)


def load_checked(record: PairRecord) -> RawPair:
    """Read both frames of a pair after comparing their hashes with the journal's.

    Raises:
        SourceChanged: if a file is not what was recorded.
        RawFileError: if a file cannot be read as RAW.
    """
    check_pair(record)
    return record.load()


def is_sound(record: PairRecord) -> bool:
    """Tell whether both RAW files of a pair are what was recorded."""
    try:
        check_pair(record)
    except SourceChanged:
        return False
    return True

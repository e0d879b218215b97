"""RAW files: one uncompressed 16-bit DNG a frame, readable by LibRaw, exiftool and RAW editors.

The codes of the sensor are stored unshifted with their true black level and their true saturation code: a
white level that the sensor never reaches turns clipped skies magenta. What DNG has no tag for (which camera
of the rig, the trigger index, the device's own time) lies as JSON in an XMP property of its own namespace.

A file appears under its name only when all its bytes are on the disk: it is written as ``NAME.part``, hashed
on the way, flushed to the disk and renamed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import tifffile

from rig import dng_tags as t
from rig.dng_header import make_header, read_record
from rig.errors import RawFileError
from rig.raw_image import CFA_PATTERNS, RawImage

__all__ = ["CFA_PATTERNS", "RawImage", "WrittenFile", "publish", "read_dng", "stage_dng", "write_dng"]

PART_SUFFIX: Final = ".part"
_CHUNK: Final = 1 << 20
# What tifffile raises when a file is damaged: it parses as it goes and checks little beforehand.
_DAMAGE: Final = (
    tifffile.TiffFileError, OSError, ValueError, KeyError, IndexError, TypeError, AttributeError,
    struct.error, OverflowError, MemoryError, ZeroDivisionError, EOFError, RuntimeError,
)  # fmt: skip


@dataclass(frozen=True)
class WrittenFile:
    """A file on the disk: its path, its length in bytes, and the SHA-256 of its bytes in hexadecimal."""

    path: Path
    bytes: int
    sha256: str


def write_dng(path: str | os.PathLike[str], image: RawImage) -> WrittenFile:
    """Write one frame as DNG; when this returns, the file is on the disk under its name.

    Raises:
        RawFileError: The image cannot be stored without loss, the file is there already, or the disk refused.
    """
    written = stage_dng(path, image)
    publish(written.path)
    return written


def stage_dng(path: str | os.PathLike[str], image: RawImage) -> WrittenFile:
    """Write and flush ``PATH.part``, to be given its name by :func:`publish`; a leftover part is replaced.

    Returns:
        Final path, length and hash of what lies in the part file.

    Raises:
        RawFileError: The image cannot be stored without loss, the file is there already, or the disk refused.
    """
    target = Path(path)
    _refuse_existing(target)
    image.check()
    pixels = np.ascontiguousarray(image.pixels, dtype="<u2")
    payload = memoryview(cast("Any", pixels)).cast("B")
    header = make_header(image)
    digest = hashlib.sha256()
    part = part_path(target)
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            for block in (memoryview(header), payload):
                for start in range(0, len(block), _CHUNK):
                    _write_all(descriptor, block[start : start + _CHUNK], digest)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise RawFileError(f"{part} cannot be written: {error.strerror}", hint="look at the disk") from error
    return WrittenFile(target, len(header) + len(payload), digest.hexdigest())


def publish(*paths: Path) -> None:
    """Give staged files their names, all or none, then flush their folders so that they survive a power cut.

    Raises:
        RawFileError: A part is missing, a name is taken, or the disk refused.
    """
    for path in paths:
        _refuse_existing(path)
    named: list[Path] = []
    try:
        for path in paths:
            part_path(path).rename(path)
            named.append(path)
        for folder in {path.parent for path in paths}:
            sync_folder(folder)
    except OSError as error:
        for path in named:  # all or none: one frame of a pair alone looks like a frame that was kept
            with contextlib.suppress(OSError):
                path.rename(part_path(path))
        raise RawFileError(f"{error.filename or paths} cannot be given its name: {error.strerror}") from error


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


def read_dng(path: str | os.PathLike[str]) -> RawImage:
    """Read a DNG that :func:`write_dng` wrote; every field comes back (colours as TIFF fractions).

    Raises:
        RawFileError: The file is missing, damaged, shorter than it says, or was not written by beamrig.
    """
    target = Path(path)
    try:
        with tifffile.TiffFile(target) as tiff:
            return _read(target, tiff)
    except FileNotFoundError as error:
        raise RawFileError(f"{target} does not exist") from error
    except _DAMAGE as error:
        raise RawFileError(
            f"{target} is no readable DNG: {error}", hint="it is damaged or truncated"
        ) from error


def _read(path: Path, tiff: tifffile.TiffFile) -> RawImage:
    page = cast("tifffile.TiffPage", tiff.pages[0])
    tags = {tag.code: tag.value for tag in page.tags}
    record = read_record(tags.get(t.XMP, b""))
    if t.DNG_VERSION not in tags or record is None:
        raise RawFileError(
            f"{path} was not written by beamrig", hint="only RAW files of a session can be read"
        )
    if page.compression != 1 or page.bitspersample != 16 or tuple(tags[t.CFA_REPEAT_PATTERN_DIM]) != (2, 2):
        raise RawFileError(f"{path} has a layout that beamrig does not write")
    height, width = page.imagelength, page.imagewidth
    offset, length = page.dataoffsets[0], page.databytecounts[0]
    if length != height * width * 2 or offset + length > path.stat().st_size:
        raise RawFileError(f"{path} is shorter than it says", hint="it is truncated; the frame is lost")
    pixels = np.fromfile(path, dtype="<u2", count=height * width, offset=offset).reshape(height, width)
    image = RawImage(
        pixels=pixels.astype(np.uint16, copy=False),
        cfa="".join("RGB"[colour] for colour in bytes(tags[t.CFA_PATTERN])),
        color_matrix=_fractions(tags[t.COLOR_MATRIX_1]),
        as_shot_neutral=_fractions(tags[t.AS_SHOT_NEUTRAL]),
        **record,
    )
    image.check()
    return image


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise RawFileError(f"{path} exists already", hint="RAW files are never overwritten")


def _fractions(values: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(top / bottom for top, bottom in zip(values[::2], values[1::2], strict=True))


def _write_all(descriptor: int, block: memoryview, digest: hashlib._Hash) -> None:
    digest.update(block)
    while block:
        block = block[os.write(descriptor, block) :]

"""RAW files: one uncompressed 16-bit DNG a frame, readable by LibRaw, exiftool and RAW editors.

The codes of the sensor are stored unshifted with their true black level and their true saturation code: a
white level that the sensor never reaches turns clipped skies magenta. What DNG has no tag for (which camera
of the rig, the trigger index, the device's own time) lies as JSON in an XMP property of its own namespace.

A file appears under its name only when all its bytes are on the disk: it is written as ``NAME.part``, hashed
on the way, flushed to the disk and renamed (:mod:`rig.raw_store`). It ends on a whole block of the disk, with
zeros behind the last pixel.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Final, cast

import numpy as np
import tifffile

from rig import dng_tags as t
from rig.dng_header import read_record
from rig.errors import RawFileError
from rig.part_files import WrittenFile
from rig.raw_image import CFA_PATTERNS, RawImage
from rig.raw_store import RawStore

__all__ = ["CFA_PATTERNS", "RawImage", "WrittenFile", "read_dng", "write_dng"]

# What tifffile raises when a file is damaged: it parses as it goes and checks little beforehand.
_DAMAGE: Final = (
    tifffile.TiffFileError, OSError, ValueError, KeyError, IndexError, TypeError, AttributeError,
    struct.error, OverflowError, MemoryError, ZeroDivisionError, EOFError, RuntimeError,
)  # fmt: skip


def write_dng(path: str | os.PathLike[str], image: RawImage) -> WrittenFile:
    """Write one frame as DNG; when this returns, the file is on the disk under its name.

    Raises:
        RawFileError: The image cannot be stored without loss, the file is there already, or the disk refused.
        DiskFull: The disk is full.
    """
    with RawStore() as store:
        return store.commit([store.stage(path, image)])[0]


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


def _fractions(values: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(top / bottom for top, bottom in zip(values[::2], values[1::2], strict=True))

"""TIFF and DNG tags, and a layout of one IFD: the little of TIFF that a camera RAW file needs.

tifffile is used to *read* these files, but not to write them: it has no way to write an EXIF IFD, patches
offsets after the pixels are written (so that no hash can be made on the way to the disk), and does not start
the payload on a page.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

BYTE: Final = 1
ASCII: Final = 2
SHORT: Final = 3
LONG: Final = 4
RATIONAL: Final = 5
UNDEFINED: Final = 7
SRATIONAL: Final = 10

_FORMATS: Final = {
    BYTE: "B",
    ASCII: "B",
    SHORT: "H",
    LONG: "I",
    RATIONAL: "2I",
    UNDEFINED: "B",
    SRATIONAL: "2i",
}
_U32: Final = 0xFFFFFFFF
_I32: Final = 0x7FFFFFFF

# IFD 0
NEW_SUBFILE_TYPE: Final = 254
IMAGE_WIDTH: Final = 256
IMAGE_LENGTH: Final = 257
BITS_PER_SAMPLE: Final = 258
COMPRESSION: Final = 259
PHOTOMETRIC: Final = 262
IMAGE_DESCRIPTION: Final = 270
MAKE: Final = 271
MODEL: Final = 272
STRIP_OFFSETS: Final = 273
ORIENTATION: Final = 274
SAMPLES_PER_PIXEL: Final = 277
ROWS_PER_STRIP: Final = 278
STRIP_BYTE_COUNTS: Final = 279
PLANAR_CONFIGURATION: Final = 284
SOFTWARE: Final = 305
DATE_TIME: Final = 306
XMP: Final = 700
CFA_REPEAT_PATTERN_DIM: Final = 33421
CFA_PATTERN: Final = 33422
EXIF_IFD: Final = 34665
DNG_VERSION: Final = 50706
DNG_BACKWARD_VERSION: Final = 50707
UNIQUE_CAMERA_MODEL: Final = 50708
CFA_PLANE_COLOR: Final = 50710
CFA_LAYOUT: Final = 50711
BLACK_LEVEL_REPEAT_DIM: Final = 50713
BLACK_LEVEL: Final = 50714
WHITE_LEVEL: Final = 50717
DEFAULT_CROP_ORIGIN: Final = 50719
DEFAULT_CROP_SIZE: Final = 50720
COLOR_MATRIX_1: Final = 50721
AS_SHOT_NEUTRAL: Final = 50728
CAMERA_SERIAL_NUMBER: Final = 50735
CALIBRATION_ILLUMINANT_1: Final = 50778
ACTIVE_AREA: Final = 50829

# EXIF IFD
EXPOSURE_TIME: Final = 33434
ISO_SPEED: Final = 34855
EXIF_VERSION: Final = 36864
DATE_TIME_ORIGINAL: Final = 36867
OFFSET_TIME_ORIGINAL: Final = 36881
SUB_SEC_TIME_ORIGINAL: Final = 37521
BODY_SERIAL_NUMBER: Final = 42033

PHOTOMETRIC_CFA: Final = 32803
ILLUMINANT_D65: Final = 21


@dataclass(frozen=True)
class Tag:
    """One TIFF tag: its number, its type, how many values, and the values as little-endian bytes."""

    code: int
    kind: int
    count: int
    payload: bytes


def integers(code: int, kind: int, *values: int) -> Tag:
    """Make a BYTE, SHORT, LONG or UNDEFINED tag of whole numbers.

    Raises:
        struct.error: A value does not fit the type.
    """
    return Tag(code, kind, len(values), struct.pack(f"<{len(values)}{_FORMATS[kind]}", *values))


def text(code: int, value: str) -> Tag:
    """Make an ASCII tag; what is not ASCII becomes a question mark, a NUL ends the text."""
    payload = value.replace("\0", " ").encode("ascii", "replace") + b"\0"
    return Tag(code, ASCII, len(payload), payload)


def raw_bytes(code: int, kind: int, value: bytes) -> Tag:
    """Make a BYTE or UNDEFINED tag that holds ``value`` as it is."""
    return Tag(code, kind, len(value), value)


def rationals(code: int, values: Iterable[float], *, signed: bool = False) -> Tag:
    """Make a RATIONAL or SRATIONAL tag; each value becomes the nearest fraction whose parts fit into 32 bits.

    Raises:
        ValueError: A value is not finite, negative where unsigned, or too large.
    """
    limit = _I32 if signed else _U32
    numbers: list[int] = []
    for value in values:
        fraction = to_rational(value, limit)
        if fraction < 0 and not signed:
            raise ValueError(f"tag {code} cannot hold the negative value {value}")
        numbers += [fraction.numerator, fraction.denominator]
    kind = SRATIONAL if signed else RATIONAL
    return Tag(
        code, kind, len(numbers) // 2, struct.pack(f"<{len(numbers)}{'i' if signed else 'I'}", *numbers)
    )


@lru_cache(maxsize=256)  # the frames of a take have the same levels, colours and exposure
def to_rational(value: float, limit: int = _U32) -> Fraction:
    """Return the fraction nearest to ``value`` with numerator and denominator up to ``limit``.

    Raises:
        ValueError: ``value`` is not finite or its whole part exceeds ``limit``.
    """
    try:
        exact = Fraction(value)
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{value} cannot be written as a fraction") from error
    if abs(exact) > limit:
        raise ValueError(f"{value} is too large for a TIFF rational")
    # A numerator below the limit needs a denominator below limit / value.
    return exact.limit_denominator(max(1, limit // (abs(int(exact)) + 1)))


def ifd_size(tags: Sequence[Tag]) -> int:
    """Return how many bytes :func:`pack_ifd` will make of ``tags``."""
    outside = sum(_even(len(tag.payload)) for tag in tags if len(tag.payload) > 4)
    return 2 + 12 * len(tags) + 4 + outside


def pack_ifd(tags: Sequence[Tag], offset: int) -> bytes:
    """Lay out one IFD that starts at file offset ``offset``: sorted entries, then the longer values."""
    ordered = sorted(tags, key=lambda tag: tag.code)
    entries = [struct.pack("<H", len(ordered))]
    values: list[bytes] = []
    position = offset + 2 + 12 * len(ordered) + 4
    for tag in ordered:
        head = struct.pack("<HHI", tag.code, tag.kind, tag.count)
        if len(tag.payload) <= 4:
            entries.append(head + tag.payload.ljust(4, b"\0"))
            continue
        entries.append(head + struct.pack("<I", position))
        padded = tag.payload.ljust(_even(len(tag.payload)), b"\0")
        values.append(padded)
        position += len(padded)
    return b"".join([*entries, struct.pack("<I", 0), *values])


def _even(length: int) -> int:
    """TIFF values start on even offsets."""
    return length + (length & 1)

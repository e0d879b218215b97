"""What kind of file this is, and whether a TIFF-based RAW file can be what it says: asked before LibRaw is.

LibRaw is generous: it opens headerless data by its size alone, ignores a byte count that does not fit the
picture, and trusts sizes. So the first bytes must be those of a RAW format, and a DNG's own account of its
picture (size, bits, strips or tiles, filter, levels) must add up and lie within the file.
"""

from __future__ import annotations

import math
import stat
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from rig import dng_tags as t
from rig.errors import RawFileError

MAX_MEGAPIXELS: Final = 400
MAX_SIDE: Final = 65_500
_MOST_IFDS: Final = 64
_MOST_ENTRIES: Final = 1024
_MOST_VALUES: Final = 1 << 20

_BITS_SAMPLE_FORMAT: Final = 339
_SUB_IFDS: Final = 330
_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _TILE_BYTE_COUNTS = 322, 323, 324, 325
_BLACK_DELTAS: Final = (50715, 50716)
_LINEAR_RAW: Final = 34892
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_CODES: Final = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I"}

_TIFF: Final = (b"II*\0", b"MM\0*")
_OTHER_RAW: Final = (
    b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FUJIFILMCCD-RAW", b"\0MRM", b"HEAPCCDR", b"FOVb",
)  # fmt: skip
"""Panasonic, Olympus (three), Fujifilm, Minolta, Canon's old CIFF, Sigma."""
_PICTURES: Final = {
    b"\xff\xd8\xff": "a JPEG picture", b"\x89PNG": "a PNG picture", b"GIF8": "a GIF picture",
    b"BM": "a BMP picture", b"II+\0": "a BigTIFF", b"MM\0+": "a BigTIFF", b"%PDF": "a PDF",
    b"PK\3\4": "a ZIP archive",
}  # fmt: skip
_BAYER: Final = {bytes("RGB".index(letter) for letter in order) for order in ("RGGB", "BGGR", "GRBG", "GBRG")}


@dataclass(frozen=True)
class BlackPattern:
    """Black levels of a DNG: (rows, columns) values, repeated from the active area's corner (top, left)."""

    rows: int
    columns: int
    values: tuple[float, ...]
    top: int
    left: int

    def at(self, row: int, column: int) -> float:
        """Return the level of a pixel of the whole sensor."""
        return self.values[(row - self.top) % self.rows * self.columns + (column - self.left) % self.columns]


@dataclass(frozen=True)
class RawKind:
    """What the first look at a RAW file tells.

    Attributes:
        make, model, software: from the file's first directory; empty where it has none.
        dng: it is a DNG.
        black: its black levels; None where it has none or where they change along rows or columns.
    """

    make: str = ""
    model: str = ""
    software: str = ""
    dng: bool = False
    black: BlackPattern | None = None


@dataclass(frozen=True)
class _Ifd:
    """One directory of a TIFF file: tag -> values (whole numbers), fractions, and texts."""

    numbers: dict[int, tuple[int, ...]] = field(default_factory=dict)
    fractions: dict[int, tuple[float, ...]] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)

    def one(self, tag: int, default: int = 0) -> int:
        values = self.numbers.get(tag)
        return values[0] if values else default


def examine(path: Path) -> RawKind:
    """Look at a file before anything is developed from it.

    Raises:
        RawFileError: It is missing, no RAW file, or a DNG whose account of itself does not add up or that
            holds no Bayer picture.
    """
    try:
        status = path.stat()  # before it is opened: opening a pipe would wait for a writer
        if stat.S_ISDIR(status.st_mode):
            raise RawFileError(f"{path} is a folder", hint="name the RAW files in it")
        if not stat.S_ISREG(status.st_mode):
            raise RawFileError(f"{path} is no file")
        with path.open("rb") as file:
            return _examine(path, file, status.st_size)
    except FileNotFoundError as error:
        raise RawFileError(f"{path} does not exist") from error
    except OSError as error:
        raise RawFileError(f"{path} cannot be read: {error.strerror or error}") from error
    except struct.error as error:
        raise RawFileError(f"{path} is no readable RAW file", hint="it is damaged or truncated") from error


def _examine(path: Path, file: BinaryIO, size: int) -> RawKind:
    head = file.read(16)
    if not size:
        raise RawFileError(f"{path} is empty")
    if head[:4] in _TIFF:
        ifds = _directories(path, file, size)
        first = ifds[0]
        dng = any(t.DNG_VERSION in ifd.numbers for ifd in ifds)
        if not dng and not first.texts.get(t.MAKE):
            raise RawFileError(f"{path} is a TIFF picture, not a RAW file", hint="no camera is named in it")
        black = _check_dng(path, ifds, size) if dng else None
        make, model, software = (first.texts.get(tag, "") for tag in (t.MAKE, t.MODEL, t.SOFTWARE))
        return RawKind(make, model, software, dng, black)
    if head.startswith(_OTHER_RAW) or head[4:11] == b"ftypcrx" or head[6:14] == b"HEAPCCDR":
        return RawKind()
    what = next((words for magic, words in _PICTURES.items() if head.startswith(magic)), "")
    raise RawFileError(
        f"{path} is {what}, not a RAW file" if what else f"{path} is no RAW file of a camera",
        hint="a RAW file begins with the mark of its format; headerless data tells neither size nor colours",
    )


def _directories(path: Path, file: BinaryIO, size: int) -> list[_Ifd]:
    """Read the directories of a TIFF file and those below them."""
    file.seek(0)
    order = "<" if file.read(2) == b"II" else ">"
    file.seek(4)
    waiting = [struct.unpack(order + "I", file.read(4))[0]]
    seen: set[int] = set()
    found: list[_Ifd] = []
    while waiting:
        at = waiting.pop(0)
        if at == 0 or at in seen:
            continue
        if at + 2 > size or len(seen) >= _MOST_IFDS:
            raise RawFileError(f"{path} points beyond its end", hint="it is damaged or truncated")
        seen.add(at)
        ifd, following = _directory(path, file, size, at, order)
        found.append(ifd)
        waiting += [*ifd.numbers.get(_SUB_IFDS, ()), following]
    if not found:
        raise RawFileError(f"{path} holds no picture", hint="it is damaged or truncated")
    return found


def _directory(path: Path, file: BinaryIO, size: int, at: int, order: str) -> tuple[_Ifd, int]:
    file.seek(at)
    (entries,) = struct.unpack(order + "H", file.read(2))
    if entries > _MOST_ENTRIES:
        raise RawFileError(f"{path} has a directory of {entries} entries", hint="it is damaged")
    table = file.read(12 * entries + 4)
    ifd = _Ifd()
    for index in range(entries):
        tag, kind, count, value = struct.unpack_from(order + "HHI4s", table, 12 * index)
        length = _SIZES.get(kind, 0) * count
        if not length:
            continue
        if length > 4:
            where = struct.unpack(order + "I", value)[0]
            if where + length > size:
                raise RawFileError(
                    f"{path} is shorter than it says (tag {tag})", hint="it is damaged or truncated"
                )
            if count > _MOST_VALUES or not (kind in _CODES or kind in (t.ASCII, t.RATIONAL, t.SRATIONAL)):
                continue
            file.seek(where)
            value = file.read(length)
        if kind == t.ASCII:
            ifd.texts[tag] = value[:count].split(b"\0")[0].decode("ascii", "replace").strip()
        elif kind in (t.RATIONAL, t.SRATIONAL):
            parts = struct.unpack_from(f"{order}{2 * count}{'I' if kind == t.RATIONAL else 'i'}", value)
            ifd.fractions[tag] = tuple(
                top / bottom if bottom else math.nan
                for top, bottom in zip(parts[::2], parts[1::2], strict=True)
            )
        elif kind in _CODES:
            ifd.numbers[tag] = struct.unpack_from(f"{order}{count}{_CODES[kind]}", value)
    following = struct.unpack_from(order + "I", table, 12 * entries)[0] if len(table) % 12 == 4 else 0
    return ifd, following


def _check_dng(path: Path, ifds: Sequence[_Ifd], size: int) -> BlackPattern | None:
    """Check the main picture of a DNG and return its black levels."""
    mains = [ifd for ifd in ifds if t.IMAGE_WIDTH in ifd.numbers and not ifd.one(t.NEW_SUBFILE_TYPE) & 1]
    if not mains:
        raise RawFileError(f"{path} holds no full-size picture", hint="it is damaged")
    main = max(mains, key=lambda ifd: ifd.one(t.IMAGE_WIDTH) * ifd.one(t.IMAGE_LENGTH))
    _check_filter(path, main)
    width, height = main.one(t.IMAGE_WIDTH), main.one(t.IMAGE_LENGTH)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_MEGAPIXELS * 1e6):
        raise RawFileError(
            f"{path} claims to be {width}x{height} pixels", hint="no sensor is; it is damaged or made up"
        )
    top, left, bottom, right = main.numbers.get(t.ACTIVE_AREA, (0, 0, height, width))[:4]
    if not (0 <= top < bottom <= height and 0 <= left < right <= width):
        raise RawFileError(f"{path} has an active area outside its {width}x{height} pixels")
    _check_pixels(path, main, size, width, height)
    return _black_pattern(path, main, top, left)


def _black_pattern(path: Path, main: _Ifd, top: int, left: int) -> BlackPattern | None:
    """Return the black levels of a DNG's main picture."""
    values = main.fractions.get(t.BLACK_LEVEL) or main.numbers.get(t.BLACK_LEVEL)
    if values is None or any(tag in main.fractions for tag in _BLACK_DELTAS):
        return None
    rows, columns = (*main.numbers.get(t.BLACK_LEVEL_REPEAT_DIM, (1, 1)), 0)[:2]
    if rows not in (1, 2) or columns not in (1, 2) or len(values) != rows * columns:
        raise RawFileError(f"{path} has {len(values)} black levels in a pattern of {columns}x{rows}")
    return BlackPattern(rows, columns, tuple(float(value) for value in values), top, left)


def _check_filter(path: Path, main: _Ifd) -> None:
    """Make sure that the picture is a Bayer mosaic of whole codes."""
    photometric = main.one(t.PHOTOMETRIC)
    if photometric == _LINEAR_RAW:
        raise RawFileError(
            f"{path} is a linear DNG: it was demosaiced already", hint="take the camera's own RAW"
        )
    if photometric != t.PHOTOMETRIC_CFA:
        raise RawFileError(f"{path} is monochrome or no mosaic", hint="a Bayer colour filter is needed")
    dim = main.numbers.get(t.CFA_REPEAT_PATTERN_DIM, ())
    if tuple(dim) != (2, 2) or bytes(main.numbers.get(t.CFA_PATTERN, ())) not in _BAYER:
        size = "x".join(str(side) for side in dim) or "unknown"
        raise RawFileError(f"{path} has a {size} colour filter that is no Bayer pattern")
    bits = main.one(t.BITS_PER_SAMPLE)
    if bits <= 8:
        raise RawFileError(
            f"{path} holds {bits} bits a pixel", hint="a RAW file has more than 8; this one was reduced"
        )
    if bits > 16 or main.one(_BITS_SAMPLE_FORMAT, 1) != 1:
        raise RawFileError(f"{path} holds {bits} bits a pixel that are no whole codes of 9 to 16 bits")


def _check_pixels(path: Path, main: _Ifd, size: int, width: int, height: int) -> None:
    """Make sure that strips or tiles lie within the file and, uncompressed, hold as much as the size says."""
    tiled = _TILE_OFFSETS in main.numbers
    tags = (_TILE_OFFSETS, _TILE_BYTE_COUNTS) if tiled else (t.STRIP_OFFSETS, t.STRIP_BYTE_COUNTS)
    offsets, counts = (main.numbers.get(tag, ()) for tag in tags)
    if not offsets or len(offsets) != len(counts):
        raise RawFileError(f"{path} does not say where its pixels are", hint="it is damaged")
    if any(at + length > size for at, length in zip(offsets, counts, strict=True)):
        raise RawFileError(f"{path} is shorter than it says", hint="it is truncated")
    if main.one(t.COMPRESSION, 1) != 1:
        return
    bits = main.one(t.BITS_PER_SAMPLE)
    if tiled:
        across, down = main.one(_TILE_WIDTH), main.one(_TILE_LENGTH)
        needed = -(-across * bits // 8) * down * len(offsets)
        enough = across > 0 and down > 0 and -(-width // across) * -(-height // down) == len(offsets)
    else:
        needed, enough = -(-width * bits // 8) * height, True
    if not (enough and sum(counts) == needed):
        raise RawFileError(
            f"{path} has {sum(counts)} bytes of pixels, {width}x{height} of {bits} bits need {needed}",
            hint="its size or its byte count is wrong",
        )

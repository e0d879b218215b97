"""Checks of single files of a data set: what a PNG must be for the published loader."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing.image_files import decode_image

ROWS: Final = 1436
COLUMNS: Final = 2152
PAD: Final = 4
PATCH: Final = 256
MOST_PIXELS: Final = 64_000_000
"""Larger pictures are not opened: no camera here makes them, and some kilobytes can become gigabytes."""
_COLOURS: Final = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}


@dataclass(frozen=True)
class PngHead:
    """Facts from a PNG's header: size, bits a sample, colour type."""

    width: int
    height: int
    bits: int
    colour: int

    @property
    def too_large(self) -> bool:
        """Whether it claims more pixels than are opened."""
        return self.width * self.height > MOST_PIXELS

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height)."""
        return self.width, self.height


def png_head(path: Path) -> PngHead | None:
    """Return what a PNG's header says; None if the file is none."""
    with path.open("rb") as file:
        start = file.read(26)
    if len(start) < 26 or start[:8] != b"\x89PNG\r\n\x1a\n" or start[12:16] != b"IHDR":
        return None
    return PngHead(*struct.unpack(">IIBB", start[16:26]))


def wrong_with_head(head: PngHead, *, is_mask: bool) -> Iterator[str]:
    """Yield what the loader would stumble over in a file of this header."""
    if head.bits != 8:
        yield f"has {head.bits} bits a sample; the loader reads 8"
    if head.colour not in ((0, 2) if is_mask else (2,)):
        wanted = "grey" if is_mask else "RGB"
        yield f"is {_COLOURS.get(head.colour, 'of unknown colour')}, not {wanted}"
    if head.too_large:
        yield f"claims to be {head.width}x{head.height}: too large to be opened"
        return
    if is_mask:
        return
    size = f"is {head.width}x{head.height}"
    if head.width > COLUMNS or head.height > ROWS:
        yield f"{size}: the loader cuts its mask, but not the image, to {COLUMNS}x{ROWS}"
    if head.width % PAD or head.height % PAD:
        yield f"{size}: sides must be multiples of {PAD}"
    if min(head.size) <= PATCH:
        yield f"{size}: no patch of {PATCH} fits in"


def decode(path: Path) -> NDArray[Any] | None:
    """Return the pixels of a PNG that is whole; None for one that is cut off, damaged, or too large."""
    head = png_head(path)
    if head is None or head.too_large:
        return None
    data = path.read_bytes()
    if not data.endswith(b"IEND\xaeB`\x82"):
        return None
    return decode_image(data)


def wrong_with_mask(mask: NDArray[np.uint8]) -> tuple[bool, str]:
    """Return whether a mask must be put right, and what is odd about it; an empty text when nothing is."""
    values = np.flatnonzero(np.bincount(mask.ravel(), minlength=256)).tolist()
    if values == [0]:
        return False, "marks nothing"
    if set(values) <= {0, 1}:
        return True, "holds 0 and 1; training looks at its blur only from 5 % of the area on"
    if not set(values) <= {0, 255}:
        return True, f"holds {len(values)} values, not just 0 and 255"
    return False, ""

"""PNG files of photographs at five times the usual speed, and no larger (``png.c``, through ctypes).

Sensor noise repeats nothing, so looking for repeats, as other encoders do, only takes time. ctypes releases
Python's lock during the call.
"""

from __future__ import annotations

import ctypes
import struct
import zlib
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing.errors import ProcessingError
from rig.native import open_library

LIBRARY: Final = Path(__file__).parents[1] / "beamrig_png.so"
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES: Final = {1: 0, 3: 2}
"""Channels to PNG's own number of grey and RGB."""


@cache
def _library() -> ctypes.CDLL:
    library = open_library(LIBRARY, ProcessingError)
    size, place = ctypes.c_size_t, ctypes.c_void_p
    library.br_png_room.argtypes, library.br_png_room.restype = [size, size], size
    library.br_png_deflate.argtypes = [place, size, size, size, ctypes.c_int, place, size]
    library.br_png_deflate.restype = size
    return library


def encode_png(image: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """Encode an (H, W) grey or (H, W, 3) RGB image of 8 or 16 bits; the same image gives the same bytes.

    Raises:
        ProcessingError: for another shape or dtype, or if the library was not built.
    """
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.ndim not in (2, 3) or channels not in _COLOUR_TYPES or not image.size:
        raise ProcessingError(f"an array of shape {image.shape} is no PNG image")
    if image.dtype not in (np.uint8, np.uint16):
        raise ProcessingError(f"a PNG image has 8 or 16 bits, not {image.dtype}")
    pixels = np.ascontiguousarray(image)
    height, width = pixels.shape[:2]
    bits = 8 * pixels.itemsize
    head = struct.pack(">IIBBBBB", width, height, bits, _COLOUR_TYPES[channels], 0, 0, 0)
    data = _deflated(pixels, width * channels * pixels.itemsize, channels * pixels.itemsize)
    return b"".join((_SIGNATURE, *_chunk(b"IHDR", head), *_chunk(b"IDAT", data), *_chunk(b"IEND", b"")))


def _deflated(pixels: NDArray[Any], row_bytes: int, pixel_bytes: int) -> memoryview:
    library = _library()
    room = library.br_png_room(len(pixels), row_bytes)
    out = np.empty(room, np.uint8)
    used = library.br_png_deflate(
        pixels.ctypes.data, len(pixels), row_bytes, pixel_bytes, pixels.itemsize, out.ctypes.data, room
    )
    if not used:
        raise ProcessingError("too little memory to encode an image")
    return out[:used].data


def _chunk(name: bytes, data: bytes | memoryview) -> tuple[bytes | memoryview, ...]:
    """Return a chunk of a PNG file in parts: length, name, data, check sum."""
    check = zlib.crc32(data, zlib.crc32(name))
    return struct.pack(">I", len(data)) + name, data, struct.pack(">I", check)

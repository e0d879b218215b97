"""Packed RAW pixels to codes of 16 bits at about the speed of a memory copy (``unpack.c``, through ctypes).

ctypes releases Python's lock during the call, so the other threads of a camera's host process go on.
"""

from __future__ import annotations

import ctypes
from enum import IntEnum
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rig.camera.errors import BadFrame
from rig.errors import DeviceError
from rig.native import open_library

LIBRARY = Path(__file__).parents[1] / "beamrig_unpack.so"

_NO_LAYOUT, _SHORT, _BITS_LOST = -1, -2, -3


class Layout(IntEnum):
    """How codes lie in a buffer; the numbers are those of ``unpack.h``.

    `LSB_16`, `MSB_16`: two bytes a code, the least or the most significant one first. `P10`, `P12`, `P14`:
    PFNC `p`, without gaps, least significant bit first. `PACKED_10`, `PACKED_12`: GigE Vision 1.x, two codes
    in three bytes, their low bits in the middle one.
    """

    LSB_16 = 0
    MSB_16 = 1
    P10 = 2
    P12 = 3
    P14 = 4
    PACKED_10 = 5
    PACKED_12 = 6


@cache
def _library() -> ctypes.CDLL:
    library = open_library(LIBRARY, DeviceError)
    library.br_unpack_bytes.argtypes = [ctypes.c_int, ctypes.c_size_t]
    library.br_unpack_bytes.restype = ctypes.c_size_t
    size = ctypes.c_size_t
    for name in ("br_unpack", "br_unpack_base"):
        function = getattr(library, name)
        function.argtypes = [
            *(ctypes.c_int, ctypes.c_void_p, size, size, size, size, ctypes.c_int, ctypes.c_void_p)
        ]
        function.restype = ctypes.c_int
    return library


def unpack(
    source: npt.NDArray[np.uint8],
    layout: Layout,
    target: npt.NDArray[np.uint16],
    *,
    stride: int = 0,
    shift: int = 0,
    vectors: bool = True,
) -> None:
    """Write the codes of a frame, in one pass and without reading or writing a byte too many.

    Args:
        source: (N,) contiguous bytes, the first of the image at 0.
        layout: Of the codes in them.
        target: (H, W) or (H, W, C), contiguous; receives the codes.
        stride: Bytes from one row to the next; 0 where rows follow each other without a gap. A row may
            then start in the middle of a byte, as PFNC and GigE Vision have it.
        shift: Bits by which codes are shifted down.
        vectors: False takes the way of a machine without byte shuffles (for tests).

    Raises:
        BadFrame: `source` is too short for the image, or a bit that the shift would drop is set.
        DeviceError: The library was not built, or arrays that it cannot take.
    """
    if target.dtype != np.uint16 or source.dtype != np.uint8:
        raise DeviceError(f"{source.dtype} cannot be unpacked into {target.dtype}")
    if not (target.flags.c_contiguous and source.flags.c_contiguous and target.flags.writeable):
        raise DeviceError("frames are unpacked between contiguous arrays only")
    height = target.shape[0]
    width = target.size // height if height else 0
    function = _library().br_unpack if vectors else _library().br_unpack_base
    result = function(
        int(layout), source.ctypes.data, source.size, stride, height, width, shift, target.ctypes.data
    )
    if result == _SHORT:
        row = packed_bytes(layout, width)
        needed = packed_bytes(layout, target.size) if stride == 0 else (height - 1) * stride + row
        raise BadFrame(
            f"{height} rows of {width} {layout.name} codes need {max(needed, row)} bytes,"
            f" the buffer holds {source.size}" + (f" in rows of {stride}" if stride else ""),
            hint="the producer is wrong about its own payload; report it to the camera's maker",
        )
    if result == _BITS_LOST:
        raise BadFrame(
            f"codes have bits among the lowest {shift}, which a shift down would drop",
            hint="significant_bits or msb_aligned of the camera's profile do not fit its pixel format",
        )
    if result == _NO_LAYOUT:
        raise DeviceError(f"a shift by {shift} bits makes no sense")


def packed_bytes(layout: Layout, codes: int) -> int:
    """Return the bytes that so many codes take when they follow each other."""
    return int(_library().br_unpack_bytes(int(layout), codes))

"""Pixel layouts: from the bytes of a producer's buffer to unpacked codes, copied once.

PFNC is the GenICam pixel format naming convention: the 32-bit value of a format holds its bits a pixel in
bits 16..23, and its name tells how they are packed (`p`: LSB first without gaps, `Packed`: GigE Vision 1.x).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rig.camera.errors import UnsupportedFormat
from rig.camera.types import Pixels

Sink = Callable[[tuple[int, ...], np.dtype[Any]], Pixels | None]
"""Gives the array that a frame is to be written into, or None when there is no room for it."""

_NAME = re.compile(r"^(?P<family>[A-Za-z]+?)(?P<bits>8|10|12|14|16)(?P<packing>p|Packed)?$")
_CHANNELS = {"RGB": 3, "BGR": 3, "RGBa": 4, "BGRa": 4}


@dataclass(frozen=True)
class PixelLayout:
    """How a pixel format lies in memory.

    Attributes:
        name: PFNC name.
        bits: Significant bits of one code.
        bits_per_pixel: Bits that one pixel takes in the buffer, all channels and gaps included.
        channels: 1 for Mono and Bayer.
        packed: Codes share bytes.
    """

    name: str
    bits: int
    bits_per_pixel: int
    channels: int
    packed: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the unpacked codes: uint8 up to 8 bits, else uint16."""
        return np.dtype(np.uint8 if self.bits <= 8 else np.uint16)

    def shape(self, height: int, width: int) -> tuple[int, ...]:
        """Shape of the unpacked image."""
        return (height, width) if self.channels == 1 else (height, width, self.channels)


def layout_of(pfnc: int) -> PixelLayout:
    """Look up a pixel format by its PFNC value.

    Raises:
        UnsupportedFormat: unknown value, or a format that is no array of unsigned integer codes.
    """
    from harvesters.util.pfnc import symbolics

    name = str(symbolics.get(pfnc, ""))
    match = _NAME.match(name)
    family = match["family"] if match else ""
    if match is None or not (family == "Mono" or family.startswith("Bayer") or family in _CHANNELS):
        raise UnsupportedFormat(
            f"pixel format {name or hex(pfnc)} cannot be read",
            hint="choose a Mono, Bayer or RGB format of 8 to 16 bits in the camera's profile",
        )
    return PixelLayout(
        name=name,
        bits=int(match["bits"]),
        bits_per_pixel=(pfnc >> 16) & 0xFF,
        channels=_CHANNELS.get(family, 1),
        packed=match["packing"] is not None,
    )


def copy_codes(
    buffer: bytes,
    layout: PixelLayout,
    *,
    height: int,
    width: int,
    offset: int,
    padding_x: int,
    big_endian: bool,
    shift: int,
    sink: Sink,
) -> Pixels | None:
    """Copy a frame out of a producer's buffer as unpacked codes.

    Args:
        buffer: The producer's whole buffer; it may be reused once this returns.
        layout: Of the pixels.
        height: Rows.
        width: Columns.
        offset: First byte of the image in the buffer.
        padding_x: Bytes after each row that belong to no pixel.
        big_endian: Byte order of unpacked 16-bit codes.
        shift: Bits by which codes are shifted down (cameras that align to the most significant bit).
        sink: Where to write.

    Returns:
        The sink's array, uint8 or uint16 (H, W) or (H, W, C); None when the sink has no room.

    Raises:
        UnsupportedFormat: the buffer is smaller than its image, or a layout that cannot be decoded.
    """
    row_bits = width * layout.bits_per_pixel
    stride = -(-row_bits // 8) + padding_x
    tight = padding_x == 0
    size = -(-row_bits * height // 8) if tight else stride * height
    if offset + size > len(buffer):
        raise UnsupportedFormat(
            f"{width}x{height} {layout.name} needs {size} bytes, the buffer holds {len(buffer) - offset}",
            hint="the producer is wrong about its own payload; report it to the camera's maker",
        )
    raw = np.frombuffer(buffer, np.uint8, size, offset)
    target = sink(layout.shape(height, width), layout.dtype)
    if target is None:
        return None
    codes: npt.NDArray[Any]
    if layout.packed:
        codes = _unpack(
            raw if tight else _rows(raw, height, stride, row_bits, layout), layout, height * width
        )
    else:
        rows = raw if tight else raw.reshape(height, stride)[:, : stride - padding_x]
        codes = rows.view(layout.dtype.newbyteorder(">") if big_endian else layout.dtype)
    codes = codes.reshape(target.shape)
    if shift > 0:
        np.right_shift(codes, shift, out=target, casting="unsafe")
    else:
        np.copyto(target, codes, casting="unsafe")
    return target


def _rows(
    raw: npt.NDArray[np.uint8], height: int, stride: int, row_bits: int, layout: PixelLayout
) -> npt.NDArray[np.uint8]:
    if row_bits % 8:
        raise UnsupportedFormat(f"{layout.name} with padded rows of {row_bits} bits cannot be decoded")
    return np.ascontiguousarray(raw.reshape(height, stride)[:, : row_bits // 8]).reshape(-1)


def _unpack(raw: npt.NDArray[np.uint8], layout: PixelLayout, pixels: int) -> npt.NDArray[np.uint16]:
    """Unpack with harvesters' tables; a last group that is not full is completed with zero bytes."""
    from harvesters.util.pfnc import Dictionary

    decoder = Dictionary.get_proxy(symbolic=layout.name)
    if decoder is None:
        raise UnsupportedFormat(
            f"packed pixel format {layout.name} cannot be read",
            hint="choose the unpacked format of that depth",
        )
    missing = -raw.size % 15  # a multiple of every group size in use: 3 and 5 bytes
    padded = np.concatenate([raw, np.zeros(missing, np.uint8)]) if missing else raw
    codes: npt.NDArray[np.uint16] = np.asarray(decoder.expand(padded)).astype(np.uint16, copy=False)
    return codes[: pixels * layout.channels]

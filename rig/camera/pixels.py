"""Pixel layouts: from the bytes of a producer's buffer to unpacked codes, copied once.

PFNC is the GenICam pixel format naming convention: the 32-bit value of a format holds its bits a pixel in
bits 16..23, and its name tells how they are packed (`p`: LSB first without gaps, `Packed`: GigE Vision 1.x).
Both standards let the rows of a packed image follow each other without a gap unless there is line padding, so
that the second row of an odd width starts in the middle of a byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from rig.camera.errors import BadFrame, UnsupportedFormat
from rig.camera.types import Pixels
from rig.camera.unpack import Layout, unpack

Sink = Callable[[tuple[int, ...], np.dtype[Any]], Pixels | None]
"""Gives the array that a frame is to be written into, or None when there is no room for it."""

_NAME = re.compile(r"^(?P<family>[A-Za-z]+?)(?P<bits>8|10|12|14|16)(?P<packing>p|Packed)?$")
_CHANNELS = {"RGB": 3, "BGR": 3, "RGBa": 4, "BGRa": 4}
_LAYOUTS = {
    ("p", 10): Layout.P10,
    ("p", 12): Layout.P12,
    ("p", 14): Layout.P14,
    ("Packed", 10): Layout.PACKED_10,
    ("Packed", 12): Layout.PACKED_12,
}
_YOUNGER_NAMES = {
    0x01100109: "BayerGR14", 0x0110010A: "BayerRG14", 0x0110010B: "BayerGB14", 0x0110010C: "BayerBG14",
    0x010E0104: "Mono14p", 0x010E0105: "BayerGR14p", 0x010E0106: "BayerRG14p",
    0x010E0107: "BayerGB14p", 0x010E0108: "BayerBG14p",
}  # fmt: skip
"""Formats of PFNC that harvesters' table lacks."""


@dataclass(frozen=True)
class PixelLayout:
    """How a pixel format lies in memory.

    Attributes:
        name: PFNC name.
        bits: Significant bits of one code.
        bits_per_pixel: Bits that one pixel takes in the buffer, all channels and gaps included.
        channels: 1 for Mono and Bayer.
        packing: How codes share bytes; None when each has bytes of its own.
    """

    name: str
    bits: int
    bits_per_pixel: int
    channels: int
    packing: Layout | None

    @property
    def container_bits(self) -> int:
        """Bits among which a code may sit at the top or at the bottom."""
        return self.bits if self.packing is not None else 8 * self.dtype.itemsize

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the unpacked codes: uint8 up to 8 bits, else uint16."""
        return np.dtype(np.uint8 if self.bits <= 8 else np.uint16)

    def shape(self, height: int, width: int) -> tuple[int, ...]:
        """Shape of the unpacked image."""
        return (height, width) if self.channels == 1 else (height, width, self.channels)


@cache
def layout_of(pfnc: int) -> PixelLayout:
    """Look up a pixel format by its PFNC value.

    Raises:
        UnsupportedFormat: unknown value, or a format that is no array of unsigned integer codes.
    """
    from harvesters.util.pfnc import symbolics

    name = str(symbolics.get(pfnc, _YOUNGER_NAMES.get(pfnc, "")))
    match = _NAME.match(name)
    family = match["family"] if match else ""
    if match is None or not (family == "Mono" or family.startswith("Bayer") or family in _CHANNELS):
        raise _unsupported(name or hex(pfnc))
    bits, channels = int(match["bits"]), _CHANNELS.get(family, 1)
    packing = _LAYOUTS.get((match["packing"] or "", bits))
    spent = {None: 8 if bits == 8 else 16, "p": bits, "Packed": 12}[match["packing"]]
    if (match["packing"] and packing is None) or (pfnc >> 16) & 0xFF != channels * spent:
        raise _unsupported(name)
    return PixelLayout(name, bits, channels * spent, channels, packing)


def _unsupported(name: str) -> UnsupportedFormat:
    return UnsupportedFormat(
        f"pixel format {name} cannot be read",
        hint="choose a Mono, Bayer or RGB format of 8 to 16 bits in the camera's profile",
    )


def alignment(layout: PixelLayout, significant_bits: int, msb_aligned: bool) -> tuple[int, int]:
    """Return the bits of a code that carry information, and by how many the codes are shifted down.

    Args:
        layout: What the camera sends.
        significant_bits: As the profile says; 0 takes all bits of the format.
        msb_aligned: Codes sit at the top of their 16 bits (of their packed bits in a packed format).
    """
    bits = min(significant_bits or layout.bits, layout.bits)
    return bits, layout.container_bits - bits if msb_aligned else 0


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
    filled: int | None = None,
) -> Pixels | None:
    """Copy a frame out of a producer's buffer as unpacked codes, in one pass.

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
        filled: Bytes that the producer wrote into the buffer, None when it does not say.

    Returns:
        The sink's array, uint8 or uint16 (H, W) or (H, W, C); None when the sink has no room.

    Raises:
        BadFrame: the buffer holds less than the image, or codes with bits that the shift would drop.
    """
    row_bytes = -(-width * layout.bits_per_pixel // 8)
    stride = row_bytes + padding_x if padding_x else 0
    size = (height - 1) * stride + row_bytes if stride else -(-width * height * layout.bits_per_pixel // 8)
    there = (len(buffer) if filled is None else min(filled, len(buffer))) - offset
    if size > there or offset < 0 or padding_x < 0:
        raise BadFrame(
            f"{width}x{height} {layout.name} needs {size} bytes, the buffer holds {max(there, 0)}",
            hint="the producer is wrong about its own payload; report it to the camera's maker",
        )
    raw = np.frombuffer(buffer, np.uint8, size, offset)
    target = sink(layout.shape(height, width), layout.dtype)
    if target is None:
        return None
    if layout.dtype == np.uint8:
        _copy_bytes(raw, target, stride)
    else:
        wide: npt.NDArray[np.uint16] = target.view(np.uint16)
        plain = Layout.MSB_16 if big_endian else Layout.LSB_16
        unpack(raw, layout.packing or plain, wide, stride=stride, shift=shift)
    return target


def _copy_bytes(raw: npt.NDArray[np.uint8], target: Pixels, stride: int) -> None:
    rows = target.reshape(target.shape[0], -1)
    pitch = stride or rows.shape[1]
    np.copyto(rows, np.lib.stride_tricks.as_strided(raw, rows.shape, (pitch, 1), writeable=False))

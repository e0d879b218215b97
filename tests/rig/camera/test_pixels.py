"""Unpacking against an independent reference: the bits of the PFNC standard, one by one in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.camera.errors import BadFrame, UnsupportedFormat
from rig.camera.pixels import alignment, copy_codes, layout_of
from rig.camera.unpack import Layout

PFNC = {
    "BayerRG8": 0x01080009,
    "BayerRG12": 0x01100011,
    "BayerRG16": 0x0110002F,
    "BayerRG10p": 0x010A0058,
    "BayerRG12p": 0x010C0059,
    "BayerRG12Packed": 0x010C002B,
    "RGBa8": 0x02200016,
}


def pack_lsb_first(codes: list[int], bits: int) -> bytes:
    """PFNC `p`: codes follow each other without gaps, least significant bit first, over all rows."""
    number = sum(code << (index * bits) for index, code in enumerate(codes))
    return number.to_bytes(-(-len(codes) * bits // 8), "little")


def pack_gige_12(codes: list[int]) -> bytes:
    """GigE Vision 12Packed: high byte of p0, both low nibbles (p0's below), high byte of p1."""
    out = bytearray()
    for first, second in zip(codes[::2], [*codes[1::2], 0], strict=False):
        out += bytes([first >> 4, (second & 15) << 4 | (first & 15), second >> 4])
    return bytes(out[: -(-len(codes) * 12 // 8)])


def decode(name: str, buffer: bytes, height: int, width: int, **options: int | bool) -> np.ndarray:
    settings_ = {"offset": 0, "padding_x": 0, "big_endian": False, "shift": 0, **options}
    layout = layout_of(PFNC[name])
    found = copy_codes(buffer, layout, height=height, width=width, sink=np.empty, **settings_)
    assert found is not None
    return found


@pytest.mark.parametrize(("name", "bits"), [("BayerRG10p", 10), ("BayerRG12p", 12), ("BayerRG12Packed", 12)])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_packed_codes_come_out_as_the_standard_says_for_every_size(
    name: str, bits: int, data: st.DataObject
) -> None:
    height, width = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 17))
    size = height * width
    codes = data.draw(st.lists(st.integers(0, 2**bits - 1), min_size=size, max_size=size))
    packed = pack_gige_12(codes) if name.endswith("Packed") else pack_lsb_first(codes, bits)
    found = decode(name, packed + b"\xff" * 9, height, width)
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, np.reshape(codes, (height, width)))


@given(
    codes=st.lists(st.integers(0, 4095), min_size=12, max_size=12),
    padding=st.integers(0, 5),
    offset=st.integers(0, 3),
    big=st.booleans(),
)
def test_unpacked_codes_survive_padding_offset_and_byte_order(
    codes: list[int], padding: int, offset: int, big: bool
) -> None:
    rows = np.reshape(codes, (3, 4)).astype(">u2" if big else "<u2")
    buffer = b"\xaa" * offset + b"".join(row.tobytes() + b"\xee" * padding for row in rows)
    found = decode("BayerRG12", buffer, 3, 4, padding_x=padding, offset=offset, big_endian=big)
    np.testing.assert_array_equal(found, np.reshape(codes, (3, 4)))


def test_codes_at_the_top_of_their_16_bits_are_shifted_down() -> None:
    codes = np.array([[1, 4095], [2048, 64]], np.uint16)
    found = decode("BayerRG16", (codes << 4).tobytes(), 2, 2, shift=4)
    np.testing.assert_array_equal(found, codes)


def test_a_colour_camera_gives_channels() -> None:
    assert decode("RGBa8", bytes(range(24)), 2, 3)[1, 2].tolist() == [20, 21, 22, 23]


def test_a_buffer_smaller_than_its_image_is_an_error_and_not_a_crash() -> None:
    with pytest.raises(BadFrame, match="needs 8 bytes"):
        decode("BayerRG12", bytes(7), 2, 2)


@pytest.mark.parametrize("pfnc", [0, 0x12345678, 0x022000C2, 0x82200001])
def test_a_format_that_is_no_image_of_codes_is_refused_by_name_or_number(pfnc: int) -> None:
    with pytest.raises(UnsupportedFormat, match="cannot be read"):
        layout_of(pfnc)


def test_a_frame_without_room_is_not_copied() -> None:
    layout = layout_of(PFNC["BayerRG8"])
    options = {"offset": 0, "padding_x": 0, "big_endian": False, "shift": 0}
    assert copy_codes(bytes(4), layout, height=2, width=2, sink=lambda shape, dtype: None, **options) is None


@pytest.mark.parametrize(
    ("pfnc", "significant_bits", "msb_aligned", "expected"),
    [
        (0x01100011, 0, False, (12, 0)),  # BayerRG12: the format's own bits
        (0x01100011, 12, True, (12, 4)),  # of a camera that aligns them to the top of 16
        (0x0110002F, 12, True, (12, 4)),  # BayerRG16 with 12 bits at the top
        (0x0110002F, 12, False, (12, 0)),  # and at the bottom
        (0x010C0059, 12, True, (12, 0)),  # BayerRG12p: packed codes have no room above or below
        (0x010C0059, 10, True, (10, 2)),  # but a sensor of 10 bits may fill the upper ones
        (0x01080009, 12, True, (8, 0)),  # BayerRG8 never has the 12 bits of the profile
    ],
)
def test_significant_bits_and_alignment_count_within_what_the_format_holds(
    pfnc: int, significant_bits: int, msb_aligned: bool, expected: tuple[int, int]
) -> None:
    assert alignment(layout_of(pfnc), significant_bits, msb_aligned) == expected


def test_formats_of_14_bit_are_known_by_their_younger_numbers() -> None:
    packed, plain = layout_of(0x010E0106), layout_of(0x0110010A)
    assert (packed.name, packed.bits_per_pixel, packed.packing) == ("BayerRG14p", 14, Layout.P14)
    assert (plain.name, plain.bits_per_pixel, plain.packing) == ("BayerRG14", 16, None)


def test_what_the_producer_filled_counts_and_not_the_size_of_its_buffer() -> None:
    with pytest.raises(BadFrame, match="needs 8 bytes, the buffer holds 6"):
        decode("BayerRG12", bytes(100), 2, 2, filled=6)
    assert decode("BayerRG12", bytes(100), 2, 2, filled=8).shape == (2, 2)

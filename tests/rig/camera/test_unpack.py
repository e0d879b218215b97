"""Unpackers against codes packed by hand, a bit reader in plain Python, and harvesters' own decoding."""

from __future__ import annotations

import numpy as np
import pytest
from harvesters.util.pfnc import Dictionary
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.camera.errors import BadFrame
from rig.camera.unpack import Layout, packed_bytes, unpack
from rig.errors import DeviceError

P = (Layout.P10, Layout.P12, Layout.P14)
BITS = {
    Layout.LSB_16: 16, Layout.MSB_16: 16, Layout.P10: 10, Layout.P12: 12, Layout.P14: 14,
    Layout.PACKED_10: 10, Layout.PACKED_12: 12,
}  # fmt: skip

# Worked out on paper from the bit positions in the PFNC and in GigE Vision 2.0 (pixel layouts of version 1):
# 10p   p0[7:0] | p1[5:0] p0[9:8] | p2[3:0] p1[9:6] | p3[1:0] p2[9:4] | p3[9:2]
# 12p   p0[7:0] | p1[3:0] p0[11:8] | p1[11:4]
# 14p   p0[7:0] | p1[1:0] p0[13:8] | p1[9:2] | p2[3:0] p1[13:10] | p2[11:4] | p3[5:0] p2[13:12] | p3[13:6]
# 10Packed   p0[9:2] | -- p1[1:0] -- p0[1:0] | p1[9:2]        12Packed   p0[11:4] | p1[3:0] p0[3:0] | p1[11:4]
GOLDEN = [
    (Layout.P10, "01 08 30 00 01", [0x001, 0x002, 0x003, 0x004]),
    (Layout.P10, "FF 03 F0 3F 00", [0x3FF, 0x000, 0x3FF, 0x000]),
    (Layout.P10, "A5 6A 35 0F C7", [0x2A5, 0x15A, 0x0F3, 0x31C]),
    (Layout.P12, "BC 3A 12", [0xABC, 0x123]),
    (Layout.P12, "01 00 80", [0x001, 0x800]),
    (Layout.P14, "FF 3F 00 F0 FF 03 00", [0x3FFF, 0x0000, 0x3FFF, 0x0000]),
    (Layout.P14, "34 12 AF FA F0 04 C0", [0x1234, 0x2ABC, 0x0F0F, 0x3001]),
    (Layout.PACKED_10, "A9 21 56", [0x2A5, 0x15A]),
    (Layout.PACKED_10, "FF 03 00", [0x3FF, 0x000]),
    (Layout.PACKED_10, "00 30 FF", [0x000, 0x3FF]),
    (Layout.PACKED_10, "A9 ED 56", [0x2A5, 0x15A]),  # bits 2, 3, 6, 7 of the middle byte belong to nobody
    (Layout.PACKED_12, "AB 3C 12", [0xABC, 0x123]),
    (Layout.PACKED_12, "00 F1 80", [0x001, 0x80F]),
    (Layout.LSB_16, "34 12 CD AB", [0x1234, 0xABCD]),
    (Layout.MSB_16, "12 34 AB CD", [0x1234, 0xABCD]),
]

frames = st.tuples(
    st.sampled_from(list(Layout)),
    st.integers(1, 5),
    st.integers(1, 41),
    st.integers(0, 7),
    st.binary(max_size=9),
)


def read_slowly(data: bytes, layout: Layout, codes: int) -> list[int]:
    """The codes at the start of `data`, bit by bit."""
    bits = BITS[layout]
    if layout in P:
        number = int.from_bytes(data, "little")
        return [number >> (index * bits) & (1 << bits) - 1 for index in range(codes)]
    if layout in (Layout.PACKED_10, Layout.PACKED_12):
        low = bits - 8
        found = []
        for index in range(codes):
            group = data[index // 2 * 3 : index // 2 * 3 + 3]
            nibble = group[1] >> 4 if index % 2 else group[1] & 0x0F
            found.append(group[2 if index % 2 else 0] << low | nibble & (1 << low) - 1)
        return found
    order = "little" if layout is Layout.LSB_16 else "big"
    return [int.from_bytes(data[2 * index : 2 * index + 2], order) for index in range(codes)]


def unpacked(data: bytes, layout: Layout, height: int, width: int, **options: int | bool) -> np.ndarray:
    """Unpack with words of guard before and behind the target, which must stay as they are."""
    guarded = np.full(height * width + 16, 0xDEAD, np.uint16)
    target = guarded[8:-8].reshape(height, width)
    try:
        unpack(np.frombuffer(data, np.uint8), layout, target, **options)
    finally:
        assert set(guarded[:8]) | set(guarded[-8:]) == {0xDEAD}
    return target


@pytest.mark.parametrize("vectors", [True, False])
@pytest.mark.parametrize("times", [1, 12])
@pytest.mark.parametrize(("layout", "text", "codes"), GOLDEN)
def test_bytes_worked_out_by_hand_give_their_codes(
    layout: Layout, text: str, codes: list[int], times: int, vectors: bool
) -> None:
    found = unpacked(bytes.fromhex(text) * times, layout, 1, len(codes) * times, vectors=vectors)
    assert found.tolist() == [codes * times]


@given(frames, st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=300, deadline=None)
def test_every_size_and_padding_is_read_as_the_slow_reader_reads_it(
    frame: tuple[Layout, int, int, int, bytes], random: object, vectors: bool
) -> None:
    layout, height, width, padding, behind = frame
    size = packed_bytes(layout, height * width) + height * (padding + 1)
    data = np.random.default_rng(random.getrandbits(32)).bytes(size)  # type: ignore[attr-defined]
    if padding == 0:
        expected = [read_slowly(data, layout, height * width)]
        exact = data[: packed_bytes(layout, height * width)]
        stride = 0
    else:
        stride = packed_bytes(layout, width) + padding
        rows = [data[y * stride : (y + 1) * stride].ljust(stride, b"\0") for y in range(height)]
        expected = [read_slowly(row, layout, width) for row in rows]
        exact = b"".join(rows)[: (height - 1) * stride + packed_bytes(layout, width)]
    found = unpacked(exact + behind, layout, height, width, stride=stride, vectors=vectors)
    np.testing.assert_array_equal(found.ravel(), np.ravel(expected))


@pytest.mark.parametrize("layout", list(Layout))
def test_a_buffer_that_is_one_byte_short_is_refused_and_nothing_is_written(layout: Layout) -> None:
    height, width = 3, 17
    size = packed_bytes(layout, height * width)
    target = np.full((height, width), 0xDEAD, np.uint16)
    with pytest.raises(BadFrame, match=f"need {size} bytes, the buffer holds {size - 1}"):
        unpack(np.zeros(size - 1, np.uint8), layout, target)
    stride = packed_bytes(layout, width) + 2
    with pytest.raises(BadFrame, match=f"in rows of {stride}"):
        unpack(np.zeros(3 * stride - 3, np.uint8), layout, target, stride=stride)
    with pytest.raises(BadFrame):  # rows that lie in each other
        unpack(np.zeros(999, np.uint8), layout, target, stride=packed_bytes(layout, width) - 1)
    assert (target == 0xDEAD).all()


@pytest.mark.parametrize("vectors", [True, False])
@given(layout=st.sampled_from(list(Layout)), shift=st.integers(1, 9), width=st.integers(1, 30), bit=st.data())
@settings(max_examples=80, deadline=None)
def test_codes_at_the_top_come_down_and_a_bit_that_would_be_lost_is_refused(
    layout: Layout, shift: int, width: int, bit: st.DataObject, vectors: bool
) -> None:
    codes = np.arange(width) * 37 % (1 << (BITS[layout] - shift))
    good = pack_slowly([int(code) << shift for code in codes], layout)
    assert unpacked(good, layout, 1, width, shift=shift, vectors=vectors).tolist() == [codes.tolist()]
    raised = [int(code) << shift for code in codes]
    raised[bit.draw(st.integers(0, width - 1))] |= 1 << bit.draw(st.integers(0, shift - 1))
    with pytest.raises(BadFrame, match=f"among the lowest {shift}"):
        unpacked(pack_slowly(raised, layout), layout, 1, width, shift=shift, vectors=vectors)


def pack_slowly(codes: list[int], layout: Layout) -> bytes:
    """The other way round; `read_slowly` proves it."""
    bits = BITS[layout]
    size = packed_bytes(layout, len(codes))
    if layout in P:
        packed = sum(code << (index * bits) for index, code in enumerate(codes)).to_bytes(size, "little")
    elif layout in (Layout.PACKED_10, Layout.PACKED_12):
        low = bits - 8
        pairs = zip(codes[::2], [*codes[1::2], 0], strict=False)
        groups = [[a >> low, a % (1 << low) | b % (1 << low) << 4, b >> low] for a, b in pairs]
        packed = bytes(byte for group in groups for byte in group)[:size]
    else:
        packed = b"".join(code.to_bytes(2, "little" if layout is Layout.LSB_16 else "big") for code in codes)
    assert read_slowly(packed, layout, len(codes)) == codes
    return packed


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        (Layout.P10, "BayerRG10p"),
        (Layout.P12, "BayerGB12p"),
        (Layout.PACKED_10, "Mono10Packed"),
        (Layout.PACKED_12, "BayerBG12Packed"),
    ],
)
def test_even_widths_agree_with_harvesters_decoding(layout: Layout, name: str) -> None:
    height, width = 6, 40
    data = np.random.default_rng(5).bytes(packed_bytes(layout, height * width))
    if layout is Layout.PACKED_10:  # harvesters wants the bits that belong to nobody to be zero
        data = bytes(byte & 0x33 if index % 3 == 1 else byte for index, byte in enumerate(data))
    theirs = np.asarray(Dictionary.get_proxy(symbolic=name).expand(np.frombuffer(data, np.uint8)))
    np.testing.assert_array_equal(unpacked(data, layout, height, width).ravel(), theirs)


def test_arrays_that_do_not_fit_are_refused() -> None:
    data = np.zeros(64, np.uint8)
    for target in (np.zeros((2, 2), np.uint8), np.zeros((4, 4), np.uint16)[:, ::2]):
        with pytest.raises(DeviceError):
            unpack(data, Layout.P12, target)  # type: ignore[arg-type]
    with pytest.raises(DeviceError, match="contiguous"):
        unpack(data[::2], Layout.P12, np.zeros((2, 2), np.uint16))
    with pytest.raises(DeviceError, match="shift by 16"):
        unpack(data, Layout.P12, np.zeros((2, 2), np.uint16), shift=16)

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from rig.camera.ring import FrameRing
from rig.camera.types import FrameMeta
from rig.errors import DeviceError

SHAPES = npst.array_shapes(min_dims=2, max_dims=3, max_side=40)
PIXELS = st.one_of(npst.arrays(np.uint8, SHAPES), npst.arrays(np.uint16, SHAPES))

WRITER = """
import sys, numpy as np
from rig.camera.ring import FrameRing
from rig.camera.types import FrameMeta
ring = FrameRing.attach(int(sys.argv[1]))
shape, dtype = (1000, 1001), np.dtype(np.uint16)
for sequence in range(1, int(sys.argv[2]) + 1):
    claim = ring.claim("live", sequence)
    ring.target(claim, shape, dtype)[:] = sequence % 65536
    meta = FrameMeta(sequence, 0, 0.0, 0.0, 0.0, "Mono16", 16, 0, shape)
    ring.commit(claim, meta, dtype)
"""


def meta_of(sequence: int, shape: tuple[int, ...]) -> FrameMeta:
    return FrameMeta(
        sequence, 7, 1.5, 0.0, math.nan, "Mono8", 8, 9, shape, {"ChunkGain": 1.0}, {"gain_db": "chunk"}
    )


def put(ring: FrameRing, mode: str, sequence: int, pixels: np.ndarray) -> int:
    claim = ring.claim(mode, sequence)
    assert claim is not None
    ring.target(claim, pixels.shape, pixels.dtype)[...] = pixels
    ring.commit(claim, meta_of(sequence, pixels.shape), pixels.dtype)
    return claim.slot


@given(frames=st.lists(PIXELS, min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_the_reader_sees_exactly_the_newest_frame_that_was_written(frames: list[np.ndarray]) -> None:
    writer = FrameRing.create(3, 40 * 40 * 40 * 2)
    reader = FrameRing.attach(writer.fd)
    for sequence, pixels in enumerate(frames, 1):
        put(writer, "live", sequence, pixels)
        found = reader.latest()
        assert found is not None
        assert found[0] == sequence
        assert found[1].frame_id == sequence
        assert found[1].chunk == {"ChunkGain": 1.0}
        assert math.isnan(found[1].black_level_dn)
        assert found[1].pixels.dtype == pixels.dtype
        np.testing.assert_array_equal(found[1].pixels, pixels)
    assert reader.latest(after=len(frames)) is None


def test_no_frame_is_torn_under_a_writer_that_never_waits() -> None:
    frames = 3_000
    ring = FrameRing.create(2, 1000 * 1001 * 2)
    root = str(Path(__file__).resolve().parents[3])
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(ring.fd), str(frames)],
        pass_fds=[ring.fd],
        env={**os.environ, "PYTHONPATH": root},
    )
    seen = 0
    sequence = 0
    give_up = time.monotonic() + 60
    with writer:
        while sequence < frames and time.monotonic() < give_up:
            found = ring.latest(sequence)
            if found is None:
                continue
            sequence, frame = found
            seen += 1
            assert frame.frame_id == sequence
            assert frame.pixels.min() == frame.pixels.max() == sequence % 65536
    assert writer.returncode == 0
    assert sequence == frames
    assert seen > 10


def test_science_frames_stay_until_they_are_released() -> None:
    ring = FrameRing.create(3, 4096)
    frames = [np.full((8, 8), value, np.uint16) for value in (11, 22, 33)]
    slots = [put(ring, "science", sequence, pixels) for sequence, pixels in enumerate(frames, 1)]
    assert sorted(slots) == [0, 1, 2]
    assert ring.claim("science", 4) is None
    assert ring.claim("live", 4) is None
    np.testing.assert_array_equal(ring.view(slots[1], 2), frames[1])
    ring.release(slots[1], 2)
    assert put(ring, "science", 4, frames[0]) == slots[1]
    np.testing.assert_array_equal(ring.view(slots[0], 1), frames[0])
    np.testing.assert_array_equal(ring.view(slots[2], 3), frames[2])


def test_live_frames_go_round_the_science_frames_that_are_held() -> None:
    ring = FrameRing.create(4, 4096)
    held = np.full((8, 8), 99, np.uint8)
    slot = put(ring, "science", 1, held)
    for sequence in range(2, 40):
        assert put(ring, "live", sequence, np.full((8, 8), sequence, np.uint8)) != slot
    np.testing.assert_array_equal(ring.view(slot, 1), held)


def test_a_released_frame_cannot_be_looked_at_any_more() -> None:
    ring = FrameRing.create(2, 4096)
    slot = put(ring, "science", 1, np.ones((2, 2), np.uint8))
    ring.release(slot, 1)
    ring.release(slot, 1)
    with pytest.raises(DeviceError, match="released"):
        ring.view(slot, 1)


def test_a_reader_cannot_write_into_a_record() -> None:
    ring = FrameRing.create(2, 4096)
    view = ring.view(put(ring, "science", 1, np.ones((2, 2), np.uint8)), 1)
    with pytest.raises(ValueError, match="read-only"):
        view[0, 0] = 1


def test_a_frame_that_does_not_fit_is_refused_before_it_is_written() -> None:
    ring = FrameRing.create(2, 100)
    claim = ring.claim("live", 1)
    assert claim is not None
    with pytest.raises(DeviceError, match="does not fit"):
        ring.target(claim, (100, 100), np.dtype(np.uint16))


def test_shared_memory_that_is_no_ring_is_refused() -> None:
    fd = os.memfd_create("other")
    os.write(fd, bytes(8192))
    with pytest.raises(DeviceError, match="no frame ring"):
        FrameRing.attach(fd)
    os.close(fd)


def test_nobody_can_shrink_the_memory_under_a_reader() -> None:
    ring = FrameRing.create(2, 4096)
    with pytest.raises(PermissionError):
        os.ftruncate(ring.fd, 4096)

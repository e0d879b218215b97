"""Frames in shared memory: one process writes, another reads, and neither ever waits for the other.

The ring is an anonymous memfd (no name in the file system, sealed against a change of size), so it is
reachable only through the file descriptor that the host process hands to its parent. Each slot has a
sequence word: odd while the writer is at it, then twice the frame's sequence number; a reader copies, looks
again, and repeats when the word has changed (a seqlock). Words are aligned 8-byte stores, done at once; that
they are seen in the order in which they were made is what x86 promises (other processors need barriers).

A slot that holds science data is *held* until the reader has released that very frame: only the writer writes
`held`, only the reader writes `released`, so no lock is needed. Live frames take other slots in turn.
"""

from __future__ import annotations

import fcntl
import json
import math
import mmap
import os
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from rig.camera.types import Frame, FrameMeta, Mode, Pixels
from rig.errors import DeviceError

_MAGIC = 0x474E4952  # "RING"
_PAGE = 4096
_META_BYTES = _PAGE
_LIVE_SLOTS = 4
_HEAD = 4  # word of the header: (sequence << 8) | slot of the newest complete frame
_MAX_SLOTS = 128
_RETRIES = 50


@dataclass(frozen=True)
class Claim:
    """A slot that the writer has taken and not yet committed."""

    slot: int
    sequence: int
    held: bool


class FrameRing:
    """A ring of frames over a memfd; make it with `create` (writer) or `attach` (reader).

    Args:
        fd: The memfd; the ring keeps its own duplicate.
        slots: Number of frames.
        slot_bytes: Room for the pixels of one frame, a multiple of the page size.
    """

    def __init__(self, fd: int, slots: int, slot_bytes: int) -> None:
        self.slots = slots
        self.slot_bytes = slot_bytes
        self.fd = os.dup(fd)
        self._stride = _META_BYTES + slot_bytes
        self._map = mmap.mmap(self.fd, _PAGE + slots * self._stride)
        words = np.frombuffer(self._map, np.uint64, _PAGE // 8)
        self._header = words[:8]
        self._word = words[8 : 8 + slots]
        self._held = words[8 + slots : 8 + 2 * slots]
        self._released = words[8 + 2 * slots : 8 + 3 * slots]
        self._turn = 0

    @classmethod
    def create(cls, slots: int, slot_bytes: int) -> Self:
        """Make a new ring for frames of up to `slot_bytes` bytes; memory is taken when slots are first used.

        Raises:
            DeviceError: an impossible size.
        """
        if not 2 <= slots <= _MAX_SLOTS or slot_bytes <= 0:
            raise DeviceError(f"a ring of {slots} frames of {slot_bytes} bytes cannot be made")
        slot_bytes = -(-slot_bytes // _PAGE) * _PAGE
        fd = os.memfd_create("beamrig-frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(fd, _PAGE + slots * (_META_BYTES + slot_bytes))
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
            ring = cls(fd, slots, slot_bytes)
        finally:
            os.close(fd)
        ring._header[1] = slots
        ring._header[2] = slot_bytes
        ring._header[0] = _MAGIC
        return ring

    @classmethod
    def attach(cls, fd: int) -> Self:
        """Map a ring that another process made.

        Raises:
            DeviceError: the file is no ring.
        """
        size = os.fstat(fd).st_size
        head = np.frombuffer(os.pread(fd, 32, 0).ljust(32, b"\0"), np.uint64)
        slots, slot_bytes = int(head[1]), int(head[2])
        if int(head[0]) != _MAGIC or slots > _MAX_SLOTS or size != _PAGE + slots * (_META_BYTES + slot_bytes):
            raise DeviceError("the shared memory of a camera is no frame ring")
        return cls(fd, slots, slot_bytes)

    def close(self) -> None:
        """Give the file descriptor back; arrays already handed out stay valid as long as they live."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __del__(self) -> None:
        self.close()

    # The writer's side.

    def claim(self, mode: Mode, sequence: int) -> Claim | None:
        """Take a slot for a frame: any free one for science, the next in turn for live view.

        Returns:
            None when every slot that may be taken holds science data that is not released yet.
        """
        free = np.flatnonzero(self._held <= self._released)
        newest = int(self._header[_HEAD]) & 0xFF
        if len(free) > 1:
            free = free[free != newest]  # a reader is most likely at the newest one
        if not len(free):
            return None
        if mode == "live":
            self._turn += 1
            slot = int(free[: _LIVE_SLOTS - 1][self._turn % min(len(free), _LIVE_SLOTS - 1)])
        else:
            slot = int(free[0])  # the lowest ones, so that no more memory is touched than is needed
        self._word[slot] = 2 * sequence - 1
        return Claim(slot, sequence, mode == "science")

    def target(self, claim: Claim, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Pixels:
        """Return the claimed slot's pixels to write into.

        Raises:
            DeviceError: the frame is larger than a slot.
        """
        if math.prod(shape) * dtype.itemsize > self.slot_bytes:
            raise DeviceError(
                f"a frame of {shape} does not fit into {self.slot_bytes} bytes of shared memory",
                hint="the camera changed its image size while it was acquiring; stop it, then start it again",
            )
        return self._pixels(claim.slot, shape, dtype)

    def commit(self, claim: Claim, meta: FrameMeta, dtype: np.dtype[Any]) -> None:
        """Publish a written frame as the newest one.

        Raises:
            DeviceError: its meta data is too long.
        """
        text = json.dumps({**meta.to_dict(), "dtype": dtype.str}).encode()
        if len(text) + 8 > _META_BYTES:
            raise DeviceError(f"meta data of {len(text)} bytes is too long for a frame ring")
        start = _PAGE + claim.slot * self._stride
        self._map[start : start + 8] = len(text).to_bytes(8, "little")
        self._map[start + 8 : start + 8 + len(text)] = text
        if claim.held:
            self._held[claim.slot] = claim.sequence
        self._word[claim.slot] = 2 * claim.sequence
        self._header[_HEAD] = (claim.sequence << 8) | claim.slot

    def abandon(self, claim: Claim) -> None:
        """Give a claimed slot back unwritten."""
        self._word[claim.slot] = 0

    # The reader's side.

    def newest(self) -> int:
        """Return the sequence number of the newest complete frame, 0 when there is none."""
        return int(self._header[_HEAD]) >> 8

    def latest(self, after: int = 0) -> tuple[int, Frame] | None:
        """Return a copy of the newest frame with its sequence number.

        Returns:
            None when there is none newer than `after`, or when the writer overtook every attempt.
        """
        for _ in range(_RETRIES):
            head = int(self._header[_HEAD])
            sequence, slot = head >> 8, head & 0xFF
            if sequence <= after:
                return None
            if (frame := self.copy(slot, sequence)) is not None:
                return sequence, frame
        return None

    def copy(self, slot: int, sequence: int) -> Frame | None:
        """Return a copy of one frame, or None when the slot holds another one or changed meanwhile."""
        if not self.holds(slot, sequence):
            return None
        parsed = self._meta(slot)
        if parsed is None:
            return None
        meta, dtype = parsed
        pixels = self._pixels(slot, meta.shape, dtype).copy()
        return Frame.of(meta, pixels) if self.holds(slot, sequence) else None

    def meta(self, slot: int, sequence: int) -> FrameMeta:
        """Return the meta data of a held frame.

        Raises:
            DeviceError: the slot holds another frame.
        """
        parsed = self._meta(slot) if self.holds(slot, sequence) else None
        if parsed is None:
            raise DeviceError(f"frame {sequence} is not in slot {slot} any more")
        return parsed[0]

    def view(self, slot: int, sequence: int) -> Pixels:
        """Return the pixels of a held frame without copying; read-only.

        Raises:
            DeviceError: the slot holds another frame.
        """
        parsed = self._meta(slot) if self.holds(slot, sequence) else None
        if parsed is None or int(self._released[slot]) >= sequence:
            raise DeviceError(f"frame {sequence} has been released already")
        meta, dtype = parsed
        pixels = self._pixels(slot, meta.shape, dtype)
        pixels.flags.writeable = False
        return pixels

    def release(self, slot: int, sequence: int) -> None:
        """Let the writer use a held slot again; releasing twice is fine."""
        if int(self._released[slot]) < sequence:
            self._released[slot] = sequence

    def holds(self, slot: int, sequence: int) -> bool:
        """True while the slot holds that complete frame."""
        return int(self._word[slot]) == 2 * sequence

    def _meta(self, slot: int) -> tuple[FrameMeta, np.dtype[Any]] | None:
        """Return meta data and pixel type, or None when the writer was at it."""
        start = _PAGE + slot * self._stride
        length = int.from_bytes(self._map[start : start + 8], "little")
        if length + 8 > _META_BYTES:
            return None
        try:
            data = json.loads(self._map[start + 8 : start + 8 + length])
            dtype = np.dtype(data.pop("dtype"))
            meta = FrameMeta.from_dict(data)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None  # torn text; the sequence word tells the caller the same
        return (meta, dtype) if math.prod(meta.shape) * dtype.itemsize <= self.slot_bytes else None

    def _pixels(self, slot: int, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Pixels:
        start = _PAGE + slot * self._stride + _META_BYTES
        pixels: Pixels = np.frombuffer(self._map, dtype, math.prod(shape), start).reshape(shape)
        return pixels

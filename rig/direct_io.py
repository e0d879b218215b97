"""Writing past the page cache: buffers on page boundaries, whole blocks, O_DIRECT where it is taken.

The copy into the page cache and the writeback behind it cost more processor time than a frame's hash, and the
writeback stalls writers when it falls behind; with O_DIRECT a frame goes from its buffer to the disk at once
(measured by ``benchmarks/bench_record.py``). Space is not reserved beforehand: a frame is one write, for
which the file system allocates once, and reserving changed no figure.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

BLOCK_BYTES: Final = 4096
"""Offsets, lengths and addresses of direct writes are multiples of this; all usual disks take it."""

Mode = Literal["direct", "buffered"]
_KEPT_BUFFERS: Final = 4
# What file systems answer to O_DIRECT when they do not take it.
_UNTAKEN: Final = (errno.EINVAL, errno.EOPNOTSUPP)


def round_up(size: int) -> int:
    """Return a number of bytes rounded up to whole blocks."""
    return -(-size // BLOCK_BYTES) * BLOCK_BYTES


class Buffers:
    """Page-aligned buffers that are used again; safe for several threads."""

    def __init__(self) -> None:
        self._free: list[mmap.mmap] = []
        self._mutex = threading.Lock()

    @contextmanager
    def lease(self, size: int) -> Iterator[memoryview]:
        """Lend ``size`` bytes on a page boundary; their content is whatever was there before."""
        with self._mutex:
            found = next((buffer for buffer in self._free if len(buffer) >= size), None)
            if found is not None:
                self._free.remove(found)
        buffer = found or mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        try:
            with memoryview(buffer) as whole, whole[:size] as lent:
                yield lent
        finally:
            with self._mutex:
                self._free.append(buffer)
                del self._free[:-_KEPT_BUFFERS]


def open_new(path: Path, *, direct: bool) -> tuple[int, Mode]:
    """Open a file for writing, emptied if it is there; return its descriptor and how it was opened.

    Raises:
        OSError: The disk refused.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    if direct:
        try:
            return os.open(path, flags | os.O_DIRECT, 0o644), "direct"
        except OSError as error:
            if error.errno not in _UNTAKEN:
                raise
    return os.open(path, flags, 0o644), "buffered"


def write_blocks(descriptor: int, blocks: Sequence[memoryview], mode: Mode) -> Mode:
    """Write blocks one after the other from the start of a file; return how they were written in the end.

    Some file systems take the flag when the file is opened and refuse the first write: then the flag is taken
    back. A short write is gone on with.

    Args:
        descriptor: The file.
        blocks: What to write; for direct writing each on a page boundary and of whole blocks.
        mode: How the file was opened.

    Raises:
        OSError: The disk refused.
    """
    left = [block for block in blocks if block.nbytes]
    offset = 0
    while left:
        try:
            count = os.pwritev(descriptor, left, offset)
        except OSError as error:
            if mode == "buffered" or offset or error.errno not in _UNTAKEN:
                raise
            flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
            fcntl.fcntl(descriptor, fcntl.F_SETFL, flags & ~os.O_DIRECT)
            mode = "buffered"
            continue
        if mode == "direct" and count < sum(block.nbytes for block in left):
            count -= count % BLOCK_BYTES  # the next write must start on a block again
        if count <= 0:
            raise OSError(errno.EIO, "the disk takes no more bytes and gives no reason")
        offset += count
        while left and count >= left[0].nbytes:
            count -= left.pop(0).nbytes
        if count:
            left[0] = left[0][count:]
    return mode

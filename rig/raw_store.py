"""The store of RAW files: a DNG a frame at the speed of the disk, many made durable by one group of flushes.

A frame's way: ``NAME.part`` is written (direct where the file system takes it) while another thread makes its
SHA-256, so that neither waits for the other (:meth:`RawStore.stage`); when its pair is proven, the parts of a
whole group are flushed, renamed, and their folders flushed (:meth:`RawStore.commit`). The file system commits
all that was written until then with the first flush of a group, so the others are cheap and flushing does not
set the rate. A pair counts only when its line in the journal is on the disk, which is the caller's next step.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, cast

import numpy as np
import numpy.typing as npt

from rig.direct_io import BLOCK_BYTES, Buffers, Mode, open_new, round_up, write_blocks
from rig.dng_header import make_header
from rig.errors import RawFileError
from rig.part_files import WrittenFile, disk_error, give_names, part_path, refuse_existing
from rig.raw_image import RawImage

__all__ = ["RawStore", "Staged", "WrittenFile"]

_LOG = logging.getLogger(__name__)
_READERS: Final = 4
_CHUNK_PIXELS: Final = 1 << 19
"""One MB: what was looked at for its highest code is still in the cache when it is hashed, and Python's lock,
which other threads wait for, is asked for ten times a frame."""

_HELD_FILES: Final = 64


@dataclass(frozen=True)
class Staged:
    """A frame in its part file, not yet safe from a power cut.

    Attributes:
        path: The name that it shall get.
        part: Where it lies now.
        bytes: Its length.
        sha256: SHA-256 of its bytes, in hexadecimal.
        mode: Whether it was written directly or through the page cache.
    """

    path: Path
    part: Path
    bytes: int
    sha256: str
    mode: Mode

    def named(self, path: Path) -> Staged:
        """Return the same frame with another name to get, in the same folder or another one of this disk."""
        return replace(self, path=path)


class RawStore:
    """Writes frames as DNG files; safe for several threads.

    Args:
        direct: True insists on direct writing, False on the page cache; None takes what the disk offers.
    """

    def __init__(self, *, direct: bool | None = None) -> None:
        self._direct = direct
        self._buffers = Buffers()
        self._readers = ThreadPoolExecutor(_READERS, "hash")
        self._mutex = threading.Lock()
        self._modes: dict[int, Mode] = {}
        self._held: dict[Path, int] = {}
        self._suspect: set[Path] = set()
        self._mode: Mode | Literal["undecided"] = "undecided"

    @property
    def mode(self) -> Mode | Literal["undecided"]:
        """How the last frame was written: "direct", "buffered", or "undecided" before the first one."""
        return self._mode

    def close(self) -> None:
        """Let go of threads and files; what was staged stays on the disk."""
        self._readers.shutdown(wait=True)
        with self._mutex:
            held, self._held = self._held, {}
        for descriptor in held.values():
            os.close(descriptor)

    def __enter__(self) -> RawStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stage(self, path: str | os.PathLike[str], image: RawImage) -> Staged:
        """Write a frame into ``PATH.part``; a leftover part is replaced, and none is left when this fails.

        Raises:
            RawFileError: The image cannot be stored without loss, the name is taken, or the disk refused.
            DiskFull: The disk is full.
        """
        target = Path(path)
        refuse_existing(target)
        self._suspect.discard(part_path(target))
        image.check_fields()
        pixels = np.ascontiguousarray(image.pixels, dtype="<u2").reshape(-1)
        header = make_header(image)
        part = part_path(target)
        body = memoryview(cast("Any", pixels.view(np.uint8)))
        straight = pixels.ctypes.data % BLOCK_BYTES == 0
        whole = pixels.nbytes // BLOCK_BYTES * BLOCK_BYTES if straight else 0
        tail = body[whole:]
        # What does not lie on a page boundary already is copied onto one. The file ends on a whole block,
        # with zeros behind the last pixel: readers go by the strip's length.
        padding = bytes(round_up(len(tail)) - len(tail))
        size = len(header) + len(tail) + len(padding)
        reading = self._readers.submit(_read_once, header, pixels, padding)
        try:
            with self._buffers.lease(size) as lent:
                lent[: len(header)] = header
                lent[len(header) : len(header) + len(tail)] = tail
                lent[len(header) + len(tail) :] = padding
                with lent[: len(header)] as head, lent[len(header) :] as end:
                    mode = self._write(part, [head, body[:whole], end])
            sha256, highest = reading.result()
            image.check_codes(highest)
        except BaseException as error:
            wait([reading])  # the caller may reuse the frame's memory once this has returned
            self._forget(part)
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise disk_error(f"{part} cannot be written", error) from error
            raise
        return Staged(target, part, size + whole, sha256, mode)

    def commit(self, staged: Sequence[Staged]) -> list[WrittenFile]:
        """Flush these frames to the disk and give them their names, all or none.

        When this returns they survive a power cut; their lines can be written into the journal then.

        Raises:
            RawFileError: A part is missing, a name is taken, or the disk refused; all keep their part files.
            DiskFull: The disk is full.
        """
        self.flush(staged)
        give_names([(one.part, one.path) for one in staged])
        return [WrittenFile(one.path, one.bytes, one.sha256) for one in staged]

    def flush(self, staged: Sequence[Staged]) -> None:
        """Flush the parts of these frames to the disk, without naming them.

        Raises:
            RawFileError: The disk refused, now or before: what it did not take once is never believed again.
            DiskFull: The disk is full.
        """
        for one in staged:
            if one.part in self._suspect:
                raise RawFileError(
                    f"{one.part} was not taken by the disk", hint="the frame is lost; look at the disk"
                )
            try:
                self._flush(one.part)
            except OSError as error:
                raise disk_error(f"{one.part} cannot be flushed to the disk", error) from error

    def discard(self, staged: Staged) -> None:
        """Remove the part of a frame that belongs to no pair.

        Raises:
            RawFileError: The disk refused.
        """
        self._forget(staged.part)
        try:
            staged.part.unlink(missing_ok=True)
        except OSError as error:
            raise disk_error(f"{staged.part} cannot be removed", error) from error

    def _write(self, part: Path, blocks: Sequence[memoryview]) -> Mode:
        descriptor, mode = open_new(part, direct=self._wants_direct(part.parent))
        try:
            mode = write_blocks(descriptor, blocks, mode)
            self._note(descriptor, mode, part)
            if mode == "buffered":
                descriptor = self._hold(part, descriptor)
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        return mode

    def _wants_direct(self, folder: Path) -> bool:
        if self._direct is not None:
            return self._direct
        return self._modes.get(folder.stat().st_dev, "direct") == "direct"

    def _note(self, descriptor: int, mode: Mode, part: Path) -> None:
        """Remember how a disk takes frames, and say it once."""
        if self._direct and mode == "buffered":
            raise RawFileError(
                f"the disk of {part.parent} does not take direct writing",
                hint="leave the way of writing open",
            )
        device = os.fstat(descriptor).st_dev
        with self._mutex:
            known, self._modes[device], self._mode = self._modes.get(device), mode, mode
        if known != mode:
            way = "directly" if mode == "direct" else "through the page cache: direct writing is not taken"
            way = "through the page cache, as asked" if self._direct is False else way
            _LOG.info("RAW files in %s are written %s", part.parent, way)

    def _hold(self, part: Path, descriptor: int) -> int:
        """Keep a buffered file open until it is flushed: only so a late error is sure to be heard of.

        When too many are open, this one is flushed at once. Returns the descriptor to close, or -1.
        """
        with self._mutex:
            if len(self._held) < _HELD_FILES:
                self._held[part] = descriptor
                return -1
        os.fsync(descriptor)
        return descriptor

    def _flush(self, part: Path) -> None:
        with self._mutex:
            descriptor = self._held.pop(part, -1)
        if descriptor < 0:
            descriptor = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        except OSError:
            self._suspect.add(part)  # the kernel tells of a lost write once; the next flush would succeed
            raise
        finally:
            os.close(descriptor)

    def _forget(self, part: Path) -> None:
        with self._mutex:
            descriptor = self._held.pop(part, -1)
        if descriptor >= 0:
            os.close(descriptor)


def _read_once(header: bytes, pixels: npt.NDArray[np.uint16], padding: bytes) -> tuple[str, int]:
    """Return the SHA-256 of the file and its highest code, from one pass over the pixels' memory."""
    digest = hashlib.sha256(header)
    highest = 0
    for start in range(0, len(pixels), _CHUNK_PIXELS):
        chunk = pixels[start : start + _CHUNK_PIXELS]
        highest = max(highest, int(chunk.max()))
        digest.update(cast("Any", chunk))
    digest.update(padding)
    return digest.hexdigest(), highest

"""One producer at the world's side door: its socket and the frames that it shares."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import select
import socket
import struct
from pathlib import Path

import numpy as np

from rig.virtual import protocol
from rig.virtual.geometry import Grid
from rig.virtual.kernel import U16, WorldError
from rig.virtual.render import CameraRenderer

MOST_SLOTS = 64
LONGEST_EXPOSURE_NS = 600 * 10**9


def private_listener(path: Path, kind: int) -> socket.socket:
    """Return a listening AF_UNIX socket at ``path`` that only this user can reach; a stale one is removed."""
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, kind | socket.SOCK_CLOEXEC)
    try:
        server.bind(str(path))
        path.chmod(0o600)
        server.listen(8)
    except OSError as error:
        server.close()
        raise WorldError(f"cannot listen at {path}: {error.strerror or error}") from error
    return server


def is_own_user(connection: socket.socket) -> bool:
    """Return whether the peer of a unix socket runs as this user."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return bool(struct.unpack("3i", raw)[1] == os.getuid())


class Connection:
    """One producer that has opened one camera.

    Attributes:
        greeted: Whether it has its answer.
        before: The frame before, (h, w), kept only while an order wants it again.
    """

    def __init__(
        self, channel: socket.socket, renderer: CameraRenderer, memory: mmap.mmap, hello: protocol.Hello
    ):
        self.channel = channel
        self.renderer = renderer
        self.hello = hello
        self.greeted = False  # nothing may overtake the answer to its greeting
        self.before: U16 | None = None
        self._memory = memory

    def frame(self, request: protocol.Render) -> U16:
        """Return the slot's pixels as (h, w) uint16; WorldError when the request does not fit."""
        grid = self.renderer.parameters.grid
        size = request.width * request.height
        if request.slot >= self.hello.slots or request.bits != 12 or not size:
            raise WorldError(f"bad render request: slot {request.slot}, {request.bits} bits, {size} pixels")
        if request.offset_x + request.width > grid.width or request.offset_y + request.height > grid.height:
            raise WorldError("the region of interest leaves the sensor")
        if 2 * size > self.hello.slot_bytes or not 0 < request.exposure_ns <= LONGEST_EXPOSURE_NS:
            raise WorldError("bad render request: too many pixels for a slot, or an impossible exposure")
        flat = np.frombuffer(self._memory, np.uint16, size, request.slot * self.hello.slot_bytes)
        return flat.reshape(request.height, request.width)

    def has_hung_up(self) -> bool:
        """Return whether the other side is gone, though its thread may not have noticed yet."""
        poll = select.poll()
        try:
            poll.register(self.channel, select.POLLRDHUP)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True

    def close(self) -> None:
        """Let go of the socket and of the frames."""
        self.channel.close()
        with contextlib.suppress(BufferError):
            self._memory.close()


def map_frames(handle: int, hello: protocol.Hello, grid: Grid) -> mmap.mmap | None:
    """Map the staging frames, if they are as large as promised and cannot shrink under us."""
    total = hello.slots * hello.slot_bytes
    if not 1 <= hello.slots <= MOST_SLOTS or hello.slot_bytes < 2 * grid.width * grid.height:
        return None
    if hello.slot_bytes % mmap.PAGESIZE or os.fstat(handle).st_size < total:
        return None
    try:
        seals = fcntl.fcntl(handle, fcntl.F_GET_SEALS)
    except OSError:
        return None
    return mmap.mmap(handle, total) if seals & fcntl.F_SEAL_SHRINK else None

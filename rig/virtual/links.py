"""The producers' side door: world.sock, one connection a camera, frames through the producer's memfd."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import mmap
import os
import select
import socket
import struct
import threading
import time
from collections import deque
from pathlib import Path

import numpy as np

from rig.errors import BeamrigError
from rig.virtual import protocol
from rig.virtual.frames import RenderedFrame
from rig.virtual.kernel import WorldError
from rig.virtual.render import CameraRenderer

log = logging.getLogger(__name__)

FRAMES_KEPT = 4096
MOST_SLOTS = 64
FAREWELL_S = 2.0
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


class _Connection:
    """One producer that has opened one camera."""

    def __init__(
        self, channel: socket.socket, renderer: CameraRenderer, memory: mmap.mmap, hello: protocol.Hello
    ):
        self.channel = channel
        self.renderer = renderer
        self.hello = hello
        self.greeted = False  # nothing may overtake the answer to its greeting
        self._memory = memory

    def frame(self, request: protocol.Render) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
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


class CameraLinks:
    """Serves the producers: handshake, one owner a camera, rendering (a thread a connection), line edges."""

    def __init__(self, path: Path, renderers: dict[str, CameraRenderer]) -> None:
        self._renderers = {r.camera.serial_number: r for r in renderers.values()}
        self._names = {r.camera.serial_number: name for name, r in renderers.items()}
        self._lock = threading.Lock()
        self._owners: dict[str, _Connection] = {}
        self._serving: list[threading.Thread] = []
        self._on_since = time.monotonic()
        self.frames: deque[RenderedFrame] = deque(maxlen=FRAMES_KEPT)
        self.lost_edges = 0
        self._server = private_listener(path, socket.SOCK_SEQPACKET)
        self._thread = threading.Thread(target=self._accept, name="world-accept", daemon=True)

    def start(self) -> None:
        """Accept producers from now on."""
        self._thread.start()

    def close(self) -> None:
        """Drop the producers: their cameras become lost devices."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        with self._lock:
            for connection in self._owners.values():
                with contextlib.suppress(OSError):
                    connection.channel.shutdown(socket.SHUT_RDWR)
            serving = list(self._serving)
        for thread in serving:  # a frame in work is finished first: native code must not outlive us
            thread.join(timeout=5)

    def owners(self) -> dict[str, int | None]:
        """Return the process that has opened each camera, or None."""
        with self._lock:
            return {
                name: self._owners[serial].hello.pid if serial in self._owners else None
                for serial, name in self._names.items()
            }

    def recent(self) -> list[RenderedFrame]:
        """Return the records of the newest frames, oldest first."""
        with self._lock:
            return list(self.frames)

    def send_temperatures(self) -> None:
        """Tell every open camera how warm its sensor is by now."""
        seconds_on = time.monotonic() - self._on_since
        with self._lock:
            open_now = [connection for connection in self._owners.values() if connection.greeted]
        for connection in open_now:
            celsius = connection.renderer.camera.temperature_at(seconds_on)
            with contextlib.suppress(OSError):  # gone, or busy with frames: the next one will do
                connection.channel.send(protocol.Temperature(celsius).pack(), socket.MSG_DONTWAIT)

    def send_edge(self, camera: str, line: int, level: int, t_ns: int) -> None:
        """Tell the producer of ``camera`` that a line has changed; lost when nobody has opened it."""
        packet = protocol.Edge(line, level, t_ns).pack()
        with self._lock:
            owners = ((self._names[serial], owner) for serial, owner in self._owners.items())
            channel = next((o.channel for name, o in owners if name == camera and o.greeted), None)
        if channel is None:
            return
        try:
            channel.send(packet, socket.MSG_DONTWAIT)
        except OSError as error:
            self.lost_edges += 1
            log.warning("edge for camera %s lost: %s", camera, error)

    def _accept(self) -> None:
        while True:
            try:
                channel, _ = self._server.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(channel,), name="world-camera", daemon=True)
            with self._lock:
                self._serving = [t for t in self._serving if t.is_alive()] + [thread]
                thread.start()

    def _serve(self, channel: socket.socket) -> None:
        try:
            connection = self._handshake(channel)
        except (OSError, BeamrigError) as error:
            log.warning("a producer was refused: %s", error)
            channel.close()
            return
        if connection is None:
            channel.close()
            return
        try:
            self._render_requests(connection)
        except (OSError, BeamrigError) as error:
            log.warning("camera %s: %s", connection.hello.serial, error)
        finally:
            with self._lock:
                self._owners.pop(connection.hello.serial, None)
            connection.close()

    def _handshake(self, channel: socket.socket) -> _Connection | None:
        channel.settimeout(5.0)
        packet, handles, _, _ = socket.recv_fds(channel, protocol.MAX_MESSAGE_BYTES, 4)
        try:
            if not is_own_user(channel):
                raise WorldError("a process of another user asked for a camera")
            status, connection = self._judge(channel, packet, handles)
        finally:
            for handle in handles:
                os.close(handle)
        seconds_on = time.monotonic() - self._on_since
        temperature = connection.renderer.camera.temperature_at(seconds_on) if connection else 0.0
        channel.settimeout(None)
        channel.send(protocol.Welcome(status, temperature).pack())
        if connection is not None:
            connection.greeted = True
        return connection

    def _judge(
        self, channel: socket.socket, packet: bytes, handles: list[int]
    ) -> tuple[int, _Connection | None]:
        try:
            hello = protocol.unpack(packet)
        except protocol.WireError as error:
            log.warning("bad greeting: %s", error)
            return protocol.STATUS_BAD_PROTOCOL, None
        if not isinstance(hello, protocol.Hello) or len(handles) != 1:
            return protocol.STATUS_BAD_PROTOCOL, None
        renderer = self._renderers.get(hello.serial)
        if renderer is None:
            return protocol.STATUS_UNKNOWN_SERIAL, None
        memory = self._map(handles[0], hello, renderer)
        if memory is None:
            return protocol.STATUS_BAD_PROTOCOL, None
        connection = _Connection(channel, renderer, memory, hello)
        deadline = time.monotonic() + FAREWELL_S
        while True:
            with self._lock:
                owner = self._owners.get(hello.serial)
                if owner is None:
                    self._owners[hello.serial] = connection
                    return protocol.STATUS_OK, connection
            if not owner.has_hung_up() or time.monotonic() > deadline:
                memory.close()
                return protocol.STATUS_IN_USE, None
            time.sleep(0.005)  # it has just died; its last frame may still be on the easel

    def _map(self, handle: int, hello: protocol.Hello, renderer: CameraRenderer) -> mmap.mmap | None:
        """Map the staging frames, if they are as large as promised and cannot shrink under us."""
        grid = renderer.parameters.grid
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

    def _render_requests(self, connection: _Connection) -> None:
        while packet := connection.channel.recv(protocol.MAX_MESSAGE_BYTES):
            request = protocol.unpack(packet)
            if not isinstance(request, protocol.Render):
                raise WorldError(f"unexpected {type(request).__name__} message")
            status = 0
            try:
                record = connection.renderer.render(request, connection.frame(request))
                with self._lock:
                    self.frames.append(record)
            except WorldError as error:
                log.warning("camera %s: %s", connection.hello.serial, error)
                status = 1
            connection.channel.send(protocol.Rendered(request.frame_id, request.slot, status).pack())

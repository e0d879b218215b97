"""The producers' side door: world.sock, one connection a camera, frames through the producer's memfd."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rig.errors import BeamrigError
from rig.virtual import camera_faults, protocol
from rig.virtual.connection import Connection, is_own_user, map_frames, private_listener
from rig.virtual.fault_book import FaultBook
from rig.virtual.frames import RenderedFrame
from rig.virtual.kernel import WorldError
from rig.virtual.render import CameraRenderer

log = logging.getLogger(__name__)

FRAMES_KEPT = 4096
FAREWELL_S = 2.0


class CameraLinks:
    """Serves the producers: handshake, one owner a camera, rendering (a thread a connection), line edges.

    Args:
        path: Of the socket.
        renderers: Of the cameras, by name.
        book: The orders of what is to go wrong.
        pattern: Whether the producers make the pictures themselves; faults of a frame never come then.
    """

    def __init__(
        self,
        path: Path,
        renderers: dict[str, CameraRenderer],
        book: FaultBook,
        *,
        pattern: bool = False,
    ) -> None:
        self._book = book
        self._pattern = int(pattern)
        self._renderers = {r.camera.serial_number: r for r in renderers.values()}
        self._names = {r.camera.serial_number: name for name, r in renderers.items()}
        self._lock = threading.Lock()
        self._owners: dict[str, Connection] = {}
        self._serving: list[threading.Thread] = []
        self._clocks = dict.fromkeys(renderers, protocol.Clock(0, 0, 0.0))
        self._unplugged: set[str] = set()
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

    def send(self, camera: str, message: protocol.Message) -> None:
        """Tell the producer of ``camera`` something; lost when nobody has opened it."""
        channel = self._channel(camera)
        if channel is None:
            return
        try:
            channel.send(message.pack(), socket.MSG_DONTWAIT)
        except OSError as error:
            self.lost_edges += isinstance(message, protocol.Edge)
            log.warning("%s for camera %s lost: %s", type(message).__name__, camera, error)

    def set_clock(self, camera: str, clock: protocol.Clock) -> None:
        """Let the camera's own clock run otherwise from now on."""
        with self._lock:
            self._clocks[camera] = clock
        self.send(camera, clock)

    def clock(self, camera: str) -> protocol.Clock:
        """Return the camera's own clock."""
        with self._lock:
            return self._clocks[camera]

    def unplug(self, cameras: Iterable[str]) -> None:
        """Take cameras away: lost where they are open, and not to be opened."""
        for camera in cameras:
            with self._lock:
                self._unplugged.add(camera)
            self.send(camera, protocol.Fault(protocol.FaultCode.UNPLUG))

    def replug(self, cameras: Iterable[str]) -> None:
        """Let cameras be opened again."""
        with self._lock:
            self._unplugged.difference_update(cameras)

    def unplugged(self) -> list[str]:
        """Return which cameras are not plugged in."""
        with self._lock:
            return sorted(self._unplugged)

    def _channel(self, camera: str) -> socket.socket | None:
        with self._lock:
            owners = ((self._names[serial], owner) for serial, owner in self._owners.items())
            return next((o.channel for name, o in owners if name == camera and o.greeted), None)

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

    def _handshake(self, channel: socket.socket) -> Connection | None:
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
        channel.settimeout(None)
        if connection is None:
            channel.send(protocol.Welcome(status, 0.0).pack())
            return None
        temperature = connection.renderer.camera.temperature_at(seconds_on)
        with self._lock:  # a clock that is set meanwhile is told of after the greeting
            clock = self._clocks[self._names[connection.hello.serial]]
            welcome = protocol.Welcome(
                status, temperature, clock.zero_ns, clock.offset_ns, clock.drift_ppm, self._pattern
            )
            channel.send(welcome.pack())
            connection.greeted = True
        return connection

    def _judge(
        self, channel: socket.socket, packet: bytes, handles: list[int]
    ) -> tuple[int, Connection | None]:
        try:
            hello = protocol.unpack(packet)
        except protocol.WireError as error:
            log.warning("bad greeting: %s", error)
            return protocol.STATUS_BAD_PROTOCOL, None
        if not isinstance(hello, protocol.Hello):
            return protocol.STATUS_BAD_PROTOCOL, None
        renderer = self._renderers.get(hello.serial)
        if renderer is None:
            return protocol.STATUS_UNKNOWN_SERIAL, None
        if self._names[hello.serial] in self.unplugged():
            return protocol.STATUS_UNPLUGGED, None
        if not hello.slots:
            return protocol.STATUS_OK, None  # it was only asked whether the camera is there
        if len(handles) != 1:
            return protocol.STATUS_BAD_PROTOCOL, None
        memory = map_frames(handles[0], hello, renderer.parameters.grid)
        if memory is None:
            return protocol.STATUS_BAD_PROTOCOL, None
        connection = Connection(channel, renderer, memory, hello)
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

    def _render_requests(self, connection: Connection) -> None:
        while packet := connection.channel.recv(protocol.MAX_MESSAGE_BYTES):
            request = protocol.unpack(packet)
            if not isinstance(request, protocol.Render):
                raise WorldError(f"unexpected {type(request).__name__} message")
            status = 0
            try:
                status = self._render(connection, request)
            except WorldError as error:
                log.warning("camera %s: %s", connection.hello.serial, error)
                status = 1
            connection.channel.send(protocol.Rendered(request.frame_id, request.slot, status).pack())

    def _render(self, connection: Connection, request: protocol.Render) -> int:
        """Render a frame with what is to go wrong with it; return the status of the answer."""
        name = self._names[connection.hello.serial]
        orders = self._book.strike("frame", name) if request.triggered else []
        pixels = connection.frame(request)
        record = connection.renderer.render(request, pixels)
        camera_faults.change_picture(orders, pixels, connection.before, request.black_level_dn)
        connection.before = pixels.copy() if self._book.awaits("frozen_frame", name) else None
        with self._lock:
            names = tuple(order.kind.name for order in orders)
            self.frames.append(replace(record, timestamp_ns=request.timestamp_ns, faults=names))
        for order in orders:
            if order.kind.name == "clock":
                self.set_clock(name, camera_faults.clock_after(order, self.clock(name), time.monotonic_ns()))
            elif order.kind.name == "unplug":
                self.unplug([name])
            elif order.kind.name == "replug":
                self.replug([name])
            elif (fault := camera_faults.message(order, request.frame_id)) is not None:
                connection.channel.send(fault.pack())
        return int(any(order.kind.name == "incomplete_frame" for order in orders))

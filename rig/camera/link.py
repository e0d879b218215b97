"""One run of a camera's host process, seen from its parent: start, calls with deadlines, watchdog, end.

A thread of its own reads the host's messages and watches over it. When the host ends, is silent for too long
or does not answer a call in time, the link is *lost*: the host is killed (a stopped or hanging one would keep
the camera), every waiting call fails, and the handler is told why, once.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from rig.camera import wire
from rig.camera.errors import from_wire
from rig.errors import DeviceError, DeviceLost

_TICK_S = 0.1
_TAIL_BYTES = 16384
_GRACE_S = 3.0
_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL)
_WATCHDOG, _HUNG = 1, b"Timeout ("  # how faulthandler ends a process that hangs, and what it writes then
_PACKAGES = str(Path(__file__).resolve().parents[2])


class LinkHandler(Protocol):
    """What a link tells its owner, from the link's own thread."""

    def on_message(self, link: HostLink, message: dict[str, Any]) -> None:
        """A heartbeat, frame or overflow message came."""

    def on_ring(self, link: HostLink, fd: int) -> None:
        """The host handed over shared memory; the descriptor is closed on return."""

    def on_lost(self, link: HostLink, error: DeviceLost) -> None:
        """The host is gone, for that reason."""


class _Pending:
    def __init__(self) -> None:
        self.done = threading.Event()
        self.result: Any = None
        self.error: Exception | None = None


class HostLink:
    """A running host process.

    Args:
        label: What to call the camera in messages.
        env: Environment variables for the host, over the parent's own.
        handler: Is told what happens.
        silence_s: Longest time without a sign of life while no call is under way.
    """

    def __init__(self, label: str, env: Mapping[str, str], handler: LinkHandler, silence_s: float) -> None:
        self._label = label
        self._handler = handler
        self.silence_s = silence_s
        self._lock = threading.Lock()
        self._pending: dict[int, _Pending] = {}
        self._calls = 0
        self._tail = b""
        self._heard = time.monotonic()
        self._closing = False
        self.lost: DeviceLost | None = None
        self._sock, theirs = wire.pair()
        self._sock.settimeout(_GRACE_S)
        self._out, out = os.pipe()
        path = os.pathsep.join(filter(None, [_PACKAGES, os.environ.get("PYTHONPATH", "")]))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "rig.camera.host", wire.FD_FLAG, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **env, "PYTHONPATH": path},
            )
        finally:
            theirs.close()
            os.close(out)
        self._thread = threading.Thread(target=self._watch, name=f"camera {label}", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Process id of the host."""
        return self._process.pid

    def call(self, op: str, deadline_s: float, **args: Any) -> Any:
        """Let the host execute a command and return its result.

        Raises:
            DeviceLost: the host is gone or did not answer within `deadline_s`.
            BeamrigError: the error that the host answered with.
        """
        if threading.current_thread() is self._thread:
            raise DeviceError("a camera cannot be called from its own event callback")
        pending = _Pending()
        with self._lock:
            if self.lost is not None:
                raise DeviceLost(self.lost.message, hint=self.lost.hint)
            self._calls += 1
            number = self._calls
            self._pending[number] = pending
        try:
            wire.send(self._sock, {"id": number, "op": op, "args": args, "deadline_s": deadline_s})
        except DeviceLost as exc:
            if not pending.done.wait(_GRACE_S):  # the watch knows better how the host ended
                self._lose(exc.message)
        if not pending.done.wait(deadline_s):
            self._lose(f"it did not answer to {op} within {deadline_s:g} s")
            pending.done.wait(_GRACE_S)
        with self._lock:
            self._pending.pop(number, None)
        if pending.error is not None:
            raise pending.error
        return pending.result

    def kill(self) -> None:
        """Kill the host at once; the watchdog finds out as it would with any other death."""
        self._process.kill()

    def close(self) -> None:
        """Let the host close the camera and end; kill it when it does not."""
        self._closing = True
        if self.lost is None:
            with contextlib.suppress(DeviceError):
                self.call("close", _GRACE_S)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_S + 2.0)
        self._process.kill()
        self._process.wait()
        if threading.current_thread() is not self._thread:
            self._thread.join(_GRACE_S)

    def _watch(self) -> None:
        try:
            self._watch_until_lost()
        finally:
            # also when the owner's callback failed: without this thread nobody would watch over the host
            self._lose("what its process sent could not be handled")
            self._drain_output()
            self._sock.close()
            os.close(self._out)

    def _watch_until_lost(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ, self._read)
            selector.register(self._out, selectors.EVENT_READ, self._read_output)
            while self.lost is None:
                ready = selector.select(_TICK_S)
                for key, _ in ready:
                    if not key.data():
                        selector.unregister(key.fileobj)
                if not ready and self._silent() and not selector.select(0):  # it may be we who were held up
                    self._lose(f"its process gave no sign of life for {self.silence_s:g} s")

    def _silent(self) -> bool:
        with self._lock:
            waiting = bool(self._pending)  # the call's own deadline counts then
        if waiting:
            self._heard = time.monotonic()
        return time.monotonic() - self._heard > self.silence_s

    def _read(self) -> bool:
        try:
            message, fds = wire.receive(self._sock)
        except DeviceLost:
            self._lose(self._how_it_ended())
            return False
        self._heard = time.monotonic()
        try:
            for fd in fds:
                self._handler.on_ring(self, fd)
        finally:
            for fd in fds:
                os.close(fd)
        if message.get("t") == "reply":
            self._reply(message)
        elif message.get("t") == "lost":
            self._lose(str(message.get("message")), str(message.get("hint", "")))
        else:
            self._handler.on_message(self, message)
        return True

    def _reply(self, message: dict[str, Any]) -> None:
        with self._lock:
            pending = self._pending.pop(int(message["id"]), None)
        if pending is not None:
            pending.error = from_wire(message["error"]) if "error" in message else None
            pending.result = message.get("result")
            pending.done.set()

    def _read_output(self) -> bool:
        data = os.read(self._out, 65536)
        self._tail = (self._tail + data)[-_TAIL_BYTES:]
        return bool(data)

    def _drain_output(self) -> None:
        os.set_blocking(self._out, False)
        with contextlib.suppress(BlockingIOError):
            while self._read_output():
                pass

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return "its process closed the connection"
        self._drain_output()
        if -code in _CRASHES:
            return f"the maker's library crashed ({signal.Signals(-code).name})"
        if code < 0:
            return f"its process was ended by {signal.Signals(-code).name}"
        if code == _WATCHDOG and _HUNG in self._tail:
            return "a call into the maker's library did not come back"
        said = self._tail.decode(errors="replace").strip().splitlines()
        last = f"; it said: {said[-1].strip()}" if said and code else ""
        return f"its process ended with {code}{last}"

    def _lose(self, reason: str, hint: str = "restart the camera") -> None:
        with self._lock:
            if self.lost is not None:
                return
            self.lost = DeviceLost(f"camera {self._label} is lost: {reason}", hint=hint)
            pending, self._pending = list(self._pending.values()), {}
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_S)
        for call in pending:
            call.error = DeviceLost(self.lost.message, hint=hint)
            call.done.set()
        if not self._closing:
            self._handler.on_lost(self, self.lost)

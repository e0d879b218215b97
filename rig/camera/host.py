"""The process that owns one camera: `python -m rig.camera.host --fd N`, started by `rig.camera.process` only.

One thread does everything in turn: commands from the parent, frames from the producer into the shared ring,
a heartbeat. So a heartbeat proves that the vendor's library still returns. What the process must never do is
stay behind:

- the parent's end of the socket closes (the parent ended, however it ended): it closes the camera and exits;
- it hangs inside a vendor's library with Python's lock held: faulthandler's watchdog thread, which needs no
  lock, writes the traceback and ends it when the loop has not come round for longer than the current command
  may take. (A death signal from the kernel is no way out: it comes when the *thread* that started the host
  ends, and that may be any worker of the app.);
- the camera is gone: it says so and exits at once, because clean-up after an unplugged camera hangs or fails.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import os
import select
import signal
import socket
import sys
import time
from types import TracebackType
from typing import Any, NoReturn

from rig.camera import wire
from rig.camera.commands import Commands
from rig.camera.errors import to_wire
from rig.errors import BeamrigError, DeviceLost

_POLL_S = 0.001
_BURST = 8
_IDLE_HANG_S = 10.0
_SEND_S = 5.0
_CLOSE_S = 4.0


class Host:
    """Serves one parent until it goes away.

    Args:
        sock: The host's end of the socket pair.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.settimeout(_SEND_S)
        self._commands = Commands(self._send)
        self._next_beat = 0.0

    def serve(self) -> None:
        """Run until the parent closes or tells to close.

        Raises:
            DeviceLost: the parent is gone (its socket closed), or the camera is.
        """
        while not self._commands.closed:
            busy = False
            if self._commands.streaming:
                for _ in range(_BURST):
                    if not self._commands.take_frame():
                        break
                    busy = True
            now = time.monotonic()
            if now >= self._next_beat:
                self._beat(now)
            idle = _POLL_S if self._commands.streaming else max(self._next_beat - now, 0.0)
            if select.select([self._sock], [], [], 0.0 if busy else idle)[0]:
                self._answer()

    def _beat(self, now: float) -> None:
        _arm(_IDLE_HANG_S)
        self._next_beat = now + wire.HEARTBEAT_S
        state = self._commands.heartbeat()
        wire.send(self._sock, {"t": "beat", **state}, wait=False)

    def _answer(self) -> None:
        request, fds = wire.receive(self._sock)
        for fd in fds:
            os.close(fd)
        _arm(float(request.get("deadline_s", _IDLE_HANG_S)) + 1.0)
        reply: dict[str, Any] = {"t": "reply", "id": request.get("id")}
        reply_fds: list[int] = []
        try:
            result, reply_fds = self._commands.run(str(request.get("op")), dict(request.get("args") or {}))
            reply["result"] = result
        except DeviceLost:
            raise
        except BeamrigError as exc:
            reply["error"] = to_wire(exc)
        self._send(reply, reply_fds)
        _arm(_IDLE_HANG_S)

    def _send(self, message: dict[str, Any], fds: list[int] | None = None) -> None:
        wire.send(self._sock, message, fds or [])

    def lost(self, error: BeamrigError) -> None:
        """Tell the parent why the camera is gone; it may be gone itself."""
        with contextlib.suppress(DeviceLost):
            self._send({"t": "lost", **to_wire(error)})

    def close(self) -> None:
        """Close the camera, bounded in time."""
        _arm(_CLOSE_S)
        self._commands.close()


def _arm(seconds: float) -> None:
    """End this process when it is not armed anew within that time; works while Python's lock is held."""
    faulthandler.dump_traceback_later(seconds, exit=True)


def _end(code: int) -> NoReturn:
    """End without Python's clean-up, which would run the vendor's once more."""
    sys.stderr.flush()
    os._exit(code)


def main(argv: list[str] | None = None) -> NoReturn:
    """Run a host process on an inherited socket."""
    parser = argparse.ArgumentParser(description="Owns one camera for its parent process.")
    parser.add_argument(wire.FD_FLAG, type=int, required=True)
    sock = socket.socket(fileno=parser.parse_args(argv).fd)
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C goes to the whole group; the parent decides
    sys.excepthook = _die
    host = Host(sock)
    try:
        host.serve()
    except BeamrigError as exc:
        if not _parent_gone(sock):
            host.lost(exc)
            _end(3)
    host.close()
    _end(0)


def _die(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> NoReturn:
    """Report an error that nobody expected, then end as fast as after one that was."""
    sys.__excepthook__(kind, error, trace)
    _end(4)


def _parent_gone(sock: socket.socket) -> bool:
    poll = select.poll()
    poll.register(sock, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


if __name__ == "__main__":
    main()

"""The operator's hand in the virtual world: control.sock, one JSON object a line, one answer a line."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rig.errors import BeamrigError
from rig.virtual.connection import is_own_user, private_listener
from rig.virtual.kernel import WorldError

log = logging.getLogger(__name__)

LONGEST_LINE = 65536
Handler = Callable[[dict[str, Any]], dict[str, Any]]


class ControlServer:
    """Answers {"cmd": NAME, ...} with {"ok": true, ...} or {"ok": false, "error": ..., "hint": ...}."""

    def __init__(self, path: Path, handlers: dict[str, Handler]) -> None:
        self._handlers = handlers
        self._server = private_listener(path, socket.SOCK_STREAM)
        self._thread = threading.Thread(target=self._accept, name="world-control", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Accept no more."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                channel, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(channel,), name="world-operator", daemon=True).start()

    def _serve(self, channel: socket.socket) -> None:
        try:
            with channel, channel.makefile("rwb") as stream:
                if not is_own_user(channel):
                    return
                while line := stream.readline(LONGEST_LINE):
                    stream.write(json.dumps(self._answer(line)).encode() + b"\n")
                    stream.flush()
        except OSError as error:
            log.info("an operator's connection ended: %s", error)

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise WorldError("a command must be a JSON object")
            handler = self._handlers.get(str(request.pop("cmd", "")))
            if handler is None:
                raise WorldError("unknown command", hint="one of " + ", ".join(self._handlers))
            return {"ok": True, **handler(request)}
        except (ValueError, TypeError) as error:
            return {"ok": False, "error": f"bad command: {error}", "hint": ""}
        except BeamrigError as error:
            return {"ok": False, "error": error.message, "hint": error.hint}

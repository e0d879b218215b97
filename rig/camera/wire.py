"""Messages between a camera's host process and its parent: one JSON object a packet, never a pickle.

The transport is a SOCK_SEQPACKET socket pair, so packets keep their borders; a message that is too long for a
packet (the feature list of a large camera) travels in a memfd instead, as the frame ring does.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from typing import Any

from rig.errors import DeviceLost

PACKET_BYTES = 60_000
BLOB_BYTES = 64 << 20
HEARTBEAT_S = 0.25
FD_FLAG = "--fd"


def pair() -> tuple[socket.socket, socket.socket]:
    """Return a connected pair: the parent's end and the host's."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(sock: socket.socket, message: dict[str, Any], fds: Sequence[int] = (), *, wait: bool = True) -> bool:
    """Send one message, with file descriptors if need be.

    Args:
        sock: The socket; its timeout bounds the wait.
        message: Plain data.
        fds: Descriptors to hand over; the receiver gets duplicates.
        wait: When False, a full socket is no error: nothing is sent and False is returned.

    Raises:
        DeviceLost: the other side is gone, or did not read for as long as the socket's timeout.
    """
    data = json.dumps(message, separators=(",", ":")).encode()
    blob = -1
    try:
        if len(data) > PACKET_BYTES:
            blob = os.memfd_create("beamrig-message", os.MFD_CLOEXEC)
            with os.fdopen(os.dup(blob), "wb") as file:
                file.write(data)
            data = json.dumps({"blob": len(data)}).encode()
            fds = [blob, *fds]
        socket.send_fds(sock, [data], list(fds), 0 if wait else socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError as exc:
        raise DeviceLost(f"the other side of the camera process is gone: {exc}") from exc
    finally:
        if blob >= 0:
            os.close(blob)
    return True


def receive(sock: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Receive one message and the descriptors that came with it (the caller closes them).

    Raises:
        DeviceLost: the other side closed, or sent something that is no message.
    """
    try:
        data, fds, flags, _ = socket.recv_fds(sock, PACKET_BYTES + 4096, 4, socket.MSG_CMSG_CLOEXEC)
    except OSError as exc:
        raise DeviceLost(f"the other side of the camera process is gone: {exc}") from exc
    try:
        if not data:
            raise DeviceLost("the other side of the camera process has ended")
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise DeviceLost("a message of the camera process was cut off")
        message = _parse(data)
        if "blob" in message:
            blob = fds.pop(0)
            try:
                message = _parse(os.pread(blob, min(int(message["blob"]), BLOB_BYTES), 0))
            finally:
                os.close(blob)
    except (DeviceLost, ValueError, IndexError):
        for fd in fds:
            os.close(fd)
        raise
    return message, fds


def _parse(data: bytes) -> dict[str, Any]:
    try:
        message = json.loads(data)
    except ValueError as exc:
        raise DeviceLost("the camera process sent something that is no message") from exc
    if not isinstance(message, dict):
        raise DeviceLost("the camera process sent something that is no message")
    return message

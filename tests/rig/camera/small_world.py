"""The least of a world: pulses on the cameras' lines, and frames whose pixels follow from their number."""

from __future__ import annotations

import contextlib
import mmap
import os
import socket
import threading
import time
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from rig.virtual import protocol


def codes(
    frame_id: int, height: int, width: int, offset_x: int = 0, offset_y: int = 0
) -> npt.NDArray[np.uint16]:
    """12-bit codes (height, width) that no other frame, and no shifted or repeated one, has."""
    y, x = np.mgrid[offset_y : offset_y + height, offset_x : offset_x + width]
    return ((x * 7 + y * 131 + frame_id * 977 + 64) % 4096).astype(np.uint16)


class SmallWorld:
    """Serves every camera that a producer opens; a context manager.

    Args:
        folder: Where its socket is made.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "world.sock"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._channels: dict[str, socket.socket] = {}
        threading.Thread(target=self._accept, name="small-world", daemon=True).start()

    def env(self, personality: str = "", quirks: str = "") -> dict[str, str]:
        """Environment of a process that is to meet this world, through that camera."""
        return {
            "BEAMRIG_WORLD": str(self.path),
            "BEAMRIG_PERSONALITY": personality,
            "BEAMRIG_QUIRKS": quirks,
        }

    def pulse(self, serial: str, count: int, period_s: float, width_s: float = 0.0002) -> list[int]:
        """Send pulses on line 0, each at its time; returns the times of the rising edges in ns."""
        start = time.monotonic_ns() + 2_000_000
        times = [start + round(shot * period_s * 1e9) for shot in range(count)]
        for t_ns in times:
            time.sleep(max(0.0, (t_ns - time.monotonic_ns()) * 1e-9))
            self._channels[serial].send(protocol.Edge(0, 1, t_ns).pack())
            self._channels[serial].send(protocol.Edge(0, 0, t_ns + round(width_s * 1e9)).pack())
        return times

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                channel, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(channel,), daemon=True).start()

    def _serve(self, channel: socket.socket) -> None:
        packet, handles, _, _ = socket.recv_fds(channel, protocol.MAX_MESSAGE_BYTES, 1)
        hello = protocol.unpack(packet)
        assert isinstance(hello, protocol.Hello)
        channel.send(protocol.Welcome(protocol.STATUS_OK, 40.0).pack())
        if not hello.slots:  # it was only asked whether the camera is there
            channel.close()
            return
        memory = mmap.mmap(handles[0], hello.slots * hello.slot_bytes)
        os.close(handles[0])
        self._channels[hello.serial] = channel
        with contextlib.suppress(OSError), channel:
            while packet := channel.recv(protocol.MAX_MESSAGE_BYTES):
                asked = protocol.unpack(packet)
                assert isinstance(asked, protocol.Render)
                image = codes(asked.frame_id, asked.height, asked.width, asked.offset_x, asked.offset_y)
                start = asked.slot * hello.slot_bytes
                memory[start : start + image.nbytes] = image.tobytes()
                channel.send(protocol.Rendered(asked.frame_id, asked.slot).pack())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for channel in self._channels.values():
            with contextlib.suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)

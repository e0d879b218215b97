"""A serial port that is none: an instrument on a pseudo-terminal, opened like /dev/ttyUSB0."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import tty
from pathlib import Path
from typing import Protocol


class Instrument(Protocol):
    """What can sit behind a serial port."""

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the line, return the answer's bytes."""

    def lost_answer(self) -> None:
        """Take note that nobody reads the answers."""


class SerialPort:
    """A pseudo-terminal whose slave is linked at ``path``; the instrument is served by a thread."""

    def __init__(self, path: Path, instrument: Instrument) -> None:
        self.path = path
        self._instrument = instrument
        self._master, self._slave = os.openpty()  # the slave stays open: a client that closes is no hang-up
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        path.unlink(missing_ok=True)
        path.symlink_to(os.ttyname(self._slave))
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._loop, name="world-serial", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Unplug."""
        os.write(self._wake_write, b"x")
        self._thread.join(timeout=2)
        self.path.unlink(missing_ok=True)
        for handle in (self._master, self._slave, self._wake_read, self._wake_write):
            with contextlib.suppress(OSError):
                os.close(handle)

    def _loop(self) -> None:
        while True:
            ready, _, _ = select.select([self._master, self._wake_read], [], [])
            if self._wake_read in ready:
                return
            try:
                data = os.read(self._master, 4096)
            except BlockingIOError:
                continue
            except OSError:
                return
            answer = self._instrument.feed(data)
            while answer:
                try:
                    answer = answer[os.write(self._master, answer) :]
                except BlockingIOError:
                    self._instrument.lost_answer()
                    break

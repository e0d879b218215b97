"""A serial port that is none: an instrument on a pseudo-terminal, opened like /dev/ttyUSB0."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import threading
import tty
from pathlib import Path
from typing import Protocol

_SPEEDS = {
    getattr(termios, name): int(name[1:])
    for name in vars(termios)
    if name.startswith("B") and name[1:].isdigit()
}
"""Speed as termios codes it -> bits per second."""


class Instrument(Protocol):
    """What can sit behind a serial port."""

    LINE_END: bytes
    """Each of these bytes ends a command."""

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the line, return the answer's bytes."""

    def lost_answer(self) -> None:
        """Take note that nobody reads the answers."""

    def refuse(self, line: bytes, code: int) -> bytes:
        """Answer a command with an error instead of doing it."""


class Listener(Protocol):
    """What a port needs of what sits behind it."""

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the line, return the answer's bytes."""

    def lost_answer(self) -> None:
        """Take note that nobody reads the answers."""


class Unplugged(Exception):
    """Raised by a listener's `feed`: the plug is pulled, nothing more goes either way."""


class SerialPort:
    """A pseudo-terminal whose slave is linked at ``path``; the instrument is served by a thread."""

    def __init__(self, path: Path, instrument: Listener) -> None:
        self.path = path
        self._instrument = instrument
        self._master, self._slave = os.openpty()  # the slave stays open: a client that closes is no hang-up
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        path.unlink(missing_ok=True)
        path.symlink_to(os.ttyname(self._slave))
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC)
        self._open = True
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="world-serial", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    @property
    def speed(self) -> int:
        """Bits per second that the client has set; 0 where it is no usual speed."""
        with self._closing:
            return _SPEEDS.get(termios.tcgetattr(self._slave)[5], 0) if self._open else 0

    def close(self) -> None:
        """Unplug; once is enough."""
        if self._open:
            with contextlib.suppress(OSError):
                os.write(self._wake_write, b"x")
            self._thread.join(timeout=2)
        self._hang_up()

    def _hang_up(self) -> None:
        with self._closing:
            if not self._open:
                return
            self._open = False
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
            try:
                answer = self._instrument.feed(data)
            except Unplugged:
                self._hang_up()
                return
            while answer:
                try:
                    answer = answer[os.write(self._master, answer) :]
                except BlockingIOError:
                    self._instrument.lost_answer()
                    break
                except OSError:  # unplugged while the answer was made
                    return

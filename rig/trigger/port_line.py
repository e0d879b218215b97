"""A serial port opened only to ask who is there: alone, at several speeds, one question at a time."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import serial

from rig.trigger.link import MAX_ANSWER_BYTES

_PTY_MAJORS = range(136, 144)
"""Device numbers of pseudo-terminals; their far end may well hold them open itself."""


class PortTaken(Exception):
    """Another program has the port open; the message says which, where that is known."""


class PortLine:
    """An open port that belongs to nobody else.

    Opening a port raises DTR, which restarts some boards; that cannot be helped, the system does it.

    Raises:
        PortTaken: Another program has it open.
        serial.SerialException: It cannot be opened.
    """

    def __init__(self, port: str, patience_s: float) -> None:
        self._patience_s = patience_s
        if holder := _holder(port):
            raise PortTaken(holder)
        try:
            self._serial = serial.Serial(port, timeout=patience_s, write_timeout=patience_s, exclusive=True)
        except serial.SerialException as error:
            if isinstance(error.__context__, BlockingIOError) or "lock" in str(error):
                raise PortTaken("another program") from error
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._serial.close()

    def ask(self, question: str, baudrate: int, rtscts: bool, ends: tuple[bytes, bytes]) -> bytes:
        """Ask at one speed and return what came back, without an echo of the question; empty for silence.

        Raises:
            serial.SerialException: The port is gone.
        """
        if (self._serial.baudrate, self._serial.rtscts) != (baudrate, rtscts):
            self._serial.baudrate, self._serial.rtscts = baudrate, rtscts
        self._serial.reset_input_buffer()
        try:
            self._serial.write(question.encode("ascii") + ends[0])
        except serial.SerialTimeoutException:  # nobody there holds CTS
            self._serial.reset_output_buffer()
            return b""
        answer = self._serial.read_until(ends[1], MAX_ANSWER_BYTES)
        if answer.strip() == question.encode("ascii"):
            answer = self._serial.read_until(ends[1], MAX_ANSWER_BYTES)
        return answer

    def rest(self) -> None:
        """Wait until a device that has just been opened, or asked at a wrong speed, is quiet."""
        deadline = time.monotonic() + 4 * self._patience_s
        while self._serial.read(MAX_ANSWER_BYTES) and time.monotonic() < deadline:
            pass


def _holder(port: str) -> str:
    """Return the program that has a port open, by the system's own records; empty where none is seen.

    Locks are voluntary, and many terminal programs take none. Other users' programs cannot be seen.
    """
    try:
        found = Path(port).stat()
    except OSError:
        return ""  # opening it says why
    if not stat.S_ISCHR(found.st_mode) or os.major(found.st_rdev) in _PTY_MAJORS:
        return ""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(_is_device(link, found.st_rdev) for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()}, process {process.name}"
        except OSError:  # ended meanwhile, or another user's
            continue
    return ""


def _is_device(link: Path, number: int) -> bool:
    try:
        found = link.stat()
    except OSError:
        return False
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == number

"""The journal of a session: append-only JSON lines, each on the disk before the call returns.

The journal and the files are the only state of a session; everything else is derived from them. A line that
a power cut tore is never dropped: it stays in the file and is reported in :attr:`Journal.problems`, and the
next event starts on a line of its own.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rig.errors import DiskFull, SessionError

SCHEMA: Final = 1
Event = dict[str, Any]


class Journal:
    """One journal file; safe for several threads and several processes.

    Attributes:
        path: The file.
        problems: What could not be read, one line each; filled by :meth:`events`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        self._events: list[Event] = []
        self._offset = 0
        self._lines = 0
        self._torn = ""
        self._mutex = threading.RLock()
        self._depth = 0
        try:
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except OSError as error:
            raise SessionError(
                f"{path} cannot be opened: {error.strerror}", hint="is it a session?"
            ) from error
        first = next(iter(self.events()), {})
        if first.get("event") != "journal":
            self.close()
            raise SessionError(f"{path} is no journal of beamrig")
        if first.get("schema") != SCHEMA:
            self.close()
            raise SessionError(f"{path} has schema {first.get('schema')}, this beamrig reads {SCHEMA}")

    @classmethod
    def create(cls, path: Path) -> Journal:
        """Start a new journal file.

        Raises:
            SessionError: The file is there already, or cannot be made.
        """
        line = _line({"event": "journal", "schema": SCHEMA})
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            try:
                os.write(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise SessionError(f"{path} cannot be made: {error.strerror}") from error
        return cls(path)

    def close(self) -> None:
        """Close the file; the journal cannot be used any more."""
        with self._mutex:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep every other thread and process from reading or writing meanwhile; may be nested."""
        with self._mutex:
            if self._file < 0:
                raise SessionError(f"{self.path} is closed")
            if self._depth == 0:
                fcntl.flock(self._file, fcntl.LOCK_EX)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    fcntl.flock(self._file, fcntl.LOCK_UN)

    def append(self, *events: Mapping[str, Any]) -> None:
        """Write events, one line each, with one flush to the disk for all of them.

        Either all of them are in the journal afterwards or, when the disk refused, none.

        Raises:
            DiskFull: No room is left.
            SessionError: The disk refused for another reason, or an event is no JSON.
        """
        block = b"".join(_line(event) for event in events)
        if not block:
            return
        with self.exclusive():
            end = os.fstat(self._file).st_size
            if end and os.pread(self._file, 1, end - 1) != b"\n":
                block = b"\n" + block
            try:
                rest = memoryview(block)
                while rest:
                    rest = rest[os.write(self._file, rest) :]
                os.fsync(self._file)
            except OSError as error:
                with suppress(OSError):  # else a torn line stays, which reading reports
                    os.ftruncate(self._file, end)
                kind = DiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else SessionError
                raise kind(f"{self.path} cannot be written: {error.strerror}") from error

    def events(self) -> list[Event]:
        """Return all events so far, oldest first, also those that another process wrote meanwhile.

        Raises:
            SessionError: The file cannot be read.
        """
        with self.exclusive():
            try:
                fresh = self._read_on()
            except OSError as error:
                raise SessionError(f"{self.path} cannot be read: {error.strerror}") from error
            *lines, rest = fresh.split(b"\n")
            for line in lines:
                self._lines += 1
                self._offset += len(line) + 1
                self._take(line)
            torn = f"line {self._lines + 1} is torn: {_shorten(rest)}" if rest else ""
            if torn != self._torn:
                self.problems = [problem for problem in self.problems if problem != self._torn]
                self.problems += [torn] if torn else []
                self._torn = torn
            return list(self._events)

    def _read_on(self) -> bytes:
        chunks: list[bytes] = []
        position = self._offset
        while chunk := os.pread(self._file, 1 << 20, position):
            chunks.append(chunk)
            position += len(chunk)
        return b"".join(chunks)

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if isinstance(event, dict) and isinstance(event.get("event"), str):
            self._events.append(event)
        else:
            self.problems.append(f"line {self._lines} is damaged: {_shorten(line)}")


def _line(event: Mapping[str, Any]) -> bytes:
    stamped = {"time": datetime.now(UTC).isoformat(timespec="microseconds"), **event}
    try:
        return json.dumps(stamped, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    except (TypeError, ValueError) as error:
        raise SessionError(f"an event of the journal is no JSON: {error}") from error


def _shorten(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return text if len(text) <= 60 else text[:57] + "..."

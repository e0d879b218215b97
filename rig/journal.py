"""The journal of a session: append-only JSON lines, each on the disk before the call returns.

The journal and the files are the only state of a session; everything else is derived from them. A line that
a power cut tore is never dropped: it stays in the file and is reported in :attr:`Journal.problems`, and the
next event starts on a line of its own.

The order of the lines counts; their times are information, for a computer's clock may be set back. Each line
has a number, one more than that of the line before: a gap or a repetition tells that a line was lost, edited
or copied after it was written. A line that was never completed has no number that counts, so a crash leaves
no gap. Journals from before the numbers are read as they are.
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
from rig.part_files import sync_folder

SCHEMA: Final = 1
Event = dict[str, Any]


class Journal:
    """One journal file; safe for several threads and several processes.

    Attributes:
        path: The file.
        problems: What could not be read, one line each; filled by :meth:`events`.
        read_only: Whether the file can be read but not written; appending is refused then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        self._events: list[Event] = []
        self._offset = 0
        self._lines = 0
        self._torn = ""
        self._number: int | None = None
        self._highest = -1
        self._tail = (0, -1)  # up to where the file is known to appends, and the last number there
        self._mutex = threading.RLock()
        self._depth = 0
        self.read_only = False
        try:
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                hint = "is it a session?"
                raise SessionError(f"{path} cannot be opened: {error.strerror}", hint=hint) from error
            self._file = _open_to_read(path)
            self.read_only = True
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
        line = _line({"event": "journal", "schema": SCHEMA}, 0)
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

    @property
    def torn(self) -> bool:
        """Whether the last line was cut off when the events were read last."""
        return bool(self._torn)

    def append(self, *events: Mapping[str, Any], flush: bool = True) -> None:
        """Write events, one line each, with one flush to the disk for all of them (or none, if told so).

        Either all of them are in the journal afterwards or, when the disk refused, none.

        Raises:
            DiskFull: No room is left.
            SessionError: The disk refused for another reason, or an event is no JSON.
        """
        if not events:
            return
        if self.read_only:
            raise SessionError(f"{self.path} may not be written", hint="the session can be looked at only")
        with self.exclusive():
            try:
                end, number, healing = self._find_tail()
                block = healing + b"".join(
                    _line(event, number + n) for n, event in enumerate(events, start=1)
                )
                self._write(block, end, flush=flush)
            except OSError as error:
                kind = DiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else SessionError
                hint = "make room on the disk; what was recorded before is safe" if kind is DiskFull else ""
                raise kind(f"{self.path} cannot be written: {error.strerror}", hint=hint) from error
            self._tail = (end + len(block), number + len(events))

    def _write(self, block: bytes, end: int, *, flush: bool = True) -> None:
        try:
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            if flush:
                os.fsync(self._file)
        except OSError:
            with suppress(OSError):  # else a torn line stays, which reading reports
                os.ftruncate(self._file, end)
            raise

    def _find_tail(self) -> tuple[int, int, bytes]:
        """Return the file's length, the last number in it, and what the next line needs before it.

        Only what others wrote since the last look is read, so that an append costs the same at any length.
        """
        known, number = self._tail
        end = os.fstat(self._file).st_size
        if end == known:
            return end, number, b""
        if end < known:  # somebody cut the file; what is left is the journal
            known, number = 0, -1
        fresh = self._read_from(known)
        for line in fresh.split(b"\n"):
            event = _parsed(line)
            number = number if event is None else _number_of(event, number)
        return known + len(fresh), number, b"" if fresh.endswith(b"\n") else b"\n"

    def events(self) -> list[Event]:
        """Return all events so far, oldest first, also those that another process wrote meanwhile.

        Raises:
            SessionError: The file cannot be read.
        """
        return self.since(0)

    def since(self, position: int) -> list[Event]:
        """Return the events from a position on, in the list of :meth:`events`; reads new lines only.

        Raises:
            SessionError: The file cannot be read.
        """
        with self.exclusive():
            try:
                fresh = self._read_from(self._offset)
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
            if not rest:
                self._tail = max(self._tail, (self._offset, self._highest))
            return self._events[position:]

    def quarantine(self, folder: Path) -> Path | None:
        """Move a torn last line into a file of its own in ``folder``; return that file, or None without one.

        Raises:
            SessionError: The disk refused; the line is in the journal then, or in both.
        """
        with self.exclusive():
            self.events()
            try:
                torn = self._read_from(self._offset)
                if not torn:
                    return None
                if _parsed(torn) is not None:  # it lacks its end only
                    self._write(b"\n", self._offset + len(torn))
                    self.events()
                    return None
                path = folder / f"journal_{self._offset}.torn"
                with path.open("wb") as file:
                    file.write(torn)
                    file.flush()
                    os.fsync(file.fileno())
                sync_folder(folder)
                os.ftruncate(self._file, self._offset)
                os.fsync(self._file)
            except OSError as error:
                raise SessionError(
                    f"the torn line of {self.path} cannot be moved: {error.strerror}"
                ) from error
            self.events()
        return path

    def _read_from(self, position: int) -> bytes:
        """Read what the file holds now from a position on; only so much, whatever a device may give."""
        end = os.fstat(self._file).st_size
        chunks: list[bytes] = []
        while position < end and (chunk := os.pread(self._file, end - position, position)):
            chunks.append(chunk)
            position += len(chunk)
        return b"".join(chunks)

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        event = _parsed(line)
        if event is None:
            self.problems.append(f"line {self._lines} is damaged: {_shorten(line)}")
            return
        number = event.pop("seq", None)
        if number is not None:
            expected = number if self._number is None else self._number + 1
            if number > expected:
                lost = number - expected
                self.problems.append(
                    f"line {self._lines}: {lost} line{'s' * (lost > 1)} before it are missing"
                )
            elif number < expected:
                self.problems.append(f"line {self._lines} repeats number {number}: it was copied or edited")
            self._number, self._highest = number, max(number, self._highest)
        self._events.append(event)


def _open_to_read(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise SessionError(f"{path} may not be read: {error.strerror}", hint="ask who owns it") from error


def _parsed(line: bytes) -> Event | None:
    """Return the event of a line; None when it is none of ours."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        return None
    return None if "seq" in event and type(event["seq"]) is not int else event


def _number_of(event: Event, before: int) -> int:
    return max(before, int(event.get("seq", before)))


def _line(event: Mapping[str, Any], number: int) -> bytes:
    stamped = {"time": _now().isoformat(timespec="microseconds"), **event, "seq": number}
    try:
        return json.dumps(stamped, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    except (TypeError, ValueError) as error:
        raise SessionError(f"an event of the journal is no JSON: {error}") from error


def _now() -> datetime:
    return datetime.now(UTC)


def _shorten(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return text if len(text) <= 60 else text[:57] + "..."

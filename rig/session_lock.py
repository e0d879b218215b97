"""Who works on a session now: takes that are being recorded, or one repair."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rig.errors import SessionError

_PATIENCE_S: Final = 0.5


class RecordingMark:
    """Tells other programs that this one is recording a take; a lock, so it ends with the program, too.

    Args:
        path: A file of the session for the lock; made when it is first needed, always empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self._takes = 0
        self._file = -1

    @contextlib.contextmanager
    def started(self) -> Iterator[None]:
        """Note that one more take is being recorded, unless what is done within fails.

        Raises:
            SessionError: As :meth:`begin`.
        """
        self.begin()
        try:
            yield
        except BaseException:
            self.end()
            raise

    def begin(self) -> None:
        """Note that one more take is being recorded.

        Raises:
            SessionError: The lock cannot be made, or another program is repairing the session.
        """
        with self._mutex:
            if self._takes == 0:
                self._file = self._lock(fcntl.LOCK_SH)
            self._takes += 1

    def end(self) -> None:
        """Note that one take less is being recorded; one too many does no harm."""
        with self._mutex:
            self._takes = max(0, self._takes - 1)
            if self._takes == 0:
                self._release()

    def close(self) -> None:
        """End all takes of this program."""
        with self._mutex:
            self._takes = 0
            self._release()

    def is_set(self) -> bool:
        """Return whether any program records a take."""
        try:
            with self._path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    @contextlib.contextmanager
    def nobody(self) -> Iterator[None]:
        """Keep everybody from recording meanwhile.

        Raises:
            SessionError: Somebody is.
        """
        descriptor = self._lock(fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(descriptor)

    def _lock(self, how: int) -> int:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            hint = "the session's folder must be writable"
            raise SessionError(f"{self._path} cannot be made: {error.strerror}", hint=hint) from error
        deadline = time.monotonic() + _PATIENCE_S  # :meth:`is_set` holds the lock for a moment, too
        while True:
            try:
                fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            except OSError as error:
                if time.monotonic() < deadline:
                    time.sleep(_PATIENCE_S / 20)
                    continue
                os.close(descriptor)
                raise SessionError(
                    f"another program works on the session {self._path.parent}",
                    hint="wait until its take or its repair is over",
                ) from error
            return descriptor

    def _release(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

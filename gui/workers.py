"""Threads of the window: one thread for each kind of slow work, jobs one after the other, queues bounded."""

from __future__ import annotations

import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, QThread, Signal

from rig.errors import BeamrigError

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Trouble:
    """An error on its way to the operator.

    Attributes:
        message: What happened.
        hint: What to do about it.
        details: The traceback, for the log and the clipboard; empty for errors that explain themselves.
        job: The key of the job that failed.
    """

    message: str
    hint: str = ""
    details: str = ""
    job: str = ""

    @classmethod
    def of(cls, error: BaseException, job: str = "") -> Trouble:
        """Make the record of an exception: ours speak for themselves, others bring their traceback."""
        if isinstance(error, BeamrigError):
            return cls(error.message, error.hint, "", job)
        details = "".join(traceback.format_exception(error))
        return cls(
            f"Unexpected error: {type(error).__name__}: {error}",
            "The app goes on. Copy the details into a report; the log has them too.",
            details,
            job,
        )


class Worker(QThread):
    """A thread with a short queue of jobs.

    A job is a callable without arguments. What it finds, it hands over by signals of plain data or through a
    `NewestSlot`. An error ends the job, not the thread.

    Args:
        name: Name of the thread, for the log.
        limit: Most jobs that may wait; `submit` refuses more.
        parent: The Qt parent.
    """

    failed = Signal(object)

    def __init__(self, name: str, limit: int = 8, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._limit = limit
        self._jobs: deque[tuple[str, Callable[[], None]]] = deque()
        self._wake = threading.Condition()
        self._ending = False
        self._running = ""

    def submit(self, job: Callable[[], None], key: str, *, newest_only: bool = False) -> bool:
        """Queue a job.

        Args:
            job: What to do, in the worker's thread.
            key: Its kind.
            newest_only: Drop waiting jobs of the same kind: only the last wish counts.

        Returns:
            False when the queue is full or the worker is ending; the job is then not done.
        """
        with self._wake:
            if newest_only:
                self._jobs = deque(item for item in self._jobs if item[0] != key)
            if self._ending or len(self._jobs) >= self._limit:
                return False
            self._jobs.append((key, job))
            self._wake.notify()
        if not self.isRunning():
            self.start()
        return True

    def pending(self, key: str) -> bool:
        """Whether a job of this kind waits or runs."""
        with self._wake:
            return self._running == key or any(item[0] == key for item in self._jobs)

    def drop(self, key: str) -> None:
        """Forget waiting jobs of a kind."""
        with self._wake:
            self._jobs = deque(item for item in self._jobs if item[0] != key)

    def end(self, last: Callable[[], None] | None = None, wait_ms: int = 10_000) -> bool:
        """End the thread after the running job.

        Args:
            last: A job that is still to be done, instead of all that wait.
            wait_ms: How long to wait for it.

        Returns:
            Whether the thread has ended.
        """
        with self._wake:
            self._jobs.clear()
            if last is not None:
                self._jobs.append(("end", last))
            self._ending = True
            self._wake.notify()
        if last is not None and not self.isRunning():
            self.start()
        return self.wait(wait_ms)

    def run(self) -> None:
        """Do jobs until told to end; runs in the worker's own thread."""
        while True:
            with self._wake:
                while not self._jobs and not self._ending:
                    self._wake.wait()
                if not self._jobs:
                    return
                key, job = self._jobs.popleft()
                self._running = key
            try:
                job()
            except Exception as error:  # noqa: BLE001 (the thread must outlive any job; the operator is told)
                trouble = Trouble.of(error, key)
                logger.error("job %s failed: %s", key, trouble.details or error)
                self.failed.emit(trouble)
            finally:
                with self._wake:
                    self._running = ""


class NewestSlot(Generic[T]):
    """One place for the newest thing of a kind: the writer overwrites, the reader takes what is new."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._value: T | None = None

    def put(self, value: T) -> None:
        """Replace what is there."""
        with self._lock:
            self._number += 1
            self._value = value

    def take(self, after: int) -> tuple[int, T] | None:
        """Return the newest value and its number if the number is greater than `after`, else None."""
        with self._lock:
            if self._value is None or self._number <= after:
                return None
            return self._number, self._value

    def clear(self) -> None:
        """Forget the value."""
        with self._lock:
            self._value = None

"""Who does the tasks: threads of this process, or processes of this computer.

Each worker process has one seat and one task at a time, so that a worker that dies takes exactly one task
with it, and everybody knows which. Processes are started anew, never forked: the app has threads.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, Protocol

from processing.errors import WorkerLost
from processing.jobs.memory import keep_memory
from processing.jobs.opened import close_all


class Crew(Protocol):
    """Takes tasks; at most `seats` at once.

    Attributes:
        seats: tasks that may be under way.
        threads: how many threads one task may use; None leaves it open.
        name: for the report.
    """

    seats: int
    name: str
    threads: int | None

    def submit(self, work: Callable[[Any], Any], task: Any) -> Future[Any]:
        """Start a task."""

    def result(self, future: Future[Any]) -> Any:
        """Return what a finished task gave, or raise what it raised; must be called once for each.

        Raises:
            WorkerLost: if its worker died.
        """

    def check(self) -> None:
        """Do nothing while the crew can finish what is under way.

        Raises:
            WorkerLost: if it cannot.
        """

    def close(self, *, at_once: bool = False) -> None:
        """Let all workers go; at once also those that are at work."""


class ThreadCrew:
    """Threads of this process: nothing has to be started, and what is open stays open.

    Args:
        workers: number of threads.
    """

    def __init__(self, workers: int) -> None:
        self.seats = workers
        self.name = f"{workers} thread{'s' * (workers > 1)}"
        self.threads: int | None = None
        self._pool = ThreadPoolExecutor(workers, "develop")

    def submit(self, work: Callable[[Any], Any], task: Any) -> Future[Any]:
        """Start a task."""
        return self._pool.submit(work, task)

    def result(self, future: Future[Any]) -> Any:
        """Return what a finished task gave, or raise what it raised."""
        return future.result()

    def check(self) -> None:
        """Do nothing: threads do not go away."""

    def close(self, *, at_once: bool = False) -> None:
        """Wait for the threads; they cannot be ended from outside."""
        self._pool.shutdown(cancel_futures=at_once)
        close_all()


class ProcessCrew:
    """Worker processes, started when they are first needed.

    Args:
        workers: number of processes.
        polite: let everything else on the computer go first.
    """

    def __init__(self, workers: int, *, polite: bool = False) -> None:
        self.seats = workers
        self.name = f"{workers} process{'es' * (workers > 1)}"
        self.threads: int | None = 1
        self._polite = polite
        self._idle: list[_Seat] = []
        self._busy: dict[Future[Any], _Seat] = {}

    def submit(self, work: Callable[[Any], Any], task: Any) -> Future[Any]:
        """Start a task at a free seat."""
        while self._idle:
            seat = self._idle.pop()
            try:
                seat.executor.submit(os.getpid).result()  # its death may not be noticed yet
                future = seat.executor.submit(work, task)
            except BrokenExecutor:  # it died while it had nothing to do: no task is lost
                seat.close(at_once=True)
                continue
            self._busy[future] = seat
            return future
        seat = _Seat(polite=self._polite)
        future = seat.executor.submit(work, task)
        self._busy[future] = seat
        return future

    def result(self, future: Future[Any]) -> Any:
        """Return what a finished task gave, or raise what it raised.

        Raises:
            WorkerLost: if its worker died; another one takes its seat.
        """
        seat = self._busy.pop(future)
        error = future.exception()
        if isinstance(error, BrokenExecutor):
            seat.close(at_once=True)
            hint = "it was killed, or memory ran out; fewer workers need less: --workers"
            raise WorkerLost("the worker process died at this task", hint=hint) from error
        self._idle.append(seat)
        return future.result()

    def check(self) -> None:
        """Do nothing: a process that dies ends its own task, and another one takes its seat."""

    def close(self, *, at_once: bool = False) -> None:
        """End all processes."""
        for seat in (*self._idle, *self._busy.values()):
            seat.close(at_once=at_once)
        self._idle.clear()
        self._busy.clear()


class _Seat:
    """One worker process, and a line that tells it when its parent is gone."""

    def __init__(self, *, polite: bool) -> None:
        context = multiprocessing.get_context("spawn")
        watched, self._line = context.Pipe(duplex=False)
        self._watched = watched
        self.executor: Executor = ProcessPoolExecutor(
            1, mp_context=context, initializer=_begin, initargs=(watched, polite)
        )

    def close(self, *, at_once: bool) -> None:
        if at_once:
            self._line.close()
        self.executor.shutdown(cancel_futures=True)
        self._line.close()
        self._watched.close()


def _begin(line: Connection, polite: bool) -> None:
    """Make a worker: Ctrl+C is the parent's business, and the end of the parent is ours."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if polite:
        os.nice(10)
    keep_memory()

    def watch() -> None:
        try:
            line.recv_bytes()
        except (EOFError, OSError):
            os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()

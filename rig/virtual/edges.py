"""Electricity: sends line edges to the cameras at their times."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

SendEdge = Callable[[str, int, int, int], None]
"""Camera, line, level, CLOCK_MONOTONIC ns."""

EARLY_NS = 150_000
"""An edge may leave this much before its time, to make up for the way through the socket."""


class EdgeScheduler:
    """A thread that sends each edge when it is due, stamped with its exact scheduled time."""

    def __init__(self, send: SendEdge) -> None:
        self._send = send
        self._queue: list[tuple[int, int, str, int, int]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="world-edges", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def close(self) -> None:
        """Stop; edges still waiting are dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout=2)

    def add(self, camera: str, line: int, level: int, t_ns: int) -> None:
        """Send that ``line`` of ``camera`` changes to ``level`` at ``t_ns``."""
        with self._changed:
            heapq.heappush(self._queue, (t_ns, next(self._order), camera, line, level))
            self._changed.notify()

    def _next_due(self) -> tuple[int, int, str, int, int] | None:
        with self._changed:
            while not self._closed:
                if not self._queue:
                    self._changed.wait()
                    continue
                wait_ns = self._queue[0][0] - EARLY_NS - time.monotonic_ns()
                if wait_ns <= 0:
                    return heapq.heappop(self._queue)
                self._changed.wait(wait_ns * 1e-9)
            return None

    def _run(self) -> None:
        while (edge := self._next_due()) is not None:
            t_ns, _, camera, line, level = edge
            self._send(camera, line, level, t_ns)

"""Electricity: sends line edges, and whatever else has its time, to the cameras."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

from rig.virtual.protocol import Message

Send = Callable[[str, Message], None]
"""Camera and what it is told."""

EARLY_NS = 150_000
"""An edge may leave this much before its time, to make up for the way through the socket."""


class EdgeScheduler:
    """A thread that sends each edge when it is due, stamped with its exact scheduled time."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._queue: list[tuple[int, int, str, Message]] = []
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

    def add(self, camera: str, message: Message, t_ns: int) -> None:
        """Send ``message`` to ``camera`` at ``t_ns``."""
        with self._changed:
            heapq.heappush(self._queue, (t_ns, next(self._order), camera, message))
            self._changed.notify()

    def _next_due(self) -> tuple[int, int, str, Message] | None:
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
            _, _, camera, message = edge
            self._send(camera, message)

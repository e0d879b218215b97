"""Timing of a piece of work that is done again and again: other programs on the machine only add to it."""

from __future__ import annotations

import time
from collections.abc import Callable


def best_s(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return the best wall and the best processor time in seconds."""
    wall, processor = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    return min(wall), min(processor)

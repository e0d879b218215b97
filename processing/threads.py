"""Work on parts of an image, shared out to threads; with one thread nothing is started for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")


def share(work: Callable[[Part], None], parts: Iterable[Part], threads: int) -> None:
    """Call `work` for every part; in the caller's own thread where there is one only.

    A thread of its own costs more than its start: what it allocates comes from an arena of its own, which the
    system takes back and clears anew each time.
    """
    if threads <= 1:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(max_workers=threads) as pool:
        list(pool.map(work, parts))

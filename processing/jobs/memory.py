"""Keeping the memory of large images from one to the next."""

from __future__ import annotations

import ctypes
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_MAX: Final = -4
_ARENA_MAX: Final = -8
_NEVER: Final = 2**31 - 1


def keep_memory() -> None:
    """Let this process keep what it frees, for the next image of the same size.

    Otherwise every image's memory goes back to the system and comes again page by page, cleared: a third of
    the time of developing a pair. For worker processes, which do nothing else and then end. Where the C
    library is not glibc nothing happens.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    for name, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _NEVER), (_ARENA_MAX, 1)):
        mallopt(name, value)

"""How much memory there is to be had."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["free_memory_bytes"]


def free_memory_bytes() -> int:
    """Return the memory that can be had without swapping, as the kernel estimates it."""
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass  # an old kernel does not say; what is free now is a safe underestimate
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

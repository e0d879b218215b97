"""Ctrl+C as a wish to stop in good order."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def cancel_by_ctrl_c() -> Iterator[threading.Event]:
    """Let Ctrl+C set an event meanwhile, instead of tearing everything down."""
    cancel = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: cancel.set())
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)

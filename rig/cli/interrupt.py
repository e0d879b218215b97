"""Ctrl+C as a wish to stop in good order."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def on_ctrl_c(action: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl+C do something else meanwhile than tear everything down."""
    before = signal.signal(signal.SIGINT, lambda *_: action())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def cancel_by_ctrl_c() -> Iterator[threading.Event]:
    """Let Ctrl+C set an event meanwhile, instead of tearing everything down; a second one does so at once."""
    cancel = threading.Event()

    def interrupt() -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()

    with on_ctrl_c(interrupt):
        yield cancel

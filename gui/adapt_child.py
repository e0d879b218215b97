"""The process that adapts weights for the window: an order on stdin, JSON lines on stdout."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from rig.errors import BeamrigError

EVERY_S = 0.5


def main() -> None:
    """Adapt as ordered; ends early when standard input closes."""
    order = json.loads(sys.stdin.readline())
    os.nice(int(order["nicer"]))
    cancel = threading.Event()
    threading.Thread(target=_watch_input, args=(cancel,), daemon=True).start()
    try:
        say(result=_adapt(order, cancel))
    except BeamrigError as error:
        say(error={"message": error.message, "hint": error.hint})


def _adapt(order: dict[str, Any], cancel: threading.Event) -> dict[str, Any]:
    """Adapt, and return the fields of `gui.adapt_process.Adapted`."""
    from models.training.adapt import adapt

    told = -EVERY_S

    def tell(done: float, text: str) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= EVERY_S:
            told = now
            say(done=done, text=text)

    report = adapt(
        Path(order["session"]),
        Path(order["weights"]),
        order["minutes"],
        cancel,
        tell,
        out=Path(order["out"]),
    )
    return {
        "weights": None if report.weights is None else str(report.weights),
        "held_out": len(report.held_out),
        "blurred_db": report.before.get("psnr_in", 0.0),
        "before_db": report.before.get("psnr_out", 0.0),
        "after_db": report.after.get("psnr_out", 0.0),
        "cancelled": report.cancelled,
    }


def say(**words: Any) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _watch_input(cancel: threading.Event) -> None:
    """Cancel when the window closes its end, or is gone."""
    while sys.stdin.readline():
        pass
    cancel.set()


if __name__ == "__main__":
    main()

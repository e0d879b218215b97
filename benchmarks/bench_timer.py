"""How late a 2 ms timer of the app's event loop is while the same process captures.

    python benchmarks/bench_timer.py [--rates 10 30] [--seconds 8]

Claim: by 1 ms or less in the median and by 10 ms or less in 99 of 100 cases. The timer is Qt's, in the main
thread, as in the app; the take runs in a thread of its own, with all the threads that collect, hash, write
and keep the journal. Reference: the same timer in the same process while nothing is captured.
"""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path

import numpy as np
from bench_capture import EXPOSURE_S, Take, take
from pattern_rig import pattern_rig
from PySide6.QtCore import QCoreApplication, Qt, QTimer

TICK_S = 0.002


class Ticks:
    """A timer that should tick each 2 ms; notes how late each tick is. Runs until told to end."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self._due = time.perf_counter() + TICK_S
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(round(TICK_S * 1e3))
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.late_ms.append(max(now - self._due, 0.0) * 1e3)
        # Qt keeps to its grid and leaves out what it missed; so does the time that is expected.
        self._due += TICK_S * max(1, np.floor((now - self._due) / TICK_S) + 1)

    def end(self) -> None:
        self._timer.stop()


def ticking(app: QCoreApplication, work: threading.Thread) -> list[float]:
    """Run the event loop while ``work`` runs; return the lateness of each tick, in ms."""
    ticks = Ticks()
    look = QTimer()
    look.timeout.connect(lambda: None if work.is_alive() else app.quit())
    look.start(100)
    work.start()
    app.exec()
    ticks.end()
    return ticks.late_ms


def row(name: str, late_ms: list[float]) -> str:
    p50, p95, p99, most = np.percentile(late_ms, [50, 95, 99, 100])
    return (
        f"{name:28} late by: median {p50:5.2f} ms   p95 {p95:5.2f} ms   p99 {p99:5.2f} ms"
        f"   most {most:6.2f} ms   of {len(late_ms)} ticks"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rates", type=float, nargs="+", default=[10.0, 30.0], help="pairs/s")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each part")
    parser.add_argument("--folder", type=Path, default=None, help="where; else a temporary folder")
    args = parser.parse_args()
    app = QCoreApplication([])
    with pattern_rig(args.folder, EXPOSURE_S) as (rig, session):
        idle = threading.Thread(target=time.sleep, args=(args.seconds,))
        print(row("nothing is captured", ticking(app, idle)), flush=True)
        for rate in args.rates:
            done: list[Take] = []

            def capture(rate: float = rate, done: list[Take] = done) -> None:
                done.append(take(rig, session, round(rate * args.seconds), 1 / rate))

            late_ms = ticking(app, threading.Thread(target=capture))
            print(row(f"{rate:g} pairs/s are captured", late_ms), flush=True)
            print(f"  {done[0].line() if done else 'the take failed'}")


if __name__ == "__main__":
    main()

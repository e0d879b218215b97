"""From the trigger's edge to the frame in the app, full frames, while everything is recorded.

    python benchmarks/bench_latency.py [--rates 5 20] [--seconds 8]

Claim: half of the frames are in the app's hands 8 ms after the edge on their trigger line, or sooner; an
exposure of 0.02 ms (S) or 0.16 ms (B) is in it, and no readout, as the benchmark's cameras have none. The
edge is the start of the exposure on the camera's own clock, which is the computer's here; "in the app" is
when the thread that collects the frames has it. On the way are the camera's transfer (the pattern source
fills a buffer), the host process (polls each ms, copies into the shared ring) and the socket to the app. The
part up to the moment when the host process takes the buffer is printed for itself. The reference is a copy.
"""

from __future__ import annotations

import argparse
import functools
import time
from pathlib import Path

import numpy as np
from bench_capture import take
from pattern_rig import HEIGHT_PX, WIDTH_PX, pattern_rig

from rig import Rig
from rig.camera.inbox import FrameRecord
from rig.camera.process import CameraProcess
from rig.session import Session

EXPOSURE_S = 20e-6


class Stopwatch:
    """Notes of each frame of a camera when it came, against its exposure's start."""

    def __init__(self, camera: CameraProcess) -> None:
        self.to_host_ms: list[float] = []
        self.to_app_ms: list[float] = []
        self._next = camera.next_record
        camera.next_record = functools.partial(self._timed)  # type: ignore[method-assign]

    def _timed(self, timeout_s: float) -> FrameRecord:
        record = self._next(timeout_s)
        now, meta = time.monotonic_ns(), record.meta
        self.to_app_ms.append((now - meta.timestamp_ns) * 1e-6)
        self.to_host_ms.append((meta.host_monotonic_ns - meta.timestamp_ns) * 1e-6)
        return record


def row(name: str, values: list[float]) -> str:
    p50, p95, most = np.percentile(values, [50, 95, 100])
    return f"{name:34} median {p50:6.2f} ms   p95 {p95:6.2f} ms   most {most:6.2f} ms   of {len(values)}"


def copy_ms() -> float:
    source, target = np.ones((HEIGHT_PX, WIDTH_PX), np.uint16), np.empty((HEIGHT_PX, WIDTH_PX), np.uint16)
    times = []
    for _ in range(50):
        begun = time.perf_counter()
        np.copyto(target, source)
        times.append(1e3 * (time.perf_counter() - begun))
    return float(np.median(times))


def measure(rig: Rig, session: Session, rate: float, seconds: float, watches: dict[str, Stopwatch]) -> None:
    for watch in watches.values():
        watch.to_host_ms.clear()
        watch.to_app_ms.clear()
    one = take(rig, session, max(round(rate * seconds), 2), 1 / rate)
    print(f"recording {rate:g} pairs/s; {one.line()}")
    for name, watch in watches.items():
        print("  " + row(f"{name}: edge to the host process", watch.to_host_ms))
        print("  " + row(f"{name}: edge to the app", watch.to_app_ms))
    both = [value for watch in watches.values() for value in watch.to_app_ms]
    print("  " + row("both: edge to the app", both), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rates", type=float, nargs="+", default=[5.0, 20.0], help="pairs/s")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each take")
    parser.add_argument("--folder", type=Path, default=None, help="where; else a temporary folder")
    args = parser.parse_args()
    print(f"copy of a frame: {copy_ms():.2f} ms (median)")
    with pattern_rig(args.folder, EXPOSURE_S) as (rig, session):
        watches = {name: Stopwatch(camera) for name, camera in rig.cameras.items()}
        for rate in args.rates:
            measure(rig, session, rate, args.seconds, watches)


if __name__ == "__main__":
    main()

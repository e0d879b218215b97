"""The way of a frame from the producer to the parent process, and what it does to the parent's own timers.

    python benchmarks/bench_camera.py [--seconds 4]

Claims: (1) full frames (2448x2048, 12 bits in 16) go through host process and shared ring, each one taken
and released in the parent, at a good part of the rate at which numpy copies the same bytes once in the same
run; (2) while this goes on at the rig's own rate, a 2 ms timer in the parent is hardly late, because nobody
there ever waits inside genicam. Reference of (2): the same timer without a camera.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import rig
from rig.camera.process import CameraProcess
from rig.errors import CameraTimeout

CTI = Path(rig.__file__).parent / "virtual" / "beamrig_virtual.cti"
SHAPE = (2048, 2448)


def copies_per_second(seconds: float) -> float:
    """Plain copies of one full frame of uint16 into another array."""
    source, target = np.ones(SHAPE, np.uint16), np.empty(SHAPE, np.uint16)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        np.copyto(target, source)
        count += 1
    return count / (time.perf_counter() - start)


class Timer(threading.Thread):
    """Wakes every 2 ms, as a GUI would, and notes how late it was."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.late_ms: list[float] = []
        self.stopped = False

    def run(self) -> None:
        due = time.perf_counter()
        while not self.stopped:
            due += 0.002
            time.sleep(max(due - time.perf_counter(), 0.0))
            now = time.perf_counter()
            self.late_ms.append((now - due) * 1e3)
            due = max(due, now - 0.002)

    def end(self) -> dict[str, float]:
        self.stopped = True
        self.join()
        late = sorted(self.late_ms)
        return {
            "p50": round(statistics.median(late), 2),
            "p95": round(late[int(len(late) * 0.95)], 2),
            "max": round(late[-1], 2),
        }


def record(camera: CameraProcess, seconds: float) -> tuple[float, dict[str, float]]:
    """Take science frames and release them; returns frames a second and the timer's lateness."""
    camera.start("science")
    camera.release(camera.next_record(5))
    timer = Timer()
    timer.start()
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        try:
            taken = camera.next_record(0.5)
        except CameraTimeout:
            continue
        camera.pixels(taken)
        camera.release(taken)
        count += 1
    fps = count / (time.perf_counter() - start)
    late = timer.end()
    camera.stop()
    return fps, late


def watch(camera: CameraProcess, seconds: float) -> tuple[float, dict[str, float]]:
    """Look at the live view 30 times a second as a GUI does, every look with a copy of the frame."""
    camera.start("live")
    timer = Timer()
    timer.start()
    seen, sequence, start = 0, 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        found = camera.latest(sequence)
        if found is not None:
            sequence, seen = found[0], seen + 1
        time.sleep(1 / 30)
    rate = seen / (time.perf_counter() - start)
    late = timer.end()
    camera.stop()
    return rate, late


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each part")
    seconds = parser.parse_args().seconds
    idle = Timer()
    idle.start()
    time.sleep(seconds)
    result: dict[str, object] = {"timer_late_ms_idle": idle.end()}
    copies = copies_per_second(seconds / 2)
    with CameraProcess.bare(CTI, "VR-B-0001") as camera:
        for name, value in (
            ("ExposureTime", 10),
            ("TriggerOverlap", "ReadOut"),
            ("SensorReadoutMode", "Instant"),
            ("AcquisitionFrameRateEnable", "On"),
            ("AcquisitionFrameRate", 1000),
        ):
            camera.write(name, value, rel_tol=1.0)
        fps, late = record(camera, seconds)
        counters = camera.counters(fresh=True)
        result["flat_out"] = {
            "frames_per_s": round(fps, 1),
            "numpy_copies_per_s": round(copies, 1),
            "ratio": round(fps / copies, 3),
            "megabytes_per_s": round(fps * SHAPE[0] * SHAPE[1] * 2e-6),
            "underruns": counters.underruns,
            "timer_late_ms": late,
        }
        camera.write("AcquisitionFrameRate", 20, rel_tol=0.01)
        fps, late = record(camera, seconds)
        result["recording_at_20_hz"] = {"frames_per_s": round(fps, 2), "timer_late_ms": late}
        fps, late = watch(camera, seconds)
        result["live_view_at_20_hz"] = {"frames_seen_per_s": round(fps, 2), "timer_late_ms": late}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

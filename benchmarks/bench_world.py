"""The virtual world's speed: sensor stage in C against the same stage in numpy, and whole frames.

    python benchmarks/bench_world.py [--repeat 7]

Claim: at 2448x2048 the C sensor stage is at least 10 times as fast as numpy's, so that two cores render
both cameras at more than 10 Hz. Reference: the same law (photon and read noise, full well, gain, black level,
rounding) with numpy's own generators in the same run, on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import numpy as np

from rig.virtual import kernel
from rig.virtual.parameters import draw_parameters
from rig.virtual.render import CameraRenderer
from rig.virtual.state import SceneState

SHAPE = (2048, 2448)


def median_ms(work: Callable[[], object], repeat: int) -> float:
    """Median CPU time of this thread: other load on the machine does not count."""
    work()
    times = []
    for _ in range(repeat):
        start = time.thread_time()
        work()
        times.append((time.thread_time() - start) * 1e3)
    return statistics.median(times)


def numpy_stage(rate: np.ndarray, rng: np.random.Generator, out: np.ndarray) -> None:
    electrons = rng.poisson(rate * np.float32(3e-3)).astype(np.float32)
    np.minimum(electrons, 10_500, out=electrons)
    electrons += np.float32(2.4) * rng.standard_normal(SHAPE, np.float32)
    out[:] = np.clip(np.rint(electrons * np.float32(0.39) + np.float32(64)), 0, 4095)


def c_stage(rate: np.ndarray, out: np.ndarray) -> None:
    kernel.expose(
        rate,
        out,
        origin=(0, 0),
        exposure_s=3e-3,
        dark_e=0.01,
        read_noise_e=2.4,
        full_well_e=10_500,
        gain_dn_per_e=0.39,
        black_level_dn=64,
        max_code=4095,
        key=1,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=7)
    repeat = parser.parse_args().repeat
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    rate = rng.uniform(1e5, 2.5e6, SHAPE).astype(np.float32)
    out = np.empty(SHAPE, np.uint16)
    in_c = median_ms(lambda: c_stage(rate, out), repeat)
    in_numpy = median_ms(lambda: numpy_stage(rate, rng, out), max(3, repeat // 2))

    parameters = draw_parameters()
    state = SceneState(parameters)
    exposures = {"B": 24_560_000, "S": 3_070_000}
    cameras = {name: CameraRenderer(parameters, state, name) for name in exposures}
    frames = {name: np.empty(SHAPE, np.uint16) for name in exposures}

    def frame(name: str) -> None:
        request = SimpleNamespace(
            frame_id=0,
            t_start_ns=400_000_000,
            exposure_ns=exposures[name],
            gain_db=0.0,
            black_level_dn=64.0,
            offset_x=0,
            offset_y=0,
            triggered=0,
        )
        cameras[name].render(request, frames[name])

    start = time.perf_counter()
    for camera in cameras.values():
        camera.prepare()
    prepared = time.perf_counter() - start
    whole = {name: median_ms(lambda name=name: frame(name), repeat) for name in exposures}

    def run(name: str, count: int) -> None:
        for _ in range(count):
            frame(name)

    start = time.perf_counter()
    threads = [threading.Thread(target=run, args=(name, 20)) for name in exposures]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pairs_per_s = 20 / (time.perf_counter() - start)
    result = {
        "sensor_stage_cpu_ms": {
            "c": round(in_c, 1),
            "numpy": round(in_numpy, 1),
            "ratio": round(in_numpy / in_c, 1),
        },
        "frame_cpu_ms": {name: round(value, 1) for name, value in whole.items()},
        "prepare_both_s": round(prepared, 2),
        "pairs_per_s_two_threads": round(pairs_per_s, 1),
        "claim_holds": in_numpy / in_c >= 10 and max(whole.values()) < 100,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

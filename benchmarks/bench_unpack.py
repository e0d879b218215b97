"""Unpacking a full frame: each packed format against a memory copy of as many bytes in the same run."""

from __future__ import annotations

import ctypes
import statistics
import time
from collections.abc import Callable

import numpy as np
from harvesters.util.pfnc import Dictionary

from rig.camera.unpack import Layout, packed_bytes, unpack

HEIGHT, WIDTH = 2048, 2448
ROUNDS = 15
REPEATS = 5
GOAL = 0.5
FORMATS = (
    ("Mono12, LSB aligned", Layout.LSB_16, 0),
    ("Mono12, MSB aligned", Layout.LSB_16, 4),
    ("Mono12, big-endian", Layout.MSB_16, 0),
    ("Mono10p", Layout.P10, 0),
    ("Mono12p", Layout.P12, 0),
    ("Mono14p", Layout.P14, 0),
    ("Mono10Packed", Layout.PACKED_10, 0),
    ("Mono12Packed", Layout.PACKED_12, 0),
)


def seconds(work: Callable[[], object]) -> float:
    """Return the median wall time of a few runs in a row, of which the first is not counted."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Print times and ratios; each ratio is the median over rounds that take both in turn."""
    target = np.zeros((HEIGHT, WIDTH), np.uint16)
    plain = np.random.default_rng(0).integers(0, 256, target.nbytes, np.uint8)
    memcpy = ctypes.CDLL(None).memcpy
    memcpy.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    memcpy.restype = ctypes.c_void_p
    print(f"{WIDTH}x{HEIGHT} to 16 bit, one thread, warm, medians of {ROUNDS} rounds")
    print(f"{'format':22s} {'unpack':>9s} {'memcpy':>9s} {'output':>11s} {'speed / memcpy':>15s}")
    worst = 1e9
    for name, layout, shift in FORMATS:
        source = plain[: packed_bytes(layout, target.size)].copy()
        if shift:
            source.view(np.uint16)[:] &= 0xFFFF << shift & 0xFFFF
        ours, copies, ratios = [], [], []
        for _ in range(ROUNDS):
            copies.append(seconds(lambda: memcpy(target.ctypes.data, plain.ctypes.data, target.nbytes)))
            ours.append(seconds(lambda s=source, k=layout, d=shift: unpack(s, k, target, shift=d)))
            ratios.append(copies[-1] / ours[-1])
        took, ratio = statistics.median(ours), statistics.median(ratios)
        worst = min(worst, ratio)
        print(
            f"{name:22s} {took * 1e3:6.2f} ms {statistics.median(copies) * 1e3:6.2f} ms"
            f" {target.nbytes / took / 1e9:6.1f} GB/s {ratio:15.2f}"
        )
    source = plain[: packed_bytes(Layout.P12, target.size)]
    theirs = Dictionary.get_proxy(symbolic="Mono12p")
    print(f"{'harvesters, Mono12p':22s} {seconds(lambda: theirs.expand(source)) * 1e3:6.2f} ms")
    print(f"slowest: {worst:.2f} of memory-copy speed (goal {GOAL}): {'met' if worst >= GOAL else 'NOT met'}")


if __name__ == "__main__":
    main()

"""Demosaicing a full frame: our Menon against colour-demosaicing's; OpenCV's bilinear as yardstick."""

from __future__ import annotations

import argparse
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from timing import best_s

from processing.demosaic import menon

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from colour_demosaicing import demosaicing_CFA_Bayer_Menon2007 as reference

HEIGHT, WIDTH = 2048, 2448


def peak_mb(work: Callable[[], Any]) -> float:
    """Return the peak of memory allocated during one call, its result included, in MB."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def main() -> None:
    """Print times, ratios and memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=12, help="times that each way but the slow one is run")
    rounds = parser.parse_args().rounds
    codes = np.random.default_rng(0).integers(64, 4096, (HEIGHT, WIDTH)).astype(np.uint16)
    smooth = cv2.GaussianBlur(codes, (0, 0), 2.0)
    as_float, as_double = smooth.astype(np.float32), smooth.astype(np.float64)
    ways: list[tuple[str, Callable[[], Any], int]] = [
        ("OpenCV bilinear", lambda: cv2.demosaicing(smooth, cv2.COLOR_BayerBG2RGB), rounds),
        ("Menon, 2 threads", lambda: menon(as_float, threads=2), rounds),
        ("Menon, 1 thread", lambda: menon(as_float, threads=1), rounds),
        ("colour-demosaicing Menon", lambda: reference(as_double), min(2, rounds)),
    ]
    seconds = {name: best_s(work, repeats) for name, work, repeats in ways}
    wall, processor = seconds["Menon, 1 thread"]
    print(f"{WIDTH}x{HEIGHT}: best wall and processor time, their ratio to one thread of ours, peak memory")
    print(f"with the result ({WIDTH * HEIGHT * 12 / 1e6:.0f} MB)")
    for name, work, _ in ways:
        took, used = seconds[name]
        times = f"{took * 1e3:8.1f} ms {used * 1e3:8.1f} ms   {took / wall:6.2f} x {used / processor:6.2f} x"
        print(f"{name:26s} {times}   {peak_mb(work):5.0f} MB")
    gap = np.abs(menon(as_float) - reference(as_double))[8:-8, 8:-8].max()
    print(f"largest difference to colour-demosaicing inside an 8 px border: {gap:.2g} DN of 4095")


if __name__ == "__main__":
    main()

"""Rate of writing RAW files, against plain os.write + fsync of the same bytes in the same run.

A take at 5 Hz needs 100 MB/s for both cameras. What a DNG costs on top of the disk is the check of the codes,
the header and, most of all, the SHA-256; the two ways are timed in turn, so that the disk's moods hit both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from rig.dng import RawImage, write_dng


def plain(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    os.fsync(descriptor)
    os.close(descriptor)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument(
        "--folder",
        type=Path,
        default=None,
        help="where; else a temporary folder",
    )
    args = parser.parse_args()
    pixels = np.random.default_rng(1).integers(64, 4096, (2048, 2448), dtype=np.uint16)
    image = RawImage(pixels, "RGGB", 64, 4095, 12, 24564.0, 0.0, "VR-B-0001", "B", 0, 0, 0)
    taken: dict[str, list[float]] = {"plain write + fsync": [], "write_dng": []}
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        content = write_dng(Path(folder) / "first.dng", image).path.read_bytes()
        for index in range(args.frames):
            begun = time.perf_counter()
            plain(Path(folder) / f"{index}.raw", content)
            between = time.perf_counter()
            write_dng(Path(folder) / f"{index}.dng", image)
            ended = time.perf_counter()
            taken["plain write + fsync"].append(between - begun)
            taken["write_dng"].append(ended - between)
    size_mb = len(content) / 1e6
    for name, seconds in taken.items():
        middle = statistics.median(seconds)
        rate = f"{middle * 1e3:7.1f} ms/frame  {size_mb / middle:7.0f} MB/s"
        print(f"{name:22} {rate}  (median of {len(seconds)}, {size_mb:.2f} MB)")
    ratio = statistics.median(b / a for a, b in zip(*taken.values(), strict=True))
    print(f"a DNG takes {ratio:.2f} x the time of the plain write (median of pairs)")


if __name__ == "__main__":
    main()

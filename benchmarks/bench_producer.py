"""Throughput of the virtual producer: delivered frames against plain memcpy of the same bytes.

    python benchmarks/bench_producer.py [--seconds 2]

Claim: through harvesters (raw payload, buffers queued without clearing) the pattern source delivers frames
of 2448x2048 at half the rate at which one thread copies as many bytes, or faster, in every pixel format.
Reference: `memmove` into the same number of equal buffers, in the same run.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import time
from pathlib import Path
from typing import Any

from harvesters.core import Harvester

import rig.virtual

CTI = Path(rig.virtual.__file__).with_name("beamrig_virtual.cti")
FORMATS = ("BayerRG8", "BayerRG12", "BayerRG12p", "BayerRG16")
BUFFERS = 4


def frames_per_second(acquirer: Any, seconds: float) -> float:
    """Rate at which frames arrive here and are given back, after a warm-up that touches every buffer."""
    acquirer.start()
    stream = acquirer.data_streams[0]
    count, start = -2 * BUFFERS, 0.0
    while count <= 0 or time.perf_counter() - start < seconds:
        if not stream.num_awaiting_delivery:
            time.sleep(0.0001)
            continue
        buffer = acquirer.fetch(is_raw=True)
        buffer.parent.queue_buffer(buffer, False)
        count += 1
        if count == 0:
            start = time.perf_counter()
    rate = count / (time.perf_counter() - start)
    acquirer.stop()
    return rate


def copies_per_second(size: int, seconds: float) -> float:
    """Rate of `memmove` from one buffer of that size into each of several in turn."""
    source = ctypes.create_string_buffer(size)
    targets = [ctypes.create_string_buffer(size) for _ in range(BUFFERS)]
    for target in targets:
        ctypes.memmove(target, source, size)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        ctypes.memmove(targets[count % BUFFERS], source, size)
        count += 1
    return count / (time.perf_counter() - start)


def measure(seconds: float) -> dict[str, dict[str, float]]:
    """Frames a second, copies a second and their ratio for each pixel format."""
    harvester = Harvester()
    harvester.add_file(str(CTI), check_existence=True)
    harvester.update()
    acquirer = harvester.create({"serial_number": "VR-B-0001"})
    acquirer.num_buffers = BUFFERS
    nodes = acquirer.remote_device.node_map
    nodes.SensorReadoutMode.value = "Instant"
    nodes.AcquisitionFrameRateEnable.value = False
    nodes.ExposureTime.value = 10.0
    results = {}
    for name in FORMATS:
        nodes.PixelFormat.value = name
        size = nodes.PayloadSize.value
        # The copies before and after the frames: the load of a shared machine changes while this runs.
        copies = [copies_per_second(size, seconds / 2)]
        frames = frames_per_second(acquirer, seconds)
        copies.append(copies_per_second(size, seconds / 2))
        rate = sum(copies) / 2
        results[name] = {
            "bytes": size,
            "frames_per_s": round(frames, 1),
            "copies_per_s": round(rate, 1),
            "ratio": round(frames / rate, 3),
        }
    acquirer.destroy()
    harvester.reset()
    return results


def main() -> None:
    """Print the measurements as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0)
    print(json.dumps(measure(parser.parse_args().seconds), indent=2))


if __name__ == "__main__":
    main()

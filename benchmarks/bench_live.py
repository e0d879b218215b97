"""Live pictures: both frames of a pair, half size, corrected and aligned, against the full pipeline's.

    python benchmarks/bench_live.py [--pairs 20]

Claim: at least 15 pairs/s on 2 cores at 2448x2048. Reference: `ScenePipeline.develop` of the same pair in the
same run, and reading the pair's codes once.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).parents[1]))

from processing.alignment.flow_model import PolynomialFlow
from processing.calibration.scene import SceneCalibration
from processing.live import LiveChain
from processing.pipeline import ScenePipeline
from rig.records import RawPair
from tests.processing.scenes import filled, record_session

SHAPE = (2048, 2448)


def ms(work: Callable[[], object], rounds: int) -> float:
    """Median time in ms after one warm-up."""
    work()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)


def cpu_ms(work: Callable[[], object], rounds: int) -> float:
    """Processor time of all threads in ms, mean: hardly changed by what else the computer does."""
    work()
    started = time.process_time()
    for _ in range(rounds):
        work()
    return (time.process_time() - started) / rounds * 1e3


def enlarged(small: SceneCalibration) -> SceneCalibration:
    """Make the calibration of a small session one for full frames: the same work, other numbers."""
    height, width = SHAPE
    flow = small.flow
    if not isinstance(flow, PolynomialFlow):
        raise SystemExit("the small session's flow is no polynomial any more")
    return replace(
        small,
        frames={name: replace(one, width=width, height=height) for name, one in small.frames.items()},
        colour={name: replace(one, width=width, height=height) for name, one in small.colour.items()},
        flow=flow.scaled(SHAPE),
        box=(10, height - 10, 12, width - 12),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=20)
    pairs = parser.parse_args().pairs
    cv2.setNumThreads(2)
    with tempfile.TemporaryDirectory() as folder:
        session = record_session(Path(folder) / "session", pairs=0)
        pipeline = ScenePipeline.from_session(session, "s01")
        pipeline = ScenePipeline(pipeline.takes, enlarged(pipeline.calibration))
        small = session.pairs("s01", "static")[0].load()
        raw = RawPair(*(replace(one, pixels=filled(one.pixels, *SHAPE)) for one in (small.b, small.s)))
        chain = LiveChain.calibrated(pipeline.calibration)
        plain = LiveChain.plain(pipeline.calibration.frames["B"], pipeline.calibration.frames["S"])
        b, s = raw.b.pixels, raw.s.pixels
        live = ms(lambda: chain(b, s), pairs)
        full = ms(lambda: pipeline.develop(raw.b, raw.s).as_8bit(), max(pairs // 5, 3))
        result = {
            "live_pair_ms": live,
            "live_pairs_per_s": 1e3 / live,
            "live_pair_cpu_ms": cpu_ms(lambda: chain(b, s, threads=1), pairs),
            "full_pipeline_cpu_ms": cpu_ms(
                lambda: pipeline.develop(raw.b, raw.s).as_8bit(), max(pairs // 5, 3)
            ),
            "live_pair_one_thread_ms": ms(lambda: chain(b, s, threads=1), pairs),
            "without_calibration_ms": ms(lambda: plain(b, s), pairs),
            "full_pipeline_ms": full,
            "full_over_live": full / live,
            "reading_the_codes_ms": ms(lambda: (b.sum(), s.sum()), pairs),
        }
    print(json.dumps({name: round(value, 2) for name, value in result.items()}, indent=2))


if __name__ == "__main__":
    main()

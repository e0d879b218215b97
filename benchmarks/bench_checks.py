"""What it costs to look at each pair while a take runs and after development, and to measure light and speed.

    python benchmarks/bench_checks.py [--rounds 20]

Claims, at 2448x2048 on one core: the checks of a pair for itself take at most 30 ms, those against the static
take 25 ms more, the verdict after development 120 ms. Reference: casting both frames of the pair to float32,
which any look at every pixel begins with. Times are of the processor, so that other programs do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import numpy as np
from bench_process import STATIC, record

from processing.checks.live_verdict import SceneWatch
from processing.checks.pair import PairCheck
from processing.checks.pair_verdict import judge
from processing.checks.static_reference import StaticReference
from processing.checks.verdict import PairVerdict
from processing.masks import FrozenBackground
from processing.pipeline import ScenePipeline
from processing.survey.measure import check_tau, measure_light
from processing.survey.motion import step_between
from rig.exposure import plan_exposure
from rig.plan import ExposurePlan
from rig.profiles import load_rig
from rig.raw_image import RawImage
from rig.records import RawPair

SHAPE = (2048, 2448)


def frame(rng: np.random.Generator, camera: str, moved: int = 0, timestamp_ns: int = 0) -> RawImage:
    """A textured scene with an object of 400x300 px, with shot noise."""
    texture = np.random.default_rng(1).normal(0, 1, (SHAPE[0] // 2, SHAPE[1] // 2)).astype(np.float32)
    light = 800 + 200 * cv2.GaussianBlur(texture, (0, 0), 1.5) * 3
    light[400:550, 200 + moved : 400 + moved] = light[100:250, 900:1100] * 1.3
    cells = np.repeat(np.repeat(light, 2, axis=0), 2, axis=1)
    codes = 64 + cells + rng.normal(0, 1, SHAPE).astype(np.float32) * np.sqrt(0.39 * np.maximum(cells, 1))
    return RawImage(
        pixels=np.clip(codes, 0, 4095).astype(np.uint16), cfa="RGGB", black_level=64, white_level=4095,
        significant_bits=12, exposure_us=24_000.0 if camera == "B" else 3_000.0, gain_db=0.0,
        serial_number="x", camera=camera, trigger_index=0, frame_id=0, timestamp_ns=timestamp_ns,
    )  # fmt: skip


def ms(work: Callable[[], object], rounds: int) -> float:
    """Median time of the processor in ms."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append((time.process_time() - started) * 1e3)
    return statistics.median(times)


def developed_scene(rounds: int) -> dict[str, float]:
    """Judge a pair of a scene with a whole pipeline, live and developed."""
    usual = plan_exposure(load_rig("virtual"), speed_mps=1.4, blur_s_px=4.0)
    plan = replace(usual, blur_px={"B": 24.0, "S": 3.0}, placement="centre")
    with tempfile.TemporaryDirectory() as folder, record(Path(folder) / "session", STATIC + 2) as session:
        pipeline = ScenePipeline.from_session(session, "s01")
        watch = SceneWatch.of(session.pairs("s01", "static"), plan)
        raw = session.pairs("s01", "action")[0].load()
        static = pipeline.static_8bit()
        developed = pipeline.develop(raw.b, raw.s).as_8bit()
        mask = FrozenBackground(static).mask(*developed)
        reference = StaticReference.of_scene(pipeline)

        def verdict_with(plan: ExposurePlan | None) -> PairVerdict:
            return judge(pipeline, raw, developed, mask, plan, reference=reference)

        verdict = verdict_with(plan)
    found = [one.one_line() for one in verdict.findings if "times as bright" not in one.text]
    print(json.dumps({"findings": found, "figures": verdict.figures}, indent=2))
    return {
        "check_pair_against_static_ms": ms(lambda: watch.judge(raw), rounds),
        "verdict_developed_ms": ms(lambda: verdict_with(plan), rounds),
        "verdict_developed_without_blur_ms": ms(lambda: verdict_with(None), rounds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    rng = np.random.default_rng(2)
    plan = plan_exposure(load_rig("virtual"), speed_mps=1.4, blur_s_px=4.0)
    pairs = [RawPair(frame(rng, "B"), frame(rng, "S")) for _ in range(2)]
    frames = {"B": [pair.b for pair in pairs], "S": [pair.s for pair in pairs]}
    first, second = frame(rng, "S"), frame(rng, "S", 65, 100_000_000)
    turn = iter(range(10**9))
    checks = {kind: PairCheck(kind, plan) for kind in ("whiteboard", "action")}
    result = {
        "cast_both_frames_ms": ms(lambda: [one.pixels.astype(np.float32) for one in (first, second)], rounds),
        "check_whiteboard_pair_ms": ms(lambda: checks["whiteboard"](pairs[next(turn) % 2]), rounds),
        "check_action_pair_ms": ms(lambda: checks["action"](pairs[next(turn) % 2]), rounds),
        "measure_light_ms": ms(lambda: measure_light(frames, 0.125), max(rounds // 4, 1)),
        "measure_tau_ms": ms(lambda: check_tau(frames, 0.125), max(rounds // 4, 1)),
        "measure_speed_step_ms": ms(lambda: step_between(first, second), max(rounds // 4, 1)),
    }
    result |= developed_scene(rounds)
    print(json.dumps({name: round(value, 2) for name, value in result.items()}, indent=2))


if __name__ == "__main__":
    main()

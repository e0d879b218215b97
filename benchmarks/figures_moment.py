"""How often are B and S of different shots caught, and right pairs accused? Over rendered scenes.

    python benchmarks/figures_moment.py [--scenes 100] [--seed 1]

Each scene has a photograph, one to three textured objects of 12 to 360 px (log-uniform) that move in any
direction at 0.5 to 1.2 times the planned speed, B's blur 12 to 70 px, S placed at start, centre or end, 1.1
to 4 exposures of B from shot to shot, 10.5 ke- full well, in quarter size. Of each scene two right pairs and
the two that mix its neighbouring shots are judged.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast

import numpy as np

from processing.checks.same_moment import same_moment
from processing.checks.view import F32, View, difference, mean_view
from rig.exposure import plan_exposure
from rig.plan import ExposurePlan
from rig.profiles import load_rig
from tests.processing.scenes import DATA, FULL_WELL_E, READ_NOISE_E, MovingScene, filled, kodak, linear

HEIGHT, WIDTH, STEP = 512, 640, 4
PEDESTAL_DN, GAIN_DN_PER_E = 16.0, 0.39


def seen(light: F32, rng: np.random.Generator) -> F32:
    """Return the view of (H, W, 3) light: the mean of 16 pixels a sample, with their noise."""
    electrons = np.maximum(light.mean(axis=2) * 0.6 * FULL_WELL_E, 0)
    mean = rng.poisson(electrons * STEP**2) / STEP**2
    mean = mean + rng.normal(0, READ_NOISE_E / STEP, mean.shape)
    return np.asarray(np.sqrt(np.maximum(mean * GAIN_DN_PER_E + PEDESTAL_DN, 1)), np.float32)


def scene(rng: np.random.Generator, photos: list[F32], plan: ExposurePlan) -> tuple[ExposurePlan, list[View]]:
    """Render a scene: its plan, the static view, and the views of pairs BS = 00, 11, 01, 10."""
    blur_b = rng.uniform(12, 70)
    placement = cast("Literal['start', 'centre', 'end']", str(rng.choice(["start", "centre", "end"])))
    plan = replace(plan, blur_px={"B": blur_b, "S": blur_b / 8}, placement=placement)
    lag = {"start": 0.0, "centre": 0.5, "end": 1.0}[placement] * (blur_b - blur_b / 8) / STEP
    period = rng.uniform(1.1, 4)
    ground = photos[int(rng.integers(len(photos)))]
    objects = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        size = np.exp(rng.uniform(np.log(3), np.log(90)))
        height, width = (int(max(3, size * rng.uniform(0.5, 1.5))) for _ in range(2))
        photo = photos[int(rng.integers(len(photos)))]
        top, left = rng.integers(0, 200), rng.integers(0, 300)
        texture = photo[top : top + height, left : left + width] * np.float32(rng.uniform(0.4, 1.2))
        start = rng.uniform(80, WIDTH - 220), rng.uniform(80, HEIGHT - 180)
        objects.append((texture, start, rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.2)))
    still = MovingScene(ground, objects[0][0]).background

    def light(camera: str, shot: int) -> F32:
        now = still
        for texture, (x, y), angle, speed in objects:
            moving = MovingScene(now, texture)
            moving.background = now
            way = blur_b / STEP * speed * period * shot
            blur = plan.blur_px[camera] / STEP * speed
            at = x + np.cos(angle) * way, y + np.sin(angle) * way
            now = moving.frame(*at, blur, angle, lag * speed if camera == "S" else 0.0)
        return now

    frames = {(camera, shot): light(camera, shot) for camera in "BS" for shot in (0, 1)}
    static = mean_view([View(seen(still, rng), seen(still, rng), STEP, PEDESTAL_DN) for _ in range(3)])
    pairs = [
        View(seen(frames["B", b], rng), seen(frames["S", s], rng), STEP, PEDESTAL_DN)
        for b, s in ((0, 0), (1, 1), (0, 1), (1, 0))
    ]
    return plan, [static, *pairs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    names = sorted(Path(path).stem.removeprefix("kodak_") for path in DATA.glob("kodak_*.png"))
    photos = [linear(filled(kodak(name), HEIGHT, WIDTH)) for name in names]
    usual = plan_exposure(load_rig("virtual"), speed_mps=1.4, blur_s_px=4.0)
    counts: Counter[str] = Counter()
    for number in range(asked.scenes):
        plan, (static, *pairs) = scene(rng, photos, usual)
        for pair, kind in zip(pairs, ("right", "right", "wrong", "wrong"), strict=True):
            of_b, of_s = (difference(pair, static, camera) for camera in "BS")
            moment = same_moment(of_b, of_s, STEP, plan)
            said = "accused" if moment.contradicted else "passed" if moment.told else "untold"
            counts[f"{kind} {said}"] += 1
        so_far = ", ".join(f"{key} {counts[key]}" for key in sorted(counts))
        print(f"scene {number + 1} of {asked.scenes}: {so_far}", file=sys.stderr, flush=True)
    print(json.dumps({"scenes": asked.scenes, **{key: counts[key] for key in sorted(counts)}}, indent=2))


if __name__ == "__main__":
    main()

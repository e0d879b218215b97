"""Speed of the engine behind the live preview, as ratios against the plain network in the same process.

Reference of every ratio: LBAG of the released size (base 32, 20 residual blocks a stage) as
`models.networks.lbag` writes it, float32, contiguous, the whole picture at once. A moving object covers 12 %
of a made pair (B with it smeared, S with it sharp). The least of several rounds counts, wall time; the
processor time beside it, summed over threads, is what a busy machine leaves comparable.

    python benchmarks/bench_deblur_moved.py [full] [small] [first] [memory] [--weights W] [--threads 2]

`--weights` names trained weights of the small network; without, the shipped ones are used, and where there
are none a seeded network. All parts take about four minutes on two quiet cores; what is measured of the
machine is kept in a folder of this run alone. Every finished part is told at once, the report comes last.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from timing import best_s

from models.checkpoints import save_safetensors
from models.deblur import DeblurEngine
from models.networks.lbag import LBAG, seeded_lbag
from models.pictures import as_unit_range, to_planes
from models.preview import LivePreview, PreviewAnswer
from models.weights import default_weights

FULL, SMALL = (32, 20), (16, 4)
MOVED_SHARE = 0.12
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Setting:
    """What the parts run: weights of both networks, rounds, scale of the pictures, threads."""

    full: Path
    small: Path
    repeats: int
    scale: float
    threads: int

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the size of a picture, a multiple of 4 pixels."""
        sides = (max(4 * round(side * self.scale / 4), 64) for side in (height, width))
        return next(sides), next(sides)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="full|small|first|memory")
    parser.add_argument("--weights", type=Path, help="trained weights of the small network")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--scale", type=float, default=1.0, help="size of all pictures, to try it out")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    parts = args.parts or list(PARTS)
    if wrong := set(parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(wrong))}")
    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        small = args.weights or default_weights() or _weights(Path(folder) / "small.safetensors", *SMALL)
        full = _weights(Path(folder) / "full.safetensors", *FULL)
        for part in parts:
            started = time.perf_counter()
            tell(f"{part}: begins")
            report[part] = PARTS[part](Setting(full, small, args.repeats, args.scale, args.threads))
            tell(f"{part}: {time.perf_counter() - started:.0f} s; {summary(part, report[part])}")
    print(json.dumps(report, indent=2))


def tell(text: str) -> None:
    """Say how far it is, beside the report."""
    print(text, file=sys.stderr, flush=True)


def summary(part: str, found: dict[str, Any]) -> str:
    """Return the figures of a part that count, in one line."""
    if "whole" in found:
        whole, moved = found["whole"], found["moved"]
        return (
            f"{whole['ratio']:.1f} x whole, {moved['ratio']:.1f} x where it moved ({moved['share']:.0%}), "
            f"{moved['frames_per_s']:.1f} frames/s, {whole['costs_at_40_db']:.3f} dB lost at 40 dB, "
            f"psnr against fp32 {whole['psnr_db']:.1f} dB, tiles against the whole "
            f"{moved['worst_against_whole_of_255']:.2f}/255"
        )
    if part == "first":
        return ", ".join(
            f"{name}: {found[name]['median_ms']:.0f} ms" for name in ("with_reference", "without")
        )
    return f"peak {found['peak_gib']:.2f} GiB, of which {found['before_gib']:.2f} before the frame"


def pair(height: int, width: int, seed: int = 0) -> tuple[Codes, Codes]:
    """Return B and S, 8 bit, which differ in a textured object over 12 % of the picture and by noise."""
    dice = np.random.default_rng(seed)
    scene = cv2.resize(dice.random((height // 8, width // 8, 3), dtype=np.float32), (width, height)) * 0.8
    texture = cv2.resize(dice.random((height // 2, width // 2, 3), dtype=np.float32), (width, height))
    inside = np.zeros((height, width), np.uint8)
    axes = np.sqrt(MOVED_SHARE * height * width / np.pi * np.array([1.6, 1 / 1.6]))
    centre = (int(width * 0.45), int(height * 0.5))
    cv2.ellipse(inside, centre, (int(axes[0]), int(axes[1])), 20, 0, 360, 1, -1)
    moving = inside[..., None] > 0
    frames = []
    for length in (17, 3):
        smeared = np.where(moving, cv2.blur(texture, (length, 1)), scene)
        noisy = smeared + 0.004 * dice.standard_normal(scene.shape)
        frames.append(np.rint(noisy.clip(0, 1) * 255).astype(np.uint8))
    return frames[0], frames[1]


def _weights(path: Path, base: int, num_res: int) -> Path:
    save_safetensors(path, seeded_lbag(base, num_res), trained=True, recipe={})
    return path


def _plain(model: LBAG, codes: Codes) -> Callable[[], torch.Tensor]:
    planes = to_planes(as_unit_range(codes)).contiguous()

    def run() -> torch.Tensor:
        with torch.inference_mode():
            return model(planes)[2].sharp

    return run


def _lost_db(result: npt.NDArray[np.float32], exact: torch.Tensor) -> dict[str, float]:
    """How far a result is from float32, and what that costs a picture at 40 dB."""
    reference = exact[0].permute(1, 2, 0).clamp(0, 1).numpy()
    rms = float(np.sqrt(np.mean((result - reference) ** 2))) * 255
    return {
        "rms_of_255": round(rms, 3),
        "psnr_db": round(-20 * float(np.log10(max(rms, 1e-9) / 255)), 2),
        "costs_at_40_db": round(10 * float(np.log10(1 + (rms / 2.55) ** 2)), 4),
    }


def _compared(weights: Path, height: int, width: int, repeats: int, reference: LBAG) -> dict[str, Any]:
    """Time the plain network of the released size, and an engine whole and only where it moved."""
    from models.checkpoints import load_lbag

    engine = DeblurEngine(weights)
    info = engine.prepare()
    tell(f"  prepared: {info.precision} {info.form}, {info.moving}")
    blurred, sharp = pair(height, width)
    plain = _plain(reference, blurred)
    plain_s, plain_cpu_s = best_s(plain, min(repeats, 2))
    tell(f"  plain fp32 of the released size: {plain_s:.2f} s")
    whole_s, whole_cpu_s = best_s(lambda: engine.run(blurred), repeats)
    moved_s, moved_cpu_s = best_s(lambda: engine.run(blurred, reference=sharp, only_moved=True), repeats)
    exact = _plain(load_lbag(weights)[0], blurred)()
    whole, moved = engine.run(blurred), engine.run(blurred, reference=sharp, only_moved=True)
    written = moved.mask > 0
    apart = np.abs(moved.sharp - whole.sharp)[written]
    return {
        "picture": [height, width],
        "engine": f"{info.precision} {info.form}: {info.reason}",
        "moving": None if info.moving is None else info.moving.model_dump(),
        "plain_fp32_released_size": {"wall_s": plain_s, "cpu_s": plain_cpu_s},
        "whole": {
            "wall_s": whole_s,
            "cpu_s": whole_cpu_s,
            "ratio": plain_s / whole_s,
            "ratio_cpu": plain_cpu_s / whole_cpu_s,
        }
        | _lost_db(whole.sharp, exact),
        "moved": {
            "wall_s": moved_s,
            "cpu_s": moved_cpu_s,
            "ratio": plain_s / moved_s,
            "ratio_cpu": plain_cpu_s / moved_cpu_s,
            "frames_per_s": 1 / moved_s,
            "route": moved.route,
            "tiles": moved.tiles,
            "share": moved.share,
            "worst_against_whole_of_255": float(apart.max() * 255) if apart.size else 0.0,
        },
    }


def full(setting: Setting) -> dict[str, Any]:
    """Return the figures of the released size at 538 x 359."""
    return _compared(setting.full, *setting.size(359, 538), setting.repeats, seeded_lbag(*FULL).eval())


def small(setting: Setting) -> dict[str, Any]:
    """Return the figures of the small network at 1076 x 718."""
    return _compared(setting.small, *setting.size(718, 1076), setting.repeats, seeded_lbag(*FULL).eval())


def first(setting: Setting) -> dict[str, Any]:
    """Return the time until the first answer for a frame of 2152 x 1436, with and without a reference."""
    answers: queue.Queue[PreviewAnswer] = queue.Queue()
    blurred, sharp = pair(*setting.size(1436, 2152))
    report: dict[str, Any] = {"picture": list(blurred.shape[:2])}
    unknown = LivePreview(DeblurEngine(setting.small, measure_now=False), answers.put, refine=False)
    started = time.perf_counter()
    unknown.submit(blurred, sharp)
    answers.get(timeout=300)
    report["nothing_known_of_the_machine_ms"] = (time.perf_counter() - started) * 1e3
    unknown.close()
    engine = DeblurEngine(setting.small)
    engine.prepare()
    preview = LivePreview(engine, answers.put, refine=False)
    for name, reference in (("with_reference", sharp), ("without", None)):
        times, used = [], []
        for _round in range(6 * setting.repeats):
            started, processor = time.perf_counter(), time.process_time()
            preview.submit(blurred, reference)
            answer = answers.get(timeout=300)
            times.append(time.perf_counter() - started)
            used.append(time.process_time() - processor)
            if answer.result is None:
                raise SystemExit(str(answer.error))
        scale, share = answer.result.scale, answer.result.share
        report[name] = {
            "first_ms": times[0] * 1e3,
            "median_ms": float(np.median(times)) * 1e3,
            "least_ms": min(times) * 1e3,
            "least_cpu_ms": min(used) * 1e3,
            "scale": scale,
            "share": share,
        }
    preview.close()
    return report


def memory(setting: Setting) -> dict[str, Any]:
    """Return the largest resident size after a whole frame of 2152 x 1436, in a process of its own."""
    size = [str(side) for side in setting.size(1436, 2152)]
    command = [sys.executable, __file__, "--one-frame", str(setting.full), *size, str(setting.threads)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def one_frame(weights: str, height: str, width: str, threads: str) -> None:
    """Run one frame through a network and print what it took; the child of `memory`."""
    torch.set_num_threads(int(threads))
    engine = DeblurEngine(Path(weights))
    blurred, _sharp = pair(int(height), int(width))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = engine.run(blurred)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = {
        "picture": [int(height), int(width)],
        "before_gib": before / 2**20,
        "peak_gib": peak / 2**20,
        "seconds": result.seconds,
        "tiles": result.tiles,
        "precision": result.info.precision,
    }
    print(json.dumps(report))


PARTS: dict[str, Callable[[Setting], dict[str, Any]]] = {
    "full": full,
    "small": small,
    "first": first,
    "memory": memory,
}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one-frame"]:
        one_frame(*sys.argv[2:])
    else:
        main()

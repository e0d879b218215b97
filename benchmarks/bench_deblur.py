"""How much faster the engine's own choice is than the same network run plainly, in the same process.

Reference: the network as `models.networks.lbag` writes it, float32, contiguous, the whole picture at once.
The two run in turn, and the best time of each counts, so that a busy machine disturbs both alike.

    python benchmarks/bench_deblur.py [--base 16] [--num-res 2] [--height 1024] [--width 1224] [--repeats 3]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.checkpoints import save_safetensors
from models.deblur import DeblurEngine
from models.networks.lbag import seeded_lbag
from models.pictures import to_planes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=int, default=16)
    parser.add_argument("--num-res", type=int, default=2)
    parser.add_argument("--height", type=int, default=1024)
    parser.add_argument("--width", type=int, default=1224)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    model = seeded_lbag(args.base, args.num_res).eval()
    picture = np.random.default_rng(0).random((args.height, args.width, 3), dtype=np.float32)
    planes = to_planes(picture).contiguous()
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "seeded.safetensors"
        save_safetensors(weights, model, trained=False, recipe={})
        engine = DeblurEngine(weights)

    plain, chosen, preview = [], [], []
    with torch.inference_mode():
        for _ in range(args.repeats):
            started = time.perf_counter()
            reference = model(planes)[2].sharp
            plain.append(time.perf_counter() - started)
            result = engine.run(picture)
            chosen.append(result.seconds)
            preview.append(engine.preview(picture).seconds)

    difference = reference[0].permute(1, 2, 0).clamp(0, 1).numpy() - result.sharp
    report = {
        "network": engine.describe().architecture,
        "picture": [args.height, args.width],
        "reference_fp32_contiguous_s": round(min(plain), 3),
        "engine_s": round(min(chosen), 3),
        "ratio": round(min(plain) / min(chosen), 2),
        "preview_s": round(min(preview), 3),
        "tiles": result.tiles,
        "rms_deviation_of_255": round(float(np.sqrt(np.mean(difference**2))) * 255, 3),
        "engine": engine.describe().to_dict() | {"weights": "seeded"},
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()

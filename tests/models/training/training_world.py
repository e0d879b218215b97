"""A small training that runs in seconds: three made photographs, a tiny network, a few steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from models.training.recipe import Recipe


def photos(folder: Path, count: int = 12) -> Path:
    """Write photographs of blurred noise, different and textured."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        noise = np.random.default_rng(index).random((96, 112, 3), dtype=np.float32)
        soft = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 1.5), None, 0, 255, cv2.NORM_MINMAX)
        cv2.imwrite(str(folder / f"photo_{index:02d}.png"), soft.astype(np.uint8))
    return folder


def plain_recipe(**changes: Any) -> dict[str, Any]:
    """Return a recipe of six steps as plain data; `changes` replace whole entries."""
    recipe: dict[str, Any] = {
        "name": "tiny",
        "seed": 3,
        "network": {"name": "lbag", "base": 4, "num_res": 1, "gate_min": 0, "drop": 0.1},
        "data": [{"kind": "lbs", "path": "photos", "count": 50, "side_px": 64, "blur_px": [3, 8]}],
        "patches": {"side_px": 48},
        "batch": 2,
        "steps": 6,
        "optimiser": {"lr": 1e-3, "schedule": "cosine", "warmup_steps": 2, "clip_norm": 1},
        "losses": {"reading": "paper", "shift_px": 0},
        "precision": "fp32",
        "ema": 0.9,
        "validate": {"every_steps": 3, "count": 2, "pictures": 1},
        "log_every_steps": 1,
    }
    return {**recipe, **changes}


def tiny_recipe(**changes: Any) -> Recipe:
    return Recipe.model_validate(plain_recipe(**changes))

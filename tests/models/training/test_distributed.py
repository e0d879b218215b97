"""Two processes with half a batch each learn what one learns from the whole; both through the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from models.training.distributed import Crew
from models.training.errors import TrainingError
from models.training.run_folder import RunFolder
from tests.models.training.training_world import photos, plain_recipe


def test_two_gloo_processes_equal_one(tmp_path: Path) -> None:
    network = {"name": "lbag", "base": 4, "num_res": 1, "gate_min": 0, "drop": 0}
    recipe = plain_recipe(network=network, batch=4, steps=4)
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(recipe))
    pictures = photos(tmp_path / "photos")
    runs = {}
    for name, launcher in (
        ("one", []),
        ("two", ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]),
    ):
        arguments = ["train", str(tmp_path / "tiny.yaml"), "--out", str(tmp_path / name), "--json"]
        options = ["--data", f"photos={pictures}", "--workers", "0", "--threads", "1", "--device", "cpu"]
        runs[name] = subprocess.run(
            [sys.executable, *launcher, "-m", "beamrig", *arguments, *options],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert runs[name].returncode == 0, runs[name].stderr
    said = json.loads(runs["two"].stdout)  # the second process is silent
    assert (said["ending"], said["step"]) == ("finished", 4)
    curves = [RunFolder(tmp_path / name).curve() for name in ("one", "two")]
    assert [line["step"] for line in curves[1]] == [line["step"] for line in curves[0]]
    for one, two in zip(*curves, strict=True):
        kind = "losses" if "losses" in one else "validation"
        assert two[kind] == pytest.approx(one[kind], rel=2e-3, abs=2e-4)
    states = [torch.load(tmp_path / name / "state.pt", weights_only=True)["model"] for name in ("one", "two")]
    for name, value in states[0].items():
        # Adam's first steps are as large as the rate whatever the gradient: what is near 0 may go either way.
        assert float((value - states[1][name]).abs().mean()) < 1e-4, name


def test_a_batch_is_shared_evenly_or_refused() -> None:
    crews = [Crew(rank, 3, torch.device("cpu")) for rank in range(3)]
    assert [list(crew.share(6)) for crew in crews] == [[0, 1], [2, 3], [4, 5]]
    with pytest.raises(TrainingError, match="a batch of 7 cannot be shared by 3 processes"):
        crews[0].share(7)

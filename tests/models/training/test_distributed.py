"""Two processes with half a batch each learn what one learns from the whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from models.training.data import open_data
from models.training.distributed import Crew
from models.training.errors import TrainingError
from models.training.loop import run_training
from models.training.networks import build
from models.training.recipe import Recipe
from models.training.run_folder import RunFolder
from tests.models.training.training_world import photos, plain_recipe


def test_two_gloo_processes_equal_one(tmp_path: Path) -> None:
    """Half of the samples have no mask: often one process has drawn a mask and the other has not."""
    network = {"name": "lbag", "base": 4, "num_res": 1, "gate_min": 0, "drop": 0}
    data = [*plain_recipe()["data"], {"kind": "folder", "path": "maskless"}]
    plain = plain_recipe(network=network, data=data, seed=5, batch=2, steps=6)
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(plain))
    folders = {"photos": photos(tmp_path / "photos"), "maskless": tmp_path / "maskless"}
    for part in ("blurred", "sharp"):
        photos(folders["maskless"] / part, 3)
    recipe = Recipe.model_validate(plain)
    alone = Crew(0, 1, torch.device("cpu"))
    run_training(
        recipe, build(recipe.network, recipe.seed), open_data(recipe, folders), tmp_path / "one", alone
    )
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "beamrig"]
    command = ["train", str(tmp_path / "tiny.yaml"), "--out", str(tmp_path / "two"), "--json"]
    options = ["--workers", "0", "--threads", "1", "--device", "cpu"]
    options += [word for key, path in folders.items() for word in ("--data", f"{key}={path}")]
    two = subprocess.run(
        [sys.executable, *launcher, *command, *options],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert two.returncode == 0, two.stderr
    said = json.loads(two.stdout)  # the second process is silent
    assert (said["ending"], said["step"]) == ("finished", 6)
    curves = [RunFolder(tmp_path / name).curve() for name in ("one", "two")]
    assert [line["step"] for line in curves[1]] == [line["step"] for line in curves[0]]
    for one, other in zip(*curves, strict=True):
        kind = "losses" if "losses" in one else "validation"
        assert other[kind] == pytest.approx(
            {**dict.fromkeys(other[kind], 0), **one[kind]}, rel=2e-3, abs=2e-4
        )
    masks = [line["losses"].get("mask", 0) for line in curves[1] if "losses" in line]
    assert 0 in masks
    assert max(masks) > 0
    states = [torch.load(tmp_path / name / "state.pt", weights_only=True)["model"] for name in ("one", "two")]
    for name, value in states[0].items():
        # Adam's first steps are as large as the rate whatever the gradient: what is near 0 may go either way.
        assert float((value - states[1][name]).abs().mean()) < 1e-4, name


def test_a_batch_is_shared_evenly_or_refused() -> None:
    crews = [Crew(rank, 3, torch.device("cpu")) for rank in range(3)]
    assert [list(crew.share(6)) for crew in crews] == [[0, 1], [2, 3], [4, 5]]
    with pytest.raises(TrainingError, match="a batch of 7 cannot be shared by 3 processes"):
        crews[0].share(7)

"""A training that is killed, stopped or cut into pieces goes on as if nothing had been."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from models.training.data import open_data
from models.training.distributed import Crew
from models.training.errors import RunFolderError
from models.training.loop import Outcome, run_training
from models.training.networks import build
from models.training.recipe import Recipe
from models.training.run_folder import RunFolder
from tests.models.training.training_world import photos, plain_recipe, tiny_recipe

ALONE = Crew(0, 1, torch.device("cpu"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photos(tmp_path_factory.mktemp("photos"))


def trained(recipe: Recipe, pictures: Path, folder: Path, **options: Any) -> Outcome:
    data = open_data(recipe, {"photos": pictures})
    return run_training(recipe, build(recipe.network, recipe.seed), data, folder, ALONE, **options)


def curve(folder: Path) -> list[dict[str, Any]]:
    """Return the curve without the times, which differ from run to run."""
    lines = RunFolder(folder).curve()
    return [{name: value for name, value in line.items() if name != "time_s"} for line in lines]


class StopAt(threading.Event):
    """A wish to stop that comes after so many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def __call__(self, _done: float, _text: str) -> None:
        self.left -= 1
        if not self.left:
            self.set()


def test_a_resumed_training_has_the_curve_and_the_weights_of_an_uninterrupted_one(
    tmp_path: Path, pictures: Path
) -> None:
    recipe = tiny_recipe()
    whole = trained(recipe, pictures, tmp_path / "whole")
    stop = StopAt(2)
    first = trained(recipe, pictures, tmp_path / "pieces", cancel=stop, progress=stop)
    again = trained(recipe, pictures, tmp_path / "pieces")
    assert (first.ending, first.step, again.ending, again.step) == ("stopped", 2, "finished", 6)
    assert len(curve(tmp_path / "whole")) == 8  # six steps, two validations
    assert curve(tmp_path / "pieces") == curve(tmp_path / "whole")
    states = [torch.load(tmp_path / name / "state.pt", weights_only=True) for name in ("whole", "pieces")]
    for part in ("model", "ema"):
        for name, value in states[0][part].items():
            assert torch.equal(value, states[1][part][name]), (part, name)
    assert whole.figures == again.figures


def test_a_killed_training_with_worker_processes_resumes_to_the_same_curve(
    tmp_path: Path, pictures: Path
) -> None:
    recipe = plain_recipe(steps=400, checkpoint_every_s=0.2, validate={"count": 0})
    file = tmp_path / "tiny.yaml"
    file.write_text(yaml.safe_dump(recipe))
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "beamrig", "train", str(file), "--out", str(out), "--threads", "1"]
    process = subprocess.Popen(
        [*command, "--data", f"photos={pictures}", "--workers", "1"],
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 90
    while not (out / "weights.safetensors").exists():
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    with (out / "curve.jsonl").open("a") as handle:
        handle.write(
            '{"step": 399, "losses": {"total": 0}}\n{"step": 400, "lo'
        )  # ahead of the state, and torn
    reached = int(torch.load(out / "state.pt", weights_only=True)["step"])
    assert 0 < reached < 390
    stop = StopAt(4)
    trained(Recipe.model_validate(recipe), pictures, out, cancel=stop, progress=stop)
    straight = StopAt(reached + 4)
    trained(Recipe.model_validate(recipe), pictures, tmp_path / "whole", cancel=straight, progress=straight)
    assert curve(out) == curve(tmp_path / "whole")
    assert [line["step"] for line in curve(out)] == list(range(1, reached + 5))


def test_another_recipe_is_refused_by_its_key_and_more_steps_are_not(tmp_path: Path, pictures: Path) -> None:
    stop = StopAt(1)
    trained(tiny_recipe(), pictures, tmp_path / "run", cancel=stop, progress=stop)
    other = tiny_recipe(optimiser={"lr": 2e-3, "schedule": "cosine", "warmup_steps": 2, "clip_norm": 1})
    with pytest.raises(RunFolderError, match=r"optimiser\.lr was 0\.001 and is 0\.002"):
        trained(other, pictures, tmp_path / "run")
    with pytest.raises(RunFolderError, match="steps was 6 and is 5"):
        trained(tiny_recipe(steps=5), pictures, tmp_path / "run")
    stop = StopAt(1)
    assert trained(tiny_recipe(steps=7), pictures, tmp_path / "run", cancel=stop, progress=stop).step == 2


def test_other_data_is_refused_at_a_resume(tmp_path: Path, pictures: Path) -> None:
    stop = StopAt(1)
    trained(tiny_recipe(), pictures, tmp_path / "run", cancel=stop, progress=stop)
    data = open_data(tiny_recipe(), {"photos": pictures})
    data.sizes["data[0]"] += 1
    network = build(tiny_recipe().network, 3)
    with pytest.raises(RunFolderError, match=r"50 pairs in data.0., and now there are 51"):
        run_training(tiny_recipe(), network, data, tmp_path / "run", ALONE)


def test_a_folder_with_something_else_is_not_used(tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(RunFolderError, match="something else than a training"):
        trained(tiny_recipe(), pictures, tmp_path)


def test_a_damaged_state_is_named(tmp_path: Path, pictures: Path) -> None:
    stop = StopAt(1)
    trained(tiny_recipe(), pictures, tmp_path, cancel=stop, progress=stop)
    state = tmp_path / "state.pt"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(RunFolderError, match=r"state\.pt is damaged"):
        trained(tiny_recipe(), pictures, tmp_path)

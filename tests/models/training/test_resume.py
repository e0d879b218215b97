"""A training that is killed, stopped or cut into pieces goes on as if nothing had been."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
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
from models.training.pace import Pace
from models.training.recipe import Recipe
from models.training.run_folder import RunFolder
from processing.errors import NoRoom
from tests.models.training.training_world import photos, plain_recipe, tiny_recipe

ALONE = Crew(0, 1, torch.device("cpu"))
LONG_S = 400  # a machine may be very busy


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


def test_the_same_command_goes_on_after_a_kill_and_after_ctrl_c_along_the_same_curve(
    tmp_path: Path, pictures: Path
) -> None:
    recipe = plain_recipe(steps=100_000, checkpoint_every_s=0.01, validate={"count": 0})
    file, out = tmp_path / "tiny.yaml", tmp_path / "run"
    file.write_text(yaml.safe_dump(recipe))
    command = [sys.executable, "-m", "beamrig", "train", str(file), "--out", str(out), "--threads", "1"]
    command += ["--data", f"photos={pictures}", "--workers"]

    def start(workers: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*command, str(workers)],
            env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LONG_S
        while not reached():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    process = start(0)
    wait(process, (out / "weights.safetensors").exists)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    killed_at = int(torch.load(out / "state.pt", weights_only=True)["step"])
    with (out / "curve.jsonl").open("a") as handle:  # ahead of the state, and torn
        handle.write('{"step": 99999, "losses": {"total": 0}}\n{"step": 100000, "lo')

    process = start(1)  # made by a worker process, the samples are the same
    wait(process, lambda: curve(out)[-1]["step"] in range(killed_at + 1, 99_999))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the worker gets it, too
    said, errors = process.communicate(timeout=LONG_S)
    assert process.returncode == 130, errors
    assert "stopped, saved at step" in said
    assert "Traceback" not in errors
    stopped_at = int(torch.load(out / "state.pt", weights_only=True)["step"])
    assert stopped_at > killed_at > 0

    stop, straight = StopAt(2), StopAt(stopped_at + 2)
    trained(Recipe.model_validate(recipe), pictures, out, cancel=stop, progress=stop)
    recipe["checkpoint_every_s"] = 300
    trained(Recipe.model_validate(recipe), pictures, tmp_path / "whole", cancel=straight, progress=straight)
    assert [line["step"] for line in curve(out)] == list(range(1, stopped_at + 3))
    assert curve(out) == curve(tmp_path / "whole")


def test_a_piece_does_a_step_and_ends_in_time(tmp_path: Path, pictures: Path) -> None:
    for step in (1, 2):  # too short a piece for anything: still, the training gets on
        outcome = trained(tiny_recipe(), pictures, tmp_path, deadline_s=time.monotonic() - 1)
        assert (outcome.ending, outcome.step) == ("piece", step)


def test_nothing_is_begun_that_would_end_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("models.training.pace.time.monotonic", lambda: now[0])
    pace = Pace(160.0)
    for what, took in (("step", 4), ("step", 8), ("look", 30)):
        now[0] += took
        pace.end(what)
    assert pace.expected_s("step") == 5  # between the first and the newest
    assert pace.left_s() == 18
    assert not pace.over("step", "save")  # nobody knows yet how long that takes
    assert pace.over("step", "look")
    now[0] = 156.0
    assert pace.over("step")
    assert not Pace(None).over("step")


def test_a_full_disk_is_named_and_the_last_checkpoint_stays(tmp_path: Path, pictures: Path) -> None:
    recipe, out = tiny_recipe(validate={"count": 0}), tmp_path / "run"
    stop = StopAt(2)
    trained(recipe, pictures, out, cancel=stop, progress=stop)
    before = (out / "state.pt").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(NoRoom, match=r"cannot write .*state\.pt"):
            trained(recipe, pictures, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (out / "state.pt").read_bytes() == before
    assert not list(out.glob("*.part"))
    assert trained(recipe, pictures, out).ending == "finished"
    assert [line["step"] for line in curve(out)] == [1, 2, 3, 4, 5, 6]


def test_a_folder_in_which_nothing_was_finished_is_begun_in(tmp_path: Path, pictures: Path) -> None:
    """After a kill at the very start, and while another process of the training writes its first file."""
    (tmp_path / "recipe.json.part").write_bytes(b"{")
    stop = StopAt(1)
    assert trained(tiny_recipe(), pictures, tmp_path, cancel=stop, progress=stop).step == 1


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
    others = photos(tmp_path / "others", 13)  # as many pairs are made of them
    with pytest.raises(RunFolderError, match=r"the files of data.0. are not those before"):
        trained(tiny_recipe(), others, tmp_path / "run")
    moved = tmp_path / "moved"
    shutil.copytree(pictures, moved)
    stop = StopAt(1)
    assert trained(tiny_recipe(), moved, tmp_path / "run", cancel=stop, progress=stop).step == 2


def test_a_folder_with_something_else_is_not_used(tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(RunFolderError, match="something else than a training"):
        trained(tiny_recipe(), pictures, tmp_path)


def test_a_damaged_state_is_named(tmp_path: Path, pictures: Path) -> None:
    stop = StopAt(1)
    trained(tiny_recipe(), pictures, tmp_path, cancel=stop, progress=stop)
    state = tmp_path / "state.pt"
    whole = state.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1  # a weight that nobody would miss
    for content in (whole[:1000], bytes(flipped), b"", b"state"):
        state.write_bytes(content)
        with pytest.raises(RunFolderError, match=r"state\.pt is damaged"):
            trained(tiny_recipe(), pictures, tmp_path)

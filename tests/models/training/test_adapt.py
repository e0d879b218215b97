"""Adapting: what can be learnt from a set is, what cannot is not claimed."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from models.checkpoints import load_network, save_safetensors
from models.errors import CheckpointError, DataError
from models.training.adapt import adapt, losses_of
from models.training.cli import train
from models.training.data import apart_in_time
from models.training.errors import RunFolderError, TrainingError
from models.training.losses import LossWeights
from models.training.networks import build, file_sha256
from models.training.pairs import TrainingPair
from models.training.recipe import Network, Recipe
from models.training.recipe_file import load_recipe
from models.training.windows import Windows


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a tiny network that gives back what it is given."""
    path = tmp_path_factory.mktemp("weights") / "identity.safetensors"
    network = build(Network(base=4, num_res=1, gate_min=0.2, drop=0, zero_heads=True), 0)
    save_safetensors(path, network, trained=True, recipe={})
    return path


def pairs(folder: Path, count: int, brighter: int, noise: int = 0) -> Path:
    """Write pairs of 64 px whose blurred picture is noisy, and brighter in a square, where the mask is."""
    for part in ("blurred", "sharp", "mask"):
        (folder / part).mkdir(parents=True)
    for index in range(count):
        rng = np.random.default_rng(index)
        sharp = cv2.GaussianBlur(rng.integers(40, 180, (64, 64, 3)).astype(np.uint8), (0, 0), 2)
        spread = rng.integers(-noise, noise + 1, sharp.shape)
        blurred, mask = (sharp + spread).astype(np.uint8), np.zeros((64, 64), np.uint8)
        blurred[16:48, 16:48] += np.uint8(brighter)
        mask[16:48, 16:48] = 255
        for part, picture in (("blurred", blurred), ("sharp", sharp), ("mask", mask)):
            cv2.imwrite(str(folder / part / f"p{index}.png"), picture)
    return folder


def fast(steps: int) -> Recipe:
    """The recipe at a rate at which a few steps show something, ended by steps: machines may be busy."""
    recipe = load_recipe("adapt")
    optimiser = recipe.optimiser.model_copy(update={"lr": 1e-2, "warmup_steps": 0})
    return recipe.model_copy(
        update={"optimiser": optimiser, "ema": 0.5, "batch": 2, "steps": steps, "precision": "fp32"}
    )


def test_what_the_set_teaches_is_kept_and_its_gain_told_on_the_last_fifth(
    tmp_path: Path, identity: Path
) -> None:
    scene = pairs(tmp_path / "scene", 11, brighter=40, noise=12)
    texts: list[tuple[float, str]] = []
    report = adapt(
        scene,
        identity,
        60,
        None,
        lambda done, text: texts.append((done, text)),
        out=tmp_path / "out",
        recipe=fast(24),
    )
    assert report.helped
    assert report.weights == tmp_path / "out" / "weights.safetensors"
    assert [pair.name for pair in report.held_out] == ["p8", "p9"]  # sorted by name: p0, p1, p10, p2, ...
    assert report.trained_pairs == 8  # p7 looks most like them and is left out
    assert report.before["psnr_out"] == pytest.approx(10 * np.log10(255**2 / (40**2 + 52)), abs=0.1)
    assert report.gain_db >= 0.05
    assert report.gain_db == pytest.approx(report.after["psnr_out"] - report.before["psnr_out"])
    assert 0 < report.best_step <= report.steps == 24
    # At this rate the best in the mask costs 4 dB of the background: that step is not the kept one.
    assert report.after["background_out"] >= report.before["background_out"] - 0.5
    assert [done for done, _ in texts] == sorted(done for done, _ in texts)
    assert texts[-1][1].endswith("left")
    network, checkpoint = load_network(report.weights)
    assert checkpoint.trained
    assert checkpoint.gate_min == 0.2  # the parent's
    assert checkpoint.recipe["adapted"]["session"] == "scene"
    assert checkpoint.recipe["adapted"]["parent_sha256"] == file_sha256(identity)
    assert not network.training
    assert json.loads((tmp_path / "out" / "adapt.json").read_text()) == json.loads(
        json.dumps(report.to_dict())
    )


def test_where_nothing_is_to_be_gained_nothing_is_claimed_or_written(tmp_path: Path, identity: Path) -> None:
    scene = pairs(tmp_path / "scene", 3, brighter=0)  # the parent is perfect here
    report = adapt(scene, identity, 60, out=tmp_path / "out", recipe=fast(8))
    assert (report.helped, report.weights, report.gain_db, report.best_step) == (False, None, 0.0, 0)
    assert report.after == report.before
    assert "did not help" in report.note
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["adapt.json"]


def test_pairs_are_held_out_by_scene_and_apart_in_time() -> None:
    names = [f"s01/action/t01_{index:04d}" for index in range(12)]
    names += [f"s02/action/t01_{index:04d}" for index in range(5)]
    names += [f"s03/action/t01_{index:04d}" for index in range(3)]
    train, held = apart_in_time(names)
    assert held == [10, 11, 16]
    assert train == [*range(9), *range(12, 16), *range(17, 20)]
    assert apart_in_time(["s01/a", "s02/a", "s03/a"]) == ([0, 1], [2])
    assert apart_in_time(["a", "b"]) == ([0], [1])


def test_large_pictures_are_kept_as_windows_around_the_blur() -> None:
    opened = []

    class Frames:
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int) -> TrainingPair:
            opened.append(index)
            picture = np.random.default_rng(index).integers(0, 255, (200, 300, 3)).astype(np.uint8)
            mask = np.zeros((200, 300), np.uint8)
            mask[150:170, 20:60] = 255
            return TrainingPair(str(index), picture, picture, mask if index else None)

    windows = Windows(Frames(), 16, 0)
    for _ in range(2):
        shapes = [windows[index].blurred.shape for index in range(3)]
    assert opened == [0, 1, 2]
    assert shapes == [(96, 96, 3)] * 3
    for index in (1, 2):
        window = windows[index]
        assert window.mask is not None
        assert window.mask.any()
        assert window.blurred.base is None  # the frame it is from can go
    assert Windows(Frames(), 64, 0)[1].blurred.shape == (200, 300, 3)
    few = Windows(Frames(), 16, 0, keep_mib=0)
    assert [few[index].name for index in (0, 1, 0)] == ["0", "1", "0"]


def test_losses_are_those_of_the_weights_where_they_tell() -> None:
    own = LossWeights(reading="released", ssim=0, shift_px=0)
    told = LossWeights(reading="paper", mask=0.3).model_dump(mode="json")
    assert losses_of({"losses": told}, own) == LossWeights(reading="paper", mask=0.3, shift_px=0)
    for said in ({}, {"losses": 3}, {"losses": {"mae": "much"}}, {"losses": {"new": 1}}):
        assert losses_of(said, own) == own


def test_where_nothing_moves_in_what_is_held_out_it_is_said_at_once(tmp_path: Path, identity: Path) -> None:
    scene = pairs(tmp_path / "scene", 3, brighter=20)
    cv2.imwrite(str(scene / "mask" / "p2.png"), np.zeros((64, 64), np.uint8))
    with pytest.raises(TrainingError, match="nothing moves in the 1 held-out pairs"):
        adapt(scene, identity, 10, out=tmp_path / "out")


def test_a_stopped_adaptation_ends_at_once_with_a_report(tmp_path: Path, identity: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    report = adapt(pairs(tmp_path / "scene", 3, 20), identity, 10, cancel, out=tmp_path / "out")
    assert report.cancelled
    assert report.steps == 1


def test_too_few_pairs_no_pairs_wrong_weights_and_a_foreign_folder_are_refused(
    tmp_path: Path, identity: Path
) -> None:
    with pytest.raises(TrainingError, match="1 developed pair, and adapting needs two"):
        adapt(pairs(tmp_path / "one", 1, 20), identity, 1, out=tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError):
        adapt(tmp_path / "empty", identity, 1, out=tmp_path / "out")
    scene = pairs(tmp_path / "two", 2, 20)
    with pytest.raises(CheckpointError):
        adapt(scene, tmp_path / "none.safetensors", 1, out=tmp_path / "out")
    with pytest.raises(RunFolderError, match="something else than an adaptation"):
        adapt(scene, identity, 1, out=scene)


def test_the_command_prints_a_table_and_json(tmp_path: Path, identity: Path) -> None:
    scene = pairs(tmp_path / "scene", 3, brighter=30)
    options = ["--session", scene, "--init", identity, "--minutes", 0.03]
    shown = CliRunner().invoke(train, [str(item) for item in options])
    assert shown.exit_code == 0, shown.output
    assert "held-out pair" in shown.stdout
    assert "p2" in shown.stdout
    again = CliRunner().invoke(train, [*(str(item) for item in options), "--json"])
    report = json.loads(again.stdout)
    assert report["held_out"][0]["name"] == "p2"
    assert report["trained_pairs"] == 2
    assert (scene / "derived" / "_adapted" / "adapt.json").is_file()

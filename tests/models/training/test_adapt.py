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
from models.training.adapt import adapt
from models.training.cli import train
from models.training.errors import RunFolderError, TrainingError
from models.training.networks import build, file_sha256
from models.training.recipe import Network
from models.training.recipe_file import load_recipe


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a tiny network that gives back what it is given."""
    path = tmp_path_factory.mktemp("weights") / "identity.safetensors"
    network = build(Network(base=4, num_res=1, gate_min=0.2, drop=0, zero_heads=True), 0)
    save_safetensors(path, network, trained=True, recipe={})
    return path


def pairs(folder: Path, count: int, brighter: int) -> Path:
    """Write pairs of 64 px whose blurred picture is brighter in a square, where the mask is."""
    for part in ("blurred", "sharp", "mask"):
        (folder / part).mkdir(parents=True)
    for index in range(count):
        rng = np.random.default_rng(index)
        sharp = cv2.GaussianBlur(rng.integers(40, 180, (64, 64, 3)).astype(np.uint8), (0, 0), 2)
        blurred, mask = sharp.copy(), np.zeros((64, 64), np.uint8)
        blurred[16:48, 16:48] += np.uint8(brighter)
        mask[16:48, 16:48] = 255
        for part, picture in (("blurred", blurred), ("sharp", sharp), ("mask", mask)):
            cv2.imwrite(str(folder / part / f"p{index}.png"), picture)
    return folder


def test_what_the_set_teaches_is_kept_and_its_gain_told_on_the_last_fifth(
    tmp_path: Path, identity: Path
) -> None:
    scene = pairs(tmp_path / "scene", 11, brighter=40)
    texts: list[tuple[float, str]] = []
    fast = load_recipe("adapt")  # at a rate at which a few steps show something
    fast = fast.model_copy(update={"optimiser": fast.optimiser.model_copy(update={"lr": 1e-2}), "ema": 0.5})
    report = adapt(
        scene,
        identity,
        0.12,
        None,
        lambda done, text: texts.append((done, text)),
        out=tmp_path / "out",
        recipe=fast,
    )
    assert report.helped
    assert report.weights == tmp_path / "out" / "weights.safetensors"
    assert [pair.name for pair in report.held_out] == ["p8", "p9"]  # sorted by name: p0, p1, p10, p2, ...
    assert report.trained_pairs == 9
    assert report.before["psnr_out"] == pytest.approx(20 * np.log10(255 / 40), abs=0.01)
    assert report.gain_db >= 0.05
    assert report.gain_db == pytest.approx(report.after["psnr_out"] - report.before["psnr_out"])
    assert 0 < report.best_step <= report.steps
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
    report = adapt(scene, identity, 0.03, out=tmp_path / "out")
    assert (report.helped, report.weights, report.gain_db, report.best_step) == (False, None, 0.0, 0)
    assert report.after == report.before
    assert "did not help" in report.note
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["adapt.json"]


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
    options = ["--session", scene, "--init", identity, "--minutes", 0.03, "--out", tmp_path / "out"]
    shown = CliRunner().invoke(train, [str(item) for item in options])
    assert shown.exit_code == 0, shown.output
    assert "held-out pair" in shown.stdout
    assert "p2" in shown.stdout
    again = CliRunner().invoke(train, [*(str(item) for item in options), "--json"])
    report = json.loads(again.stdout)
    assert report["held_out"][0]["name"] == "p2"
    assert report["trained_pairs"] == 2

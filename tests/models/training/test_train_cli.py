"""`beamrig train` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import pytest
import yaml
from click.testing import CliRunner, Result

from models.checkpoints import load_lbag
from models.training.cli import train
from rig.errors import BeamrigError
from tests.models.training.training_world import photos, plain_recipe


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photos(tmp_path_factory.mktemp("photos"))


def recipe_file(folder: Path, **changes: Any) -> Path:
    file = folder / "tiny.yaml"
    file.write_text(yaml.safe_dump(plain_recipe(**changes)))
    return file


def run(*arguments: object) -> Result:
    return CliRunner().invoke(train, [str(argument) for argument in arguments])


def test_a_training_leaves_weights_a_curve_pictures_and_a_board(tmp_path: Path, pictures: Path) -> None:
    out = tmp_path / "run"
    options = [recipe_file(tmp_path), "--out", out, "--data", f"photos={pictures}", "--workers", 0, "--json"]
    result = run(*options)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["ending"], report["step"], report["steps"]) == ("finished", 6, 6)
    assert set(report["figures"]) == {
        "psnr_in",
        "psnr_out",
        "gain",
        "background_in",
        "background_out",
        "mask_iou",
    }
    network, checkpoint = load_lbag(Path(report["weights"]))
    assert (network.base, network.num_res, network.gate_min) == (4, 1, 0)
    assert checkpoint.trained
    assert checkpoint.recipe["seed"] == 3
    assert checkpoint.recipe["step"] == 6
    sheet = cv2.imread(str(out / "pictures" / "step_00000006.png"))
    assert sheet is not None
    assert sheet.shape == (68, 4 * 64, 3)
    assert list((out / "board").glob("events.*"))
    again = run(*options)
    assert json.loads(again.stdout) == report  # nothing is left to do


def test_minutes_end_a_piece_with_the_schedule_untouched(tmp_path: Path, pictures: Path) -> None:
    file = recipe_file(tmp_path, steps=100_000, validate={"count": 0})
    out = tmp_path / "run"
    result = run(file, "--out", out, "--data", f"photos={pictures}", "--workers", 0, "--minutes", 0.003)
    assert result.exit_code == 0, result.output
    assert "this piece is over, saved at step" in result.stdout
    assert "the same command goes on" in result.stdout
    rates = [json.loads(line)["losses"]["lr"] for line in (out / "curve.jsonl").read_text().splitlines()]
    assert rates[0] == pytest.approx(1e-3 / 3, rel=1e-3)
    assert rates == pytest.approx([1e-3 * min(1, step / 3) for step in range(1, len(rates) + 1)], rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a RECIPE, or a session"),
        (["lbag"], "name the run folder with --out"),
        (["lbag", "--session", ".", "--out", "x"], "not both"),
        (["lbag", "--out", "x", "--data", "photos"], "'photos' is not KEY=PATH"),
        (["--session", ".", "--out", "x", "--data", "a=b"], "do not go with --session"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(tmp_path: Path, arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(train, arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_what_is_missing_is_one_line(tmp_path: Path, pictures: Path) -> None:
    for arguments in (["lbag"], ["lbagg"], ["lbag", "--data", f"wrong={pictures}"]):
        result = run(*arguments, "--out", tmp_path / "run")
        assert isinstance(result.exception, BeamrigError)
        assert not (tmp_path / "run").exists()
    plus = recipe_file(tmp_path, init="mimo.pkl")
    result = run(plus, "--out", tmp_path / "run", "--data", f"photos={pictures}")
    assert isinstance(result.exception, BeamrigError)
    assert "name the file with --init FILE" in result.exception.one_line()

"""The command `beamrig evaluate` on pairs in folders, through click."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner, Result

from models.errors import CheckpointError, DataError
from models.evaluation.cli import evaluate as command
from models.evaluation.figures import judge
from tests.models.made_pairs import Pairs


def folders(root: Path, count: int = 2) -> Path:
    for index in range(count):
        pair = Pairs()[2 * index]
        assert pair.mask is not None
        for part, pixels in (("blurred", pair.blurred), ("sharp", pair.sharp), ("mask", pair.mask)):
            (root / part).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(
                str(root / part / f"{index:02d}.png"), pixels[..., ::-1] if pixels.ndim == 3 else pixels
            )
    return root


def called(*arguments: object) -> Result:
    return CliRunner().invoke(command, [*map(str, arguments), "--precision", "fp32", "--workers", "1"])


def test_the_command_prints_tables_and_json_and_resumes(tiny_weights: Path, tmp_path: Path) -> None:
    data = folders(tmp_path / "data")
    call = ("--model", tiny_weights, "--data", data, "--split", "all", "--out", tmp_path / "out")
    plain = called(*call)
    assert plain.exit_code == 0, plain.output
    assert "mean of 2 pictures" in plain.stdout
    assert "tiny.safetensors" in plain.stdout
    report = json.loads(called(*call, "--json").stdout)
    assert report == json.loads((tmp_path / "out" / "report.json").read_text())
    expected = judge(Pairs()[0].sharp, Pairs()[0].blurred, Pairs()[0].mask, None)
    first = report["models"][0]["images"][0]["figures"]
    assert first["released"]["psnr_w_db"] == pytest.approx(expected.values["released.psnr_w_db"])
    assert math.isfinite(report["models"][1]["gain"]["whole"]["psnr_db"])


def test_a_reading_shows_its_figures_alone(tmp_path: Path) -> None:
    call = ("--model", "input", "--data", folders(tmp_path), "--split", "all", "--reading", "paper", "--json")
    report = json.loads(called(*call, "--not-aligned").stdout)
    assert list(report["models"][0]["mean"]) == ["whole", "paper"]  # outside the blur nothing differs
    assert "infinite" in report["models"][0]["images"][0]["undefined"]["blur.background_psnr_db"]
    assert list(report["models"][0]["mean"]["paper"]) == ["psnr_w_db", "ssim_w"]


def test_a_picture_without_figures_ends_with_code_1(tiny_weights: Path, tmp_path: Path) -> None:
    data = folders(tmp_path)
    (data / "sharp" / "01.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    result = called("--model", tiny_weights, "--data", data, "--split", "all", "--json")
    assert result.exit_code == 1, result.output
    report = json.loads(result.stdout)
    assert len(report["failed"]) == 1
    assert len(report["models"][1]["images"]) == 1


@pytest.mark.parametrize("name", ["nowhere.safetensors", "folder"])
def test_weights_that_are_none_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    result = called("--model", tmp_path / name, "--data", folders(tmp_path / "data"), "--split", "all")
    assert isinstance(result.exception, CheckpointError)


def test_pairs_on_the_other_side_are_told_with_the_option_that_takes_them(tmp_path: Path) -> None:
    result = called("--model", "input", "--data", folders(tmp_path / "data"))
    assert isinstance(result.exception, DataError)
    assert "all 2 are on the other" in result.exception.message
    assert "--split all" in result.exception.hint

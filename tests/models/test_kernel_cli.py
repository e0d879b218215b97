"""The command `beamrig kernel-deblur` on real files, through click."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from models.errors import CheckpointError, ImageError
from models.kernel_cli import kernel_deblur_command
from models.kernel_deblur import KernelDeblurSettings
from models.networks.kernel_space import KernelSpace


def searched(*arguments: object) -> Result:
    return CliRunner().invoke(kernel_deblur_command, [str(argument) for argument in arguments])


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "mover.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 65535, (16, 19, 3)).astype(np.uint16))
    return path


def test_a_picture_gives_a_sharp_one_of_its_depth_and_the_kernel(tmp_path: Path, photo: Path) -> None:
    out = tmp_path / "found"
    result = searched(photo, "--out", out, "--blur", 4, "--steps", 2, "--seed", 3, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["method"] == "uniform"
    assert (report["steps"], report["seed"]) == (2, 3)
    sharp = cv2.imread(report["deblurred"], cv2.IMREAD_UNCHANGED)
    kernel = cv2.imread(report["kernel"], cv2.IMREAD_UNCHANGED)
    assert sharp.shape == (16, 19, 3)
    assert sharp.dtype == np.uint16
    assert kernel.shape == (5, 5)  # the odd side around 4 px
    assert kernel.max() == 255


def test_published_weights_are_read_and_give_no_single_kernel(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.kernel_deblur.ENCODED_SEARCH", KernelDeblurSettings(levels=2, width=4))
    torch.manual_seed(0)
    weights = tmp_path / "GOPRO_woVAE.pth"
    torch.save(KernelSpace(2, front=1, back=1).state_dict(), weights)
    result = searched(photo, "--out", tmp_path, "--weights", weights, "--steps", 1, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["method"] == "kernel-space"
    assert report["kernel"] is None
    assert Path(report["deblurred"]).is_file()
    assert not (tmp_path / "mover_kernel.png").exists()


def test_weights_of_another_network_are_refused(tmp_path: Path, photo: Path, tiny_weights: Path) -> None:
    result = searched(photo, "--out", tmp_path / "found", "--weights", tiny_weights)
    assert isinstance(result.exception, CheckpointError)
    assert "not the blur kernel space" in result.exception.one_line()


def test_what_exists_is_replaced_only_when_asked(tmp_path: Path, photo: Path) -> None:
    arguments: list[Any] = [photo, "--out", tmp_path, "--blur", 1, "--steps", 1]
    assert searched(*arguments).exit_code == 0
    assert isinstance(searched(*arguments).exception, ImageError)
    assert searched(*arguments, "--overwrite").exit_code == 0


@pytest.mark.parametrize("wrong", [["--blur", "0"], ["--steps", "0"], ["--seed", "-1"], []])
def test_bad_options_end_with_exit_code_2(tmp_path: Path, photo: Path, wrong: list[str]) -> None:
    out = ["--out", tmp_path] if wrong else []  # the last case lacks the folder
    assert searched(photo, *out, *wrong).exit_code == 2

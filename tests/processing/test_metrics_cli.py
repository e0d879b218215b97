"""`beamrig metrics` on files: two images, two folders, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from processing.errors import ProcessingError
from processing.outputs import write_image
from processing.quality.cli import metrics
from processing.quality.metrics import psnr, ssim
from processing.quality.metrics_files import read_8bit
from processing.quality.metrics_local import aligned_psnr, weighted_psnr, weighted_ssim
from tests.processing.scenes import kodak

SHARP = kodak("03")[:60, :80]
OTHER = np.clip(SHARP + np.random.default_rng(0).normal(0, 6, SHARP.shape), 0, 255).astype(np.uint8)
MASK = np.zeros((60, 80), np.uint8)
MASK[20:40, 20:60] = 255


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for folder, image in (("sharp", SHARP), ("other", OTHER)):
        write_image(tmp_path / folder / "a.png", image)
        write_image(tmp_path / folder / "b.tiff", image.astype(np.uint16) * 257)
    write_image(tmp_path / "mask" / "a_mask.png", MASK)
    write_image(tmp_path / "mask" / "b.png", MASK)
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    paths = [a if a.startswith("--") else str(folder / a) for a in arguments]
    return CliRunner().invoke(metrics, paths)


def test_two_images_give_all_figures(files: Path) -> None:
    result = run(files, "sharp/a.png", "other/a.png", "--mask", "mask/a_mask.png", "--json")
    (pair,) = json.loads(result.output)["pairs"]
    assert pair["whole"]["psnr_db"] == psnr(SHARP, OTHER)
    assert pair["whole"]["ssim"] == ssim(SHARP, OTHER)
    for reading in ("paper", "released"):
        assert pair[reading]["psnr_w_db"] == weighted_psnr(SHARP, OTHER, MASK, reading)
        assert pair[reading]["ssim_w"] == weighted_ssim(SHARP, OTHER, MASK, reading)
        assert pair[reading]["psnr_a_db"] == aligned_psnr(SHARP, OTHER, reading)


def test_folders_are_compared_by_name_with_their_mean(files: Path) -> None:
    result = run(files, "sharp", "other", "--mask", "mask", "--not-aligned", "--json")
    data = json.loads(result.output)
    assert [pair["name"] for pair in data["pairs"]] == ["a.png", "b.tiff"]
    assert data["pairs"][0]["whole"] == data["pairs"][1]["whole"]  # 16 bits are rounded to 8
    assert data["mean"]["whole"]["ssim"] == pytest.approx(ssim(SHARP, OTHER))
    assert set(data["mean"]["paper"]) == {"psnr_w_db", "ssim_w"}


def test_the_table_shows_both_readings(files: Path) -> None:
    text = run(files, "sharp", "other", "--mask", "mask").output
    assert "released" in text
    assert "paper" in text
    assert "mean" in text


def test_equal_images_have_no_number_for_their_psnr(files: Path) -> None:
    data = json.loads(run(files, "sharp/a.png", "sharp/a.png", "--not-aligned", "--json").output)
    assert data["pairs"][0]["whole"]["psnr_db"] is None
    assert "inf" in run(files, "sharp/a.png", "sharp/a.png", "--not-aligned").output


def test_a_pair_without_figures_is_told_and_the_others_are_compared(files: Path) -> None:
    write_image(files / "mask" / "b.png", np.zeros((60, 80), np.uint8))
    result = run(files, "sharp", "other", "--mask", "mask", "--not-aligned", "--json")
    first, second = json.loads(result.output)["pairs"]
    assert (result.exit_code, first["error"]) == (1, "")
    assert "empty" in second["error"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sharp", "other/a.png"], "folder"),
        (["sharp/a.png", "other/none.png"], "there is no"),
        (["sharp", "mask"], "no partner"),
        (["sharp/a.png", "other/a.png", "--mask", "empty"], "no mask"),
        (["empty", "empty"], "no partner"),
        (["sharp/a.png", "broken.png"], "no image"),
        (["sharp/a.png", "small.png"], "80x60 RGB"),
        (["sharp/a.png", "alpha.png"], "alpha"),
    ],
)
def test_bad_input_is_a_typed_error(files: Path, arguments: list[str], message: str) -> None:
    (files / "empty").mkdir()
    (files / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    write_image(files / "small.png", SHARP[:30])
    import cv2

    cv2.imwrite(str(files / "alpha.png"), np.dstack([SHARP, MASK]))
    error = run(files, *arguments).exception
    assert isinstance(error, ProcessingError)
    assert message in error.one_line()


def test_sixteen_bits_round_to_the_nearest_of_eight(tmp_path: Path) -> None:
    values = np.arange(0, 65536, 13, dtype=np.uint16).reshape(1, -1)
    write_image(tmp_path / "ramp.png", values)
    np.testing.assert_array_equal(read_8bit(tmp_path / "ramp.png"), np.rint(values / 257).astype(np.uint8))

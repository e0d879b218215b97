"""The whole way on the virtual rig, as a newcomer runs it: `beamrig demo`, and what its report must say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from beamrig.demo.capturing import Captured
from models.weights import choose_weights
from rig.errors import BeamrigError
from rig.session import Session


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "report"
    words = ["demo", "--out", str(folder), "--pairs", "4"]
    done = subprocess.run(
        [sys.executable, "-m", "beamrig", *words], capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def report(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "report.json").read_text())
    return found


pytestmark = pytest.mark.timeout(1000)  # a minute on a free machine


def test_every_pulse_became_a_pair_of_one_instant(report: dict[str, Any]) -> None:
    assert report["shots"] == {"fired": 4, "paired": 4, "rejected": 0}
    assert report["mispaired"] == 0


@pytest.mark.parametrize("camera", ["B", "S"])
def test_the_blur_in_the_images_is_what_equation_2_predicts(report: dict[str, Any], camera: str) -> None:
    blur = report["blur_px"][camera]
    assert abs(blur["measured"] - blur["predicted"]) < 1
    assert abs(blur["measured"] - blur["truth"]) < 1


def test_the_cameras_applied_what_was_planned_to_a_microsecond(report: dict[str, Any]) -> None:
    for exposure in report["exposure_us"].values():
        assert exposure["applied"] == pytest.approx(exposure["planned"], abs=1)


def test_the_pipeline_betters_every_figure_of_the_static_pair(report: dict[str, Any]) -> None:
    before, after = report["static_pair"]["before"], report["static_pair"]["after"]
    assert after["delta_l_percent"] < before["delta_l_percent"]
    assert after["psnr_db"] > before["psnr_db"]
    assert after["ssim"] > before["ssim"]


def test_alignment_and_masks_agree_with_the_truth(report: dict[str, Any]) -> None:
    assert report["geometric_error_px"]["p95"] < 0.1
    assert report["mask_iou"] > 0.9


def test_brightness_ratios_are_the_truth_of_filter_splitter_and_sensors(report: dict[str, Any]) -> None:
    assert report["beta"]["measured"] == pytest.approx(report["beta"]["truth"], rel=0.01)


def test_what_was_true_lies_beside_the_session(report: dict[str, Any], out: Path) -> None:
    captured = Captured.load(out / "truth.json")
    assert (captured.truth.seed, captured.truth.background) == (report["seed"], report["background"])
    assert len(captured.frames) == 4
    captured.save(out / "again.json")
    assert Captured.load(out / "again.json") == captured


def test_a_damaged_truth_is_refused(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text('{"takes": []}')
    with pytest.raises(BeamrigError, match="does not say what is true"):
        Captured.load(tmp_path / "truth.json")


def test_the_report_says_whether_the_weights_were_trained(report: dict[str, Any], out: Path) -> None:
    trained = choose_weights() is not None
    assert report["deblur"]["engine"]["trained"] is trained
    assert ("untrained" in (out / "report.html").read_text()) is not trained


def test_every_picture_of_the_page_is_there(report: dict[str, Any], out: Path) -> None:
    assert len(report["pictures"]) == 4
    assert all((out / picture["file"]).stat().st_size > 10_000 for picture in report["pictures"])


def test_the_session_is_whole_and_can_be_opened_again(out: Path) -> None:
    with Session.open(out / "session") as session:
        assert session.problems() == []
        kinds = {pair.kind for pair in session.pairs("s01")}
    assert kinds == {"lightbox", "whiteboard", "static", "action"}


def test_a_folder_with_anything_in_it_is_left_alone(out: Path) -> None:
    before = (out / "report.json").read_bytes()
    again = subprocess.run(
        [sys.executable, "-m", "beamrig", "demo", "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert again.returncode == 2
    assert again.stderr.count("\n") == 1
    assert "not empty" in again.stderr
    assert (out / "report.json").read_bytes() == before

"""The command `beamrig deblur` on real files, through click."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from models.cli import deblur
from models.deblur import DeblurEngine
from models.errors import CheckpointError, ImageError
from rig.errors import BeamrigError


def deblurred(*arguments: object) -> Result:
    return CliRunner().invoke(deblur, [str(argument) for argument in arguments])


def refused(result: Result, kind: type[BeamrigError]) -> str:
    """Return the one line of an error that the root command prints; anything else fails the test."""
    assert isinstance(result.exception, kind), result.output
    return result.exception.one_line()


def photo(path: Path, dtype: Any = np.uint8, seed: int = 0) -> Path:
    codes = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (37, 50, 3)).astype(dtype)
    cv2.imwrite(str(path), codes)
    return path


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_picture_becomes_a_sharp_one_of_its_depth_and_a_mask(
    tmp_path: Path, tiny_weights: Path, dtype: Any, suffix: str
) -> None:
    source = photo(tmp_path / f"shot{suffix}", dtype)
    out = tmp_path / "deep" / "out"
    result = deblurred(source, "--weights", tiny_weights, "--out", out, "--precision", "fp32")
    assert result.exit_code == 0, result.output
    sharp = cv2.imread(str(out / "shot_deblurred.png"), cv2.IMREAD_UNCHANGED)
    mask = cv2.imread(str(out / "shot_mask.png"), cv2.IMREAD_UNCHANGED)
    rgb = cv2.imread(str(source), cv2.IMREAD_UNCHANGED)[..., ::-1]
    expected = DeblurEngine(tiny_weights, "auto", "fp32").run(np.ascontiguousarray(rgb))
    white = np.iinfo(dtype).max
    assert sharp.dtype == dtype
    np.testing.assert_allclose(sharp[..., ::-1] / white, expected.sharp, atol=1.01 / white)
    assert mask.dtype == np.uint8
    np.testing.assert_allclose(mask / 255, expected.mask, atol=1.01 / 255)
    assert len(list(out.iterdir())) == 2


def test_several_pictures_are_reported_as_json(tmp_path: Path, tiny_weights: Path) -> None:
    sources = [photo(tmp_path / "a.png"), photo(tmp_path / "b.png", np.uint16)]
    result = deblurred(*sources, "--weights", tiny_weights, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["engine"]["trained"] is True
    assert [entry["bits"] for entry in report["pictures"]] == [8, 16]
    for entry in report["pictures"]:
        assert Path(entry["deblurred"]).is_file()
        assert Path(entry["mask"]).is_file()
        assert (entry["height_px"], entry["width_px"]) == (37, 50)
        assert entry["seconds"] > 0
        assert entry["precision"] == report["engine"]["precision"]


def test_without_weights_a_plain_warning_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEAMRIG_WEIGHTS", "untrained")
    source = photo(tmp_path / "a.png")
    result = deblurred(source, "--out", tmp_path, "--precision", "fp32", "--json")
    assert result.exit_code == 0, result.output
    assert "warning: untrained weights: the preview shows the way, not a result" in result.stderr
    assert json.loads(result.stdout)["pictures"][0]["trained"] is False


def test_explain_says_what_would_run_and_writes_nothing(tmp_path: Path, tiny_weights: Path) -> None:
    result = deblurred("--explain", "--weights", tiny_weights, "--json")
    info = json.loads(result.stdout)
    assert info["weights"] == str(tiny_weights)
    assert info["precision"] in ("fp32", "bf16", "fp16")
    assert "x as fast" in info["reason"]


def test_explain_is_readable_without_json(tiny_weights: Path) -> None:
    result = deblurred("--explain", "--weights", tiny_weights, "--precision", "fp32")
    assert "LBAG with 8 base channels" in result.stdout
    assert "as asked" in result.stdout


def test_explain_shows_every_way_with_its_figures_and_what_is_remembered(
    tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    deblurred("--explain", "--weights", tiny_weights)
    shown = deblurred("--explain", "--weights", tiny_weights).stdout
    told = json.loads(deblurred("--explain", "--weights", tiny_weights, "--json").stdout)
    assert [way["verdict"] for way in told["candidates"]].count("chosen") == 1
    for way in told["candidates"]:
        assert f"{way['precision']} {way['form']}" in shown
        assert way["verdict"][:30] in shown
    assert f"tiles read {told['moving']['halo_px']} px beyond their core" in shown
    assert told["memory"].startswith(str(tmp_path))


def test_existing_results_are_kept_unless_overwriting_is_asked(tmp_path: Path, tiny_weights: Path) -> None:
    source = photo(tmp_path / "a.png")
    kept = tmp_path / "a_mask.png"
    kept.write_bytes(b"mine")
    call = (source, "--weights", tiny_weights, "--out", tmp_path, "--precision", "fp32")
    assert "a_mask.png exists (use --overwrite" in refused(deblurred(*call), ImageError)
    assert kept.read_bytes() == b"mine"
    assert not (tmp_path / "a_deblurred.png").exists()
    assert deblurred(*call, "--overwrite").exit_code == 0
    assert kept.read_bytes() != b"mine"


def test_two_pictures_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
    sources = [photo(tmp_path / folder / "a.png") for folder in ("x", "y")]
    assert "would both write" in refused(deblurred(*sources, "--out", tmp_path), ImageError)


def test_a_result_never_replaces_an_input(tmp_path: Path) -> None:
    sources = [photo(tmp_path / "a.png"), photo(tmp_path / "a_mask.png")]
    message = refused(deblurred(*sources, "--out", tmp_path, "--overwrite"), ImageError)
    assert "is also an input" in message


def test_weights_that_are_none_are_refused(tmp_path: Path) -> None:
    source = photo(tmp_path / "a.png")
    result = deblurred(source, "--weights", source, "--out", tmp_path)
    assert "a.png is not a torch checkpoint" in refused(result, CheckpointError)
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name at least one picture"),
        (("nowhere.png", "--out", "x"), "nowhere.png"),
        (("--explain", "--device", "tpu"), "tpu"),
    ],
)
def test_a_wrong_call_ends_with_code_2(arguments: tuple[str, ...], said: str) -> None:
    result = deblurred(*arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_an_output_folder_is_asked_for(tmp_path: Path) -> None:
    result = deblurred(photo(tmp_path / "a.png"))
    assert result.exit_code == 2
    assert "--out" in result.output


def test_the_help_loads_neither_torch_nor_opencv() -> None:
    code = (
        "import sys; from models.cli import deblur; deblur(['--help'], standalone_mode=False);"
        "sys.exit(bool({'torch', 'cv2', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--weights" in done.stdout

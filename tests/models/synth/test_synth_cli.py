"""`beamrig synth`: folders that say how they were made, go on where they stopped, and are never mixed."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from models.synth import cli as module
from models.synth.cli import synth
from models.synth.local_blur import LocalBlurSource
from rig.errors import BeamrigError


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(synth, [str(word) for word in words])


def test_objects_writes_pictures_records_and_a_sheet(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    answer = run("objects", photos, "--out", out, "--count", 3, "--side", 64, "--blur", 3, 6, "--json")
    assert answer.exit_code == 0, answer.output
    report = json.loads(answer.stdout)
    assert (report["made"], report["kept"]) == (3, 0)
    source = LocalBlurSource(photos, seed=0, count=3, side_px=64, blur_px=(3, 6), split="all")
    for index, pair in enumerate(source):
        for part, pixels in (("blurred", pair.blurred), ("sharp", pair.sharp)):
            stored = cv2.imread(str(out / part / f"{pair.name}.png"), cv2.IMREAD_COLOR_RGB)
            np.testing.assert_array_equal(stored, pixels)
        np.testing.assert_array_equal(
            cv2.imread(str(out / "mask" / f"{pair.name}.png"), cv2.IMREAD_UNCHANGED), pair.mask
        )
        record = json.loads((out / "records" / f"{pair.name}.json").read_text())
        assert record == json.loads(json.dumps(source.make(index).record))
    sheet = cv2.imread(str(out / "sheet.png"))
    assert sheet is not None
    assert sheet.shape[0] > 3 * 64


def test_the_same_command_goes_on_and_more_can_be_added(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    first = ("objects", photos, "--out", out, "--side", 64, "--blur", 3, 6, "--json")
    run(*first, "--count", 4)
    (out / "records" / "lbs-0-000002.json").unlink()  # as if stopped while this pair was written
    before = (out / "blurred" / "lbs-0-000002.png").read_bytes()
    again = json.loads(run(*first, "--count", 6).stdout)
    assert (again["made"], again["kept"]) == (3, 3)
    assert (out / "blurred" / "lbs-0-000002.png").read_bytes() == before


def test_other_settings_and_foreign_folders_are_refused(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    first = ("objects", photos, "--out", out, "--count", 2, "--side", 64, "--blur", 3, 6)
    run(*first)
    answer = run(*first, "--seed", 1)
    assert isinstance(answer.exception, BeamrigError)
    assert "other settings" in str(answer.exception)
    assert run(*first, "--seed", 1, "--overwrite").exit_code == 0
    assert sorted(p.stem for p in (out / "sharp").iterdir()) == ["lbs-1-000000", "lbs-1-000001"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    answer = run("objects", photos, "--out", tmp_path / "mine", "--overwrite")
    assert isinstance(answer.exception, BeamrigError)
    assert "something else" in str(answer.exception)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_a_stop_keeps_what_is_complete(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import contextlib
    import threading
    from collections.abc import Iterator

    @contextlib.contextmanager
    def pressed() -> Iterator[threading.Event]:
        event = threading.Event()
        event.set()
        yield event

    monkeypatch.setattr(module, "cancel_by_ctrl_c", pressed)
    out = tmp_path / "pairs"
    answer = run("objects", photos, "--out", out, "--count", 5, "--side", 64, "--blur", 3, 6)
    assert answer.exit_code == 1
    assert "goes on from here" in answer.output
    assert len(list((out / "records").iterdir())) == 1


def test_film_without_masks_leaves_none(tmp_path: Path) -> None:
    film = tmp_path / "film"
    film.mkdir()
    for step in range(14):
        frame = np.full((40, 40, 3), 30, np.uint8)
        frame[10:20, step : step + 10] = 220
        cv2.imwrite(str(film / f"{step}.png"), frame)
    answer = run("film", film, "--out", tmp_path / "out", "--frames", 7, 7)
    assert answer.exit_code == 0, answer.output
    assert len(list((tmp_path / "out" / "blurred").iterdir())) == 2
    assert not list((tmp_path / "out" / "mask").iterdir())


def test_the_option_is_another_name_of_the_command_rig(tmp_path: Path) -> None:
    plain, option = run("rig", "--help"), run("--from-virtual-rig", "--help")
    assert option.exit_code == 0
    assert option.output == plain.output
    assert "Missing option '--out'" in run("--from-virtual-rig", "--count", 3).output
    assert run("objects", "--from-virtual-rig", "--out", tmp_path).exit_code == 2


def test_what_is_no_film_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    answer = run("film", tmp_path / "text.mp4", "--out", tmp_path / "out")
    assert isinstance(answer.exception, BeamrigError)
    assert not (tmp_path / "out").exists()


def test_what_is_written_is_read_as_a_source_for_training(photos: Path, tmp_path: Path) -> None:
    from models.training.sources import open_source

    for split in ("train", "test"):
        words = ("--out", tmp_path / split, "--count", 2, "--side", 64, "--blur", 3, 6, "--split", split)
        assert run("objects", photos, *words).exit_code == 0
        source = LocalBlurSource(
            photos, seed=0, count=2, side_px=64, blur_px=(3, 6), split="train" if split == "train" else "test"
        )
        opened = open_source(tmp_path, "train" if split == "train" else "test")
        assert len(opened) == 2
        np.testing.assert_array_equal(opened[1].blurred, source[1].blurred)
        np.testing.assert_array_equal(opened[1].mask, source[1].mask)

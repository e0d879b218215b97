"""Stored calibrations of a session: used again, passed over, or set aside; and damaged takes left out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from processing.calibration.laboratory import load_calibration
from processing.calibration.scene import SceneCalibration
from processing.errors import OtherVersion, SourceChanged
from processing.jobs.batch import process_session
from processing.jobs.cli import process
from processing.pipeline import ScenePipeline
from rig.session import Session
from tests.processing.scenes import DATA

OLD = DATA / "calibration_version_1.json"


@pytest.fixture
def session(recorded: Session, tmp_path: Path) -> Session:
    """A copy of the recorded session without any calibration."""
    skipped = shutil.ignore_patterns("calibration", "derived")
    shutil.copytree(recorded.root, tmp_path / "session", symlinks=True, ignore=skipped)
    return Session.open(tmp_path / "session")


def _put_old(session: Session) -> Path:
    path = session.root / "calibration" / f"s01_best_{json.loads(OLD.read_text())['id']}.json"
    path.parent.mkdir(exist_ok=True)
    shutil.copy(OLD, path)
    return path


def test_a_calibration_of_an_earlier_version_is_told_and_the_scene_measured_anew(session: Session) -> None:
    old = _put_old(session)
    report = process_session(session, blur=False, masks=False).scenes["s01"]
    assert report.failure == ""
    assert report.developed == 6
    (note,) = report.notes
    assert note == "1 calibration by another version of beamrig passed over: the scene is measured anew"
    assert old.read_bytes() == OLD.read_bytes()
    again = ScenePipeline.from_session(session, "s01")
    assert (again.notes, again.calibration.id) == ((), report.calibration)


def test_given_by_hand_it_is_refused_for_its_version(session: Session) -> None:
    old = _put_old(session)
    for read in (SceneCalibration.load, load_calibration):
        with pytest.raises(OtherVersion, match=r"another version of beamrig \(format 1, algorithm 1"):
            read(old)
    result = CliRunner().invoke(process, [str(session.root), "--calibration", str(old)])
    told = f"{result.output}{result.exception}"
    assert result.exit_code != 0
    assert "another version of beamrig" in told
    assert "changed" not in told


@pytest.mark.parametrize("harm", ["edited", "torn"])
def test_a_damaged_one_is_kept_aside_and_told_once(session: Session, harm: str) -> None:
    good = ScenePipeline.from_session(session, "s01").calibration
    path = good.path(session.root / "calibration")
    text = path.read_text()
    bad = text.replace('"box": [', '"box": [\n    4,', 1) if harm == "edited" else text[:-400]
    path.write_text(bad)
    pipeline = ScenePipeline.from_session(session, "s01")
    (note,) = pipeline.notes
    assert ("was changed after it was made" if harm == "edited" else "cannot be read") in note
    (aside,) = path.parent.glob("*.damaged*")
    assert aside.name in note
    assert aside.read_text() == bad
    assert pipeline.calibration.id == good.id
    assert ScenePipeline.from_session(session, "s01").notes == ()


def test_a_damaged_frame_is_left_out_of_its_take_and_named_everywhere(session: Session) -> None:
    whole = ScenePipeline.from_session(session, "s01", reuse=False).calibration
    shutil.rmtree(session.root / "calibration")
    board, still = session.pairs("s01", "lightbox")[2], session.pairs("s01", "static")[0]
    was = board.path_b.read_bytes()
    board.path_b.write_bytes(was[:-1000])
    still.path_s.write_bytes(b"no picture")
    report = process_session(session, blur=False).scenes["s01"]
    assert report.failure == ""
    assert report.masks == 3
    assert set(report.failed) == {still.id}  # it cannot be developed, but the scene can
    assert [note.split(":")[0] for note in report.notes] == [
        f"{board.id} is left out of the calibration",
        f"{still.id} is left out of the calibration",
    ]
    (path,) = (session.root / "calibration").glob("*.json")
    stored = SceneCalibration.load(path)
    assert set(stored.left_out) == {board.id, still.id}
    assert not {source.pair for source in stored.sources} & set(stored.left_out)
    assert stored.beta == pytest.approx(whole.beta, rel=2e-3)
    # As long as they are damaged it is used again; once one is back it counts again.
    assert ScenePipeline.from_session(session, "s01").calibration.id == stored.id
    board.path_b.write_bytes(was)
    assert set(ScenePipeline.from_session(session, "s01").calibration.left_out) == {still.id}


def test_a_take_without_one_sound_frame_stops_its_scene(session: Session) -> None:
    for record in session.pairs("s01", "lightbox"):
        record.path_s.write_bytes(b"no picture")
    with pytest.raises(SourceChanged, match="every lightbox pair of scene s01 is damaged"):
        ScenePipeline.from_session(session, "s01")


def test_a_static_pair_that_is_damaged_later_is_not_compared_with(session: Session) -> None:
    pipeline = ScenePipeline.from_session(session, "s01")
    session.pairs("s01", "static")[0].path_b.write_bytes(b"no picture")
    report = process_session(session, masks=False).scenes["s01"]
    assert report.calibration == pipeline.calibration.id
    assert set(report.failed) == {"s01/static/t01_0000"}
    assert report.developed == 5
    assert report.blur_note == ""

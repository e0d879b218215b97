"""What a session is calibrated with: chosen once, kept in its journal, refused with a reason."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from beamrig.cli import cli
from processing.calibration.chosen import choose, chosen_files, chosen_paths
from processing.calibration.make import geometry_calibration, keep, lightbox_calibration
from processing.calibration.overview import SceneKnown, look
from processing.errors import CalibrationError, Cancelled
from processing.pipeline import ScenePipeline
from rig.session import Session
from tests.processing.laboratory import record_laboratory
from tests.processing.scenes import TrueRig


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chosen") / "lab"
    with record_laboratory(folder) as made:
        keep(made, "lab", lightbox_calibration(made))
    return folder


@pytest.fixture
def session(recorded: Path, tmp_path: Path) -> Session:
    shutil.copytree(recorded, tmp_path / "ses")
    return Session.open(tmp_path / "ses")


def lightbox_file(session: Session) -> Path:
    (path,) = (session.root / "calibration").glob("lightbox_*.json")
    return path


def test_the_choice_moves_with_the_session_and_is_what_process_uses(session: Session, tmp_path: Path) -> None:
    choose(session, [lightbox_file(session)])
    session.close()
    moved = (session.root).rename(tmp_path / "moved")
    with Session.open(moved) as opened:
        (path,) = chosen_paths(opened)
        assert path == lightbox_file(opened)
    done = CliRunner().invoke(cli, ["process", str(moved), "--workers", "1", "--json"])
    assert done.exit_code == 0, done.output
    assert f"calibration chosen for this session: {path}" in done.stderr
    stored = json.loads((moved / "derived" / "lab" / "pipeline.json").read_text())
    assert stored["used"] == {"lightbox": chosen_files(Session.open(moved))["lightbox"].id}
    done = CliRunner().invoke(cli, ["report", str(moved)])
    assert done.exit_code == 0, done.output
    assert "Colour cast of the beam splitter" in (moved / "report.html").read_text("utf-8")
    done = CliRunner().invoke(cli, ["process", str(moved), "--workers", "1", "--own-takes", "--json"])
    assert json.loads((moved / "derived" / "lab" / "pipeline.json").read_text())["used"] == {}


def test_going_back_to_own_takes_is_a_line_too(session: Session) -> None:
    choose(session, [lightbox_file(session)])
    before = session.journal.path.read_bytes()
    choose(session, own=["lightbox"])
    assert chosen_files(session) == {}
    assert session.journal.path.read_bytes().startswith(before)


def test_a_file_that_became_another_one_stops_with_the_reason(session: Session) -> None:
    path = lightbox_file(session)
    choose(session, [path])
    other = lightbox_calibration(session, degree=3)
    other.save(path)
    with pytest.raises(CalibrationError, match="another calibration now"):
        chosen_paths(session)
    known = look(session).chosen_file("lightbox")
    assert known is not None
    assert "another calibration now" in known.refused
    path.unlink()
    with pytest.raises(CalibrationError, match="does not exist"):
        chosen_paths(session)


def test_a_foreign_file_is_refused_before_it_is_chosen(session: Session, tmp_path: Path) -> None:
    rig = TrueRig(shape=(448, 512), seed=6)
    with record_laboratory(tmp_path / "other", rig) as other:
        path = keep(other, "lab", lightbox_calibration(other), tmp_path / "other.json")
    with pytest.raises(CalibrationError, match=r"does not fit camera B of the session.*512x448"):
        choose(session, [path])
    assert chosen_files(session) == {}


def test_the_overview_tells_files_figures_and_what_is_missing(session: Session) -> None:
    ScenePipeline.from_session(session, "lab")
    session.add_scene("empty")
    found = look(session)
    (lightbox,) = found.laboratory["lightbox"]
    assert (lightbox.age_days, lightbox.valid_days, lightbox.refused) == (0, 365, "")
    assert lightbox.takes == ("lab lightbox 1",)
    assert lightbox.picture is not None
    (own,) = found.own["lab"]
    assert isinstance(own, SceneKnown)
    assert own.static_pair["after"]["psnr_db"] > own.static_pair["before"]["psnr_db"]
    assert own.geometric_px["after"] < 0.1 < own.geometric_px["before"]
    assert own.takes == ("lab lightbox 1", "lab whiteboard 1", "lab static 1", "lab colorchecker 1")
    assert found.missing["lab", "colour"] == ()
    assert found.missing["empty", "lightbox"] == ("lightbox",)
    assert found.missing["empty", "colour"] == ("colorchecker", "whiteboard")


def test_stale_files_say_so(session: Session) -> None:
    path = keep(session, "lab", lightbox_calibration(session, degree=3))
    text = session.journal.path.read_text()
    shots = [line for line in text.splitlines() if '"event":"shot"' in line and '"kind":"lightbox"' in line]
    changed = json.loads(shots[0])
    changed["meta"]["B"]["sha256"] = "0" * 64
    session.journal.path.write_text(text.replace(shots[0], json.dumps(changed)))
    session.close()
    with Session.open(session.root) as opened:
        (known,) = [one for one in look(opened).laboratory["lightbox"] if one.path == path]
    assert "is stale: lab/lightbox/t01_0000" in known.refused
    assert known.hint == "calibrate again"


def test_the_command_chooses_and_tells(session: Session) -> None:
    run = CliRunner().invoke
    done = run(cli, ["calibrate", "use", str(session.root), str(lightbox_file(session))])
    assert done.exit_code == 0, done.output
    assert "lightbox: " in done.output
    data = json.loads(run(cli, ["calibrate", "use", str(session.root), "--json"]).output)
    assert data["chosen"]["lightbox"]["path"] == str(lightbox_file(session))
    assert "own takes" in run(cli, ["calibrate", "use", str(session.root), "--own", "lightbox"]).output


def test_making_one_tells_each_pair_and_can_be_stopped(session: Session) -> None:
    said: list[str] = []
    lightbox_calibration(session, "lab", progress=said.append)
    assert said[:2] == ["lightbox: pair 1 of 4", "lightbox: pair 2 of 4"]

    def stop(text: str) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        geometry_calibration(session, "lab", progress=stop)

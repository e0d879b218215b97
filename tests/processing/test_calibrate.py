"""Calibrations of the laboratory, measured on recorded takes, and a session that is processed with them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from processing.alignment.flow import PolynomialFlow
from processing.calibration.cli import calibrate
from processing.calibration.laboratory import Given, LightboxCalibration, load_calibration
from processing.calibration.make import colour_calibration, geometry_calibration, lightbox_calibration
from processing.calibration.scene import SceneCalibration
from processing.colour import PHASES, phase_offsets
from processing.errors import CalibrationError, ImageMismatch, TakeMissing
from processing.pipeline import ScenePipeline
from rig.profiles import load_rig
from rig.session import Session
from tests.processing.laboratory import record_laboratory
from tests.processing.scenes import NEUTRAL_RAW, TrueRig, mosaic, record_session
from tests.shell import assert_refused, beamrig


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return record_laboratory(tmp_path_factory.mktemp("lab") / "session")


@pytest.fixture(scope="module")
def lightbox(lab: Session) -> LightboxCalibration:
    return lightbox_calibration(lab)


def test_the_lightbox_calibration_undoes_the_true_cast(lightbox: LightboxCalibration) -> None:
    for camera in ("B", "S"):
        corrected = mosaic(TrueRig().cast(camera)) * lightbox.colour[camera].gain_map()
        for row, column in phase_offsets("RGGB").values():
            plane = corrected[row::2, column::2]
            assert plane.std() / plane.mean() < 1.5e-3


def test_its_figures_tell_what_it_did(lightbox: LightboxCalibration) -> None:
    maps = lightbox.cast["B"]
    assert maps.frames == 4
    for index, phase in ((0, "R"), (1, "Gr"), (2, "B")):
        cast = TrueRig().cast("B")[..., index]
        assert maps.fall_off(phase) == pytest.approx(100 * (1 - cast.min() / cast.max()), abs=1.5)
        assert maps.rms(phase) < 0.05 * maps.rms(phase, "before")
    assert maps.grey_before[1] - maps.grey_before[0] > 10
    assert maps.grey_after[1] - maps.grey_after[0] <= 2


def test_the_colour_calibration_finds_the_true_balance_and_map(
    lab: Session, lightbox: LightboxCalibration
) -> None:
    for given in (Given(), Given(lightbox=lightbox)):
        made = colour_calibration(lab, given=given)
        assert made.balance == pytest.approx([1 / value for value in NEUTRAL_RAW], rel=3e-3)
        np.testing.assert_allclose(made.matrix, np.eye(3), atol=0.01)
        figures = made.chart.figures()
        # This camera's primaries are sRGB's: the balance alone is right up to the noise, and so is the map.
        assert figures["delta_e_after_mean"] < 0.15
        assert figures["delta_e_left_out_mean"] < 0.15
        assert made.lightbox == given.ids().get("lightbox", "")
        assert {source.role for source in made.card.sources} >= {"white", "chart"}


def test_a_session_is_processed_with_the_laboratorys_calibrations(
    lab: Session, lightbox: LightboxCalibration, tmp_path: Path
) -> None:
    session = record_session(tmp_path / "s", kinds=("static", "action"))  # neither lightbox nor whiteboard
    with pytest.raises(TakeMissing):
        ScenePipeline.from_session(session, "s01")
    colour = colour_calibration(lab, given=Given(lightbox=lightbox))
    geometry = geometry_calibration(lab, "lab")
    files = [made.save(tmp_path / f"{made.kind}.json") for made in (lightbox, colour, geometry)]
    with pytest.raises(TakeMissing, match="no whiteboard"):
        ScenePipeline.from_session(session, "s01", calibrations=files[:1])
    pipeline = ScenePipeline.from_session(session, "s01", calibrations=files)
    used = {"lightbox": lightbox.id, "colour": colour.id, "geometry": geometry.id}
    assert pipeline.calibration.used == used
    assert pipeline.static_metrics["after"]["psnr_db"] > pipeline.static_metrics["before"]["psnr_db"] + 5
    (stored,) = (session.root / "calibration").glob("s01_best_*.json")
    assert SceneCalibration.load(stored).used == used
    # and it is not taken for one of the session's own takes, nor the other way round
    assert ScenePipeline.from_session(session, "s01", calibrations=files).calibration.id == stored.stem[-16:]
    with pytest.raises(TakeMissing):
        ScenePipeline.from_session(session, "s01")


def test_a_geometry_of_another_distance_is_refused_and_one_that_is_hardly_off_told(
    lab: Session, tmp_path: Path
) -> None:
    session = record_session(tmp_path / "s", kinds=("lightbox", "static"))
    made = geometry_calibration(lab, "lab")

    def process(shift_px: float) -> ScenePipeline:
        assert isinstance(made.flow, PolynomialFlow)
        off = made.flow.x.copy()
        off[0, 0] += shift_px
        path = replace(made, flow=replace(made.flow, x=off)).save(tmp_path / "g.json")
        return ScenePipeline.from_session(session, "s01", calibrations=[path])

    assert process(0.0).notes == ()
    (note,) = process(0.25).notes
    assert "leaves the static pair 0.2" in note
    for far_px in (1.0, -12.0):  # another focus, distance, or a mount that was bumped
        with pytest.raises(CalibrationError, match="does not fit the scene"):
            process(far_px)


def test_a_calibration_whose_sources_are_gone_is_stale(lab: Session, tmp_path: Path) -> None:
    shutil.copytree(lab.root, tmp_path / "lab")
    copy = Session.open(tmp_path / "lab")
    path = lightbox_calibration(copy).save(tmp_path / "lab" / "calibration" / "lightbox.json")
    session = record_session(tmp_path / "s", kinds=("lightbox", "static"))
    assert ScenePipeline.from_session(session, "s01", calibrations=[path]).calibration.used
    copy.pairs("lab", "lightbox")[3].path_s.unlink()
    with pytest.raises(CalibrationError, match=r"stale: lab/lightbox/t01_0003.*gone"):
        ScenePipeline.from_session(session, "s01", calibrations=[path])
    shutil.rmtree(tmp_path / "lab" / "scenes")
    moved = shutil.copy(path, tmp_path / "alone.json")
    shutil.rmtree(tmp_path / "lab")  # the session is not at hand any more: nothing speaks against the file
    assert ScenePipeline.from_session(session, "s01", calibrations=[Path(moved)]).calibration.used


def test_takes_of_different_cameras_make_no_calibration(lab: Session, tmp_path: Path) -> None:
    shutil.copytree(lab.root, tmp_path / "lab")
    session = Session.open(tmp_path / "lab")
    session.add_scene("other", None)
    rig = TrueRig(shape=(480, 640))
    even = np.full((*rig.shape, 3), 0.8, np.float32)
    rig.record(session, "lightbox", [(even, even)], scene="other")
    with pytest.raises(CalibrationError, match="does not go with"):
        lightbox_calibration(session)
    assert lightbox_calibration(session, "other").card.frames["B"].height == 480


@pytest.mark.parametrize("kind", ["lightbox", "colour", "geometry"])
def test_each_command_writes_a_file_and_a_picture(lab: Session, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "made" / f"{kind}.json"
    result = CliRunner().invoke(
        calibrate, [kind, str(lab.root), "--out", str(out), "--json"], catch_exceptions=False
    )
    report = json.loads(result.stdout)
    assert report["id"] == load_calibration(out).id
    picture = cv2.imread(report["picture"])
    assert picture is not None
    assert picture.shape[1] > 600
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50
    shown = CliRunner().invoke(calibrate, ["show", str(out)], catch_exceptions=False).stdout
    assert report["id"] in shown
    assert "camera S" in shown


def test_the_degree_is_chosen_on_the_command_line(lab: Session, tmp_path: Path) -> None:
    out = tmp_path / "cubic.json"
    CliRunner().invoke(calibrate, ["lightbox", str(lab.root), "--out", str(out), "--degree", "3"])
    made = load_calibration(out)
    assert isinstance(made, LightboxCalibration)
    assert [len(made.colour["S"].constants[phase]) for phase in PHASES] == [10] * 4


def test_bad_input_is_one_line_and_exit_code_2(recorded: Session, tmp_path: Path) -> None:
    for arguments in (
        ["lightbox", "nowhere"],
        ["colour", str(recorded.root)],
        ["lightbox", str(recorded.root), "--degree", "5"],
        ["show", "none.json"],
    ):
        assert_refused(beamrig("calibrate", *arguments, folder=tmp_path))


def test_clipped_even_light_makes_no_calibration(tmp_path: Path) -> None:
    session = Session.create(tmp_path / "s", load_rig("virtual"))
    session.add_scene("lab", None)
    rig = TrueRig()
    glaring = np.full((*rig.shape, 3), 1.4, np.float32)
    rig.record(session, "lightbox", [(glaring, glaring)], scene="lab")
    with pytest.raises(ImageMismatch, match="lightbox of camera B is clipped"):
        lightbox_calibration(session)


def test_a_scenes_own_chart_is_judged_and_shown(lab: Session) -> None:
    calibration = ScenePipeline.from_session(lab, "lab").calibration
    assert calibration.chart is not None
    assert calibration.chart.figures()["delta_e_after_mean"] < 1
    assert calibration.cast["S"].frames == 4
    path = calibration.path(lab.root / "calibration")
    shown = CliRunner().invoke(calibrate, ["show", str(path), "--json"], catch_exceptions=False).stdout
    assert json.loads(shown)["figures"]["beta"] == list(calibration.beta)

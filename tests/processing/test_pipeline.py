"""The pipeline of a scene: its choices, and opening it again from a stored calibration."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from processing.calibration.scene import SceneCalibration
from processing.errors import CalibrationError
from processing.pipeline import ScenePipeline
from processing.profile import CHOICES, Choices
from rig.session import Session


@pytest.fixture
def session(recorded: Session, tmp_path: Path) -> Session:
    """A copy of the recorded session that a test may write into."""
    shutil.copytree(recorded.root, tmp_path / "session", symlinks=True)
    return Session.open(tmp_path / "session")


def test_a_calibration_keeps_the_choices_it_was_made_with(session: Session) -> None:
    for profile in ("best", "paper"):
        calibration = ScenePipeline.from_session(session, "s01", profile).calibration
        (path,) = (session.root / "calibration").glob(f"s01_{profile}_*.json")
        assert SceneCalibration.load(path).choices == calibration.choices == CHOICES[profile]
        assert {constants.degree for constants in calibration.colour.values()} == {
            CHOICES[profile].cast_degree
        }


def test_another_flow_method_is_another_calibration(session: Session) -> None:
    own = ScenePipeline.from_session(session, "s01").calibration
    dense = ScenePipeline.from_session(session, "s01", flow="dis").calibration
    assert dense.choices == replace(CHOICES["best"], flow="dis")
    assert dense.id != own.id
    assert type(dense.flow) is not type(own.flow)
    # and both are found again, each for its own wish
    assert ScenePipeline.from_session(session, "s01").calibration.id == own.id
    assert ScenePipeline.from_session(session, "s01", flow="dis").calibration.id == dense.id


def test_a_stored_calibration_develops_the_same_pictures(session: Session) -> None:
    measured = ScenePipeline.from_session(session, "s01")
    (path,) = (session.root / "calibration").glob("s01_best_*.json")
    for source in (path, pickle.loads(pickle.dumps(measured.calibration))):  # noqa: S301
        opened = ScenePipeline.from_calibration(session, source)
        raw = session.pairs("s01", "action")[1].load()
        for one, other in (
            (measured.develop(raw.b, raw.s), opened.develop(raw.b, raw.s)),
            (measured.develop_unaligned(raw.b, raw.s), opened.develop_unaligned(raw.b, raw.s)),
        ):
            np.testing.assert_array_equal(one.b, other.b)
            np.testing.assert_array_equal(one.s, other.s)
        for mine, theirs in zip(measured.static_8bit(), opened.static_8bit(), strict=True):
            np.testing.assert_array_equal(mine[0], theirs[0])


def test_a_stored_calibration_needs_its_static_take(session: Session) -> None:
    calibration = ScenePipeline.from_session(session, "s01").calibration
    session.pairs("s01", "static")[1].path_b.unlink()
    with pytest.raises(CalibrationError, match=r"s01/static/t01_0001.*gone"):
        ScenePipeline.from_calibration(session, calibration)


def test_choices_come_back_from_plain_values_and_wrong_ones_do_not() -> None:
    for choices in CHOICES.values():
        assert Choices.from_dict(choices.to_dict()) == choices
    plain = CHOICES["best"].to_dict()
    with pytest.raises(ValueError, match="cast_degree"):
        Choices.from_dict({**plain, "cast_degree": 7})
    with pytest.raises(ValueError, match="choices"):
        Choices.from_dict({key: value for key, value in plain.items() if key != "flow"})

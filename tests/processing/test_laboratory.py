"""Calibration files: what goes in comes out; what was changed, is stale or foreign does not."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processing.alignment.flow import PolynomialFlow, Residual
from processing.calibration.cast_maps import CastMaps
from processing.calibration.file import Card, digest, write_sealed
from processing.calibration.frame_format import FrameFormat
from processing.calibration.laboratory import (
    Calibration,
    ColourCalibration,
    GeometryCalibration,
    Given,
    LightboxCalibration,
    load_calibration,
)
from processing.calibration.takes import Source
from processing.chart.colour_fit import PatchFit
from processing.colour import PHASES, ColourConstants, exponents
from processing.errors import CalibrationError

FRAME = FrameFormat(640, 512, "RGGB", 64.0, 4095.0, "T-B", "small", 0.0, (8, 16))
number = st.floats(-1e3, 1e3, allow_nan=False)
same_folder = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _card(created: str | None = None, valid_days: int = 30) -> Card:
    frames = {"B": FRAME, "S": replace(FRAME, serial_number="T-S")}
    sources = (Source("colour", "s01/lightbox/t01_0000", "B", "ab" * 32),)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Card("c0ffee", "/nowhere", frames, sources, valid_days, created or now)


def _lightbox(values: np.ndarray, card: Card | None = None) -> LightboxCalibration:
    degree = 4
    constants = {p: tuple(float(v) for v in values[: len(exponents(degree))]) for p in PHASES}
    tables = {p: np.round(np.outer(values[:3], values[:5]), 3).astype(np.float32) for p in PHASES}
    cast = CastMaps(tables, tables, (200, 255), (230, 250), 12)
    colour = ColourConstants(640, 512, "RGGB", degree, constants, abs(float(values[0])))
    return LightboxCalibration(card or _card(), {"B": colour, "S": colour}, {"B": cast, "S": cast})


def _colour(values: np.ndarray) -> ColourCalibration:
    tiled = np.resize(values, 24 * 8)
    fit = PatchFit(
        tiled[:72].reshape(24, 3), tiled[72:144].reshape(24, 3), tiled.reshape(24, 4, 2), *(tiled[:24],) * 3
    )
    return ColourCalibration(_card(), (2.0, 1.0, 1.5), values[:9].reshape(3, 3), fit, "abc")


def _geometry(values: np.ndarray) -> GeometryCalibration:
    flow = PolynomialFlow((512, 640), values[:16].reshape(4, 4), values[-16:].reshape(4, 4))
    cells = np.round(np.resize(values, (3, 4, 2)), 3).astype(np.float32)
    cells[1, 1] = np.nan
    left = Residual(0.25, 0.5, 11, cells, 128)
    return GeometryCalibration(_card(), flow, (8, 500, 9, 630), left, "polynomial")


MAKERS = [_lightbox, _colour, _geometry]


@pytest.mark.parametrize("make", MAKERS)
@given(values=st.lists(number, min_size=20, max_size=40))
@same_folder
def test_a_calibration_comes_back_from_its_file(make: Any, values: list[float], tmp_path: Path) -> None:
    written: Calibration = make(np.array(values))
    read = load_calibration(written.save(tmp_path / "c.json"))
    assert type(read) is type(written)
    assert read.id == written.id
    assert read.card == written.card
    assert read.content() == written.content()


def _leaves(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(data, dict):
        return [leaf for key, value in data.items() for leaf in _leaves(value, (*path, key))]
    if isinstance(data, list):
        return [leaf for key, value in enumerate(data) for leaf in _leaves(value, (*path, key))]
    return [path]


@pytest.mark.parametrize("make", MAKERS)
@given(where=st.integers(0, 10**6), change=st.one_of(number, st.text(max_size=4), st.none()))
@same_folder
def test_no_value_can_be_changed_unseen(make: Any, where: int, change: Any, tmp_path: Path) -> None:
    path = make(np.linspace(-1, 1, 30)).save(tmp_path / "c.json")
    data = json.loads(path.read_text())
    leaves = _leaves(data)
    *way, last = leaves[where % len(leaves)]
    place = data
    for key in way:
        place = place[key]
    if type(place[last]) is type(change) and place[last] == change:
        return
    place[last] = change
    path.write_text(json.dumps(data))
    with pytest.raises(CalibrationError):
        load_calibration(path)


def test_the_same_measurement_has_the_same_id_on_another_day_and_disk() -> None:
    values = np.linspace(0, 1, 30)
    other = replace(_card("2020-01-01T00:00:00+00:00"), where="/elsewhere")
    assert _lightbox(values).id == _lightbox(values, other).id
    assert _lightbox(values).id != _lightbox(values + 1e-9).id


def test_a_file_of_another_version_says_so(tmp_path: Path) -> None:
    content = {**_lightbox(np.linspace(0, 1, 30)).content(), "algorithm": 1}
    write_sealed(tmp_path / "old.json", content, "2026-01-01T00:00:00+00:00")
    with pytest.raises(CalibrationError, match="another version"):
        load_calibration(tmp_path / "old.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"id": 3}', "\x00\xff", "[" * 100_000])
def test_what_is_no_calibration_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(CalibrationError):
        load_calibration(tmp_path / "c.json")
    with pytest.raises(CalibrationError, match="does not exist"):
        load_calibration(tmp_path / "none.json")


def test_a_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "c.json")
    with pytest.raises(CalibrationError, match="no file"):
        load_calibration(tmp_path / "c.json")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("valid_days", 10**12),
        ("valid_days", -5),
        ("frames", {}),
        ("frames", {"B": FRAME.to_dict()}),
        ("sources", [{"a": 1}]),
        ("cast", {}),
        ("degree", 10**6),
        ("created", "yesterday"),
        ("created", "2026-01-01T00:00:00"),
        ("coefficient", float("nan")),
        ("coefficient", "one"),
    ],
)
def test_a_sealed_file_that_says_what_cannot_be_is_refused(tmp_path: Path, field: str, value: Any) -> None:
    content = _lightbox(np.linspace(0, 1, 30)).content()
    created = str(value) if field == "created" else "2026-01-01T00:00:00+00:00"
    if field == "degree":
        content["colour"]["S"]["degree"] = value
    elif field == "coefficient":
        content["colour"]["S"]["constants"]["Gr"][2] = value
    elif field != "created":
        content[field] = value
    path = tmp_path / "c.json"
    head = {"id": digest(content), "created": created, "where": "", **content}
    path.write_text(json.dumps({**head, "seal": digest(head)}))
    with pytest.raises(CalibrationError, match=r"damaged|cannot be read"):
        load_calibration(path)


def _given(tmp_path: Path, card: Card, **other: Any) -> Given:
    made = _lightbox(np.linspace(0, 1, 30), card)
    frames = {"B": FRAME, "S": replace(FRAME, serial_number="T-S")}
    frames["B"] = replace(frames["B"], **other)
    return Given.of({tmp_path / "lab.json": made}, frames)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"serial_number": "T-9"}, "camera T-B, not T-9"),
        ({"width": 642}, "640x512"),
        ({"offset": (0, 0)}, "region of interest"),
        ({"cfa": "BGGR"}, "colour order"),
        ({"black_level": 60.0}, "black level"),
        ({"white_level": 1023.0}, "white level"),
    ],
)
def test_a_foreign_calibration_is_refused(tmp_path: Path, other: dict[str, Any], told: str) -> None:
    with pytest.raises(CalibrationError, match=told):
        _given(tmp_path, _card(), **other)


def test_what_does_not_matter_is_let_through(tmp_path: Path) -> None:
    found = _given(tmp_path, _card(), gain_db=6.0, offset=None, serial_number="")
    assert set(found.ids()) == {"lightbox"}


@pytest.mark.parametrize(
    "other", [{"black_level": 60.0}, {"white_level": 1023.0}, {"cfa": "BGGR"}, {"gain_db": 6.0}]
)
def test_a_geometry_asks_only_which_pixel_looks_where(tmp_path: Path, other: dict[str, Any]) -> None:
    made = _geometry(np.linspace(0, 1, 30))
    frames = {camera: replace(frame, **other) for camera, frame in made.card.frames.items()}
    assert Given.of({tmp_path / "lab.json": made}, frames).geometry is made
    with pytest.raises(CalibrationError, match="region of interest"):
        Given.of({tmp_path / "lab.json": made}, {**frames, "S": replace(frames["S"], offset=(0, 0))})


def test_that_its_session_is_not_at_hand_is_told(tmp_path: Path) -> None:
    (note,) = _given(tmp_path, _card()).notes
    assert note == "lab.json: its session /nowhere is not at hand, its frames unproven"


def test_an_old_calibration_is_refused_unless_allowed(tmp_path: Path) -> None:
    then = (datetime.now(UTC) - timedelta(days=40)).isoformat(timespec="seconds")
    with pytest.raises(CalibrationError, match="40 days old"):
        _given(tmp_path, _card(then))
    made = _lightbox(np.linspace(0, 1, 30), _card(then))
    assert Given.of({tmp_path / "lab.json": made}, made.card.frames, allow_old=True).lightbox is made


def test_a_calibration_from_the_future_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="future"):
        _given(tmp_path, _card((datetime.now(UTC) + timedelta(days=3)).isoformat(timespec="seconds")))


def test_two_calibrations_of_a_kind_are_refused(tmp_path: Path) -> None:
    made = _lightbox(np.linspace(0, 1, 30))
    with pytest.raises(CalibrationError, match="second lightbox"):
        Given.of({tmp_path / "a.json": made, tmp_path / "b.json": made}, made.card.frames)

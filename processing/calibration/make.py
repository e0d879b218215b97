"""Making the calibrations of the laboratory from a session's takes (`beamrig calibrate`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from processing.calibration.estimate import calibrate as calibrate_scene
from processing.calibration.estimate_colour import (
    CastFound,
    measure_cast,
    measure_map,
    refuse_clipped,
    scene_cast,
)
from processing.calibration.file import Card, now
from processing.calibration.frame_format import FrameFormat, formats_of
from processing.calibration.laboratory import (
    Calibration,
    ColourCalibration,
    GeometryCalibration,
    Given,
    LightboxCalibration,
)
from processing.calibration.pictures import write_picture
from processing.calibration.takes import Source, Takes, mean_mosaics, quiet, sources_of
from processing.errors import CalibrationError, TakeMissing
from processing.isp import white_balance
from processing.profile import CHOICES, CastDegree, Choices
from rig.records import PairRecord
from rig.session import Session

VALID_DAYS: Final = 365
"""How long a calibration holds when nothing else is said: splitter and sensors age slowly."""
VALID_DAYS_GEOMETRY: Final = 30
"""Mounts creep, and every transport shifts them."""


def lightbox_calibration(
    session: Session,
    scene: str | None = None,
    *,
    degree: CastDegree = 4,
    valid_days: int = VALID_DAYS,
    progress: Callable[[str], None] = quiet,
) -> LightboxCalibration:
    """Measure the cast of both cameras on all lightbox frames of a session, or of one of its scenes.

    Args:
        session: the recorded session.
        scene: one of its scenes; all together without it.
        degree: of the polynomial.
        valid_days: how long the calibration holds.
        progress: told what is being done; what it raises ends the work.

    Raises:
        SessionError: if there is no such scene.
        TakeMissing: if there is no lightbox take.
        CalibrationError: if the frames of the takes differ in kind.
    """
    records = _pairs(session, scene, "lightbox")
    frames = _frames(session, records)
    found = measure_cast(records, frames, degree, progress)
    card = _card(session, frames, sources_of(records, "colour"), valid_days)
    return LightboxCalibration(card, found.colour, found.cast)


def colour_calibration(
    session: Session,
    scene: str | None = None,
    *,
    given: Given | None = None,
    degree: CastDegree = 4,
    valid_days: int = VALID_DAYS,
    progress: Callable[[str], None] = quiet,
) -> ColourCalibration:
    """Measure white balance and colour map on the whiteboard and the colour chart, as camera S sees them.

    Args:
        session: the recorded session.
        scene: one of its scenes; all together without it.
        given: its lightbox calibration corrects the cast; without one the session's own take does.
        degree: of the cast's polynomial, where it is measured here.
        valid_days: how long the calibration holds.
        progress: told what is being done; what it raises ends the work.

    Raises:
        SessionError: if there is no such scene.
        TakeMissing: if there is no chart, or neither whiteboard nor lightbox.
        CalibrationError: if no chart is found in its take, or the takes differ in kind.
    """
    given = given or Given()
    charts = _pairs(session, scene, "colorchecker")
    boards = session.pairs(scene, "whiteboard") or _pairs(session, scene, "lightbox")
    even = [] if given.lightbox else session.pairs(scene, "lightbox") or boards
    frames = _frames(session, [*charts, *boards, *even])
    found = scene_cast(Takes(even, boards, [], charts, frames), degree, given, progress)
    progress("white balance")
    balance = _balance(boards, even, found, frames["S"])
    progress("patches of the colour chart")
    matrix, fit = measure_map(charts, frames["S"], found.colour["S"], balance)
    sources = (
        *sources_of(even, "colour"),
        *sources_of(boards, "white"),
        *sources_of(charts, "chart"),
    )
    return ColourCalibration(
        _card(session, {"S": frames["S"]}, tuple(s for s in sources if s.camera == "S"), valid_days),
        balance,
        matrix,
        fit,
        given.ids().get("lightbox", ""),
    )


def geometry_calibration(
    session: Session,
    scene: str,
    *,
    given: Given | None = None,
    choices: Choices = CHOICES["best"],
    valid_days: int = VALID_DAYS_GEOMETRY,
    progress: Callable[[str], None] = quiet,
) -> GeometryCalibration:
    """Register B to S on the static take of a scene.

    Args:
        session: the recorded session.
        scene: one of its scenes, with static and whiteboard or lightbox takes.
        given: calibrations of colours that take the place of the scene's own takes.
        choices: how each step is done; the flow's method counts.
        valid_days: how long the calibration holds.
        progress: told what is being done; what it raises ends the work.

    Raises:
        SessionError: if there is no such scene.
        TakeMissing: if the scene lacks a take.
        ProcessingError: if a step fails.
    """
    given = given or Given()
    if given.geometry is not None:
        raise CalibrationError("a geometry calibration cannot be made from another one")
    takes = Takes.of(session, scene, given=given.ids())
    found = calibrate_scene(takes, scene, "best", choices, progress, given)
    sources = tuple(s for s in found.sources if s.role == "static")
    card = _card(session, takes.formats, sources, valid_days)
    return GeometryCalibration(card, found.flow, found.box, found.residual, choices.flow)


def keep(session: Session, scene: str | None, made: Calibration, out: Path | None = None) -> Path:
    """Write a calibration, and beside it the picture to judge it by; return its path.

    Args:
        session: it was made from.
        scene: it was made from, as it was named then.
        made: the calibration.
        out: the file; SESSION/calibration/KIND_ID.json without it.

    Raises:
        ProcessingError: if they cannot be written.
    """
    path = out or session.root / "calibration" / f"{made.kind}_{made.id}.json"
    made.save(path)
    charts = session.pairs(scene, "colorchecker") if made.kind == "colour" else []
    write_picture(path.with_suffix(".png"), made, charts[0].load().s if charts else None)
    return path


def the_scene(session: Session, scene: str | None) -> str:
    """Return the scene that is named, or the only one.

    Raises:
        CalibrationError: if none is named and there are several, or none.
        SessionError: if there is no such scene.
    """
    if scene is not None:
        return session.scene(scene).name
    names = [known.name for known in session.scenes()]
    if len(names) != 1:
        raise CalibrationError(
            f"the session has {len(names)} scenes", hint=f"name one with --scene: {', '.join(names)}"
        )
    return names[0]


def _pairs(session: Session, scene: str | None, kind: str) -> list[PairRecord]:
    if scene is not None:
        session.scene(scene)
    records = session.pairs(scene, kind)
    if not records:
        where = f"scene {scene}" if scene else "the session"
        raise TakeMissing(f"{where} has no {kind} take", hint=f"capture one: --kind {kind}")
    return records


def _frames(session: Session, records: Sequence[PairRecord]) -> dict[str, FrameFormat]:
    """Describe the frames, and make sure that all takes are alike: one pair of each is looked at."""
    first_of_take = {(r.scene, r.kind, r.take): r for r in reversed(records)}
    found: dict[str, FrameFormat] | None = None
    for record in first_of_take.values():
        frames = formats_of(session, record)
        found = found or frames
        for camera, frame in frames.items():
            difference = frame.difference(found[camera])
            if difference:
                raise CalibrationError(
                    f"{record.id} does not go with the other takes: camera {camera}, {difference}",
                    hint="choose one scene with --scene",
                )
    if found is None:
        raise TakeMissing("there are no takes to calibrate from")
    return found


def _balance(
    boards: Sequence[PairRecord], even: Sequence[PairRecord], found: CastFound, frame: FrameFormat
) -> tuple[float, float, float]:
    mean = found.mean if boards == even and found.mean else mean_mosaics(boards)
    refuse_clipped(mean["S"], frame, f"{boards[0].kind} of camera S")
    return white_balance(mean["S"] * found.colour["S"].gain_map(), frame.cfa)


def _card(
    session: Session, frames: dict[str, FrameFormat], sources: tuple[Source, ...], valid_days: int
) -> Card:
    return Card(session.id, str(session.root), frames, sources, valid_days, now())

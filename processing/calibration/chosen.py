"""Which calibrations of the laboratory a session is processed with: chosen once, kept in its journal.

The choice belongs to the session and not to a program's settings: the app, the command line and another
computer then make the same of the same session. A chosen file that is gone, another one by now, stale or
foreign stops the processing with the reason; the scene's own takes never step in unasked.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from processing.calibration.frame_format import FrameFormat, formats_of
from processing.calibration.laboratory import Calibration, Given, Kind, load_calibration
from processing.errors import CalibrationError
from rig.session import Session

CHOSEN: Final = "calibrations_chosen"
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True)
class ChosenFile:
    """A calibration that a session is processed with.

    Attributes:
        kind: lightbox, colour or geometry.
        path: its file.
        id: what it was when it was chosen.
    """

    kind: str
    path: Path
    id: str


def chosen_files(session: Session) -> dict[str, ChosenFile]:
    """Return the choice that holds, by kind; kinds that the scenes' own takes serve are missing.

    Raises:
        CalibrationError: if the journal's line about it cannot be read: nothing may be guessed then.
    """
    events = [event for event in session.journal.events() if event["event"] == CHOSEN]
    if not events:
        return {}
    try:
        found = [
            ChosenFile(str(one["kind"]), session.root / str(one["path"]), str(one["id"]))
            for one in events[-1]["files"]
        ]
        if any(one.kind not in KINDS for one in found):
            raise ValueError("no such kind")
    except (KeyError, TypeError, ValueError) as error:
        raise CalibrationError(
            f"the journal's choice of calibrations cannot be read: {error!r}", hint="choose again"
        ) from error
    return {one.kind: one for one in found}


def chosen_paths(session: Session) -> tuple[Path, ...]:
    """Return the files to process a session with, as they were when they were chosen.

    Raises:
        CalibrationError: if one is missing, damaged, or another calibration by now.
    """
    return tuple(one.path for one in chosen_files(session).values() if open_chosen(one))


def open_chosen(chosen: ChosenFile) -> Calibration:
    """Read a chosen file.

    Raises:
        CalibrationError: if it is missing, damaged, or another calibration by now.
    """
    found = load_calibration(chosen.path)
    if found.id != chosen.id:
        raise CalibrationError(
            f"{chosen.path.name} is another calibration now than the one that was chosen",
            hint="choose it again, or the scene's own takes",
        )
    return found


def choose(session: Session, files: Iterable[Path] = (), own: Iterable[str] = ()) -> None:
    """Choose calibrations for a session; what was chosen of other kinds stays.

    Args:
        session: the session.
        files: calibrations to use from now on.
        own: kinds for which the scenes' own takes are to be used again.

    Raises:
        CalibrationError: if a file is no calibration, stale or foreign, or two are of a kind.
        SessionError: if the journal cannot be written.
    """
    opened = {path.absolute(): load_calibration(path) for path in files}
    check(opened, session_frames(session))
    try:
        known = chosen_files(session)
    except CalibrationError:  # what cannot be read is what is chosen anew here
        known = {}
    kept = {kind: one for kind, one in known.items() if kind not in set(own)}
    kept |= {found.kind: ChosenFile(found.kind, path, found.id) for path, found in opened.items()}
    session.journal.append(
        {"event": CHOSEN, "files": [_plain(session, kept[kind]) for kind in KINDS if kind in kept]}
    )


def session_frames(session: Session) -> dict[str, FrameFormat]:
    """Describe the frames of a session by one of its pairs; empty without a pair.

    Raises:
        RawFileError: if its files are missing or damaged.
    """
    pairs = session.pairs(kind="static") or session.pairs()
    return formats_of(session, pairs[0]) if pairs else {}


def check(files: Mapping[Path, Calibration], frames: Mapping[str, FrameFormat]) -> None:
    """Make sure that calibrations hold for a session's frames; without any only their age can be looked at.

    Raises:
        CalibrationError: if one is stale or foreign, or there are two of a kind.
    """
    if frames:
        Given.of(files, frames)
        return
    for path, calibration in files.items():
        calibration.card.check_age(path.name)


def _plain(session: Session, one: ChosenFile) -> dict[str, Any]:
    """Return plain values; a file within the session by its place there, so that the session may move."""
    path = one.path.absolute()
    inside = path.is_relative_to(session.root)
    where = os.fspath(path.relative_to(session.root) if inside else path)
    return {"kind": one.kind, "path": where, "id": one.id}


def given_for(session: Session, scene: str, kind: str) -> Given:
    """Return the chosen calibrations that serve to make another one: those of the steps before it.

    Args:
        session: the session.
        scene: that the other one is made from.
        kind: of the other one.

    Raises:
        CalibrationError: if a chosen file cannot be used.
    """
    before = {"lightbox": (), "colour": ("lightbox",), "geometry": ("lightbox", "colour")}[kind]
    files = {one.path: open_chosen(one) for name, one in chosen_files(session).items() if name in before}
    pairs = session.pairs(scene, "colorchecker" if kind == "colour" else "static")
    return Given.of(files, formats_of(session, pairs[0])) if files and pairs else Given()

"""Sessions as a recorder leaves them: whole, or crashed between two steps; and how tests look at them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner

from beamrig.cli import cli
from rig.errors import BeamrigError
from rig.profiles import load_rig
from rig.raw_store import RawStore
from rig.records import PairRecord, SyncProof
from rig.session import Session
from rig.session_check import check_session
from tests.rig.disk_faults import frame

RIG = load_rig("virtual")
NOBODY = {"B": None, "S": None}


def proof(index: int) -> SyncProof:
    numbers: dict[str, int | None] = {"B": index, "S": index}
    return SyncProof(index, numbers, numbers, 0.5, 0.1, 2, {"B": 0, "S": 0}, "paired", "", "common")


def pair_record(session: Session, take: int, index: int, files: Any) -> PairRecord:
    b, s = ({"bytes": one.bytes, "sha256": one.sha256, "file": one.path.name} for one in files)
    paths = [session.shot_path("s01", "action", take, index, camera) for camera in "BS"]
    return PairRecord("s01", "action", take, index, *paths, proof(index), b, s)  # type: ignore[misc]


def record(session: Session, store: RawStore, take: int, index: int) -> PairRecord:
    """Record a pair as a take does: frames, announcement, names, line."""
    staged = [
        store.stage(
            session.shot_path("s01", "action", take, index, camera), frame(camera=camera, trigger_index=index)
        )
        for camera in "BS"
    ]
    made = pair_record(session, take, index, staged)
    session.announce_shots([made])
    store.commit(staged)
    session.record_shots([made])
    return made


def crashed(root: Path, store: RawStore, *, named: str, announced: bool) -> PairRecord:
    """A take whose program died while a proven pair got its names; returns that pair."""
    with Session.open(root) as session:
        take = session.start_take("s01", "action", 3, {})
        record(session, store, take, 0)
        staged = [
            store.stage(
                session.shot_path("s01", "action", take, 1, camera), frame(camera=camera, trigger_index=1)
            )
            for camera in "BS"
        ]
        made = pair_record(session, take, 1, staged)
        if announced:
            session.announce_shots([made])
        for one, camera in zip(staged, "BS", strict=True):
            if camera in named:
                one.part.rename(one.path)
    return made


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["session", *map(str, words)], env={"COLUMNS": "200"})
    if isinstance(done.exception, BeamrigError):
        return 2, done.exception.one_line()
    return done.exit_code, done.output


def found(root: Path) -> list[tuple[str, str]]:
    with Session.open(root) as session:
        return [(one.kind, one.where) for one in check_session(session).findings]


def contents(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".recording")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def whole_session(folder: Path, store: RawStore) -> Path:
    """A whole session with one take of two pairs."""
    with Session.create(folder, RIG) as session:
        session.add_scene("s01")
        take = session.start_take("s01", "action", 2, {})
        for index in range(2):
            record(session, store, take, index)
        session.end_take("s01", "action", take, "complete", {})
    return folder


def replace_mark(session: Session) -> Session:
    """The session as it would be after its program died: nobody records."""
    session.recording.close()
    return session

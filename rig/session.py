"""A session on the disk: scenes with their plans, takes of RAW pairs, the journal, the profiles as used.

::

    SESSION/session.yaml            who, when, which profiles (with hashes)
            profiles/               copies of rig, camera and box profiles
            journal.jsonl           every take and every shot, in order
            calibration/
            scenes/s01/scene.yaml   the plan
            scenes/s01/action/t02_0003_B.dng, t02_0003_S.dng
            derived/s01/...         what processing makes of it

Nothing is ever overwritten: takes are numbered upwards, also across crashes and several programs.
"""

from __future__ import annotations

import hashlib
import logging
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rig.errors import SessionError
from rig.exposure import ExposurePlan
from rig.journal import Journal
from rig.ledger import Ledger
from rig.part_files import sync_folder
from rig.profiles import RigProfile, load_rig
from rig.records import (
    PairRecord,
    RejectedShot,
    TakeRecord,
    check_kind,
    check_scene_name,
    shot_event,
    shot_id,
)
from rig.session_files import is_empty, profile_copies, read_card, takes_on_disk, write_card, write_text
from rig.session_lock import RecordingMark

SCHEMA: Final = 1
_LOG = logging.getLogger(__name__)
_CARD: Final = "session.yaml"
_SCENE_CARD: Final = "scene.yaml"


@dataclass(frozen=True)
class Scene:
    """One set-up of the rig: its name, its folder, and its plan (None until one was made)."""

    name: str
    path: Path
    plan: ExposurePlan | None


class Session:
    """An open session; make one with :meth:`create` or :meth:`open`. Safe for several threads and programs.

    Attributes:
        root: Folder of the session.
        id: Unique name, given at creation.
        operator: Who made it.
        created: When, ISO 8601 with offset.
        rig_profile: The rig as it was when the session was made.
        journal: The journal.
        ledger: What the journal adds up to.
        recording: Tells whether some program, this one included, records a take now.
        profile_hashes: SHA-256 of each profile's copy when the session was made, by its path in the session.
    """

    def __init__(
        self, root: Path, card: Mapping[str, Any], journal: Journal, rig_profile: RigProfile
    ) -> None:
        self.root = root
        self.id = str(card["id"])
        self.operator = str(card.get("operator", ""))
        self.created = str(card["created"])
        self.rig_profile = rig_profile
        self.journal = journal
        self.profile_hashes: dict[str, str] = dict(card["profiles"])
        self.ledger = Ledger(journal, self.shot_path)
        self.recording = RecordingMark(root / ".recording")

    @classmethod
    def create(cls, root: str | os.PathLike[str], rig: RigProfile, operator: str = "") -> Session:
        """Make a new session in a new or empty folder.

        Raises:
            SessionError: The folder holds something already, or cannot be made.
            ProfileError: A profile that the rig names cannot be loaded.
        """
        folder = Path(root).absolute()
        copies = profile_copies(rig)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise SessionError(f"{folder} is not empty", hint="a session needs a folder of its own")
            for part in ("profiles", "scenes", "calibration", "derived"):
                (folder / part).mkdir()
            for name, text in copies.items():
                write_text(folder / name, text)
            # The card comes last: a folder without it is no session, so a crash here leaves none half made.
            Journal.create(folder / "journal.jsonl").close()
            card = {
                "schema": SCHEMA,
                "id": uuid.uuid4().hex,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "operator": operator,
                "rig": rig.name,
                "profiles": {
                    name: hashlib.sha256(text.encode()).hexdigest() for name, text in copies.items()
                },
            }
            write_card(folder / _CARD, card)
        except OSError as error:
            raise SessionError(f"{folder} cannot become a session: {error.strerror}") from error
        return cls.open(folder)

    @classmethod
    def open(cls, root: str | os.PathLike[str]) -> Session:
        """Open a session, also one whose program was killed.

        Raises:
            SessionError: No session, or one of another version.
            ProfileError: Its copy of a profile is damaged.
        """
        folder = Path(root).absolute()
        card = read_card(folder / _CARD, f"{folder} is no session", f"name the folder that holds {_CARD}")
        if card.get("schema") != SCHEMA or not {"id", "created", "profiles"} <= card.keys():
            raise SessionError(
                f"{folder} is a session of another version", hint="use the beamrig that made it"
            )
        if not isinstance(card["profiles"], dict):
            raise SessionError(f"{folder / _CARD} is damaged")
        profile = load_rig(folder / "profiles" / "rig.yaml")
        session = cls(folder, card, Journal(folder / "journal.jsonl"), profile)
        for problem in session.ledger.problems():  # what cannot be read must not be missed in silence
            _LOG.warning("%s: %s", folder.name, problem)
        return session

    def close(self) -> None:
        """Close the journal."""
        self.recording.close()
        self.journal.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- scenes

    def scenes(self) -> list[Scene]:
        """Return the scenes by name.

        Raises:
            SessionError: A scene's card is damaged.
        """
        cards = sorted((self.root / "scenes").glob(f"*/{_SCENE_CARD}"))
        return [self.scene(card.parent.name) for card in cards]

    def scene(self, name: str) -> Scene:
        """Return one scene.

        Raises:
            SessionError: There is none of that name, or its card is damaged.
        """
        folder = self.root / "scenes" / check_scene_name(name)
        known = ", ".join(sorted(card.parent.name for card in folder.parent.glob(f"*/{_SCENE_CARD}")))
        no_scene = f"the session has no scene {name!r}"
        card = read_card(folder / _SCENE_CARD, no_scene, f"it has {known or 'none'}")
        try:
            plan = ExposurePlan.from_dict(card["plan"]) if card.get("plan") else None
        except (KeyError, TypeError, ValueError) as error:
            raise SessionError(f"{folder / _SCENE_CARD} holds no plan: {error}") from error
        return Scene(name, folder, plan)

    def add_scene(self, name: str, plan: ExposurePlan | None = None) -> Scene:
        """Add a scene.

        Raises:
            SessionError: The name is not allowed, or taken.
        """
        folder = self.root / "scenes" / check_scene_name(name)
        others = {path.name: path for path in (self.root / "scenes").iterdir()}
        for other, path in others.items():
            # An empty folder of that very name is what a crash before the card left behind.
            if other.lower() == name.lower() and not (other == name and is_empty(path)):
                raise SessionError(f"the session has a scene {other!r} already", hint="take another name")
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise SessionError(f"{folder} cannot be made: {error.strerror}") from error
        self._write_scene(name, plan)
        self.journal.append({"event": "scene_added", "scene": name, "plan": plan.to_dict() if plan else None})
        return self.scene(name)

    def set_plan(self, name: str, plan: ExposurePlan) -> Scene:
        """Give a scene another plan; takes keep in the journal the plan that they were made with.

        Raises:
            SessionError: There is no such scene.
        """
        self.scene(name)
        self._write_scene(name, plan)
        self.journal.append({"event": "plan_set", "scene": name, "plan": plan.to_dict()})
        return self.scene(name)

    def _write_scene(self, name: str, plan: ExposurePlan | None) -> None:
        card = {"schema": SCHEMA, "name": name, "plan": plan.to_dict() if plan else None}
        write_card(self.root / "scenes" / name / _SCENE_CARD, card)

    # ---- takes and shots

    def start_take(self, scene: str, kind: str, asked: int, details: Mapping[str, Any]) -> int:
        """Reserve the next take number of a scene and kind, and make its folder.

        Raises:
            SessionError: No such scene or kind, or the folder cannot be made.
        """
        folder = self.scene(scene).path / check_kind(kind)
        with self.journal.exclusive():
            known = [record.take for record in self.takes(scene, kind)]
            take = max([*known, *takes_on_disk(folder)], default=0) + 1
            try:
                folder.mkdir(exist_ok=True)
                sync_folder(folder.parent)
            except OSError as error:
                raise SessionError(f"{folder} cannot be made: {error.strerror}") from error
            event = {"event": "take_started", "scene": scene, "kind": kind, "take": take, "asked": asked}
            with self.recording.started():
                self.journal.append({**event, "details": dict(details)})
        return take

    def end_take(self, scene: str, kind: str, take: int, state: str, outcome: Mapping[str, Any]) -> None:
        """Write a take's end; ``state``: "complete", "cancelled", "stopped", "failed" or "interrupted"."""
        event = {"event": "take_ended", "scene": scene, "kind": kind, "take": take, "state": state}
        try:
            self.journal.append({**event, "outcome": dict(outcome)})
        finally:
            self.recording.end()

    def shot_path(self, scene: str, kind: str, take: int, index: int, camera: str) -> Path:
        """Return where the RAW file of one camera's frame of a shot belongs."""
        return self.root / "scenes" / f"{shot_id(scene, kind, take, index)}_{camera}.dng"

    def announce_shots(self, records: Sequence[PairRecord]) -> None:
        """Write down the proof and hashes of pairs before their files get their names.

        They count only with :meth:`record_shots`; after a crash in between a repair completes them. Without a
        flush of its own, for a killed program leaves what it wrote.
        """
        events = ({**shot_event(record), "event": "shot_announced"} for record in records)
        self.journal.append(*events, flush=False)

    def record_shots(self, records: Sequence[PairRecord | RejectedShot]) -> None:
        """Write shots into the journal, in one go; the files of pairs must be on the disk already."""
        self.journal.append(*(shot_event(record) for record in records))

    def takes(self, scene: str | None = None, kind: str | None = None) -> list[TakeRecord]:
        """Return the takes in the order they were made, of one scene and one kind if given."""
        return [record for record in self.ledger.takes() if _matches(record, scene, kind)]

    def pairs(self, scene: str | None = None, kind: str | None = None) -> list[PairRecord]:
        """Return the pairs whose both files are there, in the order they were made."""
        return [r for r in self.shots(scene, kind) if isinstance(r, PairRecord) and not missing_files(r)]

    def rejected(self, scene: str | None = None, kind: str | None = None) -> list[RejectedShot]:
        """Return the rejected shots, in the order they were made."""
        return [record for record in self.shots(scene, kind) if isinstance(record, RejectedShot)]

    def shots(self, scene: str | None = None, kind: str | None = None) -> list[PairRecord | RejectedShot]:
        """Return all shots of the journal, in order, whether or not their files are still there.

        A line that makes no sense costs its own shot only; :meth:`problems` names it.
        """
        return [record for record in self.ledger.shots() if _matches(record, scene, kind)]

    def problems(self) -> list[str]:
        """Compare journal, files and hashes of profiles; return what does not fit together, one line each.

        The contents of RAW files are not read; :func:`rig.session_check.check_session` does.
        """
        from rig.session_check import quick_findings  # which needs this module

        return [finding.message for finding in quick_findings(self)]


def _matches(record: PairRecord | RejectedShot | TakeRecord, scene: str | None, kind: str | None) -> bool:
    return scene in (None, record.scene) and kind in (None, record.kind)


def missing_files(record: PairRecord) -> list[Path]:
    """Return the RAW files of a pair that are not there."""
    return [path for path in (record.path_b, record.path_s) if not path.is_file()]

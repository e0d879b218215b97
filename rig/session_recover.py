"""After a crash: complete what can be completed, keep what cannot, and say what was lost. Nothing is deleted.

Three kinds of things can be left over, and none of them was ever acknowledged as a pair:

* *Announced pairs*: the program had proven them and written proof and hashes into the journal, then died
  before their line was there. When both frames on the disk have these very hashes the pair is completed.
* *Frames without proof*: part files, and files of no pair. What pairing needs (what each camera ignored,
  whether a frame was lost before) died with the program, so **no pair is ever made of them**, however well
  their numbers fit. They are moved to ``recovered/`` under the session and listed in the journal.
* *Unfinished takes and a torn line of the journal*: takes are closed as "interrupted", the line is moved to a
  file of its own.

Every step can be cut off by another crash and is then done by the next repair.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rig.dng import read_dng
from rig.errors import RawFileError, SessionError
from rig.part_files import PART_SUFFIX, sync_folder
from rig.records import PairRecord, TakeRecord
from rig.session import Session
from rig.session_check import KEPT_FOLDER, stray_files, unlisted_kept_files

NO_PROOF: Final = "the take was interrupted; the frame is kept, there is no proof of its pulse"
DAMAGED: Final = "the take was interrupted while it was written; the frame is lost"


@dataclass(frozen=True)
class Step:
    """One thing that a repair did, or would do.

    Attributes:
        kind: "complete pair", "keep frame", "lost frame", "close take" or "put aside".
        where: The file, shot or take within the session.
        message: What is done, in one line.
    """

    kind: str
    where: str
    message: str


@dataclass(frozen=True)
class Repair:
    """The outcome of a repair; ``dry_run`` when nothing was done."""

    session: Path
    steps: tuple[Step, ...]
    dry_run: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain data."""
        counts = Counter(step.kind for step in self.steps)
        return {
            "session": str(self.session),
            "dry_run": self.dry_run,
            "counts": dict(counts),
            "steps": [asdict(step) for step in self.steps],
        }


def recover_session(
    session: Session, *, dry_run: bool = False, on_step: Callable[[Step], None] | None = None
) -> Repair:
    """Repair a session after a crash.

    Args:
        session: The session; no program may be recording in it.
        dry_run: Only say what would be done.
        on_step: Called before each step.

    Raises:
        SessionError: A take is being recorded, or the disk refused; what was done until then stays done.
        DiskFull: The journal has no room.
    """
    if dry_run:
        if session.recording.is_set():
            raise SessionError(f"a take is being recorded in {session.root}", hint="wait until it is over")
        return _Repairer(session, on_step, dry_run=True).run()
    with session.recording.nobody():
        return _Repairer(session, on_step, dry_run=False).run()


class _Repairer:
    def __init__(self, session: Session, on_step: Callable[[Step], None] | None, *, dry_run: bool) -> None:
        self._session = session
        self._on_step = on_step
        self._dry_run = dry_run
        self._steps: list[Step] = []
        self._kept_of_take: Counter[tuple[str, str, int]] = Counter()

    def run(self) -> Repair:
        try:
            self._put_aside_torn_line()
            left = self._complete_pairs(self._strays())
            for path in left:
                self._keep(path)
            for path in unlisted_kept_files(self._session):
                self._list(path)
            for take in self._session.takes():
                if take.state == "unfinished":
                    self._close(take)
        except OSError as error:
            raise SessionError(
                f"{error.filename or self._session.root} cannot be repaired: {error.strerror}",
                hint="the folder must be writable; what was done stays done",
            ) from error
        return Repair(self._session.root, tuple(self._steps), self._dry_run)

    def _step(self, kind: str, where: str, message: str) -> bool:
        """Note a step; return whether it is to be done."""
        self._steps.append(Step(kind, where, message))
        if self._on_step is not None:
            self._on_step(self._steps[-1])
        return not self._dry_run

    def _put_aside_torn_line(self) -> None:
        self._session.journal.events()
        if self._session.journal.torn and self._step(
            "put aside", "journal.jsonl", "the torn line of the journal is moved to a file of its own"
        ):
            folder = self._session.root / KEPT_FOLDER
            folder.mkdir(exist_ok=True)
            self._session.journal.quarantine(folder)

    def _strays(self) -> list[Path]:
        records = [*self._session.shots(), *self._session.ledger.revoked()]
        pairs = [record for record in records if isinstance(record, PairRecord)]
        return stray_files(self._session, {path for one in pairs for path in (one.path_b, one.path_s)})

    def _complete_pairs(self, strays: list[Path]) -> list[Path]:
        """Complete announced pairs whose frames are both there; return the other files."""
        announced = self._session.ledger.announced()
        by_hash = {_facts(path)["sha256"]: path for path in strays} if announced else {}
        left = dict.fromkeys(strays)
        for record in announced:
            found = [by_hash.get(str(meta.get("sha256"))) for meta in (record.meta_b, record.meta_s)]
            moves = [
                (source, target)
                for source, target in zip(found, (record.path_b, record.path_s), strict=True)
                if source is not None and (source == target or not target.exists())
            ]
            if len(moves) < 2:
                continue
            message = f"{record.id} is completed: it was proven, and both frames have the announced hashes"
            for source, _ in moves:
                left.pop(source, None)
            if self._step("complete pair", record.id, message):
                for source, target in moves:
                    _flush(source)
                    source.rename(target)
                sync_folder(record.path_b.parent)
                self._session.record_shots([record])
        return list(left)

    def _keep(self, path: Path) -> None:
        """Move a frame without proof to the folder of kept frames, and list it."""
        where = path.relative_to(self._session.root / "scenes")
        whole = _is_whole(path)
        kind, reason = ("keep frame", NO_PROOF) if whole else ("lost frame", DAMAGED)
        self._count(path)
        if not self._step(kind, f"scenes/{where}", f"scenes/{where}: {reason}"):
            return
        folder = self._session.root / KEPT_FOLDER / where.parent
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / (where.name.removesuffix(PART_SUFFIX) if whole else where.name)
        number = 2
        while target.exists():
            target = folder / f"{number}_{where.name}"
            number += 1
        _flush(path)
        path.rename(target)
        for changed in (folder, folder.parent, folder.parent.parent, path.parent):
            sync_folder(changed)
        self._list(target, noted=True)

    def _list(self, path: Path, *, noted: bool = False) -> None:
        """Write a kept frame into the journal."""
        where = str(path.relative_to(self._session.root))
        whole = _is_whole(path)
        if noted or self._step("keep frame" if whole else "lost frame", where, f"{where} is listed"):
            reason = NO_PROOF if whole else DAMAGED
            event = {"event": "frame_kept", "file": where, "whole": whole, "reason": reason}
            self._session.journal.append({**event, **_facts(path)})

    def _count(self, path: Path) -> None:
        number = path.name[1:].partition("_")[0]
        if number.isdigit():
            self._kept_of_take[path.parent.parent.name, path.parent.name, int(number)] += 1

    def _close(self, take: TakeRecord) -> None:
        name = f"{take.scene}/{take.kind}: take {take.take}"
        shots = [s for s in self._session.shots(take.scene, take.kind) if s.take == take.take]
        paired = sum(isinstance(shot, PairRecord) for shot in shots)
        kept = self._kept_of_take[take.scene, take.kind, take.take]
        of_asked = f" of {take.asked}" if take.asked else ""  # a take without an end asks for no number
        message = (
            f"{name} is closed as interrupted: {len(shots)}{of_asked} shots are in the journal,"
            f" {paired} of them pairs; {kept} frames without proof"
        )
        if self._step("close take", name, message):
            outcome = {"paired": paired, "rejected": len(shots) - paired, "error": message, "kept": kept}
            self._session.end_take(take.scene, take.kind, take.take, "interrupted", outcome)


def _is_whole(path: Path) -> bool:
    try:
        read_dng(path)
    except RawFileError:
        return False
    return True


def _facts(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

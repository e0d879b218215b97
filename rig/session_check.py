"""Is a session whole? Journal, profiles, files and, when asked, every byte of every pair.

The quick look (:func:`quick_findings`, behind ``Session.problems``) compares names and the journal; the check
(:func:`check_session`) reads the RAW files from the disk and compares their SHA-256 with the journal's.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rig.errors import SessionError
from rig.part_files import PART_SUFFIX
from rig.records import PairRecord
from rig.session import Session

KEPT_FOLDER: Final = "recovered"
"""Folder of a session for frames that a crash left without proof (see :mod:`rig.session_recover`)."""

_CHUNK_BYTES: Final = 1 << 20
_READERS: Final = 4
_RECOVER: Final = "run 'beamrig session recover'"
_BACKUP: Final = "look for it in a backup"


@dataclass(frozen=True)
class Finding:
    """One thing that does not fit together.

    Attributes:
        kind: What it is, one word or two: "journal", "profile", "scene", "file missing", "file damaged",
            "no hash", "twice", "part file", "orphan", "unfinished take", "kept frame".
        where: The file or shot, within the session.
        message: What is wrong, in one line.
        hint: What to do about it.
    """

    kind: str
    where: str
    message: str
    hint: str


@dataclass(frozen=True)
class Report:
    """The outcome of a check.

    Attributes:
        session: Folder of the session.
        pairs: Pairs of the journal.
        files: RAW files that were read.
        bytes: Bytes that were read.
        findings: What does not fit together; empty when the session is clean.
        recording: Whether a take was being recorded meanwhile; its files were left out.
        complete: False when the check was cancelled.
    """

    session: Path
    pairs: int
    files: int
    bytes: int
    findings: tuple[Finding, ...]
    recording: bool
    complete: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            **asdict(self),
            "session": str(self.session),
            "findings": [asdict(finding) for finding in self.findings],
        }


def quick_findings(session: Session) -> list[Finding]:
    """Compare journal, names of files and hashes of profiles, without reading RAW files.

    Files of a take that is being recorded now are not found fault with.
    """
    recording = session.recording.is_set()
    found = [_journal_finding(problem) for problem in session.ledger.problems()]
    found += _profile_findings(session)
    known: set[Path] = set()
    for record in [*session.shots(), *session.ledger.revoked()]:
        if isinstance(record, PairRecord):
            pair = {record.path_b, record.path_s}
            if known & pair:
                found.append(Finding("twice", record.id, f"{record.id}: it is in the journal twice", _BACKUP))
            known |= pair
            found += [
                Finding("file missing", record.id, f"{record.id}: {path.name} is missing", _BACKUP)
                for path in sorted(pair)
                if not path.is_file()
            ]
    if not recording:
        found += _file_findings(session, known)
        found += [
            Finding("unfinished take", name, f"{name} was never finished", _RECOVER)
            for take in session.takes()
            if take.state == "unfinished"
            for name in (f"{take.scene}/{take.kind}: take {take.take}",)
        ]
    return [*found, *_kept_findings(session)]


def check_session(
    session: Session,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
    readers: int = _READERS,
) -> Report:
    """Check everything, with every byte of every pair and of every kept frame.

    Args:
        session: The session.
        progress: Called with the bytes read so far and the bytes to read, in this thread.
        cancel: When set, the check ends early.
        readers: Files read at the same time.
    """
    cancel = cancel or threading.Event()
    findings = [*quick_findings(session), *_scene_findings(session)]
    jobs = list(_expected_files(session))
    total = sum(path.stat().st_size for path, *_ in jobs if path.is_file())
    read = files = 0
    with ThreadPoolExecutor(readers, "check") as pool:
        waiting = [pool.submit(_check_file, session.root, *job, cancel) for job in jobs]
        for done in as_completed(waiting):
            size, finding = done.result()
            files, read = files + (size > 0), read + size
            if finding is not None:
                findings.append(finding)
            if progress is not None:
                progress(read, total)
    pairs = sum(isinstance(record, PairRecord) for record in session.shots())
    return Report(
        session.root, pairs, files, read, tuple(findings), session.recording.is_set(), not cancel.is_set()
    )


def _journal_finding(problem: str) -> Finding:
    torn = " is torn:" in problem
    hint = f"{_RECOVER}; a line that was cut off was never acknowledged" if torn else _BACKUP
    return Finding("journal", "journal.jsonl", f"journal: {problem}", hint)


def _profile_findings(session: Session) -> list[Finding]:
    hint = "the plans of this session may not be what was used; take the file from a backup"
    return [
        Finding("profile", name, f"{name} was changed or removed after the session was made", hint)
        for name, digest in session.profile_hashes.items()
        for path in (session.root / name,)
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest
    ]


def _scene_findings(session: Session) -> list[Finding]:
    found = []
    for folder in sorted((session.root / "scenes").iterdir()):
        try:
            session.scene(folder.name)
        except SessionError as error:
            found.append(Finding("scene", f"scenes/{folder.name}", error.message, "add the scene again"))
    return found


def stray_files(session: Session, known: set[Path]) -> list[Path]:
    """Return part files, and RAW files that no pair of the journal names, in order."""
    paths = (session.root / "scenes").glob("*/*/*")
    return sorted(
        path
        for path in paths
        if path.name.endswith(PART_SUFFIX) or (path.suffix == ".dng" and path not in known)
    )


def _file_findings(session: Session, known: set[Path]) -> list[Finding]:
    found = []
    for path in stray_files(session, known):
        where = str(path.relative_to(session.root))
        if path.name.endswith(PART_SUFFIX):
            found.append(Finding("part file", where, f"{where} was never finished", _RECOVER))
        else:
            found.append(Finding("orphan", where, f"{where} is in no pair of the journal", _RECOVER))
    return found


def unlisted_kept_files(session: Session) -> list[Path]:
    """Return kept frames that the journal does not list: a repair was cut off."""
    listed = {session.root / name for name in session.ledger.kept()}
    paths = (session.root / KEPT_FOLDER).glob("*/*/*.dng*")
    return sorted(path for path in paths if path not in listed)


def _kept_findings(session: Session) -> list[Finding]:
    found = [
        Finding("kept frame", where, f"{where} is not in the journal: a repair was cut off", _RECOVER)
        for where in (str(path.relative_to(session.root)) for path in unlisted_kept_files(session))
    ]
    found += [
        Finding("file missing", where, f"{where} is missing", _BACKUP)
        for where in session.ledger.kept()
        if not (session.root / where).is_file()
    ]
    return found


def _expected_files(session: Session) -> Iterator[tuple[Path, str, Mapping[str, Any]]]:
    """Yield every file with a hash in the journal: path, name of its shot, facts."""
    for record in [*session.shots(), *session.ledger.revoked()]:
        if isinstance(record, PairRecord):
            yield record.path_b, record.id, record.meta_b
            yield record.path_s, record.id, record.meta_s
    for where, event in session.ledger.kept().items():
        yield session.root / where, where, event


def _check_file(
    root: Path, path: Path, name: str, facts: Mapping[str, Any], cancel: threading.Event
) -> tuple[int, Finding | None]:
    """Read one file; return the bytes read, and what is wrong with it. A missing one was named before."""
    if cancel.is_set() or not path.is_file():
        return 0, None
    where = str(path.relative_to(root))
    if not isinstance(facts.get("sha256"), str):
        line = f"{name}: the journal holds no hash of {path.name}"
        return 0, Finding("no hash", where, line, "the file cannot be verified; read it before you trust it")
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb", buffering=0) as file:
            # What lies in the page cache says nothing about the disk.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while not cancel.is_set() and (chunk := file.read(_CHUNK_BYTES)):
                digest.update(chunk)
                size += len(chunk)
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError as error:
        line = f"{name}: {path.name} cannot be read: {error.strerror}"
        return size, Finding("file damaged", where, line, "the disk may be failing; copy the session")
    if cancel.is_set():
        return size, None
    if size != facts.get("bytes"):
        line = f"{name}: {path.name} has {size} bytes instead of {facts.get('bytes')}"
    elif digest.hexdigest() != facts["sha256"]:
        line = f"{name}: {path.name} is not what was recorded (its SHA-256 differs)"
    else:
        return size, None
    return size, Finding("file damaged", where, line, _BACKUP)

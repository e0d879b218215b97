"""Developing whole sessions: every pair to two images and a mask, with figures; on all cores or a cluster.

Beside each pair's images lies a record of what they were made from and with (`pair_record`). A pair whose
record is what would be written now, and whose files are there, is skipped; so a run that was stopped, killed
or cut from the mains goes on where it ended.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, get_args

from processing.errors import ProcessingError
from processing.jobs.crew import Crew, ProcessCrew, ThreadCrew
from processing.jobs.engine import run_all
from processing.jobs.pair_record import read_record
from processing.jobs.report import SessionReport
from processing.jobs.scene_work import SceneWork
from processing.jobs.steps import Job, Progress, Steps
from processing.outputs import Bits, Format
from processing.profile import FlowMethod, Profile
from rig.session import Session

KINDS: Final = ("static", "action")
FEW_PAIRS: Final = 12
"""So many pairs are done by threads of this process before others have started and opened what they need.

Measured at full size on two cores: 3 pairs 6 against 15 s, 6 pairs 13 against 22 s, 16 pairs 34 against 32 s.
"""


def process_session(
    session: Session,
    scenes: Sequence[str] | None = None,
    profile: Profile = "best",
    bits: Bits = 16,
    format: Format = "png",  # noqa: A002
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    *,
    images: bool = True,
    masks: bool = True,
    blur: bool = True,
    flow: FlowMethod | None = None,
    calibrations: Sequence[Path] = (),
    allow_old: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    again: bool = False,
    confidence: bool = False,
    polite: bool = False,
) -> SessionReport:
    """Develop the static and action pairs of a session and make the masks of the action pairs.

    Writes SESSION/derived/<scene>/<kind>/<pair>_B.png, _S.png, _mask.png and <pair>.json, and per scene
    metrics.json and pipeline.json. The results are the same, bit by bit, whoever and how many do the work.

    A program that calls this for many pairs must be importable without starting over (`if __name__ ==
    "__main__":`), for worker processes import it.

    Args:
        session: the recorded session.
        scenes: names of scenes; all without it.
        profile: `best` or `paper`.
        bits: 8 or 16 bits a channel.
        format: "png" or "tiff".
        progress: called with (done fraction, text with pace and time left).
        cancel: set it to stop after the pairs in work.
        images: write the developed images.
        masks: make masks.
        blur: measure the blur lengths of each scene's moving object.
        flow: register in another way than the profile does.
        calibrations: files of `beamrig calibrate` that take the place of the scenes' own takes.
        allow_old: use them even if they are older than they say they may be.
        workers: how many tasks at once; one a core without it.
        scheduler: address of a dask scheduler whose workers do the tasks.
        again: make everything anew.
        confidence: write <pair>_confidence.png beside the masks: how sure they are of each pixel.
        polite: let everything else on the computer go first.

    Raises:
        ProcessingError: if an argument is not allowed, another program is at it, or no scene can be
            processed.
        NoRoom: if the disk is full.
        WorkerLost: if workers die one after the other, or a cluster has none.
        SessionError: if a scene does not exist.
    """
    if bits not in get_args(Bits) or format not in get_args(Format):
        raise ProcessingError(f"cannot write {bits}-bit {format}", hint="8 or 16 bits, png or tiff")
    if workers is not None and workers < 1:
        raise ProcessingError(f"{workers} workers do nothing", hint="one or more")
    files = tuple(str(path.absolute()) for path in calibrations)
    job = Job(profile, bits, format, images, masks, blur, flow, files, allow_old, again, confidence)
    if confidence and not (masks and job.choices.masks == "frozen"):
        raise ProcessingError(
            f"masks of profile {profile} have no confidence" if masks else "without masks no confidence",
            hint="leave --confidence out, or use profile best",
        )
    begun = time.monotonic()
    names = list(scenes) if scenes else [scene.name for scene in session.scenes()]
    report = SessionReport(session.root / "derived")
    stop = cancel or threading.Event()
    for name in names:
        session.scene(name)
    with alone(report.root):
        crew = gather(session.root, _missing(session, names, job), workers, scheduler, polite=polite)
        report.workers = crew.name
        works = _scene_works(session, names, job, Steps(progress), crew)
        report.scenes = {work.report.scene: work.report for work in works}
        report.cancelled = not run_all((work.stages() for work in works), crew, stop)
    report.seconds = time.monotonic() - begun
    errors = [work.error for work in works if work.error is not None]
    if errors and len(errors) == len(works):
        raise errors[0]
    return report


def _scene_works(
    session: Session, names: Sequence[str], job: Job, steps: Steps, crew: Crew
) -> list[SceneWork]:
    alone = len(names) == 1 and crew.threads is not None
    works = [
        SceneWork(session, name, job, steps, crew.threads, crew.seats if alone else crew.threads)
        for name in names
    ]
    steps.total = sum(work.size for work in works)
    return works


def gather(
    root: Path, pairs: int, workers: int | None, scheduler: str | None, *, polite: bool = False
) -> Crew:
    """Choose who does the work: a cluster, processes, or threads where processes are not worth their start.

    Args:
        root: folder of the session.
        pairs: that are to be developed.
        workers: at most so many; one a core without it.
        scheduler: address of a dask scheduler.
        polite: let everything else on the computer go first.

    Raises:
        WorkerLost: if the cluster has no fit workers.
    """
    if scheduler is not None:
        from processing.jobs.cluster import ClusterCrew

        return ClusterCrew(scheduler, root)
    seats = workers or len(os.sched_getaffinity(0))
    if seats == 1 or pairs <= FEW_PAIRS:
        return ThreadCrew(seats)
    return ProcessCrew(seats, polite=polite)


def _missing(session: Session, scenes: Sequence[str], job: Job) -> int:
    """Count the pairs whose record cannot be what would be written now, whatever the calibration says."""
    count = 0
    for record in (r for scene in scenes for kind in KINDS for r in session.pairs(scene, kind)):
        stored = read_record(session.root / "derived" / record.scene, record)
        count += (
            job.again
            or stored is None
            or stored["choices"] != job.choices.to_dict()
            or (job.images and stored["images"] != [job.bits, job.format])
        )
    return count


@contextlib.contextmanager
def alone(folder: Path, *, only_read: bool = False) -> Iterator[bool]:
    """Keep other programs from processing the same session meanwhile; clear away what a killed one left.

    Yields:
        Whether the folder can be written; where it cannot, nobody processes there, and nothing is locked.

    Args:
        folder: of the results.
        only_read: nothing is to be written, so a folder that cannot be is none the worse.

    Raises:
        ProcessingError: if another program is at it, or the folder cannot be written.
    """
    try:
        folder.mkdir(exist_ok=True)
        lock = (folder / ".processing").open("ab")
    except OSError as error:
        if only_read and error.errno in (errno.EROFS, errno.EACCES):
            yield False
            return
        raise ProcessingError(
            f"cannot write {folder}: {error.strerror}",
            hint="results lie in the session's folder: copy it to a disk where you may write",
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ProcessingError(
                f"another beamrig is processing {folder.parent}", hint="wait for it, or stop it"
            ) from error
        _sweep(folder)
        yield True
        _sweep(folder)


def _sweep(folder: Path) -> None:
    """Delete what a killed program or worker was writing."""
    for part in folder.rglob("*.part"):
        part.unlink(missing_ok=True)

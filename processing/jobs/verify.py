"""Making developed pairs again, in memory, and comparing them with their records."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from processing.calibration.file import ALGORITHM
from processing.errors import ProcessingError
from processing.jobs.batch import alone, gather
from processing.jobs.engine import Call, Stages, run_all
from processing.jobs.orders import PairResult, PairTask
from processing.jobs.pair_record import changed_files, has_a_record, read_record, read_sealed, versions
from processing.jobs.scene_work import FRAMES
from processing.jobs.steps import Job, Progress, Steps
from processing.jobs.tasks import develop_pair, mask_pair
from rig.errors import BeamrigError
from rig.records import PairRecord
from rig.session import Session


@dataclass
class VerifyReport:
    """What came of making pairs again.

    Attributes:
        checked: number of pairs that were made again.
        differing: pair id -> what differs from its record, or why it cannot be made again.
        undeveloped: pairs of processed scenes that were never developed, such as those that failed. One whose
            record is gone although the figures of its scene name it differs.
        cancelled: stopped before the end.
        seconds: time taken.
        workers: how many tasks were done at once, and by whom.
    """

    checked: int = 0
    differing: dict[str, str] = field(default_factory=dict)
    undeveloped: list[str] = field(default_factory=list)
    cancelled: bool = False
    seconds: float = 0.0
    workers: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        differing = dict(sorted(self.differing.items()))
        return {**self.__dict__, "differing": differing, "seconds": round(self.seconds, 3)}


def verify_session(
    session: Session,
    scenes: Sequence[str] | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    *,
    sample: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
) -> VerifyReport:
    """Develop pairs again as their records say, and compare the bytes with those that were written.

    Args:
        session: the recorded session.
        scenes: names of scenes; all without it.
        progress: called with (done fraction, text).
        cancel: set it to stop after the pairs in work.
        sample: pairs of each scene, evenly chosen; all without it.
        workers: how many tasks at once; one a core without it.
        scheduler: address of a dask scheduler whose workers do the tasks.

    Raises:
        ProcessingError: if nothing was developed, or another program is processing the session.
        WorkerLost: if workers die one after the other, or a cluster has none.
        SessionError: if a scene does not exist.
    """
    begun = time.monotonic()
    report = VerifyReport()
    names = list(scenes) if scenes else [scene.name for scene in session.scenes()]
    steps = Steps(progress)
    works = [_SceneCheck(session, name, sample, report, steps) for name in names]
    pairs = sum(len(work.chosen) for work in works)
    if not pairs and not any(work.unsound or work.gone for work in works):
        raise ProcessingError(
            "no developed pair is there to be verified", hint="develop first: beamrig process"
        )
    steps.total = max(1, pairs)
    with contextlib.ExitStack() as stack:
        if not stack.enter_context(alone(session.root / "derived", only_read=True)):
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="beamrig-verify-")))
            for work in works:
                work.frames = scratch / work.scene
        crew = gather(session.root, pairs, workers, scheduler)
        report.workers = crew.name
        for work in works:
            work.threads = crew.threads
        steps.begin_pairs()
        whole = run_all((work.stages() for work in works), crew, cancel or threading.Event())
    report.cancelled = not whole
    report.seconds = time.monotonic() - begun
    return report


class _SceneCheck:
    """The developed pairs of one scene, to be made again."""

    def __init__(
        self, session: Session, scene: str, sample: int | None, report: VerifyReport, steps: Steps
    ) -> None:
        session.scene(scene)
        self.threads: int | None = None
        self._session = session
        self.scene = scene
        self._report = report
        self._steps = steps
        self._folder = session.root / "derived" / scene
        self.frames = self._folder / FRAMES
        self._parts: dict[str, dict[str, Any]] = {}
        self._known = {record.id: record for record in session.shots(scene) if isinstance(record, PairRecord)}
        self._stored = {
            pair: stored
            for pair, record in self._known.items()
            if (stored := read_record(self._folder, record)) is not None
        }
        self.unsound = [
            record
            for pair, record in self._known.items()
            if pair not in self._stored and has_a_record(self._folder, record)
        ]
        metrics = read_sealed(self._folder / "metrics.json") or {}
        bare = [
            record
            for pair, record in self._known.items()
            if record.kind in ("static", "action")
            and pair not in self._stored
            and not has_a_record(self._folder, record)
        ]
        known = set(metrics.get("pairs", ()))
        self.gone = [record for record in bare if record.id in known]
        report.undeveloped += [record.id for record in bare if metrics and record.id not in known]
        pairs = sorted(self._stored)
        if sample is not None:
            pairs = [pairs[i] for i in sorted({*np.linspace(0, len(pairs) - 1, sample).round().astype(int)})]
        self.chosen = [self._known[pair] for pair in pairs]

    def stages(self) -> Stages:
        """Yield the pairs to be made again; masks as printed need all action pairs first."""
        shutil.rmtree(self.frames, ignore_errors=True)
        for record in self.unsound:
            self._differs(record, "its record is damaged, was changed, or is of another beamrig", passed=0)
        for record in self.gone:
            self._differs(record, "its record is gone, although it was developed", passed=0)
        try:
            sound = [record for record in self.chosen if self._can_be_made(record)]
            literal = [record for record in sound if self._is_literal(record)]
            helpers = [r for r in self._known.values() if r.kind == "action" and r.id in self._stored]
            extra = [r for r in helpers if literal and r not in sound]
            yield [
                *(self._call(develop_pair, r, self._keep, keep_frame=bool(literal)) for r in extra),
                *(
                    self._call(develop_pair, r, self._part if r in literal else self._compare, r in literal)
                    for r in sound
                ),
            ]
            yield [self._call(mask_pair, record, self._compare) for record in literal]
        finally:
            shutil.rmtree(self.frames, ignore_errors=True)

    def _is_literal(self, record: PairRecord) -> bool:
        mask = self._stored[record.id].get("mask")
        return mask is not None and mask["method"] == "literal"

    def _can_be_made(self, record: PairRecord) -> bool:
        """Tell whether calibration and algorithm of a record are still here; otherwise report it."""
        stored = self._stored[record.id]
        if stored["algorithm"] != ALGORITHM:
            self._differs(record, f"made by algorithm {stored['algorithm']}, this beamrig has {ALGORITHM}")
        elif self._calibration(stored) is None:
            self._differs(record, f"its calibration {stored['calibration']} is gone")
        else:
            return True
        return False

    def _calibration(self, stored: dict[str, Any]) -> Path | None:
        folder = self._session.root / "calibration"
        return next(iter(sorted(folder.glob(f"*_{stored['calibration']}.json"))), None)

    def _call(
        self,
        work: Callable[[PairTask], PairResult],
        record: PairRecord,
        then: Callable[[PairRecord, PairResult], None],
        keep_frame: bool = False,
    ) -> Call:
        stored = self._stored[record.id]
        mask = stored["mask"] if work is mask_pair or not self._is_literal(record) else None
        origin = mask or {}
        others = [
            r for r in self._known.values()
            if r.kind == "action" and r.id != record.id and r.id in self._stored and work is mask_pair
        ]  # fmt: skip
        task = PairTask(
            session=str(self._session.root),
            scene=self.scene,
            job=_job(stored),
            calibration=str(self._calibration(stored)),
            record=record,
            frames=str(self.frames),
            mask=mask,
            background=tuple(self._known[pair] for pair in origin.get("background", ())),
            others=tuple(others),
            keep_frame=keep_frame,
            write=False,
            threads=self.threads,
        )
        return Call(work, task, partial(then, record), partial(self._failed, record))

    # ---- what came of them

    def _keep(self, record: PairRecord, result: PairResult) -> None:
        """Do nothing: the pair was developed for the masks of others."""

    def _part(self, record: PairRecord, result: PairResult) -> None:
        self._parts[record.id] = result.files

    def _compare(self, record: PairRecord, result: PairResult) -> None:
        made = {**self._parts.get(record.id, {}), **result.files}
        stored = self._stored[record.id]
        self._report.checked += 1
        told = [name for name, facts in stored["files"].items() if made.get(name) != facts]
        if told:
            other = {n: v for n, v in versions().items() if stored["versions"].get(n) != v}
            why = (
                f" (made with {_named(stored['versions'], other)}, here {_named(other, other)})"
                if other
                else ""
            )
            self._differs(record, f"{', '.join(told)} would be made otherwise{why}", passed=0)
        changed = changed_files(self._folder, record, stored)
        if changed:
            self._differs(record, f"{', '.join(changed)} is not what was written", passed=0)
        self._steps.say(f"{record.id} verified", passed=1, made=1)

    def _failed(self, record: PairRecord, error: BeamrigError) -> None:
        self._differs(record, error.one_line())

    def _differs(self, record: PairRecord, why: str, passed: int = 1) -> None:
        known = self._report.differing.get(record.id)
        self._report.differing[record.id] = f"{known}; {why}" if known else why
        self._steps.say(f"{record.id} differs", passed=passed)


def _job(stored: Mapping[str, Any]) -> Job:
    """Return the order that a record answers."""
    if stored["images"] is None:
        return Job(stored["profile"], images=False)
    bits, kind = stored["images"]
    return Job(stored["profile"], bits, kind)


def _named(values: Mapping[str, str], names: Iterable[str]) -> str:
    return ", ".join(f"{name} {values.get(name, '?')}" for name in names)

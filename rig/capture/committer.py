"""The committer: proven pairs reach the disk in groups, then the journal, then whoever is told.

One thread does it, so that flushing a disk never holds up a camera. A group is what waits when the one
before is done: at a slow rate each pair is a group of its own, at full speed one flush and one journal line
serve many. A pair is acknowledged (`on_shot`) only when its line is in the journal.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from rig.camera.types import FrameMeta
from rig.capture.findings import Check, Finding, as_findings
from rig.capture.pairing import Burst, Match, Pairing, Rejection
from rig.capture.proof import prove, warnings_of
from rig.capture.recorder import Recorder
from rig.capture.result import AppliedPlan
from rig.capture.shots import Shot, ShotLog
from rig.errors import BeamrigError, CaptureError
from rig.profiles import CAMERAS
from rig.raw_store import Staged, WrittenFile
from rig.records import PairRecord, RejectedShot, SyncProof

_LOG = logging.getLogger(__name__)

GROUP: Final = 16
"""Pairs that share one flush at most: what a power cut may cost beyond what was acknowledged."""

UNCHECKED: Final = 32
"""When so many pairs wait, their content is not looked at: recording comes first."""

_POLL_S: Final = 0.01

EXPOSURE_ABS_US: Final = 2.0
EXPOSURE_REL: Final = 1e-3
"""An exposure that is further off than both is worth a warning: the pair is one, but not as planned."""


@dataclass(frozen=True)
class Job:
    """One settled pulse, with all that its record needs.

    Attributes:
        one: What became of it, with its trigger index in the take.
        numbers: Number of each camera's frame within the take; None where there is none.
        metas: All but the pixels of these frames.
        burst: What the box was told.
        pairing: The proof that it comes from.
        ignored: Triggers that each camera has ignored since the volley began.
        fired: Pulses of the take known to have been fired.
        box_shots: Pulses of the volley by the box's own counter; None where it has none, or none yet.
    """

    one: Match | Rejection
    numbers: Mapping[str, int | None]
    metas: Mapping[str, FrameMeta | None]
    burst: Burst
    pairing: Pairing
    ignored: Mapping[str, int | None]
    fired: int
    box_shots: int | None = None


class Committer(threading.Thread):
    """Takes settled pulses in order; `finish` waits until all are on the disk.

    Args:
        recorder: Has the frames.
        serials: Serial number of each camera.
        applied: Exposures as the cameras took them.
        on_shot: Told of each shot, from this thread, once it is in the journal.
        check: Looks at the content of each pair, in this thread, before its line is written.

    Attributes:
        log: What was settled.
        error: The first thing that went wrong; the take should end then.
        stop_reason: Why a check wants the take to stop; empty when none does.
    """

    def __init__(
        self,
        recorder: Recorder,
        serials: Mapping[str, str],
        applied: AppliedPlan,
        on_shot: Callable[[Shot], None] | None,
        check: Check | None,
    ) -> None:
        super().__init__(name="commit", daemon=True)
        self.log = ShotLog()
        self.error: BeamrigError | None = None
        self.stop_reason = ""
        self._recorder = recorder
        self._serials = serials
        self._applied = applied
        self._on_shot = on_shot
        self._check = check
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._given = self._taken = 0
        self._unwritten: list[tuple[PairRecord | RejectedShot, int]] = []
        self._broken: BaseException | None = None

    @property
    def backlog(self) -> int:
        """How many settled pulses wait to be recorded."""
        return self._given - self._taken

    def give(self, job: Job) -> None:
        """Hand a settled pulse over; never waits."""
        self._given += 1
        self._jobs.put(job)

    def settled(self) -> None:
        """Wait until all that was given so far is recorded and told; more may follow."""
        while self.backlog and self.is_alive():
            time.sleep(_POLL_S)

    def end(self) -> None:
        """Wait until all that was given is recorded and told."""
        self._jobs.put(None)
        self.join()

    def finish(self) -> None:
        """Wait until everything is on the disk, and try once more what the journal did not take.

        Raises:
            BaseException: What nobody expected to go wrong.
        """
        self.end()
        if self._broken is not None:
            raise self._broken
        unwritten, self._unwritten = self._unwritten, []
        if not unwritten:
            return
        try:
            self._recorder.place.session.record_shots([record for record, _ in unwritten])
        except BeamrigError as error:
            self.error = self.error or error
            reason = f"the journal does not have it: {error.message}"
            unwritten = [(_rejected(record, reason), fired) for record, fired in unwritten]
        self._tell(unwritten)

    def run(self) -> None:
        """Record group after group."""
        try:
            while (group := self._group()) is not None:
                try:
                    self._settle(group)
                finally:
                    self._taken += len(group)
        except BaseException as error:  # noqa: BLE001 - `finish` raises it where it is seen
            self._broken = error
            self.error = self.error or CaptureError(f"recording failed: {type(error).__name__}: {error}")

    def _group(self) -> list[Job] | None:
        first = self._jobs.get()
        if first is None:
            return None
        group = [first]
        while len(group) < GROUP:
            try:
                one = self._jobs.get_nowait()
            except queue.Empty:
                break
            if one is None:
                self._jobs.put(None)
                break
            group.append(one)
        return group

    def _settle(self, group: list[Job]) -> None:
        files: dict[int, dict[str, WrittenFile]] = {}
        trouble: dict[int, str] = {}
        staged: dict[int, dict[str, Staged]] = {}
        for job in group:
            if isinstance(job.one, Match):
                try:
                    staged[job.one.index] = {
                        name: self._recorder.staged(name, job.numbers[name] or 0, job.one.index)
                        for name in CAMERAS
                    }
                except BeamrigError as error:
                    self._note(error, job, trouble)
        self._announce([job for job in group if job.one.index in staged], staged)
        try:
            files = self._commit(staged)
        except BeamrigError as error:
            _LOG.warning("a group of pairs could not be recorded: %s; one by one", error.one_line())
            for job in group:
                if job.one.index in staged:
                    try:
                        files |= self._commit({job.one.index: staged[job.one.index]})
                    except BeamrigError as alone:
                        self._note(alone, job, trouble)
        records = [(self._record(job, files.get(job.one.index), trouble), job.fired) for job in group]
        for job in group:
            for name, number in job.numbers.items():
                if number is not None:
                    recorded = job.one.index in files
                    (self._recorder.done if recorded else self._recorder.drop)(name, number)
        try:
            self._recorder.place.session.record_shots([record for record, _ in records])
        except BeamrigError as error:
            self.error = self.error or error
            self._unwritten += records
            return
        self._tell(records)

    def _announce(self, jobs: list[Job], staged: Mapping[int, Mapping[str, Staged]]) -> None:
        """Write down what is about to be named, so that a repair can complete it after a crash in between."""
        files = {
            index: {name: WrittenFile(one.path, one.bytes, one.sha256) for name, one in pair.items()}
            for index, pair in staged.items()
        }
        pairs = [self._pair(job, self._proof(job), files[job.one.index]) for job in jobs]
        try:
            self._recorder.place.session.announce_shots(pairs)
        except BeamrigError as error:
            _LOG.warning("pairs are recorded without an announcement: %s", error.one_line())

    def _commit(self, staged: Mapping[int, Mapping[str, Staged]]) -> dict[int, dict[str, WrittenFile]]:
        """Flush and name the files of whole pairs, all or none."""
        order = [(index, name) for index in staged for name in CAMERAS]
        written = self._recorder.store.commit([staged[index][name] for index, name in order])
        files: dict[int, dict[str, WrittenFile]] = {index: {} for index in staged}
        for (index, name), file in zip(order, written, strict=True):
            files[index][name] = file
        return files

    def _note(self, error: BeamrigError, job: Job, trouble: dict[int, str]) -> None:
        self.error = self.error or error
        trouble[job.one.index] = f"it could not be recorded: {error.message}"

    def _record(
        self, job: Job, files: Mapping[str, WrittenFile] | None, trouble: Mapping[int, str]
    ) -> PairRecord | RejectedShot:
        proof = self._proof(job, trouble.get(job.one.index, ""))
        if files is None or not isinstance(job.one, Match):
            place = self._recorder.place
            return RejectedShot(place.scene, place.kind, place.take, job.one.index, proof)
        record = self._pair(job, proof, files)
        return replace(record, findings=(*record.findings, *self._checked(record)))

    def _proof(self, job: Job, reason: str = "") -> SyncProof:
        return prove(
            job.burst,
            job.pairing,
            job.one,
            job.metas,
            ignored=job.ignored,
            placement=self._applied.plan.placement,
            fired=job.fired,
            box_shots=job.box_shots,
            reason=reason,
        )

    def _pair(self, job: Job, proof: SyncProof, files: Mapping[str, WrittenFile]) -> PairRecord:
        """Return the record of a pair as the cameras tell of it, before its content is checked."""
        place = self._recorder.place
        at = (place.scene, place.kind, place.take, job.one.index)
        metas = {name: meta for name, meta in job.metas.items() if meta is not None}
        facts = {name: file_facts(metas[name], self._serials[name], files[name]) for name in CAMERAS}
        said = [*warnings_of(job.pairing, job.one)] if isinstance(job.one, Match) else []
        said += [text for name in CAMERAS for text in self._off_plan(name, metas[name])]
        found = tuple(Finding("warn", text) for text in said)
        return PairRecord(*at, files["B"].path, files["S"].path, proof, facts["B"], facts["S"], found)

    def _off_plan(self, name: str, meta: FrameMeta) -> list[str]:
        """Say when the camera's own word on a frame is not what was applied before the take."""
        exposed_us, applied_us = meta.exposure_us, self._applied.exposure_us[name]
        if abs(exposed_us - applied_us) <= max(EXPOSURE_ABS_US, EXPOSURE_REL * applied_us):
            return []
        return [f"camera {name} exposed {exposed_us:g} us, {applied_us:g} us were applied before the take"]

    def _checked(self, record: PairRecord) -> tuple[Finding, ...]:
        """A check that fails is itself worth a warning; the pair is good all the same."""
        if self._check is None:
            return ()
        if self.backlog > UNCHECKED:
            return (Finding("warn", "its content was not checked: the checks are slower than the shots"),)
        try:
            found = as_findings(self._check(record.load()))
        except BeamrigError as error:
            return (Finding("warn", f"the pair could not be checked: {error.message}"),)
        except Exception as error:  # noqa: BLE001 - not ours, and the pair is on the disk
            _LOG.exception("the check of %s failed", record.id)
            return (Finding("warn", f"the pair could not be checked: {type(error).__name__}: {error}"),)
        for one in found:
            self._stop_for(record, one)
        return tuple(found)

    def _stop_for(self, record: PairRecord, one: Finding) -> None:
        if one.level == "stop" and not self.stop_reason:
            self.stop_reason = f"{record.id}: {one.one_line()}"

    def _tell(self, records: list[tuple[PairRecord | RejectedShot, int]]) -> None:
        """Tell of shots; when that fails the others are recorded all the same."""
        for record, fired in records:
            shot = self.log.add(record, fired)
            if self._on_shot is None:
                continue
            try:
                self._on_shot(shot)
            except Exception as error:  # noqa: BLE001 - not ours, and the other shots come first
                _LOG.exception("what was told of shot %s failed", shot.id)
                said = f"what was told of shot {shot.id} failed: {type(error).__name__}: {error}"
                self.error = self.error or CaptureError(said)


def file_facts(meta: FrameMeta, serial_number: str, written: WrittenFile) -> dict[str, Any]:
    """Return what the journal keeps of one frame and its file."""
    return {
        "serial_number": serial_number,
        "exposure_us": meta.exposure_us,
        "gain_db": _finite(meta.gain_db),
        "black_level_dn": _finite(meta.black_level_dn),
        "frame_id": meta.frame_id,
        "timestamp_ns": meta.timestamp_ns,
        "sources": meta.sources,
        "file": written.path.name,
        "bytes": written.bytes,
        "sha256": written.sha256,
    }


def _rejected(record: PairRecord | RejectedShot, reason: str) -> RejectedShot:
    sync = replace(record.sync, verdict="rejected", reason=reason)
    return RejectedShot(record.scene, record.kind, record.take, record.index, sync)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None

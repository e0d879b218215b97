"""After the burst: proven pairs get their files and their line in the journal, the rest its reason."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from rig.camera.types import FrameMeta
from rig.capture.arming import TakeCamera
from rig.capture.collector import Collector
from rig.capture.pairing import Burst, Match, Pairing, Rejection
from rig.capture.proof import prove, warnings_of
from rig.capture.recorder import Recorder, file_facts
from rig.capture.result import Shot, TakeResult
from rig.dng import publish
from rig.errors import BeamrigError, CaptureError
from rig.profiles import CAMERAS
from rig.records import PairRecord, RawPair, RejectedShot, SyncProof
from rig.session import Session

_LOG = logging.getLogger(__name__)

EXPOSURE_ABS_US: Final = 2.0
EXPOSURE_REL: Final = 1e-3
"""An exposure that is further off than both is worth a warning: the pair is one, but not as planned."""
Check = Callable[[RawPair], list[str]]


class HasCameras(Protocol):
    """Whatever holds the two cameras of the take."""

    @property
    def cameras(self) -> Mapping[str, TakeCamera]:
        """The cameras by name."""
        ...


def settle(
    recorder: Recorder,
    burst: Burst,
    pairing: Pairing,
    collectors: Mapping[str, Collector],
    bench: HasCameras,
    result: TakeResult,
    on_shot: Callable[[Shot], None] | None,
    check: Check | None,
    box_shots: int | None = None,
) -> tuple[TakeResult, BeamrigError | None]:
    """Record every pulse of a take in order: files first, then the journal, then ``on_shot``.

    A shot that cannot be written, checked or told of never costs another one. The recorder is closed.

    Returns:
        The result with all its shots, and the first error, if there was one.
    """
    settled = _Settler(recorder, burst, pairing, collectors, bench, result, box_shots)
    shots: list[Shot] = []
    every: list[Match | Rejection] = [*pairing.pairs, *pairing.rejected]
    for one in sorted(every, key=lambda item: item.index):
        shots.append(Shot(settled.settle(one, check), len(shots) + 1, pairing.fired))
        if on_shot is not None:
            settled.tell(on_shot, shots[-1])
    recorder.close()  # gives the room of the parts back, which the journal may need
    unwritten = settled.write_again()
    shots = [dataclasses.replace(shot, record=unwritten.get(shot.id, shot.record)) for shot in shots]
    refused = tuple(
        f"camera {one.camera}, frame {collectors[one.camera].metas[one.position].frame_id}: {one.reason}"
        for one in pairing.refused
    )
    return dataclasses.replace(
        result, fired=pairing.fired, shots=tuple(shots), refused=refused
    ), settled.error


def _checked(check: Check, record: PairRecord) -> tuple[str, ...]:
    """A check that fails is itself worth a warning; the pair is good all the same."""
    try:
        return tuple(check(record.load()))
    except BeamrigError as error:
        return (f"the pair could not be checked: {error.message}",)
    except Exception as error:  # noqa: BLE001 - not ours, and the pair is on the disk
        _LOG.exception("the check of %s failed", record.id)
        return (f"the pair could not be checked: {type(error).__name__}: {error}",)


def take_outcome(
    result: TakeResult, error: BeamrigError | None, collectors: Mapping[str, Collector]
) -> dict[str, Any]:
    """Return what the journal keeps of a take that came to its end."""
    return {
        "fired": result.fired,
        "paired": result.paired,
        "rejected": result.rejected,
        "refused_frames": list(result.refused),
        "counters": {name: collector.losses() for name, collector in collectors.items()},
        "error": error.one_line() if error else "",
    }


def end_take(session: Session, result: TakeResult, outcome: Mapping[str, Any]) -> BeamrigError | None:
    """Write the end of a take into the journal; return the error when that is not possible."""
    try:
        session.end_take(result.scene, result.kind, result.take, result.state, outcome)
    except BeamrigError as error:
        return error
    return None


class _Settler:
    def __init__(
        self,
        recorder: Recorder,
        burst: Burst,
        pairing: Pairing,
        collectors: Mapping[str, Collector],
        bench: HasCameras,
        result: TakeResult,
        box_shots: int | None,
    ) -> None:
        self._recorder = recorder
        self._burst = burst
        self._box_shots = box_shots
        self._placement = result.applied.plan.placement
        self._pairing = pairing
        self._collectors = collectors
        self._bench = bench
        self._applied_us = result.applied.exposure_us
        self._place = (result.scene, result.kind, result.take)
        self._unwritten: list[PairRecord | RejectedShot] = []
        self.error: BeamrigError | None = None

    def settle(self, one: Match | Rejection, check: Check | None) -> PairRecord | RejectedShot:
        """Bring one shot to the disk: its files, then its line."""
        record = self._record(one, check)
        try:
            self._recorder.place.session.record_shots([record])
        except BeamrigError:
            self._unwritten.append(record)
        return record

    def write_again(self) -> dict[str, RejectedShot]:
        """Try once more to bring shots into the journal; return, by id, what becomes of them if it fails."""
        if not self._unwritten:
            return {}
        try:
            self._recorder.place.session.record_shots(self._unwritten)
        except BeamrigError as error:
            self.error = self.error or error
            reason = f"the journal does not have it: {error.message}"
        else:
            return {}
        return {
            one.id: RejectedShot(
                *self._place, one.index, dataclasses.replace(one.sync, verdict="rejected", reason=reason)
            )
            for one in self._unwritten
        }

    def tell(self, on_shot: Callable[[Shot], None], shot: Shot) -> None:
        """Tell of a shot; when that fails the other shots are recorded all the same."""
        try:
            on_shot(shot)
        except Exception as error:  # noqa: BLE001 - not ours, and the other shots come first
            _LOG.exception("what was told of shot %s failed", shot.id)
            told = CaptureError(f"what was told of shot {shot.id} failed: {type(error).__name__}: {error}")
            self.error = self.error or told

    def _record(self, one: Match | Rejection, check: Check | None) -> PairRecord | RejectedShot:
        if isinstance(one, Rejection):
            return RejectedShot(*self._place, one.index, self._proof(one, reason=one.reason))
        positions = {"B": one.b, "S": one.s}
        try:
            files = {name: self._recorder.keep(name, positions[name], one.index) for name in CAMERAS}
            publish(*(file.path for file in files.values()))
        except BeamrigError as error:
            self.error = self.error or error
            reason = f"it could not be recorded: {error.message}"
            return RejectedShot(*self._place, one.index, self._proof(one, reason=reason))
        facts: dict[str, dict[str, Any]] = {
            name: file_facts(
                self._meta(name, positions[name]), self._bench.cameras[name].info.serial_number, files[name]
            )
            for name in CAMERAS
        }
        warnings = warnings_of(self._pairing, one)
        warnings += tuple(text for name in CAMERAS for text in self._off_plan(name, positions[name]))
        record = PairRecord(
            *self._place,
            one.index,
            files["B"].path,
            files["S"].path,
            self._proof(one),
            facts["B"],
            facts["S"],
            warnings,
        )
        if check is None:
            return record
        return dataclasses.replace(record, warnings=(*warnings, *_checked(check, record)))

    def _off_plan(self, name: str, position: int) -> list[str]:
        """Say when the camera's own word on a frame is not what was applied before the take."""
        exposed_us, applied_us = self._meta(name, position).exposure_us, self._applied_us[name]
        if abs(exposed_us - applied_us) <= max(EXPOSURE_ABS_US, EXPOSURE_REL * applied_us):
            return []
        return [f"camera {name} exposed {exposed_us:g} us, {applied_us:g} us were applied before the take"]

    def _meta(self, name: str, position: int) -> FrameMeta:
        return self._collectors[name].metas[position]

    def _proof(self, one: Match | Rejection, reason: str = "") -> SyncProof:
        metas = {
            name: None if position is None else self._meta(name, position)
            for name, position in (("B", one.b), ("S", one.s))
        }
        return prove(
            self._burst,
            self._pairing,
            one,
            metas,
            ignored={name: self._collectors[name].ignored for name in CAMERAS},
            placement=self._placement,
            box_shots=self._box_shots,
            reason=reason,
        )

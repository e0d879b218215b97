"""After the burst: proven pairs get their files and their line in the journal, the rest its reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from rig.camera.types import FrameMeta
from rig.capture.arming import TakeCamera
from rig.capture.collector import Collector
from rig.capture.pairing import Match, Pairing, Rejection
from rig.capture.recorder import Recorder, file_facts
from rig.capture.result import Shot, TakeResult
from rig.dng import publish
from rig.errors import BeamrigError
from rig.profiles import CAMERAS
from rig.records import PairRecord, RawPair, RejectedShot, SyncProof

Check = Callable[[RawPair], list[str]]


class HasCameras(Protocol):
    """Whatever holds the two cameras of the take."""

    @property
    def cameras(self) -> Mapping[str, TakeCamera]:
        """The cameras by name."""
        ...


def settle(
    recorder: Recorder,
    pairing: Pairing,
    collectors: Mapping[str, Collector],
    bench: HasCameras,
    result: TakeResult,
    on_shot: Callable[[Shot], None] | None,
    check: Check | None,
) -> tuple[TakeResult, BeamrigError | None]:
    """Record every pulse of a take in order: files first, then the journal, then ``on_shot``.

    Returns:
        The result with all its shots, and the first error of writing, if there was one.
    """
    settled = _Settler(recorder, pairing, collectors, bench, result)
    shots: list[Shot] = []
    every: list[Match | Rejection] = [*pairing.pairs, *pairing.rejected]
    for one in sorted(every, key=lambda item: item.index):
        record = settled.record(one, check)
        recorder.place.session.record_shots([record])
        shots.append(Shot(record, len(shots) + 1, pairing.fired))
        if on_shot is not None:
            on_shot(shots[-1])
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


class _Settler:
    def __init__(
        self,
        recorder: Recorder,
        pairing: Pairing,
        collectors: Mapping[str, Collector],
        bench: HasCameras,
        result: TakeResult,
    ) -> None:
        self._recorder = recorder
        self._pairing = pairing
        self._collectors = collectors
        self._bench = bench
        self._place = (result.scene, result.kind, result.take)
        self.error: BeamrigError | None = None

    def record(self, one: Match | Rejection, check: Check | None) -> PairRecord | RejectedShot:
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
        record = PairRecord(
            *self._place,
            one.index,
            files["B"].path,
            files["S"].path,
            self._proof(one),
            facts["B"],
            facts["S"],
        )
        return dataclasses.replace(record, warnings=_checked(check, record)) if check else record

    def _meta(self, name: str, position: int) -> FrameMeta:
        return self._collectors[name].metas[position]

    def _proof(self, one: Match | Rejection, reason: str = "") -> SyncProof:
        metas = {
            name: None if position is None else self._meta(name, position)
            for name, position in (("B", one.b), ("S", one.s))
        }
        return SyncProof(
            trigger_index=one.index,
            frame_id={name: meta.frame_id if meta else None for name, meta in metas.items()},
            timestamp_ns={name: meta.timestamp_ns if meta else None for name, meta in metas.items()},
            skew_us=one.skew_us if isinstance(one, Match) else None,
            residual_us=one.residual_us if isinstance(one, Match) else None,
            fired=self._pairing.fired,
            ignored={name: self._collectors[name].ignored for name in CAMERAS},
            verdict="rejected" if reason else "paired",
            reason=reason,
            clock=self._pairing.clock,
        )

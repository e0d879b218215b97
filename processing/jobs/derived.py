"""What a session's processing left in SESSION/derived, joined with what the journal knows of each pair.

Read by the export and by the report. Nothing is judged here beyond the question whether a pair's results
are there, whole, and of the RAW files that the journal names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from processing.errors import ProcessingError
from processing.jobs.pair_record import has_a_record, read_record, read_sealed
from processing.jobs.report import derived_path
from rig.records import PairRecord, RejectedShot, TakeRecord
from rig.review import Review, reviews
from rig.session import Session, missing_files

State = Literal["developed", "missing", "stale", "failed"]
PARTS: Final = ("B", "S", "mask")


@dataclass(frozen=True)
class DerivedPair:
    """A pair of the journal and what the processing made of it.

    Attributes:
        record: the pair.
        plan: plan of its take as plain values; empty without one.
        data: the record beside its images; empty when there is none.
        files: "B", "S" and (of action pairs) "mask" -> path, of those that are there.
        state: "developed" when everything is there, "missing", "stale" when it is of other RAW files or of
            another calibration than the scene's figures, or its record was changed, or "failed" when the
            processing gave up on it.
        why: the reason, when it is not developed.
        review: what a person decided about it; None when nobody did.
    """

    record: PairRecord
    plan: Mapping[str, Any]
    data: Mapping[str, Any]
    files: Mapping[str, Path]
    state: State
    why: str = ""
    review: Review | None = None

    @property
    def findings(self) -> list[Mapping[str, Any]]:
        """Findings of the checks after development: dicts with level, text, hint, figure."""
        verdict = self.data.get("verdict") or []
        found = verdict.get("findings", []) if isinstance(verdict, Mapping) else verdict
        return [one for one in found if isinstance(one, Mapping)]

    @property
    def figures(self) -> Mapping[str, Any]:
        """Figures of the checks after development."""
        verdict = self.data.get("verdict")
        found = verdict.get("figures") if isinstance(verdict, Mapping) else self.data.get("figures")
        return found if isinstance(found, Mapping) else {}

    @property
    def level(self) -> str:
        """The worst of what was found: "stop", "warn", "note"; "good" for nothing, or "unchecked"."""
        levels = {one.level for one in self.record.findings} | {one.get("level") for one in self.findings}
        worst = next((level for level in ("stop", "warn", "note") if level in levels), None)
        return worst or ("unchecked" if self.data.get("verdict") is None else "good")

    @property
    def stops(self) -> list[str]:
        """What forbids to use the pair, found while it was taken or after its development."""
        seen = [str(one.get("text", "")) for one in self.findings if one.get("level") == "stop"]
        return [one.one_line() for one in self.record.findings if one.level == "stop"] + seen

    @property
    def left_out(self) -> str:
        """Why the pair is not to be used: a person's word, else what the checks say; empty when it is."""
        if self.review is not None:
            return self.review.line() if self.review.decision == "reject" else ""
        return f"checks: {'; '.join(self.stops)}" if self.stops else ""


@dataclass(frozen=True)
class DerivedScene:
    """A scene's results.

    Attributes:
        session, name: which scene.
        metrics: figures of the scene (metrics.json); empty before the processing.
        calibration: content of the calibration that was used (pipeline.json); empty before the processing.
        pairs: its static and action pairs in the journal's order.
        rejected: its rejected shots.
        takes: its takes.
    """

    session: Session
    name: str
    metrics: Mapping[str, Any]
    calibration: Mapping[str, Any]
    pairs: tuple[DerivedPair, ...]
    rejected: tuple[RejectedShot, ...]
    takes: tuple[TakeRecord, ...] = field(repr=False)

    @property
    def folder(self) -> Path:
        """SESSION/derived/<scene>."""
        return self.session.root / "derived" / self.name

    def of_kind(self, kind: str) -> list[DerivedPair]:
        """Return the pairs of one kind."""
        return [pair for pair in self.pairs if pair.record.kind == kind]


def read_scenes(session: Session) -> Iterator[DerivedScene]:
    """Yield what is known of each scene of a session, by name.

    Raises:
        SessionError: if a scene's card is damaged.
    """
    for scene in session.scenes():
        yield read_scene(session, scene.name)


def read_scene(session: Session, name: str) -> DerivedScene:
    """Return what is known of one scene.

    Raises:
        SessionError: if there is no such scene.
        ProcessingError: if its figures were changed or damaged.
    """
    session.scene(name)
    folder = session.root / "derived" / name
    takes = tuple(session.takes(name))
    plans = {(take.kind, take.take): take.details.get("plan") or {} for take in takes}
    shots = session.shots(name)
    metrics = _sealed(folder / "metrics.json")
    decided = reviews(session)
    pairs = tuple(
        replace(
            _pair(folder, shot, plans.get((shot.kind, shot.take), {}), metrics),
            review=decided.get(shot.id),
        )
        for shot in shots
        if isinstance(shot, PairRecord) and shot.kind in ("static", "action")
    )
    return DerivedScene(
        session,
        name,
        metrics,
        _sealed(folder / "pipeline.json"),
        pairs,
        tuple(shot for shot in shots if isinstance(shot, RejectedShot)),
        takes,
    )


def _sealed(path: Path) -> dict[str, Any]:
    """Return what the processing wrote about a scene; empty when it wrote nothing."""
    found = read_sealed(path)
    if found is None and path.exists():
        raise ProcessingError(
            f"{path} is damaged, was changed, or is of another beamrig", hint="process the scene again"
        )
    return found or {}


def _pair(
    folder: Path, record: PairRecord, plan: Mapping[str, Any], metrics: Mapping[str, Any]
) -> DerivedPair:
    data = read_record(folder, record) or {}
    files: dict[str, Path] = {}
    for part in PARTS:
        candidates = (derived_path(folder, record, part, suffix) for suffix in (".png", ".tiff"))
        recorded = (path for path in candidates if path.name in data.get("files", ()))
        found = next((path for path in recorded if path.is_file()), None)
        if found is not None:
            files[part] = found
    state, why = _state(record, data, files)
    if data and metrics and data.get("calibration") != metrics.get("calibration"):
        state, why = "stale", _otherwise(data, metrics)
    if not data and has_a_record(folder, record):
        state, why = "stale", "its record is damaged, was changed, or is of another beamrig"
    failed = (metrics.get("failed") or {}).get(record.id)
    if failed and state != "developed":
        state, why = "failed", str(failed)
    return DerivedPair(record, plan, data, files, state, why)


def _state(record: PairRecord, data: Mapping[str, Any], files: Mapping[str, Path]) -> tuple[State, str]:
    wanted = PARTS if record.kind == "action" else PARTS[:2]
    lacking = [part for part in wanted if part not in files]
    if not data and missing_files(record):
        return "missing", "its RAW files are gone"
    if not data or lacking:
        return "missing", "not developed" if not data else f"lacks {' and '.join(lacking)}"
    sources = data.get("sources", {})
    now = {"B": record.meta_b.get("sha256"), "S": record.meta_s.get("sha256")}
    if sources != now:
        return "stale", "developed from other RAW files"
    return "developed", ""


def _otherwise(data: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Say in what a pair differs from the figures of its scene, which a stopped run leaves as they were."""
    own, theirs = (str(one.get("profile")) for one in (data, metrics))
    if own == theirs:
        own, theirs = (f"calibration {one.get('calibration')}" for one in (data, metrics))
    return f"developed with {own}, the figures of its scene are of {theirs}: process the scene again"

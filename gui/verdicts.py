"""What is known against each pair: findings of the checks, live and developed, and the reviewer's word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gui import theme
from processing.jobs.derived import DerivedPair
from processing.jobs.pair_record import SCHEMA, has_a_record, read_sealed
from processing.jobs.report import derived_path
from rig.capture.findings import Finding, worst_level
from rig.records import PairRecord, RejectedShot
from rig.review import Review
from rig.session import Session
from rig.take_check import TakeCheck

MARKS = {
    "good": ("✓", "good", theme.OK),
    "note": ("•", "note", theme.OK),
    "warn": ("!", "warning", theme.WARN),
    "stop": ("✕", "stop", theme.BAD),
    "failed": ("✕", "failed", theme.BAD),
    "unchecked": ("○", "unchecked", theme.MUTED),
    "rejected": ("–", "rejected", theme.WARN),
    "reject": ("⊘", "left out", theme.BAD),
    "accept": ("★", "accepted", theme.ACCENT),
}
"""State of a shot -> mark, word and colour; no two have the same mark and word."""

FILTERS = {
    "all": "All shots",
    "findings": "With findings",
    "stop": "Stopped or left out",
}
EXPECTED_IOU = "mask_expected_iou"
"""How sure the mask is: the overlap with the truth that its confidence lets expect."""
DEVELOPED = ("static", "action")
"""Kinds of pairs that are developed and judged one by one."""
_FINDING_STATES = {"warn", "stop", "failed", "rejected", "reject", "accept"}
_STOP_STATES = {"stop", "failed", "rejected", "reject"}
_UNSOUND = Finding(
    "warn", "its record is damaged, was changed, or is of another beamrig", "process the session again"
)


@dataclass(frozen=True)
class PairState:
    """What speaks for or against a pair.

    Attributes:
        level: the worst that the checks found: good, note, warn, stop, or unchecked.
        findings: of the checks, while it was taken and after development, the worst first.
        figures: what the checks measured after development.
        developed: whether the checks after development were made.
        failed: why it could not be developed; empty when it could, or was not tried.
        review: what a person decided; None when nobody did.
        profile: of its development; empty before.
    """

    level: str = "unchecked"
    findings: tuple[Finding, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    developed: bool = False
    failed: str = ""
    review: Review | None = None
    profile: str = ""

    @property
    def state(self) -> str:
        """Key of `MARKS`: a person's word stands above the checks'."""
        if self.review is not None:
            return self.review.decision
        return "failed" if self.failed else self.level

    def reasons(self) -> list[str]:
        """Return what is to be said in a few lines."""
        said = [] if self.review is None else [self.review.line()]
        said += [f"processing failed: {self.failed}"] if self.failed else []
        return said + [one.one_line() for one in self.findings]


def state_of(shot: PairRecord | RejectedShot, states: Mapping[str, PairState]) -> str:
    """Return the key of `MARKS` for a shot."""
    if isinstance(shot, RejectedShot):
        return "rejected"
    known = states.get(shot.id)
    return known.state if known is not None else "unchecked"


def passes(state: str, chosen: str, *, noted: bool = False) -> bool:
    """Whether a shot in a state is shown by a filter.

    Args:
        state: key of `MARKS`.
        chosen: key of `FILTERS`.
        noted: whether there is a finding of any level.
    """
    if chosen == "findings":
        return noted or state in _FINDING_STATES
    return chosen != "stop" or state in _STOP_STATES


class VerdictReader:
    """Reads the verdicts of a session; a record that did not change is not read again. For one thread."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, int], dict[str, Any]]] = {}

    def read(
        self, session: Session, shots: Iterable[PairRecord | RejectedShot], checks: Iterable[TakeCheck]
    ) -> dict[str, PairState]:
        """Return the state of each pair by its id.

        Args:
            session: the session.
            shots: its shots.
            checks: of its takes: pairs that are not developed, of a whiteboard say, have these alone.
        """
        of_take = {(one.scene, one.kind, one.take): one for one in checks}
        derived, reviews = session.root / "derived", session.ledger.reviews()
        failed: dict[str, str] = {}
        for path in derived.glob("*/metrics.json"):
            failed |= {str(pair): str(why) for pair, why in (self._json(path).get("failed") or {}).items()}
        return {
            shot.id: self._state(derived / shot.scene, shot, failed.get(shot.id, ""), reviews.get(shot.id))
            if shot.kind in DEVELOPED
            else _of_take(shot, of_take.get((shot.scene, shot.kind, shot.take)), reviews.get(shot.id))
            for shot in shots
            if isinstance(shot, PairRecord)
        }

    def _state(self, folder: Path, pair: PairRecord, failed: str, review: Review | None) -> PairState:
        data = self._json(derived_path(folder, pair, "", ".json"))
        if data.get("schema") != SCHEMA:  # of another beamrig: it vouches for nothing, as in the export
            data = {}
        if not data and has_a_record(folder, pair):
            worst = worst_level((_UNSOUND, *pair.findings))
            return PairState(worst, (_UNSOUND, *pair.findings), failed=failed, review=review)
        known = DerivedPair(pair, {}, data, {}, "developed")
        if not data and not pair.findings:
            return PairState(failed=failed, review=review)
        order = ("stop", "warn", "note")
        found = [*pair.findings, *(_finding(one) for one in known.findings)]
        return PairState(
            known.level,
            tuple(sorted(found, key=lambda one: order.index(one.level))),
            _floats({**known.figures, EXPECTED_IOU: data.get(EXPECTED_IOU)}),
            data.get("verdict") is not None,
            "" if data else failed,
            review,
            str(data.get("profile", "")),
        )

    def _json(self, path: Path) -> dict[str, Any]:
        try:
            facts = path.stat()
        except OSError:
            self._known.pop(path, None)
            return {}
        stamp = (facts.st_mtime_ns, facts.st_size)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            known = (stamp, read_sealed(path) or {})
            self._known[path] = known
        return known[1]


def _floats(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if isinstance(value, int | float)}


def _of_take(pair: PairRecord, check: TakeCheck | None, review: Review | None) -> PairState:
    found = (*pair.findings, *(check.findings if check is not None else ()))
    silent = "unchecked" if check is None else "good"
    return PairState(worst_level(found) if found else silent, found, review=review)


def _finding(data: Mapping[str, Any]) -> Finding:
    try:
        return Finding.from_dict(data)
    except (TypeError, ValueError):
        return Finding("note", f"a finding that cannot be read: {dict(data)}", "process the session again")

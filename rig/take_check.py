"""What the checks of a whole take found, kept in the session's journal.

The checks themselves look at pixels and belong to an upper floor; they are handed in as a callable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from rig.capture.findings import Finding, Level, worst_level
from rig.errors import SessionError
from rig.journal import Journal
from rig.plan import ExposurePlan
from rig.records import RawPair, check_kind, check_scene_name

if TYPE_CHECKING:
    from rig.session import Session

Figures = dict[str, float | None]

CHECKED: Final = "take_checked"
OVERRULED: Final = "check_overruled"


@dataclass(frozen=True)
class Checked:
    """Findings on a take, and the numbers that were measured; None where one could not be measured."""

    findings: tuple[Finding, ...] = ()
    figures: Figures = field(default_factory=dict)


CheckTake = Callable[[str, Iterable[RawPair], ExposurePlan | None], Checked]
"""Looks at all pairs of a take, given its kind and plan; the pairs are read one by one."""


@dataclass(frozen=True)
class TakeCheck:
    """The check of one take, as the journal has it.

    Attributes:
        scene: Name of the scene.
        kind: Kind of the take.
        take: Its number within scene and kind, from 1.
        findings: What was found.
        figures: What was measured.
        overruled: The operator went on in spite of a finding of level "stop".
    """

    scene: str
    kind: str
    take: int
    findings: tuple[Finding, ...]
    figures: Figures
    overruled: bool = False

    @property
    def level(self) -> Level:
        """The worst level found; "note" when there was nothing."""
        return worst_level(self.findings)

    @property
    def refuses(self) -> bool:
        """Whether the next step must wait."""
        return self.level == "stop" and not self.overruled

    def reason(self) -> str:
        """Return why the next step must wait, in one line."""
        return "; ".join(one.one_line() for one in self.findings if one.level == "stop")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "scene": self.scene,
            "kind": self.kind,
            "take": self.take,
            "level": self.level,
            "overruled": self.overruled,
            "findings": [one.to_dict() for one in self.findings],
            "figures": dict(self.figures),
        }


def record_check(journal: Journal, scene: str, kind: str, take: int, checked: Checked) -> TakeCheck:
    """Write what the checks found into the journal.

    Raises:
        SessionError: The journal cannot be written, or a figure is no finite number.
    """
    made = TakeCheck(scene, kind, take, tuple(checked.findings), dict(checked.figures))
    body = made.to_dict()
    journal.append(
        {"event": CHECKED, **{k: body[k] for k in ("scene", "kind", "take", "findings", "figures")}}
    )
    return made


def overrule(journal: Journal, check: TakeCheck) -> None:
    """Write that the operator goes on in spite of a check."""
    journal.append(
        {
            "event": OVERRULED,
            "scene": check.scene,
            "kind": check.kind,
            "take": check.take,
            "reason": check.reason(),
        }
    )


def take_checks(events: Iterable[Mapping[str, Any]]) -> tuple[list[TakeCheck], list[str]]:
    """Rebuild the newest check of each take from the journal; return them, and what could not be read."""
    checks: dict[tuple[str, str, int], TakeCheck] = {}
    problems: list[str] = []
    for event in events:
        if event["event"] not in (CHECKED, OVERRULED):
            continue
        try:
            key = (check_scene_name(event["scene"]), str(check_kind(event["kind"])), int(event["take"]))
            if event["event"] == CHECKED:
                checks[key] = TakeCheck(*key, _findings(event["findings"]), dict(event["figures"]))
            elif key in checks:
                known = checks[key]
                checks[key] = TakeCheck(*key, known.findings, known.figures, overruled=True)
        except (SessionError, KeyError, TypeError, ValueError) as error:
            problems.append(f"the journal has a check that cannot be read: {error!r}")
    return list(checks.values()), problems


def session_checks(session: Session, scene: str | None = None) -> list[TakeCheck]:
    """Return the newest check of each take of a session, or of one scene.

    A check that cannot be read counts as none: the take can be looked at again.
    """
    checks, _ = take_checks(session.journal.events())
    return [one for one in checks if scene in (None, one.scene)]


def _findings(data: Iterable[Mapping[str, Any]]) -> tuple[Finding, ...]:
    return tuple(Finding.from_dict(one) for one in data)

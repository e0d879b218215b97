"""What a check of a pair's content found, and how bad it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

if TYPE_CHECKING:  # the records of pairs hold findings
    from rig.plan import ExposurePlan
    from rig.records import PairRecord, RawPair

Level = Literal["note", "warn", "stop"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
"""From harmless to grave."""


@dataclass(frozen=True)
class Finding:
    """One thing that a check found in a pair.

    Attributes:
        level: "note" is only recorded, "warn" shown to the operator, "stop" ends the take after the present
            shot (a black frame, say); the pair itself stays a pair at any level.
        text: What was found, in one line.
        hint: What to do about it.
        figure: The number behind it, where there is one.
    """

    level: Level
    text: str
    hint: str = ""
    figure: float | None = None

    def one_line(self) -> str:
        """Return text and hint as the line that is recorded with the pair."""
        return " ".join((f"{self.text} ({self.hint})" if self.hint else self.text).split())

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; a figure that is no finite number is left out."""
        known = self.figure is not None and math.isfinite(self.figure)
        figure = float(self.figure or 0.0) if known else None
        return {"level": self.level, "text": self.text, "hint": self.hint, "figure": figure}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Finding:
        """Read what `to_dict` gave.

        Raises:
            TypeError: A field is missing or unknown.
            ValueError: There is no such level.
        """
        found = cls(**data)
        if found.level not in LEVELS:
            raise ValueError(f"a finding has no level {found.level!r}")
        return found


def worst_level(findings: Iterable[Finding]) -> Level:
    """Return the worst level among findings; "note" when there are none."""
    return max((one.level for one in findings), key=LEVELS.index, default="note")


Check = Callable[["RawPair"], Iterable["Finding | str"]]
"""Looks at a pair's content; a plain string counts as a warning."""

MakeCheck = Callable[[str, "ExposurePlan | None", "Sequence[PairRecord]"], Check]
"""Makes the check of one take, given its kind, its plan and the scene's newest static pairs; checks may
compare a pair with the one before."""


def as_findings(found: Iterable[Finding | str]) -> list[Finding]:
    """Return what a check gave back, plain strings as warnings."""
    return [one if isinstance(one, Finding) else Finding("warn", str(one)) for one in found]

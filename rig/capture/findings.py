"""What a check of a pair's content found, and how bad it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from rig.plan import ExposurePlan
from rig.records import RawPair

Level = Literal["note", "warn", "stop"]


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


Check = Callable[[RawPair], Iterable["Finding | str"]]
"""Looks at a pair's content; a plain string counts as a warning."""

MakeCheck = Callable[[str, ExposurePlan | None], Check]
"""Makes the check of one take, given its kind and plan; checks may compare a pair with the one before."""


def as_findings(found: Iterable[Finding | str]) -> list[Finding]:
    """Return what a check gave back, plain strings as warnings."""
    return [one if isinstance(one, Finding) else Finding("warn", str(one)) for one in found]

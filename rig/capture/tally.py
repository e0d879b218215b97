"""What the volleys of a take came to, summed up, and what the journal keeps of its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from rig.capture.between import VolleyEnd
from rig.capture.result import TakeResult
from rig.errors import BeamrigError

REFUSED_LINES: Final = 1000


@dataclass
class Tally:
    """What the volleys of a take came to.

    Attributes:
        error: The first thing that went wrong.
        reason: Why the take was stopped; empty when it was not.
        early: Whether fewer pulses were fired than asked for.
        refused: Frames without a pulse, a line each, up to :data:`REFUSED_LINES`.
        refused_more: How many more of them there were.
        losses: By how much each camera's counters rose.
    """

    error: BeamrigError | None = None
    reason: str = ""
    early: bool = False
    refused: list[str] = field(default_factory=list)
    refused_more: int = 0
    losses: dict[str, dict[str, int | None]] = field(default_factory=dict)

    def add(self, end: VolleyEnd) -> None:
        """Add the end of a volley."""
        room = REFUSED_LINES - len(self.refused)
        self.refused += end.refused[:room]
        self.refused_more += max(len(end.refused) - room, 0)
        self.error = self.error or end.error
        self.reason = self.reason or end.stopped
        for name, one in end.losses.items():
            total = self.losses.setdefault(name, dict.fromkeys(one, 0))
            for key, value in one.items():
                before = total[key]
                total[key] = None if value is None or before is None else before + value

    def lines(self) -> tuple[str, ...]:
        """Return the refused frames as a take's result has them."""
        more = (f"and {self.refused_more} more",) if self.refused_more else ()
        return (*self.refused, *more)

    def outcome(self, result: TakeResult, error: BeamrigError | None, **more: Any) -> dict[str, Any]:
        """Return what the journal keeps of a take that came to its end."""
        return {
            "fired": result.fired,
            "paired": result.paired,
            "rejected": result.rejected,
            "refused_frames": list(result.refused),
            "counters": self.losses,
            "reason": result.reason,
            "warnings": list(result.warnings),
            **more,
            "error": error.one_line() if error else "",
        }

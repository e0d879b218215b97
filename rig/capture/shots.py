"""The shots of a take while it runs and afterwards: all of them counted, the newest kept whole."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from rig.records import PairRecord, RejectedShot, revoked

KEPT: Final = 1000
"""So many shots of a take are kept in memory; all are in the session."""


@dataclass(frozen=True)
class Shot:
    """One pulse of a take: a recorded pair, or a rejected shot.

    Attributes:
        record: What the session holds of it.
        number: How many shots of the take are settled, this one included.
        fired: How many are known to have been fired.
    """

    record: PairRecord | RejectedShot
    number: int
    fired: int

    @property
    def id(self) -> str:
        """Name within the session."""
        return self.record.id

    @property
    def paired(self) -> bool:
        """Whether it gave a proven pair."""
        return isinstance(self.record, PairRecord)

    @property
    def pair(self) -> PairRecord | None:
        """The pair, if it gave one."""
        return self.record if isinstance(self.record, PairRecord) else None

    @property
    def reason(self) -> str:
        """Why it was rejected; empty for a pair."""
        return self.record.sync.reason

    @property
    def skew_us(self) -> float | None:
        """How much later than planned S started, against B, in microseconds."""
        return self.record.sync.skew_us

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a check of the content found."""
        return self.record.warnings if isinstance(self.record, PairRecord) else ()


@dataclass(frozen=True)
class ShotCounts:
    """How many shots of a take came to what end."""

    paired: int = 0
    rejected: int = 0


class ShotLog:
    """Counts shots and keeps the newest: ten thousand need no more memory than a thousand.

    Attributes:
        counts: How many came to what end.
    """

    def __init__(self) -> None:
        self._shots: deque[Shot] = deque(maxlen=KEPT)
        self._paired_at: dict[int, None] = {}
        self.counts = ShotCounts()

    def add(self, record: PairRecord | RejectedShot, fired: int) -> Shot:
        """Note a shot that is settled."""
        paired = isinstance(record, PairRecord)
        self.counts = ShotCounts(self.counts.paired + paired, self.counts.rejected + (not paired))
        shot = Shot(record, self.counts.paired + self.counts.rejected, fired)
        self._shots.append(shot)
        if paired:
            self._paired_at[record.index] = None
        return shot

    def pairs_from(self, index: int) -> list[int]:
        """Return the trigger indices of pairs since the volley that began with ``index``."""
        return [at for at in self._paired_at if at >= index]

    def forget_before(self, index: int) -> None:
        """Let go of indices that cannot be revoked any more: their volley is closed."""
        self._paired_at = {at: None for at in self._paired_at if at >= index}

    def revoke(self, indices: list[int], reason: str) -> None:
        """Note that pairs were taken back."""
        gone = set(indices)
        self._shots = deque(
            (
                replace(shot, record=revoked(shot.record, reason)) if shot.record.index in gone else shot
                for shot in self._shots
            ),
            KEPT,
        )
        for index in indices:
            del self._paired_at[index]
        self.counts = ShotCounts(self.counts.paired - len(indices), self.counts.rejected + len(indices))

    def shots(self) -> tuple[Shot, ...]:
        """Return the newest shots, in order."""
        return tuple(self._shots)

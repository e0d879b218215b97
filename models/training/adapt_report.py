"""What an adaptation reports: the held-out pairs before and after, and whether anything was gained."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["AdaptReport", "HeldOutPair"]


@dataclass(frozen=True)
class HeldOutPair:
    """A pair that no step saw: PSNR in decibels inside its mask; None where nothing is blurred.

    Attributes:
        name: The pair.
        blurred: Of the blurred picture.
        before: Of the parent's result.
        after: Of the kept weights' result.
        gain: after - before.
    """

    name: str
    blurred: float | None
    before: float | None
    after: float | None
    gain: float | None


@dataclass(frozen=True)
class AdaptReport:
    """What an adaptation gave.

    Attributes:
        session: The session's folder.
        parent: The weights that it started from.
        parent_sha256: Of that file.
        weights: The adapted weights; None where they did not help.
        helped: Whether the held-out pairs gained at least 0.05 dB.
        gain_db: Mean gain inside the mask over the held-out pairs; 0 where it did not help.
        before: Means of the parent on the held-out pairs (see `validation.PairFigures`).
        after: Means of the kept weights; those of the parent where it did not help.
        held_out: The held-out pairs.
        trained_pairs: How many pairs it learnt from.
        steps: Steps done; `best_step` is the kept one (0: the parent).
        best_step: See `steps`.
        seconds: Time taken.
        cancelled: The operator stopped it; the best until then counts.
        note: All of this in a sentence.
    """

    session: Path
    parent: Path
    parent_sha256: str
    weights: Path | None
    helped: bool
    gain_db: float
    before: dict[str, float]
    after: dict[str, float]
    held_out: tuple[HeldOutPair, ...]
    trained_pairs: int
    steps: int
    best_step: int
    seconds: float
    cancelled: bool
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        paths = {"session": str(self.session), "parent": str(self.parent)}
        weights = None if self.weights is None else str(self.weights)
        return {**asdict(self), **paths, "weights": weights, "seconds": round(self.seconds, 1)}

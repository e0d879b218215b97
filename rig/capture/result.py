"""What a take gives back: shots, counts, what was applied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.camera.types import Applied
from rig.capture.shots import Shot, ShotCounts
from rig.errors import CaptureError
from rig.exposure import ExposurePlan
from rig.records import PairRecord

__all__ = ["AppliedPlan", "Shot", "ShotCounts", "TakeFailed", "TakeResult"]


@dataclass(frozen=True)
class AppliedPlan:
    """A plan as the cameras took it.

    Attributes:
        plan: The plan.
        exposure_us: Exposure of "B" and "S" as read back, in microseconds.
        settings: Every feature write of each camera with its read-back.
    """

    plan: ExposurePlan
    exposure_us: dict[str, float]
    settings: dict[str, list[Applied]]

    def to_dict(self) -> dict[str, Any]:
        """Return planned and applied values as plain data."""
        return {
            "plan": self.plan.to_dict(),
            "exposure_us": dict(self.exposure_us),
            "settings": {camera: [one.to_dict() for one in done] for camera, done in self.settings.items()},
        }


@dataclass(frozen=True)
class TakeResult:
    """The outcome of one take.

    Attributes:
        session: Folder of the session. scene: Name of the scene. kind: Kind of the take. take: Number of
            the take. state: "complete"; "cancelled" by the operator before all was taken; "stopped" for a
            reason (the disk, a finding); "failed".
        fired: Pulses fired, as far as known. shots: The fired pulses, in order; of a long take the newest
            only (:data:`rig.capture.shots.KEPT`), all of them are in the session.
        applied: Exposures and settings as the cameras took them.
        refused: Frames that belong to no pulse for sure, one line each (the first thousand).
        counts: How many shots gave a pair or were rejected; None counts ``shots``.
        discarded: Shots of a pre-roll that was not kept, or was older than asked for.
        reason: Why the take was stopped; empty when it was not.
        warnings: What the operator should know of the take as a whole.
    """

    session: Path
    scene: str
    kind: str
    take: int
    state: str
    fired: int
    shots: tuple[Shot, ...]
    applied: AppliedPlan
    refused: tuple[str, ...] = ()
    counts: ShotCounts | None = None
    discarded: int = 0
    reason: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def paired(self) -> int:
        """Number of proven pairs."""
        return self.counts.paired if self.counts else sum(shot.paired for shot in self.shots)

    @property
    def rejected(self) -> int:
        """Number of rejected shots."""
        return self.counts.rejected if self.counts else len(self.shots) - self.paired

    @property
    def pairs(self) -> list[PairRecord]:
        """The pairs among ``shots``, in order."""
        return [shot.pair for shot in self.shots if shot.pair is not None]

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain data, as the command line prints it."""
        planned = self.applied.plan.planned_us
        return {
            "session": str(self.session),
            "scene": self.scene,
            "kind": self.kind,
            "take": self.take,
            "state": self.state,
            "fired": self.fired,
            "paired": self.paired,
            "rejected": self.rejected,
            "exposure_us": {
                camera: {"planned": planned[camera], "applied": self.applied.exposure_us[camera]}
                for camera in ("B", "S")
            },
            "pairs": [
                {"id": shot.id, "skew_us": shot.skew_us, "verdict": "paired" if shot.paired else "rejected"}
                for shot in self.shots
            ],
            "reasons": [f"{shot.id}: {shot.reason}" for shot in self.shots if not shot.paired],
            "warnings": [
                *self.warnings,
                *(f"{shot.id}: {warning}" for shot in self.shots for warning in shot.warnings),
            ],
            "reason": self.reason,
            "discarded": self.discarded,
            "refused_frames": list(self.refused),
        }


class TakeFailed(CaptureError):
    """A take that was ended by an error; what was recorded until then is in ``result`` and on the disk.

    Args:
        message: What happened.
        hint: What to do.
        result: The outcome so far.
    """

    def __init__(self, message: str, *, hint: str = "", result: TakeResult) -> None:
        super().__init__(message, hint=hint)
        self.result = result

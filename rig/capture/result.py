"""What a take gives back: shots, counts, what was applied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.camera.types import Applied
from rig.errors import CaptureError
from rig.exposure import ExposurePlan
from rig.records import PairRecord, RejectedShot


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
class Shot:
    """One pulse of a take: a recorded pair, or a rejected shot.

    Attributes:
        record: What the session holds of it.
        number: How many shots of the take are settled, this one included.
        fired: How many were fired.
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
class TakeResult:
    """The outcome of one take.

    Attributes:
        session: Folder of the session.
        scene: Name of the scene.
        kind: Kind of the take.
        take: Number of the take.
        state: "complete", "cancelled" or "failed".
        fired: Pulses fired, as far as known.
        shots: Every fired pulse, in order.
        applied: Exposures and settings as the cameras took them.
        refused: Frames that belong to no pulse for sure, one line each.
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

    @property
    def paired(self) -> int:
        """Number of proven pairs."""
        return sum(shot.paired for shot in self.shots)

    @property
    def rejected(self) -> int:
        """Number of rejected shots."""
        return len(self.shots) - self.paired

    @property
    def pairs(self) -> list[PairRecord]:
        """The pairs, in order."""
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
            "warnings": [f"{shot.id}: {warning}" for shot in self.shots for warning in shot.warnings],
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

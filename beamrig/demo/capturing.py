"""The demo's capture: all takes of one scene on the virtual rig, and what the world says is true of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from beamrig.demo.truth import frames_of
from rig import Rig
from rig.capture.result import Shot, TakeResult
from rig.errors import BeamrigError
from rig.plan import ExposurePlan
from rig.session import Session
from rig.virtual.client import WorldClient
from rig.virtual.frames import RenderedFrame
from rig.virtual.truth import Truth

SCENE: Final = "s01"
TAKES: Final = {"lightbox": 4, "whiteboard": 2, "static": 5}
"""Frames of each calibration take; the action take comes last."""

Tell = Callable[[str, float, str], None]
"""Called with (step, done fraction of the step, what is being done)."""


@dataclass(frozen=True)
class Captured:
    """What is left of the rig once it is closed.

    Attributes:
        takes: Kind, fired, paired and rejected shots of each take.
        exposure_us: Applied exposure of "B" and "S".
        skew_us: Start skew of each action pair, absolute.
        truth: The world's numbers.
        frames: The world's record of each action pair (B, S).
    """

    takes: list[dict[str, Any]]
    exposure_us: dict[str, float]
    skew_us: list[float]
    truth: Truth
    frames: list[tuple[RenderedFrame, RenderedFrame]]

    def save(self, path: Path) -> None:
        """Write everything as JSON; a reader never sees half of it."""
        data = {
            "takes": self.takes,
            "exposure_us": self.exposure_us,
            "skew_us": self.skew_us,
            "truth": self.truth.to_dict(),
            "frames": [[frame.to_dict() for frame in pair] for pair in self.frames],
        }
        part = path.with_name(path.name + ".part")
        part.write_text(json.dumps(data) + "\n", encoding="utf-8")
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Captured:
        """Read what `save` wrote.

        Raises:
            BeamrigError: The file is missing or damaged.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                list(data["takes"]),
                {camera: float(data["exposure_us"][camera]) for camera in ("B", "S")},
                [float(value) for value in data["skew_us"]],
                Truth.from_dict(data["truth"]),
                [(RenderedFrame.from_dict(b), RenderedFrame.from_dict(s)) for b, s in data["frames"]],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BeamrigError(
                f"{path} does not say what is true of its session: {error!r}",
                hint="delete its folder and capture again",
            ) from error


def capture_scene(
    rig: Rig,
    session: Session,
    plan: ExposurePlan,
    pairs: int,
    tell: Tell,
    *,
    takes: dict[str, int] | None = None,
) -> Captured:
    """Capture the calibration takes and one action take of `pairs` pairs as scene `SCENE`.

    Args:
        rig: An open virtual rig.
        session: Where to; the scene is there already.
        plan: Exposures; speed and distance of its object are set in the world.
        pairs: Action pairs.
        tell: Progress of the step "capture".
        takes: Frames of each calibration take; `TAKES` without it.

    Raises:
        BeamrigError: A take failed.
    """
    world = WorldClient(rig.run_dir)
    world.set(speed_mps=plan.speed_mps, distance_m=plan.distance_m)
    applied = rig.apply_plan(plan)
    wanted = {**(takes or TAKES), "action": pairs}
    total = sum(wanted.values())
    done: list[TakeResult] = []
    for kind, count in wanted.items():
        before = sum(take.fired for take in done)
        tell("capture", before / total, kind)

        def note(shot: Shot, kind: str = kind, before: int = before) -> None:
            tell("capture", (before + shot.number) / total, f"{kind}: shot {shot.number} of {shot.fired}")

        done.append(rig.capture(session, SCENE, kind, count, on_shot=note))
    action = done[-1]
    return Captured(
        takes=[
            {"kind": take.kind, "fired": take.fired, "paired": take.paired, "rejected": take.rejected}
            for take in done
        ],
        exposure_us=dict(applied.exposure_us),
        skew_us=[abs(shot.skew_us) for shot in action.shots if shot.skew_us is not None],
        truth=world.truth(),
        frames=frames_of(action.pairs, world),
    )

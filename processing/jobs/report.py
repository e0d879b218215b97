"""What was done for a session: counts, figures, and where the results lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processing.errors import ProcessingError
from processing.image_files import read_image
from rig.records import PairRecord


def derived_path(folder: Path, record: PairRecord, part: str, suffix: str) -> Path:
    """Return where a result of a pair belongs in its scene's folder, such as action/t02_0003_mask.png."""
    stem = f"t{record.take:02d}_{record.index:04d}" + (f"_{part}" if part else "")
    return folder / record.kind / (stem + suffix)


@dataclass
class SceneReport:
    """What was done for one scene.

    Attributes:
        scene: its name.
        folder: SESSION/derived/<scene>.
        developed, skipped, masks: numbers of pairs.
        calibration: id of the calibration used.
        static_pair: agreement of the static pair "before" and "after".
        residual_px: displacement left on the static pair, "mean" and "p95".
        blur_px: measured blur lengths, or None.
        blur_note: why there are none.
        notes: what a person should know of how the scene was measured.
        failed: pair id -> why it could not be developed.
        failure: why the scene could not be measured, and so no pair of it developed; empty if it could.
        seconds: time that the workers spent on each step.
    """

    scene: str
    folder: Path
    developed: int = 0
    skipped: int = 0
    masks: int = 0
    calibration: str = ""
    static_pair: dict[str, Any] = field(default_factory=dict)
    residual_px: dict[str, float] = field(default_factory=dict)
    blur_px: dict[str, Any] | None = None
    blur_note: str = ""
    notes: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    failure: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    def mask(self, record: PairRecord) -> NDArray[np.uint8]:
        """Read the mask of a pair: (h, w) uint8, 0 or 255, on the developed grid.

        Raises:
            ProcessingError: if there is none.
        """
        path = derived_path(self.folder, record, "mask", ".png")
        mask = read_image(path)
        if mask is None or mask.ndim != 2:
            raise ProcessingError(f"{record.id} has no mask", hint="run 'beamrig masks' on the session")
        return np.asarray(mask, np.uint8)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            **self.__dict__,
            "folder": str(self.folder),
            "failed": dict(sorted(self.failed.items())),
            "seconds": {step: round(seconds, 3) for step, seconds in self.seconds.items()},
        }


@dataclass
class SessionReport:
    """What was done for a session.

    Attributes:
        root: folder of the results.
        scenes: scene name -> report.
        cancelled: the work was stopped; what was finished stays.
        seconds: time taken.
        workers: how many tasks were done at once, and by whom.
    """

    root: Path
    scenes: dict[str, SceneReport] = field(default_factory=dict)
    cancelled: bool = False
    seconds: float = 0.0
    workers: str = ""

    def failures(self) -> list[str]:
        """Return one line for each scene and pair that could not be processed."""
        lines = [f"{scene.scene}: {scene.failure}" for scene in self.scenes.values() if scene.failure]
        return lines + [
            f"{pair}: {why}" for scene in self.scenes.values() for pair, why in sorted(scene.failed.items())
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "derived": str(self.root),
            "scenes": [scene.to_dict() for scene in self.scenes.values()],
            "cancelled": self.cancelled,
            "seconds": round(self.seconds, 3),
            "workers": self.workers,
        }

"""What a worker is told to do: plain values that travel to other processes and machines, and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processing.jobs.report import derived_path
from processing.jobs.steps import Job
from rig.exposure import ExposurePlan
from rig.records import PairRecord


@dataclass(frozen=True)
class SceneTask:
    """A scene to be measured.

    Attributes:
        session: absolute path.
        scene: name.
        job: what to make of it.
        threads: a task may use, None for as many as the process uses anyway.
    """

    session: str
    scene: str
    job: Job
    threads: int | None = None


@dataclass(frozen=True)
class PairTask:
    """A pair to be developed.

    Attributes:
        session, scene, job, threads: as of `SceneTask`.
        calibration: path of the stored calibration to use.
        record: the RAW pair, with the hashes from the journal.
        mask: what its mask depends on (`pair_record.mask_origin`), or None where none is made.
        background: static pairs for the frozen background.
        others: action pairs that Algorithm 1 as printed sees besides this one, in order.
        frames: folder where developed 8-bit pairs of this run wait for the masks.
        keep_frame: leave the developed pair there.
        write: write files; otherwise only tell their hashes.
        plan: that the pair was taken with.
        static: static pairs that its verdict compares with.
        later: the verdict waits for other static pairs: no record is written yet, see `judge_pair`.
        files: what `later` left: name -> bytes and sha256 of each file.
        kept: parts of an older record that stay: "images", "mask", "files".
    """

    session: str
    scene: str
    job: Job
    calibration: str
    record: PairRecord
    frames: str
    mask: Mapping[str, Any] | None = None
    background: tuple[PairRecord, ...] = ()
    others: tuple[PairRecord, ...] = ()
    keep_frame: bool = False
    write: bool = True
    kept: Mapping[str, Any] = field(default_factory=dict)
    plan: ExposurePlan | None = None
    static: tuple[PairRecord, ...] = ()
    later: bool = False
    files: Mapping[str, Any] = field(default_factory=dict)
    threads: int | None = None

    def path(self, part: str, suffix: str) -> Path:
        """Return where a result of the pair belongs."""
        return derived_path(Path(self.session, "derived", self.scene), self.record, part, suffix)


@dataclass(frozen=True)
class BlurTask:
    """Blur lengths to be measured.

    Attributes:
        session, scene, job, threads: as of `SceneTask`.
        calibration: path of the stored calibration to use.
        records: action pairs.
    """

    session: str
    scene: str
    job: Job
    calibration: str
    records: tuple[PairRecord, ...]
    threads: int | None = None


@dataclass(frozen=True)
class BackgroundTask:
    """One camera's background to be measured, for the masks of all pairs.

    Attributes:
        session, scene, job, threads: as of `SceneTask`.
        calibration: path of the stored calibration to use.
        camera: "B" or "S".
        records: static pairs.
        frames: folder where their developed frames wait, and where it is left.
    """

    session: str
    scene: str
    job: Job
    calibration: str
    camera: str
    records: tuple[PairRecord, ...]
    frames: str
    threads: int | None = None


@dataclass(frozen=True)
class PairResult:
    """What came of a pair.

    Attributes:
        pair: its id.
        files: name -> bytes and sha256 of each file.
        seconds: time that each step took.
    """

    pair: str
    files: dict[str, dict[str, Any]]
    seconds: dict[str, float]


@dataclass(frozen=True)
class SceneResult:
    """What came of measuring a scene.

    Attributes:
        calibration: path of the stored calibration.
        notes: what a person should know of it.
    """

    calibration: str
    notes: tuple[str, ...]

"""What a session is calibrated with: files, their age and figures, what is refused and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from processing.alignment.flow_residual import mean_displacement
from processing.calibration.chosen import (
    KINDS,
    ChosenFile,
    check,
    chosen_files,
    open_chosen,
    session_frames,
)
from processing.calibration.frame_format import FrameFormat
from processing.calibration.laboratory import load_calibration
from processing.calibration.report import read, summary
from processing.calibration.scene import SceneCalibration
from processing.calibration.takes import Takes
from processing.errors import CalibrationError
from processing.outputs import read_json
from processing.quality.metrics import PairMetrics
from rig.errors import BeamrigError
from rig.session import Session

NEEDS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "lightbox": (("lightbox",),),
    "colour": (("colorchecker",), ("whiteboard", "lightbox")),
    "geometry": (("static",), ("whiteboard", "lightbox")),
    "scene": (("static",), ("whiteboard", "lightbox")),
}
"""Takes that a calibration is made from: of each group one is needed, the first is the better."""


@dataclass(frozen=True)
class Known:
    """A calibration file.

    Attributes:
        kind: lightbox, colour, geometry or scene.
        path: the file.
        id, created: as it says itself; empty where it cannot be read.
        age_days: since it was made; None where it cannot be read.
        valid_days: how long it holds; None for one of a scene, which holds as long as its takes are there.
        sources: RAW files that it was made from.
        takes: the takes that these are of, such as "s01 lightbox 1".
        lines: its figures in words.
        picture: to judge it by, where there is one.
        refused: why it must not be used, in one line; empty when it holds.
        hint: what to do about it.
    """

    kind: str
    path: Path
    id: str = ""
    created: str = ""
    age_days: int | None = None
    valid_days: int | None = None
    sources: int = 0
    takes: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    picture: Path | None = None
    refused: str = ""
    hint: str = ""


@dataclass(frozen=True)
class SceneKnown(Known):
    """A scene's own calibration.

    Attributes:
        profile: best or paper.
        static_pair: Delta-L, PSNR and SSIM "before" and "after".
        geometric_px: mean displacement "before" and "after", and "p95" after.
        used: kind -> id of the laboratory's calibrations that it was made with.
        in_use: whether the scene's pairs were developed with it last.
    """

    profile: str = ""
    static_pair: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    geometric_px: Mapping[str, float] = field(default_factory=dict)
    used: Mapping[str, str] = field(default_factory=dict)
    in_use: bool = False


@dataclass(frozen=True)
class Overview:
    """All that a person needs to judge how a session is calibrated.

    Attributes:
        folder: of the session.
        scenes: names of its scenes.
        laboratory: kind -> files of the laboratory, in the session and chosen from elsewhere, newest first.
        own: scene -> its own calibrations: made with what is chosen now before others, then the one in use.
        chosen: kind -> the file that takes the place of the scenes' own takes.
        trouble: why the choice cannot be told; empty when it can.
        missing: (scene, kind) -> kinds of takes to capture before the calibration can be made.
    """

    folder: Path
    scenes: tuple[str, ...] = ()
    laboratory: Mapping[str, tuple[Known, ...]] = field(default_factory=dict)
    own: Mapping[str, tuple[SceneKnown, ...]] = field(default_factory=dict)
    chosen: Mapping[str, ChosenFile] = field(default_factory=dict)
    trouble: str = ""
    missing: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def chosen_file(self, kind: str) -> Known | None:
        """Return what is known of the chosen file of a kind."""
        wanted = self.chosen.get(kind)
        return next(
            (one for one in self.laboratory.get(kind, ()) if wanted and one.path == wanted.path), None
        )

    def best(self, kind: str) -> Known | None:
        """Return the newest file of a kind that is not refused, else the newest; None without one."""
        known = self.laboratory.get(kind, ())
        return next((one for one in known if not one.refused), next(iter(known), None))


def look(session: Session) -> Overview:
    """Read what a session is calibrated with; nothing is measured, no picture is read."""
    try:
        chosen, trouble = chosen_files(session), ""
    except CalibrationError as error:
        chosen, trouble = {}, error.one_line()
    try:
        frames = session_frames(session)
    except BeamrigError as error:
        frames, trouble = {}, trouble or error.one_line()
    scenes = tuple(scene.name for scene in session.scenes())
    files: dict[str, list[Known]] = {kind: [] for kind in KINDS}
    folder = session.root / "calibration"
    for kind in KINDS:
        paths = set(folder.glob(f"{kind}_*.json")) | ({chosen[kind].path} if kind in chosen else set())
        known = [_laboratory(frames, kind, path, chosen.get(kind)) for path in paths]
        files[kind] = sorted(known, key=lambda one: (one.created, one.path.name), reverse=True)
    return Overview(
        session.root,
        scenes,
        {kind: tuple(known) for kind, known in files.items()},
        {scene: _own(session, scene, {kind: one.id for kind, one in chosen.items()}) for scene in scenes},
        chosen,
        trouble,
        {(scene, kind): _missing(session, scene, kind, chosen) for scene in scenes for kind in NEEDS},
    )


def _laboratory(frames: Mapping[str, FrameFormat], kind: str, path: Path, chosen: ChosenFile | None) -> Known:
    try:
        found = load_calibration(path)
        if found.kind != kind:
            raise CalibrationError(f"{path.name} is a {found.kind} calibration", hint="choose another file")
        said, card = summary(found, path), found.card
        takes = tuple(dict.fromkeys(_take(source.pair) for source in card.sources))
        known = Known(
            kind, path, found.id, card.created, _age(card.created), card.valid_days, len(card.sources),
            takes, tuple(said["lines"]), _picture(said),
        )  # fmt: skip
    except BeamrigError as error:
        return Known(kind, path, refused=error.message, hint=error.hint)
    try:
        if chosen is not None and chosen.path == path:
            open_chosen(chosen)
        check({path: found}, frames)
    except BeamrigError as error:
        return Known(**{**known.__dict__, "refused": error.message, "hint": error.hint})
    return known


def _own(session: Session, scene: str, wanted: Mapping[str, str]) -> tuple[SceneKnown, ...]:
    metrics = read_json(session.root / "derived" / scene / "metrics.json") or {}
    used = str(metrics.get("calibration", ""))
    found = []
    for path in (session.root / "calibration").glob(f"{scene}_*_*.json"):
        peek = read_json(path) or {}
        if peek.get("kind") == "scene" and peek.get("scene") == scene:
            found.append(_scene(session, path, str(peek.get("profile", "")), str(peek.get("id")) == used))
    found.sort(
        key=lambda one: (not one.refused, one.used == wanted, one.in_use, one.created, one.path.name),
        reverse=True,
    )
    return tuple(found)


def _scene(session: Session, path: Path, profile: str, in_use: bool) -> SceneKnown:
    try:
        said, stored = read(path), SceneCalibration.load(path)
        Takes.stored(session, stored.scene, stored.sources, stored.frames)
    except BeamrigError as error:
        return SceneKnown(
            "scene", path, refused=error.message, hint=error.hint, profile=profile, in_use=in_use
        )
    left = stored.residual
    return SceneKnown(
        kind="scene",
        path=path,
        id=stored.id,
        created=stored.created,
        age_days=_age(stored.created),
        sources=len(stored.sources),
        takes=tuple(dict.fromkeys(_take(source.pair) for source in stored.sources)),
        lines=tuple(said["lines"]),
        profile=profile,
        static_pair={state: _floats(values) for state, values in stored.static_metrics.items()},
        geometric_px={
            "before": mean_displacement(stored.flow, stored.box),
            "after": left.mean_px,
            "p95": left.p95_px,
        },
        used=dict(stored.used),
        in_use=in_use,
    )


def _missing(session: Session, scene: str, kind: str, chosen: Mapping[str, ChosenFile]) -> tuple[str, ...]:
    groups = list(NEEDS[kind])
    if kind == "scene" and {"lightbox", "colour"} <= set(chosen):
        groups = groups[:1]  # the laboratory says what even light would
    return tuple(group[0] for group in groups if not any(session.pairs(scene, one) for one in group))


def _take(pair: str) -> str:
    scene, kind, shot = pair.split("/")
    return f"{scene} {kind} {int(shot[1:].split('_')[0])}"


def _floats(values: PairMetrics) -> dict[str, float]:
    names = ("delta_l_percent", "psnr_db", "ssim")
    return {
        name: float(value) for name, value in values.items() if name in names and isinstance(value, float)
    }


def _age(created: str) -> int:
    return (datetime.now(UTC) - datetime.fromisoformat(created)).days


def _picture(said: Mapping[str, Any]) -> Path | None:
    return Path(said["picture"]) if said["picture"] else None

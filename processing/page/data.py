"""The figures of a session's report as plain data: what the page shows and `report --json` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import numpy as np

from processing.alignment.flow_files import flow_from_dict
from processing.alignment.flow_residual import mean_displacement
from processing.dataset.card import version
from processing.errors import ProcessingError
from processing.jobs.derived import DerivedPair, DerivedScene, read_scenes
from processing.jobs.steps import Progress
from processing.page.pair_figures import developed_figures
from rig.session import Session


@dataclass(frozen=True)
class PairFigures:
    """A developed pair in the report.

    Attributes:
        pair: its id.
        level: the worst of its findings, see `DerivedPair.level`.
        findings: their texts.
        figures: what was measured of it.
        state, why: see `DerivedPair`.
        review: what a person decided about it, in words; empty when nobody did.
        left_out: why it is not to be used, see `DerivedPair`.
    """

    pair: str
    level: str
    findings: tuple[str, ...]
    figures: dict[str, float]
    state: str
    why: str
    review: str = ""
    left_out: str = ""


@dataclass(frozen=True)
class SceneFigures:
    """A scene in the report; what was not measured is empty or None.

    Attributes:
        scene: its name.
        profile, calibration, created: of the processing.
        static_pair: Delta-L, PSNR and SSIM "before" and "after" the pipeline.
        geometric_px: mean displacement "before" (the whole map) and "after" (what the images still show).
        residuals_px: length of the displacement left in each cell with texture.
        plan: speed, distance, tau, exposures, blur; of the last action take.
        exposures: planned and applied exposure of each take, in microseconds.
        blur: measured blur lengths with their errors.
        blur_note: why there are none.
        notes: what to know of how the scene was measured.
        pairs: static and action pairs.
        rejected: shot id and reason.
        sources: files that the calibration was made from.
    """

    scene: str
    profile: str
    calibration: str
    created: str
    static_pair: dict[str, dict[str, float]]
    geometric_px: dict[str, float]
    residuals_px: list[float]
    plan: dict[str, Any]
    exposures: list[dict[str, Any]]
    blur: dict[str, Any]
    blur_note: str
    notes: tuple[str, ...]
    pairs: tuple[PairFigures, ...]
    rejected: tuple[tuple[str, str], ...]
    sources: int

    def of_kind(self, kind: str) -> list[PairFigures]:
        """Return the pairs of one kind."""
        return [one for one in self.pairs if one.pair.split("/")[1] == kind]

    def pair_blur(self, camera: str) -> tuple[float, ...]:
        """Return the blur lengths that were measured in single pairs, in px."""
        name = f"blur_{camera}_px"
        return tuple(one.figures[name] for one in self.of_kind("action") if name in one.figures)


@dataclass(frozen=True)
class SessionFigures:
    """The whole report.

    Attributes:
        session, id, created, operator, rig: of the session.
        version: of beamrig.
        serials: serial numbers of "B" and "S".
        scenes: by name.
        mean: means over the scenes of what Table 1 of the paper gives.
    """

    session: str
    id: str
    created: str
    operator: str
    rig: str
    version: str
    serials: dict[str, str]
    scenes: tuple[SceneFigures, ...]
    mean: dict[str, dict[str, float]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**self.__dict__, "scenes": [_scene_dict(scene) for scene in self.scenes]}


def _scene_dict(scene: SceneFigures) -> dict[str, Any]:
    return {
        **scene.__dict__,
        "pairs": [{**pair.__dict__, "findings": list(pair.findings)} for pair in scene.pairs],
        "rejected": [{"shot": shot, "reason": reason} for shot, reason in scene.rejected],
    }


def collect(session: Session, progress: Progress | None = None) -> SessionFigures:
    """Collect what is known of a processed session.

    Args:
        session: the session; only read.
        progress: told the done fraction and what is being done.

    Raises:
        ProcessingError: if no scene of it was processed.
    """
    known = list(read_scenes(session))
    if not any(scene.metrics for scene in known):
        raise ProcessingError(
            f"session {session.root.name} was not processed", hint=f"run beamrig process {session.root} first"
        )
    tell = progress or (lambda done, text: None)
    scenes = []
    for number, scene in enumerate(known):
        scenes.append(
            _scene(scene, lambda done, text, n=number: tell((n + done) / len(known), text))  # type: ignore[misc]
        )
    first = next((pair.record for scene in known for pair in scene.pairs), None)
    return SessionFigures(
        session=session.root.name,
        id=session.id,
        created=session.created,
        operator=session.operator,
        rig=session.rig_profile.name,
        version=version(),
        serials={
            "B": str(first.meta_b.get("serial_number", "")) if first else "",
            "S": str(first.meta_s.get("serial_number", "")) if first else "",
        },
        scenes=tuple(scenes),
        mean=_means(scenes),
    )


def _scene(scene: DerivedScene, tell: Progress) -> SceneFigures:
    metrics, calibration = scene.metrics, scene.calibration
    residual = calibration.get("residual") or {}
    pairs = []
    for number, pair in enumerate(scene.pairs):
        tell(number / len(scene.pairs), f"{pair.record.id}: figures")
        pairs.append(_pair(pair))
    action = [take for take in scene.takes if take.kind == "action" and take.details.get("plan")]
    return SceneFigures(
        scene=scene.name,
        profile=str(metrics.get("profile", "")),
        calibration=str(metrics.get("calibration", "")),
        created=str(calibration.get("created", "")),
        static_pair=dict(metrics.get("static_pair") or {}),
        geometric_px=_geometric(metrics, calibration),
        residuals_px=[
            float(np.hypot(*cell)) for row in residual.get("map") or [] for cell in row if cell is not None
        ],
        plan=dict(action[-1].details["plan"]) if action else {},
        exposures=list(_exposures(scene)),
        blur=dict(metrics.get("blur") or {}),
        blur_note=str(metrics.get("blur_note") or ""),
        notes=tuple(str(note) for note in metrics.get("notes") or ()),
        pairs=tuple(pairs),
        rejected=tuple((shot.id, shot.sync.reason) for shot in scene.rejected),
        sources=len(calibration.get("sources") or []),
    )


def _geometric(metrics: Mapping[str, Any], calibration: Mapping[str, Any]) -> dict[str, float]:
    """Return the mean displacement between both views before and after the alignment."""
    after = (metrics.get("residual_px") or {}).get("mean")
    if after is None:
        return {}
    found = {"after": float(after), "p95": float(metrics["residual_px"].get("p95", after))}
    if calibration.get("flow") and calibration.get("box"):
        y0, y1, x0, x1 = (int(v) for v in calibration["box"])
        found["before"] = mean_displacement(flow_from_dict(calibration["flow"]), (y0, y1, x0, x1))
    return found


def _exposures(scene: DerivedScene) -> Iterable[dict[str, Any]]:
    for take in scene.takes:
        plan, applied = take.details.get("plan") or {}, take.details.get("exposure_us") or {}
        asked = plan.get("exposure_us") or {}
        yield {
            "take": f"{take.kind} {take.take}",
            "planned_us": {camera: asked.get(camera, {}).get("planned") for camera in "BS"},
            "applied_us": {camera: applied.get(camera) for camera in "BS"},
            "state": take.state,
            "fired": take.outcome.get("fired"),
            "paired": take.outcome.get("paired"),
        }


def _pair(pair: DerivedPair) -> PairFigures:
    findings = [*(one.to_dict() for one in pair.record.findings), *pair.findings]
    measured = {} if pair.state == "stale" else pair.figures  # not beside figures of another development
    figures = {name: float(value) for name, value in measured.items() if isinstance(value, int | float)}
    if pair.state == "developed":
        figures |= developed_figures(pair)
    return PairFigures(
        pair.record.id,
        pair.level,
        tuple(f"{one.get('text', '')} {one.get('hint') or ''}".strip() for one in findings),
        figures,
        pair.state,
        pair.why,
        pair.review.line() if pair.review is not None else "",
        pair.left_out,
    )


def _means(scenes: Iterable[SceneFigures]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    done = [scene for scene in scenes if scene.static_pair]
    for state in ("before", "after"):
        values = {
            name: [scene.static_pair[state][name] for scene in done]
            for name in ("delta_l_percent", "psnr_db", "ssim")
        }
        values["geometric_px"] = [s.geometric_px[state] for s in done if state in s.geometric_px]
        found[state] = {name: fmean(known) for name, known in values.items() if known}
    return found

"""The figures of one scene of the virtual rig under one profile of the pipeline, beside the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from beamrig.demo.capturing import SCENE, Captured
from beamrig.demo.truth import cast_error_percent, geometric_error_px, mask_ious, true_tau
from processing.errors import BlurNotMeasurable
from processing.jobs.batch import process_session
from processing.jobs.report import SceneReport
from processing.pipeline import ScenePipeline
from processing.profile import Profile
from processing.survey.tau import measure_tau
from rig.session import Session

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Figures:
    """What a profile made of a scene.

    Attributes:
        profile: "best" or "paper".
        static_pair: Agreement of the static pair "before" and "after".
        geometric_error_px: Distance of the registration from the true map: mean, p95, and both before.
        residual_px: The same as the pipeline measures it in the images, without the truth: mean and p95.
        mask_iou: Of each action pair, against the true footprint.
        cast_percent: What is left of each camera's cast: max and rms.
        beta: R, G and B: "measured" and "truth" (Eq. 6).
        tau: "measured" and "truth".
        blur_px: Camera -> "measured", "standard_error" and "truth".
    """

    profile: Profile
    static_pair: dict[str, dict[str, float]]
    geometric_error_px: dict[str, float]
    residual_px: dict[str, float]
    mask_iou: list[float]
    cast_percent: dict[str, dict[str, float]]
    beta: dict[str, list[float]]
    tau: dict[str, float]
    blur_px: dict[str, dict[str, float]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Processed:
    """A processed scene: the report of the processing, and the pipeline that it went through."""

    profile: Profile
    report: SceneReport
    pipeline: ScenePipeline


def process_scene(
    session: Session, profile: Profile, *, images: bool = True, progress: Progress | None = None
) -> Processed:
    """Process the scene as `beamrig process` does.

    Args:
        session: The recorded session.
        profile: "best" or "paper".
        images: Write the developed images; without, masks and figures alone.
        progress: Told (done fraction, text).

    Raises:
        BeamrigError: A step failed, or the object's blur cannot be measured.
    """
    report = process_session(session, profile=profile, images=images, progress=progress).scenes[SCENE]
    if report.blur_px is None:
        raise BlurNotMeasurable(report.blur_note)
    return Processed(profile, report, ScenePipeline.from_session(session, SCENE, profile))


def compare(
    session: Session, captured: Captured, processed: Processed, progress: Progress = lambda done, text: None
) -> Figures:
    """Put what was found in a processed scene beside the truth. Before the scene is processed otherwise.

    Args:
        session: The recorded session.
        captured: What the world said of it.
        processed: The scene, as it lies in the session.
        progress: Told (done fraction, text).

    Raises:
        BeamrigError: A mask is missing, or the transmittance cannot be measured.
    """
    report, pipeline = processed.report, processed.pipeline
    truth, exposure, blur = captured.truth, captured.exposure_us, report.blur_px or {}
    progress(0.0, "registration against the truth")
    error = geometric_error_px(pipeline.flow, truth, pipeline.box)
    pairs = session.pairs(SCENE, "action")
    ious = mask_ious(
        [report.mask(pair) for pair in pairs],
        captured.frames,
        truth,
        pipeline.box,
        lambda count: progress(count / len(pairs), "masks against the true footprints"),
    )
    tau = measure_tau(pair.load() for pair in session.pairs(SCENE, "static"))
    return Figures(
        profile=processed.profile,
        static_pair=report.static_pair,
        geometric_error_px=error,
        residual_px=report.residual_px,
        mask_iou=ious,
        cast_percent={
            camera: cast_error_percent(pipeline.calibration.colour[camera], truth, camera)
            for camera in ("B", "S")
        },
        beta={
            "measured": list(pipeline.calibration.beta),
            "truth": list(truth.beta_expected(exposure["B"], exposure["S"])),
        },
        tau={"measured": tau.overall, "truth": true_tau(truth)},
        blur_px={
            camera: {
                "measured": float(blur[f"{camera.lower()}_px"]),
                "standard_error": float(blur[f"{camera.lower()}_error_px"]),
                "truth": truth.blur_px(camera, exposure[camera]),
            }
            for camera in ("B", "S")
        },
    )

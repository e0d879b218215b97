"""The steps of the demo, in the order in which an operator would take them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from beamrig import __version__
from beamrig.demo.album import Album
from beamrig.demo.report import Report
from beamrig.demo.truth import frames_of, geometric_error_px, mask_ious, mispaired
from models.deblur import DeblurEngine
from processing.batch import process_session
from processing.errors import BlurNotMeasurable
from processing.isp import to_8bit
from processing.metrics import psnr
from processing.pipeline import Developed, ScenePipeline
from rig import Rig
from rig.capture.result import Shot, TakeResult
from rig.exposure import plan_exposure
from rig.plan import ExposurePlan
from rig.profiles import load_rig
from rig.session import Session
from rig.virtual.client import WorldClient
from rig.virtual.frames import RenderedFrame
from rig.virtual.truth import Truth

SCENE: Final = "s01"
TAKES: Final = (("lightbox", 4), ("whiteboard", 2), ("static", 5))
STEPS: Final = ("open", "capture", "develop", "compare", "deblur", "report")

Tell = Callable[[str, float, str], None]
"""Called with (step, done fraction of the step, what is being done)."""


@dataclass(frozen=True)
class Order:
    """What the demo is asked for."""

    out: Path
    rig: str
    speed_mps: float
    distance_m: float
    blur_s_px: float
    pairs: int


@dataclass
class _Clock:
    """Seconds of each step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


@dataclass(frozen=True)
class _Captured:
    """What is left of the rig once it is closed."""

    takes: list[TakeResult]
    truth: Truth
    frames: list[tuple[RenderedFrame, RenderedFrame]]

    @property
    def action(self) -> TakeResult:
        """The last take."""
        return self.takes[-1]


def run_demo(order: Order, tell: Tell) -> Report:
    """Plan, capture, develop, compare with the truth, deblur one pair, and return the report.

    The pictures and the session are written into ``order.out``; the caller writes the report.

    Raises:
        BeamrigError: Any step failed; what was captured until then stays in the folder.
    """
    clock = _Clock()
    profile = load_rig(order.rig)
    plan = plan_exposure(
        profile, speed_mps=order.speed_mps, distance_m=order.distance_m, blur_s_px=order.blur_s_px
    )
    with Session.create(order.out / "session", profile) as session:
        session.add_scene(SCENE, plan)
        captured = _capture(order, session, plan, clock, tell)
        with clock.step("develop"):
            tell("develop", 0.0, "colour, brightness, registration of the static pair")
            processed = process_session(session, progress=lambda done, text: tell("develop", done, text))
            pipeline = ScenePipeline.from_session(session, SCENE)
        developed = processed.scenes[SCENE]
        if developed.blur_px is None:
            raise BlurNotMeasurable(developed.blur_note)
        pairs, truth, applied = captured.action.pairs, captured.truth, captured.action.applied
        with clock.step("compare"):
            tell("compare", 0.0, "registration against the truth")
            error = geometric_error_px(pipeline.flow, truth, pipeline.box)
            masks = [developed.mask(pair) for pair in pairs]
            ious = mask_ious(
                masks,
                captured.frames,
                truth,
                pipeline.box,
                lambda done: tell("compare", done / len(masks), "masks against the true footprints"),
            )
        album = Album(order.out)
        shown, mask = pairs[len(pairs) // 2], masks[len(pairs) // 2]
        with clock.step("deblur"):
            tell("deblur", 0.0, "LBAG on one pair")
            raw = shown.load()
            example = pipeline.develop(raw.b, raw.s)
            deblurred = {"pair": shown.id, **_deblur(example, mask, album, tell)}
        with clock.step("report"):
            tell("report", 0.0, "pictures")
            album.static_pair(pipeline)
            album.action_pair(shown.id, example, mask)
            tell("report", 1.0, "pictures")
    beta_truth = truth.beta_expected(applied.exposure_us["B"], applied.exposure_us["S"])
    skews = [abs(shot.skew_us) for shot in captured.action.shots if shot.skew_us is not None]
    return Report(
        version=__version__,
        rig=profile.name,
        seed=truth.parameters.seed,
        plan=plan.to_dict(),
        shots=_counts(captured.action),
        takes=[{"kind": take.kind, **_counts(take)} for take in captured.takes],
        blur_px={
            camera: {
                "predicted": plan.blur_px[camera],
                "measured": float(developed.blur_px[f"{camera.lower()}_px"]),
                "standard_error": float(developed.blur_px[f"{camera.lower()}_error_px"]),
                "truth": truth.blur_px(camera, applied.exposure_us[camera]),
            }
            for camera in ("B", "S")
        },
        exposure_us={
            camera: {"planned": plan.planned_us[camera], "applied": applied.exposure_us[camera]}
            for camera in ("B", "S")
        },
        static_pair=developed.static_pair,
        geometric_error_px=error,
        mask_iou=float(np.mean(ious)),
        mask_iou_per_pair=ious,
        beta={"measured": list(pipeline.calibration.beta), "truth": list(beta_truth)},
        skew_us={"max": max(skews), "mean": float(np.mean(skews))},
        mispaired=mispaired(captured.frames),
        deblur=deblurred,
        seconds=sum(clock.seconds.values()),
        seconds_per_step=clock.seconds,
        pictures=album.pictures,
    )


def _counts(take: TakeResult) -> dict[str, int]:
    return {"fired": take.fired, "paired": take.paired, "rejected": take.rejected}


def _deblur(developed: Developed, mask: NDArray[np.uint8], album: Album, tell: Tell) -> dict[str, Any]:
    """Deblur B of a pair; return what ran, and what it did to the moving object and to the background."""
    engine = DeblurEngine()
    result = engine.run(developed.b, progress=lambda done: tell("deblur", done, "LBAG on one pair"))
    album.deblurred(developed, result, mask)
    inside = mask > 0
    b, s, sharp = (to_8bit(image) for image in (developed.b, developed.s, result.sharp))
    return {
        "note": result.info.note,
        "engine": result.info.to_dict(),
        "seconds": result.seconds,
        "psnr_db": {
            "blurred": psnr(b, s),
            "deblurred": psnr(sharp, s),
            "blurred_inside_mask": psnr(b[inside], s[inside]),
            "deblurred_inside_mask": psnr(sharp[inside], s[inside]),
        },
    }


def _capture(order: Order, session: Session, plan: ExposurePlan, clock: _Clock, tell: Tell) -> _Captured:
    with clock.step("open"):
        tell("open", 0.0, f"opening the rig {order.rig}")
        rig = Rig.open(order.rig)
    with rig:
        world = WorldClient(rig.run_dir)
        with clock.step("capture"):
            world.set(speed_mps=order.speed_mps, distance_m=order.distance_m)
            rig.apply_plan(plan)
            wanted = (*TAKES, ("action", order.pairs))
            total = sum(count for _, count in wanted)
            takes: list[TakeResult] = []
            for kind, count in wanted:
                before = sum(take.fired for take in takes)
                tell("capture", before / total, kind)

                def note(shot: Shot, kind: str = kind, before: int = before) -> None:
                    text = f"{kind}: shot {shot.number} of {shot.fired}"
                    tell("capture", (before + shot.number) / total, text)

                takes.append(rig.capture(session, SCENE, kind, count, on_shot=note))
            return _Captured(takes, world.truth(), frames_of(takes[-1].pairs, world))

"""The steps of the demo, in the order in which an operator would take them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from beamrig import __version__
from beamrig.demo.album import Album
from beamrig.demo.capturing import SCENE, Captured, Tell, capture_scene
from beamrig.demo.deblurred import deblur_figures
from beamrig.demo.figures import Figures, Processed, compare, process_scene
from beamrig.demo.report import Report
from beamrig.demo.truth import mispaired
from models.deblur import DeblurEngine
from models.weights import choose_weights
from processing.pipeline import Developed
from processing.profile import Profile
from rig import Rig
from rig.exposure import plan_exposure
from rig.plan import ExposurePlan
from rig.profiles import RigProfile, load_rig
from rig.session import Session
from rig.virtual.backgrounds import with_world

STEPS: Final = ("open", "capture", "develop", "compare", "deblur", "report")


@dataclass(frozen=True)
class Order:
    """What the demo is asked for; a seed or background of None is what the rig's profile says."""

    out: Path
    rig: str
    speed_mps: float
    distance_m: float
    blur_s_px: float
    pairs: int
    seed: int | None = None
    background: str | None = None
    paper: bool = False


@dataclass
class _Clock:
    """Seconds of each step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


def run_demo(order: Order, tell: Tell) -> Report:
    """Plan, capture, develop, compare with the truth, deblur one pair, and return the report.

    Pictures, session and the world's truth are written into ``order.out``; the caller writes the report.

    Raises:
        BeamrigError: Any step failed; what was captured until then stays in the folder.
    """
    clock = _Clock()
    profile = with_world(load_rig(order.rig), seed=order.seed, background=order.background)
    plan = plan_exposure(
        profile,
        speed_mps=order.speed_mps,
        distance_m=order.distance_m,
        blur_s_px=order.blur_s_px,
        # The paper starts both together. A network that sharpens B puts the mover where it was in the middle
        # of the exposure: only there can its result be held against S.
        placement="centre",
    )
    with Session.create(order.out / "session", profile) as session:
        session.add_scene(SCENE, plan)
        captured = _capture(order, profile, session, plan, clock, tell)
        captured.save(order.out / "truth.json")
        # The paper's way first: what lies in the session at the end is the better one.
        paper = _figures("paper", session, captured, clock, tell)[0] if order.paper else None
        figures, done = _figures("best", session, captured, clock, tell)
        pipeline, pairs = done.pipeline, session.pairs(SCENE, "action")
        album = Album(order.out)
        shown = pairs[len(pairs) // 2]
        mask = done.report.mask(shown)
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
    action = captured.takes[-1]
    return Report(
        version=__version__,
        rig=profile.name,
        seed=captured.truth.seed,
        background=captured.truth.background,
        plan=plan.to_dict(),
        shots={name: action[name] for name in ("fired", "paired", "rejected")},
        takes=captured.takes,
        blur_px={
            camera: {"predicted": plan.blur_px[camera], **figures.blur_px[camera]} for camera in ("B", "S")
        },
        exposure_us={
            camera: {"planned": plan.planned_us[camera], "applied": captured.exposure_us[camera]}
            for camera in ("B", "S")
        },
        static_pair=figures.static_pair,
        geometric_error_px=figures.geometric_error_px,
        mask_iou=float(np.mean(figures.mask_iou)),
        mask_iou_per_pair=figures.mask_iou,
        cast_percent=figures.cast_percent,
        beta=figures.beta,
        tau=figures.tau,
        paper=paper.to_dict() if paper else None,
        skew_us={"max": max(captured.skew_us), "mean": float(np.mean(captured.skew_us))},
        mispaired=mispaired(captured.frames),
        deblur=deblurred,
        seconds=sum(clock.seconds.values()),
        seconds_per_step=clock.seconds,
        pictures=album.pictures,
    )


def _figures(
    profile: Profile, session: Session, captured: Captured, clock: _Clock, tell: Tell
) -> tuple[Figures, Processed]:
    """Process the scene and compare with the truth; the developed images are written for "best" alone."""
    way = "" if profile == "best" else f"{profile}: "
    with clock.step("develop"):
        tell("develop", 0.0, f"{way}colour, brightness, registration of the static pair")
        processed = process_scene(
            session,
            profile,
            images=profile == "best",
            progress=lambda done, text: tell("develop", done, way + text),
        )
    with clock.step("compare"):
        figures = compare(session, captured, processed, lambda done, text: tell("compare", done, way + text))
    return figures, processed


def _deblur(developed: Developed, mask: NDArray[np.uint8], album: Album, tell: Tell) -> dict[str, Any]:
    """Deblur B of a pair; return what ran, and what it did to the moving object and to the background."""
    engine = DeblurEngine(choose_weights())
    result = engine.run(
        developed.b,
        progress=lambda done: tell("deblur", done, "LBAG on one pair"),
        reference=developed.s,
        only_moved=True,
    )
    album.deblurred(developed, result, mask)
    return deblur_figures(developed, result, mask)


def _capture(
    order: Order, profile: RigProfile, session: Session, plan: ExposurePlan, clock: _Clock, tell: Tell
) -> Captured:
    with clock.step("open"):
        tell("open", 0.0, f"opening the rig {order.rig}")
        rig = Rig.open(profile)
    with rig, clock.step("capture"):
        return capture_scene(rig, session, plan, order.pairs, tell)

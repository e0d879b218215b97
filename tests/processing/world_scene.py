"""Small sessions that the virtual world's own optics rendered in this process: every number is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from rig.dng import write_dng
from rig.profiles import load_rig
from rig.raw_image import RawImage
from rig.records import PairRecord, SyncProof
from rig.session import Session
from rig.virtual.frames import RenderedFrame
from rig.virtual.motion import Path as Way
from rig.virtual.parameters import WorldParameters, draw_parameters
from rig.virtual.render import CameraRenderer
from rig.virtual.state import ObjectSpec, SceneState
from rig.virtual.truth import Truth

WIDTH, HEIGHT = 816, 680
SCENE = "s01"
SPEED_MPS, BLUR_S_PX, RATIO = 1.4, 2.5, 8
TAKES = {"lightbox": 8, "whiteboard": 2, "static": 5, "action": 3}
PERIOD_NS = 400_000_000
OBJECT = ObjectSpec(1.0, 0.6, Way(half_length_m=0.7, centre_y_m=-0.2))


@dataclass(frozen=True)
class WorldSession:
    """A recorded session and what is true of it.

    Attributes:
        frames: The action pairs as rendered.
    """

    session: Session
    truth: Truth
    exposure_us: dict[str, float]
    frames: list[tuple[RenderedFrame, RenderedFrame]]


def small_parameters(seed: int) -> WorldParameters:
    """The virtual rig with a third of the pixels across, and a lens that keeps the field of view."""
    return draw_parameters(seed=seed, width=WIDTH, height=HEIGHT, focal_length_m=0.016 / 3)


def record_world(folder: Path, seed: int, background: str) -> WorldSession:
    """Record all takes of a scene: an object of 310 x 186 px that B smears by 20 px and S by 2.5 px."""
    parameters = small_parameters(seed)
    state = SceneState(parameters, (OBJECT,), speed_mps=SPEED_MPS, background=background)
    renderers = {name: CameraRenderer(parameters, state, name) for name in "BS"}
    exposure_s = BLUR_S_PX / (SPEED_MPS * parameters.pixels_per_metre(parameters.distance_m))
    exposure_ns = {"B": round(RATIO * exposure_s * 1e9), "S": round(exposure_s * 1e9)}
    for name, exposure in exposure_ns.items():
        state.note_exposure(name, exposure * 1e-9)  # as the live view does before the boards are lit
    session = Session.create(folder, load_rig("virtual"))
    session.add_scene(SCENE, None)
    frames: list[tuple[RenderedFrame, RenderedFrame]] = []
    for kind, count in TAKES.items():
        state.set_stage(kind)
        take = session.start_take(SCENE, kind, count, {})
        records = []
        for index in range(count):
            start = (1 + index) * PERIOD_NS
            written, rendered = {}, {}
            for name, renderer in renderers.items():
                pixels = np.empty((HEIGHT, WIDTH), np.uint16)
                rendered[name] = renderer.render(_exposure(index, start, exposure_ns[name]), pixels)
                raw = RawImage(
                    pixels=pixels, cfa="RGGB", black_level=64, white_level=4095, significant_bits=12,
                    exposure_us=exposure_ns[name] / 1e3, gain_db=0.0, serial_number=f"V-{name}",
                    camera=name, trigger_index=index, frame_id=index, timestamp_ns=start,
                )  # fmt: skip
                written[name] = write_dng(session.shot_path(SCENE, kind, take, index, name), raw)
            stamps: dict[str, int | None] = {"B": start, "S": start}
            sync = SyncProof(index, stamps, stamps, 0.0, 0.0, count, {"B": 0, "S": 0}, "paired")
            meta = {name: {"sha256": file.sha256} for name, file in written.items()}
            records.append(
                PairRecord(
                    SCENE, kind, take, index, written["B"].path, written["S"].path, sync, meta["B"], meta["S"]
                )
            )
            if kind == "action":
                frames.append((rendered["B"], rendered["S"]))
        session.record_shots(records)
        session.end_take(SCENE, kind, take, "complete", {})
    exposure_us = {name: value / 1e3 for name, value in exposure_ns.items()}
    return WorldSession(session, Truth(parameters, state.to_dict()), exposure_us, frames)


def _exposure(index: int, start_ns: int, exposure_ns: int) -> SimpleNamespace:
    return SimpleNamespace(
        frame_id=index, t_start_ns=start_ns, exposure_ns=exposure_ns, gain_db=0.0, black_level_dn=64.0,
        offset_x=0, offset_y=0, triggered=True,
    )  # fmt: skip

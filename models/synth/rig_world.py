"""A calibrated scene of the virtual rig, rendered in this process and developed as a session is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from processing.pipeline import Developed, ScenePipeline
from rig.dng import write_dng
from rig.profiles import load_rig
from rig.raw_image import RawImage
from rig.records import PairRecord, SyncProof
from rig.session import Session
from rig.virtual.frames import RenderedFrame
from rig.virtual.parameters import (
    REFERENCE_BLUR_PX,
    REFERENCE_SPEED_MPS,
    WorldParameters,
    draw_parameters,
)
from rig.virtual.render import CameraRenderer
from rig.virtual.state import ObjectSpec, SceneState
from rig.virtual.truth import Truth

__all__ = ["RigWorld", "WorldSettings"]

_SCENE: Final = "s01"
_TAKES: Final = {"lightbox": 8, "static": 5}
"""What the pipeline is calibrated from; enough frames that their noise is far below a pair's."""
_PERIOD_NS: Final = 400_000_000
_FOCAL_LENGTH_M: Final = 0.016
_FULL_WIDTH_PX: Final = 2448
_S_LEVEL: Final = 2.5 / REFERENCE_BLUR_PX
"""S is exposed for this part of the reference exposure: white fills half of its full well."""


@dataclass(frozen=True)
class WorldSettings:
    """Which world.

    Attributes:
        seed: Of the hidden numbers (casts, misregistration, responses) and of the sensors' noise.
        background: One of `rig.virtual.backgrounds`.
        width_px: Of the sensors; the lens is chosen so that the field of view stays the rig's.
        height_px: Likewise.
        transmittance: Label of the density filter before B; B is exposed longer by its inverse.
    """

    seed: int
    background: str
    width_px: int = 816
    height_px: int = 680
    transmittance: float = 0.0625

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return asdict(self)


class RigWorld:
    """A world whose calibration takes have been recorded and measured; `shoot` then makes pairs.

    Args:
        settings: Which world.
        objects: What moves in it.
        folder: For its session, which holds the calibration takes alone; must not exist yet.
    """

    def __init__(self, settings: WorldSettings, objects: tuple[ObjectSpec, ...], folder: Path) -> None:
        self.parameters: WorldParameters = draw_parameters(
            seed=settings.seed,
            width=settings.width_px,
            height=settings.height_px,
            focal_length_m=_FOCAL_LENGTH_M * settings.width_px / _FULL_WIDTH_PX,
            tau_nominal=settings.transmittance,
        )
        self.state = SceneState(self.parameters, objects, background=settings.background)
        self._renderers = {name: CameraRenderer(self.parameters, self.state, name) for name in "BS"}
        per_metre = self.parameters.pixels_per_metre(self.parameters.distance_m)
        exposure_s = _S_LEVEL * REFERENCE_BLUR_PX / (REFERENCE_SPEED_MPS * per_metre)
        self.exposure_ns = {
            "B": round(exposure_s / settings.transmittance * 1e9),
            "S": round(exposure_s * 1e9),
        }
        for name, exposure in self.exposure_ns.items():
            self.state.note_exposure(name, exposure * 1e-9)  # before the boards are lit
        with self._recorded(folder) as session:
            self._pipeline = ScenePipeline.from_session(session, _SCENE, "best")
        self.state.set_stage("action")
        self.now_ns = 100 * _PERIOD_NS

    @property
    def residual_px(self) -> float:
        """Mean misalignment that the calibration left, as it measured it."""
        return float(self._pipeline.residual.mean_px)

    def speed_for(self, blur_px: float, distance_m: float) -> float:
        """Return the speed in m/s at which B is blurred by so many px (Eq. 2)."""
        return blur_px / (self.exposure_ns["B"] * 1e-9 * self.parameters.pixels_per_metre(distance_m))

    def runs_straight(self, start_ns: int) -> bool:
        """Return whether no object turns round during an exposure of B that begins then."""
        view = self.state.view(start_ns, start_ns + self.exposure_ns["B"])
        return all(len(item.pieces) == 1 for item in view.objects)

    def shoot(self, start_ns: int) -> tuple[Developed, RenderedFrame, npt.NDArray[np.bool_]]:
        """Expose a pair, S in the middle of B, and develop it.

        Returns:
            The developed pair; B's record; (h, w) bool in its pixels: where the objects were in either frame.
        """
        raw, rendered = self._expose(start_ns, index=0)
        developed = self._pipeline.develop(raw["B"], raw["S"])
        truth = Truth(self.parameters, self.state.to_dict())
        y0, y1, x0, x1 = developed.box
        return developed, rendered["B"], truth.footprint(rendered["B"], rendered["S"])[y0:y1, x0:x1]

    def _expose(self, start_ns: int, index: int) -> tuple[dict[str, RawImage], dict[str, RenderedFrame]]:
        delay = {"B": 0, "S": (self.exposure_ns["B"] - self.exposure_ns["S"]) // 2}
        raw, rendered = {}, {}
        for name, renderer in self._renderers.items():
            camera, begin = renderer.camera, start_ns + delay[name]
            pixels = np.empty((self.parameters.grid.height, self.parameters.grid.width), np.uint16)
            exposure = SimpleNamespace(
                frame_id=index, t_start_ns=begin, exposure_ns=self.exposure_ns[name], gain_db=0.0,
                black_level_dn=camera.black_level_dn, offset_x=0, offset_y=0, triggered=True,
            )  # fmt: skip
            rendered[name] = renderer.render(exposure, pixels)
            raw[name] = RawImage(
                pixels=pixels, cfa="RGGB", black_level=camera.black_level_dn, white_level=camera.max_code,
                significant_bits=12, exposure_us=self.exposure_ns[name] / 1e3, gain_db=0.0,
                serial_number=camera.serial_number, camera=name, trigger_index=index, frame_id=index,
                timestamp_ns=begin,
            )  # fmt: skip
        return raw, rendered

    def _recorded(self, folder: Path) -> Session:
        """Record the calibration takes and return their session, open."""
        session = Session.create(folder, load_rig("virtual"))
        session.add_scene(_SCENE, None)
        now = 0
        for kind, count in _TAKES.items():
            self.state.set_stage(kind)
            take = session.start_take(_SCENE, kind, count, {})
            records = []
            for index in range(count):
                now += _PERIOD_NS
                raw, _ = self._expose(now, index)
                files = {
                    name: write_dng(session.shot_path(_SCENE, kind, take, index, name), image)
                    for name, image in raw.items()
                }
                stamps: dict[str, int | None] = {name: image.timestamp_ns for name, image in raw.items()}
                frames: dict[str, int | None] = {"B": index, "S": index}
                sync = SyncProof(
                    index, frames, stamps, 0.0, 0.0, count, {"B": 0, "S": 0}, "paired", placement="centre"
                )
                meta = {name: {"sha256": file.sha256} for name, file in files.items()}
                paths = files["B"].path, files["S"].path
                records.append(PairRecord(_SCENE, kind, take, index, *paths, sync, meta["B"], meta["S"]))
            session.record_shots(records)
            session.end_take(_SCENE, kind, take, "complete", {})
        return session

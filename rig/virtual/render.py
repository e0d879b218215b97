"""One camera of the virtual rig: scene in, RAW codes out."""

from __future__ import annotations

import threading
from typing import Protocol

import numpy as np

from rig.virtual import kernel, scene
from rig.virtual.frames import Knock, RenderedFrame
from rig.virtual.kernel import F32, U16, WorldError
from rig.virtual.optics import gain_field, placed_objects, shift_maps
from rig.virtual.parameters import NEUTRAL_RAW, WorldParameters
from rig.virtual.state import SceneState, SceneView

BACKDROPS_KEPT = 2


class Exposure(Protocol):
    """What a camera asks for: the fields of `protocol.Render` that the picture depends on."""

    @property
    def frame_id(self) -> int: ...  # noqa: D102
    @property
    def t_start_ns(self) -> int: ...  # noqa: D102
    @property
    def exposure_ns(self) -> int: ...  # noqa: D102
    @property
    def gain_db(self) -> float: ...  # noqa: D102
    @property
    def black_level_dn(self) -> float: ...  # noqa: D102
    @property
    def offset_x(self) -> int: ...  # noqa: D102
    @property
    def offset_y(self) -> int: ...  # noqa: D102
    @property
    def triggered(self) -> int: ...  # noqa: D102


class CameraRenderer:
    """Renders the frames of one camera; one frame at a time, from any thread."""

    def __init__(self, parameters: WorldParameters, state: SceneState, name: str) -> None:
        self.parameters = parameters
        self.camera = parameters.cameras[name]
        self._state = state
        self._lock = threading.Lock()
        self._counter = 0
        self._fields: tuple[F32, tuple[F32, F32] | None] | None = None
        self._knock = (0.0, 0.0)
        self._backdrops: dict[str, F32] = {}

    def prepare(self) -> None:
        """Compute the static part of the first picture, so that the first frame is not late."""
        with self._lock:
            self._backdrop("action", self._state.background)

    def _optics(self) -> tuple[F32, tuple[F32, F32] | None]:
        if self._fields is None:
            self._fields = (
                gain_field(self.parameters, self.camera),
                shift_maps(self.parameters, self.camera, self._knock),
            )
        return self._fields

    def _look(self, knock: Knock) -> None:
        """Point the camera: what it saw elsewhere is forgotten."""
        if knock != self._knock:
            self._knock = knock
            self._backdrops.clear()
            if self._fields is not None:
                self._fields = (self._fields[0], shift_maps(self.parameters, self.camera, knock))

    def _backdrop(self, stage: str, background: str) -> F32:
        """Return (H, W) float32 e-/s of the static scene at light 1. Callers put back what they change."""
        kind = {
            "action": background,
            "static": background,
            "colorchecker": scene.CHECKER,
            "dark": "dark",
        }.get(stage, "board")
        if kind in self._backdrops:
            return self._backdrops[kind]
        gain, shift = self._optics()
        if kind == "dark":
            rate = np.zeros_like(gain)
        elif kind == "board":
            rate = gain.copy()
            rate[0::2, 0::2] *= np.float32(NEUTRAL_RAW[0])
            rate[1::2, 1::2] *= np.float32(NEUTRAL_RAW[2])
        else:
            backdrop = scene.backdrop(kind, self.parameters.grid.width, self.parameters.grid.height)
            rate = np.empty_like(gain)
            kernel.bayer_sample(
                backdrop.planes, rate, scale=backdrop.scale, offset=backdrop.offset, shift=shift
            )
            rate *= gain
        while len(self._backdrops) >= BACKDROPS_KEPT:
            self._backdrops.pop(next(k for k in self._backdrops if k != background))
        self._backdrops[kind] = rate
        return rate

    def render(self, exposure: Exposure, out: U16) -> RenderedFrame:
        """Render one exposure into ``out`` ((h, w) uint16, the region of interest) and return its record."""
        if exposure.exposure_ns <= 0:
            raise WorldError("an exposure must last longer than nothing")
        view = self._state.view(exposure.t_start_ns, exposure.t_start_ns + exposure.exposure_ns)
        exposure_s = exposure.exposure_ns * 1e-9
        self._state.note_exposure(self.camera.name, exposure_s)
        with self._lock:
            counter, self._counter = self._counter, self._counter + 1
            self._look(view.knock(self.camera.name))
            rate = self._backdrop(view.stage, view.background)
            undo = self._add_objects(rate, view)
            kernel.expose(
                rate,
                out,
                origin=(exposure.offset_x, exposure.offset_y),
                exposure_s=exposure_s * view.light,
                dark_e=self.camera.dark_e_per_s * exposure_s,
                read_noise_e=self.camera.read_noise_e,
                full_well_e=self.camera.full_well_e,
                gain_dn_per_e=self.camera.gain_dn_per_e * 10 ** (exposure.gain_db / 20),
                black_level_dn=exposure.black_level_dn,
                max_code=self.camera.max_code,
                key=kernel.noise_key(self.parameters.seed, self.camera.name, counter),
            )
            for (x0, y0, w, h), saved in reversed(undo):
                rate[y0 : y0 + h, x0 : x0 + w] = saved
        return RenderedFrame(
            camera=self.camera.name,
            frame_id=exposure.frame_id,
            counter=counter,
            t_start_ns=exposure.t_start_ns,
            exposure_ns=exposure.exposure_ns,
            gain_db=exposure.gain_db,
            triggered=bool(exposure.triggered),
            stage=view.stage,
            distance_m=view.distance_m,
            light=view.light,
            objects=view.objects,
            knock_px=view.knock(self.camera.name),
        )

    def _add_objects(self, rate: F32, view: SceneView) -> list[tuple[tuple[int, int, int, int], F32]]:
        gain, shift = self._optics()
        width = self.parameters.grid.width
        undo = []
        for placed in placed_objects(self.parameters, view.objects, view.distance_m):
            x0, y0, w, h = placed.box
            undo.append((placed.box, rate[y0 : y0 + h, x0 : x0 + w].copy()))
            kernel.compose(rate, gain, box=placed.box, width=width, shift=shift, **placed.way)
        return undo

"""What may change while the world lives: stage, distance, light, motion of the objects. Thread-safe."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rig.virtual.backgrounds import DEFAULT_BACKGROUND, find_background
from rig.virtual.frames import KNOCKS, Knock, RenderedObject
from rig.virtual.kernel import WorldError
from rig.virtual.motion import Motion, Path
from rig.virtual.parameters import WorldParameters

STAGES = ("action", "static", "whiteboard", "lightbox", "dark", "colorchecker")
BOARD_STAGES = ("whiteboard", "lightbox")
BOARD_FILL = 0.80
"""A board fills at most this part of the full well, at the brightest place of the frame."""
DEFAULT_BOARD_LEVEL = 0.95
MARGIN_M = 0.04
KNOCK_MAX_PX = 5.0
"""Sprites leave room for so much besides the misregistration."""


DEFAULT_PATH = Path(half_length_m=0.85, centre_y_m=-0.22)


@dataclass(frozen=True)
class ObjectSpec:
    """A moving object: size in metres, the path it would like, its phase along the to-and-fro way."""

    width_m: float = 0.5
    height_m: float = 0.35
    path: Path = DEFAULT_PATH
    phase_m: float = 0.0
    tile: int = 0


OBJECTS = (
    ObjectSpec(),
    ObjectSpec(0.4, 0.3, Path(half_length_m=0.8, centre_y_m=0.42), phase_m=1.9, tile=1),
    ObjectSpec(0.3, 0.3, Path(half_length_m=0.9, centre_y_m=0.8), phase_m=0.7, tile=3),
)
"""The objects at hand; a world shows the first one, or the first few. Each has a lane of its own."""


@dataclass(frozen=True)
class SceneView:
    """The scene during one exposure."""

    stage: str
    distance_m: float
    light: float
    objects: tuple[RenderedObject, ...]
    background: str = DEFAULT_BACKGROUND
    knocks: Mapping[str, Knock] = field(default_factory=dict)

    def knock(self, camera: str) -> Knock:
        """Return how far a camera looks beside where it looked when it was aligned, px of S's grid."""
        return self.knocks.get(camera, (0.0, 0.0))


class SceneState:
    """The changing half of the world.

    Args:
        parameters: The fixed half.
        objects: Moving objects; where they cross, the later one is in front.
        start_ns: CLOCK_MONOTONIC ns at which they start at the beginning of their paths.
        speed_mps: Their speed.
        background: Name of what stands behind them, see `backgrounds`.

    Raises:
        UnknownBackground: There is no such background.
    """

    def __init__(
        self,
        parameters: WorldParameters,
        objects: tuple[ObjectSpec, ...] = OBJECTS[:1],
        *,
        start_ns: int = 0,
        speed_mps: float = 1.4,
        background: str = DEFAULT_BACKGROUND,
    ) -> None:
        find_background(background)
        self.parameters = parameters
        self._lock = threading.Lock()
        self._stage = "action"
        self._background = background
        self._distance_m = parameters.distance_m
        self._illumination = 1.0
        self._board_level = DEFAULT_BOARD_LEVEL
        self._knocks: dict[str, Knock] = dict.fromkeys(KNOCKS, (0.0, 0.0))
        self._speed_mps = speed_mps
        self._specs = objects
        self._exposure_s: dict[str, float] = {}
        self._motions = [
            Motion(self._fitted(spec, self._distance_m), speed_mps, start_ns, spec.phase_m)
            for spec in objects
        ]

    @property
    def background(self) -> str:
        """Name of what stands behind the objects."""
        with self._lock:
            return self._background

    def set_background(self, name: str) -> None:
        """Change what stands behind the objects.

        Raises:
            UnknownBackground: There is no such background.
        """
        find_background(name)
        with self._lock:
            self._background = name

    def _fitted(self, spec: ObjectSpec, distance_m: float) -> Path:
        """Return the path of ``spec``, shortened so that the object stays inside both cameras' frames."""
        per_metre = self.parameters.pixels_per_metre(distance_m)
        wanted, grid = spec.path, self.parameters.grid
        c, s = (abs(v) for v in wanted.direction)
        room_x = grid.width / per_metre / 2 - spec.width_m / 2 - MARGIN_M - abs(wanted.centre_x_m)
        room_y = grid.height / per_metre / 2 - spec.height_m / 2 - MARGIN_M - abs(wanted.centre_y_m)
        along = [room / part for room, part in ((room_x, c), (room_y, s)) if part > 1e-6]
        half = min([wanted.half_length_m, *along])
        if half < 0.02 or min(room_x, room_y) < 0:
            raise WorldError(
                f"at {distance_m:g} m an object of {spec.width_m:g} x {spec.height_m:g} m leaves the frame",
                hint="choose a larger distance",
            )
        return Path(half, wanted.centre_x_m, wanted.centre_y_m, wanted.angle_deg)

    def set_stage(self, kind: str) -> None:
        """Change the stage; a board gets the brightest level that is safe at the exposures last seen."""
        if kind not in STAGES:
            raise WorldError(f"unknown stage {kind!r}", hint="one of " + ", ".join(STAGES))
        with self._lock:
            self._stage = kind
            if kind in BOARD_STAGES:
                self._board_level = self._safe_level(4.0 if kind == "lightbox" else DEFAULT_BOARD_LEVEL)

    def _safe_level(self, brightest: float) -> float:
        if not self._exposure_s:
            return DEFAULT_BOARD_LEVEL
        levels = []
        for name, exposure_s in self._exposure_s.items():
            camera = self.parameters.cameras[name]
            white = (
                self.parameters.white_e_per_s * camera.share * camera.tau * max(camera.response) * exposure_s
            )
            largest_cast = 1 + max(
                sum(abs(v) for v in row[:9]) for row in camera.cast
            )  # an upper bound over the frame
            levels.append(BOARD_FILL * camera.full_well_e / (white * min(largest_cast, 1.2)))
        return min([brightest, *levels])

    def note_exposure(self, camera: str, exposure_s: float) -> None:
        """Remember the exposure that ``camera`` uses, for the light of the boards."""
        with self._lock:
            self._exposure_s[camera] = exposure_s

    def set_values(self, t_ns: int, **values: float) -> None:
        """Change speed_mps, distance_m, illumination, path_angle_deg, board_level or a knock at ``t_ns``."""
        limits = {
            "speed_mps": (0.0, 100.0),
            "distance_m": (0.3, 1000.0),
            "illumination": (0.0, 1000.0),
            "path_angle_deg": (-180.0, 180.0),
            "board_level": (0.0, 100.0),
            **{name: (-KNOCK_MAX_PX, KNOCK_MAX_PX) for names in KNOCKS.values() for name in names},
        }
        for name, value in values.items():
            if name not in limits:
                raise WorldError(f"the world has no setting {name!r}", hint="one of " + ", ".join(limits))
            low, high = limits[name]
            if not math.isfinite(value) or not low <= value <= high:
                raise WorldError(f"{name} = {value:g} is outside {low:g} .. {high:g}")
        with self._lock:
            distance = values.get("distance_m", self._distance_m)
            if "path_angle_deg" in values:
                self._specs = tuple(
                    ObjectSpec(
                        spec.width_m,
                        spec.height_m,
                        Path(
                            spec.path.half_length_m,
                            spec.path.centre_x_m,
                            spec.path.centre_y_m,
                            values["path_angle_deg"],
                        ),
                        spec.phase_m,
                        spec.tile,
                    )
                    for spec in self._specs
                )
            if "distance_m" in values or "path_angle_deg" in values:
                paths = [self._fitted(spec, distance) for spec in self._specs]
                for motion, path in zip(self._motions, paths, strict=True):
                    motion.set_path(path, t_ns)
                self._distance_m = distance
            if "speed_mps" in values:
                self._speed_mps = values["speed_mps"]
                for motion in self._motions:
                    motion.set_speed(values["speed_mps"], t_ns)
            self._illumination = values.get("illumination", self._illumination)
            self._board_level = values.get("board_level", self._board_level)
            for camera, (x, y) in KNOCKS.items():
                was = self._knocks[camera]
                self._knocks[camera] = (values.get(x, was[0]), values.get(y, was[1]))

    def view(self, start_ns: int, end_ns: int) -> SceneView:
        """Return the scene during the exposure from ``start_ns`` to ``end_ns``."""
        with self._lock:
            moving = self._stage == "action"
            objects = [
                RenderedObject(
                    (spec.width_m, spec.height_m),
                    (motion.path.centre_x_m, motion.path.centre_y_m),
                    motion.path.angle_deg,
                    spec.tile,
                    tuple((p.start_m, p.end_m, p.share) for p in motion.pieces(start_ns, end_ns)),
                )
                for spec, motion in zip(self._specs, self._motions, strict=True)
                if moving
            ]
            light = self._board_level if self._stage in BOARD_STAGES else self._illumination
            return SceneView(
                self._stage, self._distance_m, light, tuple(objects), self._background, dict(self._knocks)
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the state as plain JSON data."""
        with self._lock:
            return {
                "stage": self._stage,
                "background": self._background,
                "distance_m": self._distance_m,
                "illumination": self._illumination,
                "board_level": self._board_level,
                "speed_mps": self._speed_mps,
                **{
                    name: value
                    for camera, names in KNOCKS.items()
                    for name, value in zip(names, self._knocks[camera], strict=True)
                },
                "objects": [
                    {
                        "size_m": [spec.width_m, spec.height_m],
                        "centre_m": [motion.path.centre_x_m, motion.path.centre_y_m],
                        "half_length_m": motion.path.half_length_m,
                        "angle_deg": motion.path.angle_deg,
                        "tile": spec.tile,
                    }
                    for spec, motion in zip(self._specs, self._motions, strict=True)
                ],
            }

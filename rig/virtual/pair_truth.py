"""What is true of one pair: when both exposures were, which pulse made them, where the object was."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from rig.virtual.frames import RenderedFrame
from rig.virtual.parameters import WorldParameters

CameraName = Literal["B", "S"]


@dataclass(frozen=True)
class PairTruth:
    """Two frames that somebody calls a pair, as the world knows them.

    Attributes:
        parameters: The world's fixed numbers.
        b: What the world rendered for B.
        s: What the world rendered for S.
    """

    parameters: WorldParameters
    b: RenderedFrame
    s: RenderedFrame

    @property
    def one_pulse(self) -> bool:
        """Return whether one pulse of the box made both frames."""
        return self.b.pulse is not None and self.b.pulse == self.s.pulse

    @property
    def s_delay_us(self) -> float:
        """Return how much later than B's the exposure of S really started, in us."""
        return (self.s.t_start_ns - self.b.t_start_ns) / 1e3

    def exposure_us(self, camera: CameraName) -> float:
        """Return how long a camera really exposed, in us: with TriggerWidth, as long as its pulse."""
        return self._frame(camera).exposure_ns / 1e3

    def span_px(self, camera: CameraName, item: int = 0) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return where an object's centre was when the exposure began and when it ended.

        Returns:
            (x, y) of the beginning and of the end, px of S's grid.
        """
        pieces = self._frame(camera).objects[item].pieces
        return self._place(camera, item, pieces[0][0]), self._place(camera, item, pieces[-1][1])

    def position_px(self, camera: CameraName, item: int = 0) -> tuple[float, float]:
        """Return the mean place of an object's centre during the exposure: (x, y), px of S's grid."""
        pieces = self._frame(camera).objects[item].pieces
        return self._place(camera, item, sum((start + end) / 2 * share for start, end, share in pieces))

    def blur_px(self, camera: CameraName, item: int = 0) -> float:
        """Return the length of an object's way during the exposure, px; 0 where nothing moves."""
        frame = self._frame(camera)
        if not frame.objects:
            return 0.0
        return frame.objects[item].way_m * self.parameters.pixels_per_metre(frame.distance_m)

    def _place(self, camera: CameraName, item: int, along_m: float) -> tuple[float, float]:
        frame = self._frame(camera)
        thing = frame.objects[item]
        per_metre = self.parameters.pixels_per_metre(frame.distance_m)
        angle = math.radians(thing.angle_deg)
        cx, cy = self.parameters.grid.centre
        return (
            cx + (thing.centre_m[0] + along_m * math.cos(angle)) * per_metre,
            cy + (thing.centre_m[1] + along_m * math.sin(angle)) * per_metre,
        )

    def _frame(self, camera: CameraName) -> RenderedFrame:
        return self.b if camera == "B" else self.s

"""Records of what the world has rendered: enough to match a frame on disk and to draw the truth again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

Knock = tuple[float, float]
KNOCKS: Final = {"B": ("knock_b_x_px", "knock_b_y_px"), "S": ("knock_s_x_px", "knock_s_y_px")}
"""Settings of the world that say how far a camera was knocked aside: it then looks so far beside where it
was aligned, (x, y) in px."""


@dataclass(frozen=True)
class RenderedObject:
    """One object during one exposure.

    Attributes:
        size_m: Width and height in the object plane.
        centre_m: Middle of its path, against the optical axis.
        angle_deg: Angle of its path.
        tile: Which mirror image of the texture.
        pieces: (start_m, end_m, share) of each straight piece of the exposure; more than one means that it
            turned round, or changed its speed, while the shutter was open.
    """

    size_m: tuple[float, float]
    centre_m: tuple[float, float]
    angle_deg: float
    tile: int
    pieces: tuple[tuple[float, float, float], ...]

    @property
    def way_m(self) -> float:
        """Return the length of the way during the exposure."""
        return sum(abs(end - start) for start, end, _ in self.pieces)


@dataclass(frozen=True)
class RenderedFrame:
    """One exposure of one camera.

    Attributes:
        counter: Frames that this camera had rendered before in this world: with the seed, the noise's key.
        t_start_ns: True start of the exposure, CLOCK_MONOTONIC.
        light: Factor on the scene's radiance (illumination, or the board's level).
        timestamp_ns: The same start on the camera's own clock: what the camera says of the frame.
        pulse: Which pulse of the box made it; None where none did (free run, a stray edge).
        pulse_ns: When that pulse left the box.
        knock_px: How far the camera looked beside where it was aligned, (x, y) in px.
        faults: What was ordered to go wrong with it.
    """

    camera: str
    frame_id: int
    counter: int
    t_start_ns: int
    exposure_ns: int
    gain_db: float
    triggered: bool
    stage: str
    distance_m: float
    light: float
    objects: tuple[RenderedObject, ...]
    timestamp_ns: int = 0
    pulse: int | None = None
    pulse_ns: int | None = None
    knock_px: tuple[float, float] = (0.0, 0.0)
    faults: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RenderedFrame:
        """Read what `to_dict` gave (also after a way through JSON)."""
        objects = tuple(
            RenderedObject(
                (item["size_m"][0], item["size_m"][1]),
                (item["centre_m"][0], item["centre_m"][1]),
                item["angle_deg"],
                item["tile"],
                tuple((piece[0], piece[1], piece[2]) for piece in item["pieces"]),
            )
            for item in data["objects"]
        )
        knock = tuple(data.get("knock_px", (0.0, 0.0)))
        faults = tuple(data.get("faults", ()))
        return cls(**{**data, "objects": objects, "knock_px": knock, "faults": faults})

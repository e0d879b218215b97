"""What is true in a virtual world, for tests and for the demo: every effect that the pipeline must find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rig.optics import image_distance_m
from rig.virtual.frames import KNOCKS, RenderedFrame
from rig.virtual.geometry import cubic_terms
from rig.virtual.parameters import (
    COLOUR_MATRIX,
    NEUTRAL_RAW,
    CameraTruth,
    WorldParameters,
)

F64 = NDArray[np.float64]
FOOTPRINT_ALPHA = 0.02


@dataclass(frozen=True)
class Truth:
    """The fixed numbers of a world and its state when it was asked."""

    parameters: WorldParameters
    state: dict[str, Any]

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Truth:
        """Read the answer of the world to ``truth``."""
        return cls(WorldParameters.from_dict(data["parameters"]), dict(data["state"]))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {"parameters": self.parameters.to_dict(), "state": self.state}

    @property
    def seed(self) -> int:
        """Return what the hidden numbers and the noise are drawn from."""
        return self.parameters.seed

    @property
    def background(self) -> str:
        """Return the name of what stands behind the objects."""
        return str(self.state["background"])

    @property
    def tau(self) -> float:
        """Return the true transmittance of the density filter in front of B."""
        return self.parameters.cameras["B"].tau

    @property
    def tau_nominal(self) -> float:
        """Return the transmittance on the filter's label."""
        return self.parameters.tau_nominal

    @property
    def distance_m(self) -> float:
        """Return the object distance."""
        return float(self.state["distance_m"])

    @property
    def image_distance_m(self) -> float:
        """Return l' of the thin lens."""
        return image_distance_m(self.parameters.focal_length_m, self.distance_m)

    @property
    def pixels_per_metre(self) -> float:
        """Return pixels of the image per metre in the object plane."""
        return self.parameters.pixels_per_metre(self.distance_m)

    @property
    def white_balance(self) -> tuple[float, float, float]:
        """Return the gains that make a neutral surface neutral, G = 1."""
        red, _, blue = NEUTRAL_RAW
        return 1 / red, 1.0, 1 / blue

    @property
    def colour_matrix(self) -> F64:
        """Return the (3, 3) matrix from white-balanced camera RGB to linear sRGB."""
        return np.linalg.inv(np.array(COLOUR_MATRIX))

    @property
    def full_well_e(self) -> float:
        """Return the full well of both sensors, e-; the converter saturates just before it, at code 4095."""
        return self.camera("S").full_well_e

    @property
    def read_noise_e(self) -> float:
        """Return the read noise of both sensors, e-."""
        return self.camera("S").read_noise_e

    @property
    def gain_dn_per_e(self) -> float:
        """Return the conversion gain of both sensors at 0 dB, codes per electron."""
        return self.camera("S").gain_dn_per_e

    @property
    def black_level_dn(self) -> float:
        """Return the black level that the cameras are delivered with."""
        return self.camera("S").black_level_dn

    def camera(self, name: str) -> CameraTruth:
        """Return the numbers of camera "B" or "S": full well, noise, gain, black level, share, response."""
        return self.parameters.cameras[name]

    def beta_expected(self, exposure_b_us: float, exposure_s_us: float) -> tuple[float, float, float]:
        """Return beta of Eq. 6 for R, G, B: S over B at the centre of the frame, where the casts are 1."""
        b, s = self.camera("B"), self.camera("S")
        ratio = s.share * s.tau * exposure_s_us / (b.share * b.tau * exposure_b_us)
        red, green, blue = (ratio * rs / rb for rs, rb in zip(s.response, b.response, strict=True))
        return red, green, blue

    def b_from_s(self, x: ArrayLike, y: ArrayLike) -> tuple[F64, F64]:
        """Return where in B's pixel grid the scene point seen at S's pixel (x, y) lies; arrays broadcast."""
        (bx, by), (sx, sy) = self.knock_px("B"), self.knock_px("S")
        x, y = np.asarray(x, float) + (sx - bx), np.asarray(y, float) + (sy - by)
        return self.parameters.misregistration.b_from_s(x, y)

    def s_from_b(self, x: ArrayLike, y: ArrayLike) -> tuple[F64, F64]:
        """Return the S pixel that sees what B's pixel (x, y) sees."""
        (bx, by), (sx, sy) = self.knock_px("B"), self.knock_px("S")
        xs, ys = self.parameters.misregistration.s_from_b(x, y)
        return xs + (bx - sx), ys + (by - sy)

    def knock_px(self, camera: str) -> tuple[float, float]:
        """Return how far a camera looks beside where it was aligned, (x, y) in px of the ideal grid."""
        x, y = KNOCKS[camera]
        return float(self.state.get(x, 0.0)), float(self.state.get(y, 0.0))

    def cast(self, camera: str, channel: int, x: ArrayLike, y: ArrayLike) -> F64:
        """Return the location-dependent gain of ``channel`` (0 R, 1 G, 2 B) at (x, y), 1 at the centre."""
        xn, yn = self.parameters.grid.normalised(x, y)
        xn, yn = np.broadcast_arrays(xn, yn)
        row = self.camera(camera).cast[channel]
        return np.asarray(sum(a * term for a, term in zip(row, cubic_terms(xn, yn), strict=True)))

    def blur_px(self, camera: str, exposure_us: float) -> float:
        """Return n = l' v t / (c d) for the current speed and distance; both cameras share the optics."""
        self.camera(camera)
        return float(self.state["speed_mps"]) * exposure_us * 1e-6 * self.pixels_per_metre

    def blur_of(self, frame: RenderedFrame) -> float:
        """Return the first object's span during ``frame``, px: less than `blur_px` where it turned round."""
        if not frame.objects:
            return 0.0
        ends = [end for piece in frame.objects[0].pieces for end in piece[:2]]
        return (max(ends) - min(ends)) * self.parameters.pixels_per_metre(frame.distance_m)

    def opacity(self, frame: RenderedFrame) -> NDArray[np.float32]:
        """Return (H, W) float32: the objects' mean opacity during ``frame``, in S's grid before any knock."""
        from rig.virtual.footprint import opacity

        return opacity(self.parameters, frame)

    def footprint(self, frame_b: RenderedFrame, frame_s: RenderedFrame) -> NDArray[np.bool_]:
        """Return (H, W) bool in S's grid: where the objects were in either frame (opacity above 0.02)."""
        return np.asarray(
            (self.opacity(frame_b) > FOOTPRINT_ALPHA) | (self.opacity(frame_s) > FOOTPRINT_ALPHA), np.bool_
        )

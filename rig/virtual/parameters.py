"""The numbers of a virtual rig: drawn once from the rig profile and a seed, fixed while the world lives."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rig.optics import image_distance_m
from rig.virtual.geometry import Grid, Misregistration, cast_coefficients

if TYPE_CHECKING:
    from rig.profiles import RigProfile

COLOUR_MATRIX = ((0.76, 0.18, 0.06), (0.14, 0.76, 0.10), (0.04, 0.22, 0.74))
"""Camera RGB from linear sRGB before the white balance: rows add to 1, so that neutral stays neutral."""
NEUTRAL_RAW = (1 / 2.0, 1.0, 1 / 1.67)
"""RAW R, G, B of a neutral surface in 6500 K light, G = 1."""
REFERENCE_SPEED_MPS = 1.4
REFERENCE_BLUR_PX = 4.0
REFERENCE_LEVEL = 0.78
"""The scene's light: white fills this part of S's full well when the reference speed blurs 4 px."""


@dataclass(frozen=True)
class CameraTruth:
    """One camera: its end of the beam splitter, its filter, its sensor.

    Attributes:
        share: Reflected (B) or transmitted (S) part of the light at the centre of the frame.
        tau: True transmittance of the density filter in front of it (1 without one).
        response: Photo-response of R, G, B against the nominal sensor.
        cast: (3, 10) coefficients of the location-dependent cast, see `geometry.cubic_terms`.
    """

    name: str
    serial_number: str
    share: float
    tau: float
    response: tuple[float, float, float]
    cast: tuple[tuple[float, ...], ...]
    prnu: float = 0.005
    read_noise_e: float = 2.4
    dark_e_per_s: float = 4.0
    full_well_e: float = 10_500.0
    gain_dn_per_e: float = 0.39
    black_level_dn: float = 64.0
    max_code: int = 4095
    temperature_c: float = 38.0
    warm_up_c: float = 12.0
    warm_up_s: float = 400.0

    def temperature_at(self, seconds_on: float) -> float:
        """Return the sensor's temperature after ``seconds_on``: it nears ``temperature_c`` from below."""
        return self.temperature_c - self.warm_up_c * math.exp(-seconds_on / self.warm_up_s)


@dataclass(frozen=True)
class WorldParameters:
    """Everything that is fixed in a world.

    Attributes:
        white_e_per_s: Electrons per second and pixel that a white diffuser gives in G of a camera that
            gets all of the light, at illumination 1.
        tau_nominal: Label of the filter in use.
    """

    rig: str
    seed: int
    grid: Grid
    pixel_pitch_m: float
    focal_length_m: float
    distance_m: float
    tau_nominal: float
    white_e_per_s: float
    cameras: dict[str, CameraTruth]
    misregistration: Misregistration

    def pixels_per_metre(self, distance_m: float) -> float:
        """Return l' / (c d): pixels of the image per metre in the object plane (Eq. 2)."""
        return image_distance_m(self.focal_length_m, distance_m) / (self.pixel_pitch_m * distance_m)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data."""
        data = {k: v for k, v in self.__dict__.items() if k not in ("grid", "cameras", "misregistration")}
        data["width"], data["height"] = self.grid.width, self.grid.height
        data["cameras"] = {name: asdict(camera) for name, camera in self.cameras.items()}
        data["misregistration"] = self.misregistration.to_dict()
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> WorldParameters:
        """Read what `to_dict` gave (also after a way through JSON)."""
        rest = dict(data)
        cameras = {}
        for name, fields in rest.pop("cameras").items():
            fixed = {
                **fields,
                "response": tuple(fields["response"]),
                "cast": tuple(map(tuple, fields["cast"])),
            }
            cameras[name] = CameraTruth(**fixed)
        grid = Grid(rest.pop("width"), rest.pop("height"))
        misregistration = Misregistration.from_dict(rest.pop("misregistration"))
        return cls(grid=grid, cameras=cameras, misregistration=misregistration, **rest)


def draw_parameters(
    *,
    rig: str = "virtual",
    seed: int = 0,
    width: int = 2448,
    height: int = 2048,
    pixel_pitch_m: float = 3.45e-6,
    focal_length_m: float = 0.016,
    distance_m: float = 5.0,
    tau_nominal: float = 0.125,
    serials: tuple[str, str] = ("VR-B-0001", "VR-S-0002"),
) -> WorldParameters:
    """Draw the hidden numbers of a rig from ``seed``; the same seed gives the same rig.

    The true transmittance is 2 to 4 % off its label, the splitter divides 50:50 within 2 %, the sensors'
    channels differ by up to 3 %, B is misregistered by up to 3.3 px, the casts reach 11 to 17 %.
    """
    rng = np.random.default_rng([seed, 0x5EED])
    grid = Grid(width, height)
    reflected = 0.5 + rng.uniform(0.004, 0.01) * rng.choice([-1, 1])
    tau = tau_nominal * (1 + rng.uniform(0.02, 0.04) * rng.choice([-1, 1]))
    response = 1 + rng.uniform(0.008, 0.03, 3) * rng.permutation([-1, 1, 1])
    cameras = {
        "B": CameraTruth(
            "B",
            serials[0],
            float(reflected),
            float(tau),
            (float(response[0]), float(response[1]), float(response[2])),
            cast_coefficients(rng, +1, float(rng.uniform(0.11, 0.17))),
        ),
        "S": CameraTruth(
            "S",
            serials[1],
            float(1 - reflected),
            1.0,
            (1.0, 1.0, 1.0),
            cast_coefficients(rng, -1, float(rng.uniform(0.11, 0.17))),
        ),
    }
    image_m = image_distance_m(focal_length_m, distance_m)
    reference_s = pixel_pitch_m * REFERENCE_BLUR_PX * distance_m / (image_m * REFERENCE_SPEED_MPS)
    return WorldParameters(
        rig=rig,
        seed=seed,
        grid=grid,
        pixel_pitch_m=pixel_pitch_m,
        focal_length_m=focal_length_m,
        distance_m=distance_m,
        tau_nominal=tau_nominal,
        white_e_per_s=REFERENCE_LEVEL * CameraTruth.full_well_e / (0.5 * reference_s),
        cameras=cameras,
        misregistration=Misregistration.drawn(grid, rng, largest_px=3.3),
    )


def parameters_of(profile: RigProfile, seed: int = 0) -> WorldParameters:
    """Draw the hidden numbers of the rig that ``profile`` describes."""
    optics = profile.optics
    label = next((f.transmittance for f in profile.filters if f.name == profile.filter_in_use), 1.0)
    return draw_parameters(
        rig=profile.name,
        seed=seed,
        width=optics.width_px,
        height=optics.height_px,
        pixel_pitch_m=optics.pixel_pitch_um * 1e-6,
        focal_length_m=optics.focal_length_mm * 1e-3,
        distance_m=optics.object_distance_m,
        tau_nominal=label,
        serials=(profile.cameras["B"].serial_number or "", profile.cameras["S"].serial_number or ""),
    )

"""Calibration files: everything that was measured for a scene, with its sources and residuals.

They are JSON in SESSION/calibration/. A file's id is a hash of its content; every developed pair names the id
it was made with, so that a data set can be made again bit by bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processing.alignment.flow import Flow, Residual
from processing.alignment.flow_files import flow_from_dict, flow_to_dict, residual_from_dict, residual_to_dict
from processing.calibration.brightness_ratio import Brightness
from processing.calibration.cast_maps import CastMaps
from processing.calibration.file import ALGORITHM, SCHEMA, digest, now, read_sealed, write_sealed
from processing.calibration.frame_format import FrameFormat
from processing.calibration.geometry_fit import misfit_note
from processing.calibration.takes import Source
from processing.chain import Gains
from processing.chart.colour_fit import PatchFit
from processing.colour import ColourConstants
from processing.errors import CalibrationError
from processing.profile import PROFILES, Choices, Profile
from processing.quality.metrics import PairMetrics


@dataclass(frozen=True)
class SceneCalibration:
    """What the pipeline knows about a scene.

    Attributes:
        scene: the scene for which it holds.
        profile, choices: how the steps are done.
        frames: what the frames of "B" and "S" are like.
        colour: colour constants of "B" and "S" (Eq. 4-5).
        brightness: factors of R, G, B from B to S (Eq. 6), and what they were measured on.
        balance: white balance gains shared by both cameras once B is aligned to S.
        own_balance: each camera's white balance without colour correction, for the "before" state.
        matrix, matrix_source: colour map, and where it is from.
        cast: what the colour correction leaves of even light, of "B" and "S".
        chart: how well the colour map reproduces the chart; None where the scene has none.
        used: kind -> id of the laboratory's calibrations that took the place of the scene's own takes.
        flow: from S's grid into B's.
        box: (y0, y1, x0, x1), the part of S's grid that both cameras see.
        residual: displacement left on the static pair, measured in the images.
        static_metrics: agreement of the static pair "before" and "after".
        sources: the RAW files it was made from.
        left_out: pair id -> why a calibration pair, damaged, had no part in it.
        created: ISO 8601 time.
    """

    scene: str
    profile: Profile
    choices: Choices
    frames: dict[str, FrameFormat]
    colour: dict[str, ColourConstants]
    brightness: Brightness
    balance: Gains
    own_balance: dict[str, Gains]
    matrix: NDArray[np.float64]
    matrix_source: str
    flow: Flow
    box: tuple[int, int, int, int]
    residual: Residual
    static_metrics: dict[str, PairMetrics]
    sources: tuple[Source, ...]
    cast: dict[str, CastMaps] = field(default_factory=dict)
    chart: PatchFit | None = None
    used: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    created: str = ""

    @property
    def beta(self) -> Gains:
        """Factors of R, G, B from B to S (Eq. 6)."""
        return self.brightness.beta

    def content(self) -> dict[str, Any]:
        """Return everything but id and date as plain values."""
        return {
            "schema": SCHEMA,
            "algorithm": ALGORITHM,
            "kind": "scene",
            "scene": self.scene,
            "profile": self.profile,
            "choices": self.choices.to_dict(),
            "frames": {camera: frame.to_dict() for camera, frame in self.frames.items()},
            "colour": {camera: constants.to_dict() for camera, constants in self.colour.items()},
            "beta": list(self.beta),
            "beta_measured_on": self.brightness.shares(),
            "white_balance": list(self.balance),
            "own_white_balance": {camera: list(gains) for camera, gains in self.own_balance.items()},
            "colour_matrix": {"camera_to_srgb": self.matrix.tolist(), "source": self.matrix_source},
            "flow": flow_to_dict(self.flow),
            "box": list(self.box),
            "residual": residual_to_dict(self.residual),
            "static_pair": self.static_metrics,
            "cast": {camera: maps.to_dict() for camera, maps in self.cast.items()},
            "chart": None if self.chart is None else self.chart.to_dict(),
            "used": dict(self.used),
            "sources": [source.__dict__ for source in self.sources],
            "left_out": dict(self.left_out),
        }

    @property
    def id(self) -> str:
        """Hash of the content: 16 hexadecimal digits."""
        return digest(self.content())

    def path(self, folder: Path) -> Path:
        """Return where `save` writes it."""
        return folder / f"{self.scene}_{self.profile}_{self.id}.json"

    def save(self, folder: Path) -> Path:
        """Write the calibration as FOLDER/<scene>_<profile>_<id>.json and return the path."""
        content = self.content()
        path = self.path(folder)
        write_sealed(path, content, self.created or now())
        return path

    @classmethod
    def load(cls, path: Path) -> SceneCalibration:
        """Read a calibration file.

        Raises:
            OtherVersion: if another version of beamrig made it.
            CalibrationError: if it is missing, damaged or changed by hand.
        """
        data = read_sealed(path)
        try:
            return cls._from_dict(data)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CalibrationError(
                f"{path} is no calibration of a scene: {error!r}", hint="delete it and process again"
            ) from error

    @classmethod
    def _from_dict(cls, data: Mapping[str, Any]) -> SceneCalibration:
        if data["kind"] != "scene" or data["profile"] not in PROFILES:
            raise ValueError(f"kind {data['kind']!r}, profile {data.get('profile')!r}")
        y0, y1, x0, x1 = (int(v) for v in data["box"])
        return cls(
            scene=str(data["scene"]),
            profile=data["profile"],
            choices=Choices.from_dict(data["choices"]),
            frames={camera: FrameFormat.from_dict(data["frames"][camera]) for camera in ("B", "S")},
            colour={camera: ColourConstants.from_dict(item) for camera, item in data["colour"].items()},
            brightness=Brightness.from_shares(_three(data["beta"]), data["beta_measured_on"]),
            balance=_three(data["white_balance"]),
            own_balance={camera: _three(gains) for camera, gains in data["own_white_balance"].items()},
            matrix=np.asarray(data["colour_matrix"]["camera_to_srgb"], np.float64).reshape(3, 3),
            matrix_source=str(data["colour_matrix"]["source"]),
            flow=flow_from_dict(data["flow"]),
            box=(y0, y1, x0, x1),
            residual=residual_from_dict(data["residual"]),
            static_metrics=data["static_pair"],
            sources=tuple(Source(**item) for item in data["sources"]),
            cast={camera: CastMaps.from_dict(item) for camera, item in data["cast"].items()},
            chart=None if data["chart"] is None else PatchFit.from_dict(data["chart"]),
            used={str(kind): str(name) for kind, name in data["used"].items()},
            left_out={str(pair): str(reason) for pair, reason in data["left_out"].items()},
            created=str(data["created"]),
        )

    def notes(self) -> tuple[str, ...]:
        """Return what a person should know before trusting it."""
        found = [f"{pair} is left out of the calibration: {why}" for pair, why in self.left_out.items()]
        if "geometry" in self.used and (misfit := misfit_note(self.residual)):
            found.append(misfit)
        return tuple(found)

    def dated(self) -> SceneCalibration:
        """Return the same calibration with the present time."""
        return replace(self, created=now())


def _three(values: Sequence[float]) -> Gains:
    red, green, blue = (float(v) for v in values)
    return (red, green, blue)

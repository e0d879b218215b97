"""Calibration files: everything that was measured for a scene, with its sources and residuals.

They are JSON in SESSION/calibration/. A file's id is a hash of its content; every developed pair names the id
it was made with, so that a data set can be made again bit by bit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing.chain import Gains
from processing.colour import ColourConstants
from processing.errors import CalibrationError
from processing.flow import Flow, Residual
from processing.flow_files import flow_from_dict, flow_to_dict, residual_from_dict, residual_to_dict
from processing.metrics import PairMetrics
from processing.outputs import write_json
from processing.profile import PROFILES, Profile

SCHEMA: Final = 1
ALGORITHM: Final = 1
"""Raised whenever the same sources would give another calibration or other images."""


@dataclass(frozen=True)
class Source:
    """A RAW file that a calibration was made from.

    Attributes:
        role: what it was used for: colour, white, static or chart.
        pair: id of the pair.
        camera: "B" or "S".
        sha256: of the file, as the journal has it.
    """

    role: str
    pair: str
    camera: str
    sha256: str


@dataclass(frozen=True)
class SceneCalibration:
    """What the pipeline knows about a scene.

    Attributes:
        scene, profile: for which scene and order of steps it holds.
        shape: (H, W) of the frames.
        colour: colour constants of "B" and "S" (Eq. 4-5).
        beta: factors of R, G, B from B to S (Eq. 6).
        balance: white balance gains shared by both cameras once B is aligned to S.
        own_balance: each camera's white balance without colour correction, for the "before" state.
        matrix, matrix_source: colour map, and where it is from.
        flow: from S's grid into B's.
        box: (y0, y1, x0, x1), the part of S's grid that both cameras see.
        residual: displacement left on the static pair, measured in the images.
        static_metrics: agreement of the static pair "before" and "after".
        sources: the RAW files it was made from.
        created: ISO 8601 time.
    """

    scene: str
    profile: Profile
    shape: tuple[int, int]
    colour: dict[str, ColourConstants]
    beta: Gains
    balance: Gains
    own_balance: dict[str, Gains]
    matrix: NDArray[np.float64]
    matrix_source: str
    flow: Flow
    box: tuple[int, int, int, int]
    residual: Residual
    static_metrics: dict[str, PairMetrics]
    sources: tuple[Source, ...]
    created: str = ""

    def content(self) -> dict[str, Any]:
        """Return everything but id and date as plain values."""
        return {
            "schema": SCHEMA,
            "algorithm": ALGORITHM,
            "kind": "scene",
            "scene": self.scene,
            "profile": self.profile,
            "shape": list(self.shape),
            "colour": {camera: constants.to_dict() for camera, constants in self.colour.items()},
            "beta": list(self.beta),
            "white_balance": list(self.balance),
            "own_white_balance": {camera: list(gains) for camera, gains in self.own_balance.items()},
            "colour_matrix": {"camera_to_srgb": self.matrix.tolist(), "source": self.matrix_source},
            "flow": flow_to_dict(self.flow),
            "box": list(self.box),
            "residual": residual_to_dict(self.residual),
            "static_pair": self.static_metrics,
            "sources": [source.__dict__ for source in self.sources],
        }

    @property
    def id(self) -> str:
        """Hash of the content: 16 hexadecimal digits."""
        return digest(self.content())

    def save(self, folder: Path) -> Path:
        """Write the calibration as FOLDER/<scene>_<profile>_<id>.json and return the path."""
        content = self.content()
        created = self.created or datetime.now(UTC).isoformat(timespec="seconds")
        path = folder / f"{self.scene}_{self.profile}_{digest(content)}.json"
        write_json(path, {"id": digest(content), "created": created, **content})
        return path

    @classmethod
    def load(cls, path: Path) -> SceneCalibration:
        """Read a calibration file.

        Raises:
            CalibrationError: if it is missing, damaged, changed by hand, or of another version.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls._from_dict(data)
        except FileNotFoundError as error:
            raise CalibrationError(f"{path} does not exist") from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CalibrationError(
                f"{path} is no calibration of a scene: {error}", hint="delete it and process again"
            ) from error

    @classmethod
    def _from_dict(cls, data: Mapping[str, Any]) -> SceneCalibration:
        content = {key: value for key, value in data.items() if key not in ("id", "created")}
        if data["id"] != digest(content):
            raise CalibrationError(f"calibration {data['id']} was changed after it was made")
        if data["schema"] != SCHEMA or data["profile"] not in PROFILES:
            raise CalibrationError(f"calibration {data['id']} is of another version of beamrig")
        y0, y1, x0, x1 = (int(v) for v in data["box"])
        height, width = (int(v) for v in data["shape"])
        return cls(
            scene=str(data["scene"]),
            profile=data["profile"],
            shape=(height, width),
            colour={camera: ColourConstants.from_dict(item) for camera, item in data["colour"].items()},
            beta=_three(data["beta"]),
            balance=_three(data["white_balance"]),
            own_balance={camera: _three(gains) for camera, gains in data["own_white_balance"].items()},
            matrix=np.asarray(data["colour_matrix"]["camera_to_srgb"], np.float64).reshape(3, 3),
            matrix_source=str(data["colour_matrix"]["source"]),
            flow=flow_from_dict(data["flow"]),
            box=(y0, y1, x0, x1),
            residual=residual_from_dict(data["residual"]),
            static_metrics=data["static_pair"],
            sources=tuple(Source(**item) for item in data["sources"]),
            created=str(data["created"]),
        )

    def dated(self) -> SceneCalibration:
        """Return the same calibration with the present time."""
        return replace(self, created=datetime.now(UTC).isoformat(timespec="seconds"))


def find(folder: Path, scene: str, profile: Profile, sources: Sequence[Source]) -> SceneCalibration | None:
    """Return a stored calibration made from exactly these sources, or None."""
    for path in sorted(folder.glob(f"{scene}_{profile}_*.json")):
        stored = SceneCalibration.load(path)
        if stored.content()["sources"] == [s.__dict__ for s in sources] and _version(path) == ALGORITHM:
            return stored
    return None


def _version(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")).get("algorithm")


def digest(content: Mapping[str, Any]) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of plain values, whatever their order."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def _three(values: Sequence[float]) -> Gains:
    red, green, blue = (float(v) for v in values)
    return (red, green, blue)

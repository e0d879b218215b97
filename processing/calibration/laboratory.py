"""Calibrations that serve many scenes: the cast of each camera, the colour map, the geometry of the rig.

Each is a file of its own (`beamrig calibrate`), with where it is from, for which cameras and how long it
holds. `Given` collects those that a session is to be processed with, and refuses those that do not fit it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from processing.alignment.flow import Flow, Residual
from processing.alignment.flow_files import flow_from_dict, flow_to_dict, residual_from_dict, residual_to_dict
from processing.calibration.cast_maps import CastMaps
from processing.calibration.file import ALGORITHM, SCHEMA, Card, digest, read_sealed, write_sealed
from processing.calibration.frame_format import FrameFormat
from processing.chain import Gains
from processing.chart.colour_fit import PatchFit
from processing.colour import ColourConstants
from processing.errors import CalibrationError

Kind = Literal["lightbox", "colour", "geometry"]

COMPARED: Final[Mapping[Kind, frozenset[str]]] = {
    "lightbox": frozenset({"serial_number", "size", "offset", "cfa", "black_level", "white_level"}),
    "colour": frozenset({"serial_number", "size", "offset", "cfa", "black_level", "white_level"}),
    "geometry": frozenset({"serial_number", "size", "offset"}),
}
"""What the frames must have in common with those of a calibration.

The cast and the colours are ratios of light above black: a black level or a white level that is not that of
the calibration means another mode of the sensor, whose black and whose bend nobody measured, and another
region has its centre, where the cast is 1, elsewhere. Gain is not compared: codes are linear in it, so it
drops out of every ratio. The geometry asks only which pixel looks where; that distance, focus and lens are
those of the scene too is measured (`geometry_fit`).
"""


@dataclass(frozen=True, eq=False)
class Calibration(ABC):
    """What every calibration of the laboratory has.

    Attributes:
        card: sources, cameras, dates.
    """

    kind: ClassVar[Kind]
    card: Card

    @abstractmethod
    def payload(self) -> dict[str, Any]:
        """Return what was measured as plain values."""

    def content(self) -> dict[str, Any]:
        """Return everything but id and date as plain values."""
        head = {"schema": SCHEMA, "algorithm": ALGORITHM, "kind": self.kind}
        return {**head, **self.card.to_dict(), **self.payload()}

    @property
    def id(self) -> str:
        """Hash of the content: 16 hexadecimal digits."""
        return digest(self.content())

    def save(self, path: Path) -> Path:
        """Write the file and return its path.

        Raises:
            ProcessingError: if it cannot be written.
        """
        write_sealed(path, self.content(), self.card.created, self.card.where)
        return path


@dataclass(frozen=True, eq=False)
class LightboxCalibration(Calibration):
    """Colour correction of both cameras (Eq. 3-5), from frames of even light.

    Attributes:
        colour: colour constants of "B" and "S".
        cast: what they leave of the even light, of "B" and "S".
    """

    kind: ClassVar[Kind] = "lightbox"
    colour: dict[str, ColourConstants]
    cast: dict[str, CastMaps]

    def payload(self) -> dict[str, Any]:
        """Return what was measured as plain values."""
        return {
            "colour": {camera: constants.to_dict() for camera, constants in self.colour.items()},
            "cast": {camera: maps.to_dict() for camera, maps in self.cast.items()},
        }


@dataclass(frozen=True, eq=False)
class ColourCalibration(Calibration):
    """White balance and colour map, shared by both cameras, from a whiteboard and a colour chart.

    Attributes:
        balance: gains of R, G, B of camera S, colour corrected.
        matrix: (3, 3) balanced camera RGB to linear sRGB, rows add to 1.
        chart: how well it reproduces the chart.
        lightbox: id of the lightbox calibration that corrected the frames; empty: the session's own take.
    """

    kind: ClassVar[Kind] = "colour"
    balance: Gains
    matrix: NDArray[np.float64]
    chart: PatchFit
    lightbox: str = ""

    def payload(self) -> dict[str, Any]:
        """Return what was measured as plain values."""
        return {
            "white_balance": list(self.balance),
            "camera_to_srgb": self.matrix.tolist(),
            "chart": self.chart.to_dict(),
            "lightbox": self.lightbox,
        }


@dataclass(frozen=True, eq=False)
class GeometryCalibration(Calibration):
    """Where each pixel of S lies in B.

    Attributes:
        flow: from S's grid into B's.
        box: (y0, y1, x0, x1), the part of S's grid that both cameras see.
        residual: displacement left on the static take that it was measured on.
        method: of the registration.
    """

    kind: ClassVar[Kind] = "geometry"
    flow: Flow
    box: tuple[int, int, int, int]
    residual: Residual
    method: str

    def payload(self) -> dict[str, Any]:
        """Return what was measured as plain values."""
        return {
            "method": self.method,
            "flow": flow_to_dict(self.flow),
            "box": list(self.box),
            "residual": residual_to_dict(self.residual),
        }


def _lightbox(card: Card, data: Mapping[str, Any]) -> LightboxCalibration:
    colour = {camera: ColourConstants.from_dict(data["colour"][camera]) for camera in ("B", "S")}
    return LightboxCalibration(
        card, colour, {camera: CastMaps.from_dict(data["cast"][camera]) for camera in ("B", "S")}
    )


def _colour(card: Card, data: Mapping[str, Any]) -> ColourCalibration:
    red, green, blue = (float(v) for v in data["white_balance"])
    matrix = np.asarray(data["camera_to_srgb"], np.float64).reshape(3, 3)
    chart = PatchFit.from_dict(data["chart"])
    return ColourCalibration(card, (red, green, blue), matrix, chart, str(data["lightbox"]))


def _geometry(card: Card, data: Mapping[str, Any]) -> GeometryCalibration:
    y0, y1, x0, x1 = (int(v) for v in data["box"])
    left = residual_from_dict(data["residual"])
    return GeometryCalibration(
        card, flow_from_dict(data["flow"]), (y0, y1, x0, x1), left, str(data["method"])
    )


_READERS: Final[dict[str, Callable[[Card, Mapping[str, Any]], Calibration]]] = {
    "lightbox": _lightbox,
    "colour": _colour,
    "geometry": _geometry,
}


def load_calibration(path: Path) -> Calibration:
    """Read a calibration file of the laboratory.

    Raises:
        CalibrationError: if it is missing, damaged, changed by hand, or of another version or kind.
    """
    data = read_sealed(path)
    reader = _READERS.get(str(data["kind"]))
    if reader is None:
        raise CalibrationError(
            f"{path.name} is a calibration of a {data['kind']}", hint=f"needed: {', '.join(_READERS)}"
        )
    try:
        return reader(Card.from_dict(data), data)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise CalibrationError(f"{path.name} is damaged: {error!r}", hint="calibrate again") from error


@dataclass(frozen=True)
class Given:
    """Calibrations that a session is processed with instead of its own takes; None where its own are used.

    Attributes:
        notes: what could not be proven of them.
    """

    lightbox: LightboxCalibration | None = None
    colour: ColourCalibration | None = None
    geometry: GeometryCalibration | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        files: Mapping[Path, Calibration],
        frames: Mapping[str, FrameFormat],
        *,
        allow_old: bool = False,
    ) -> Given:
        """Make sure that calibrations hold for a session's frames.

        Args:
            files: path -> what `load_calibration` read, at most one of a kind.
            frames: what the session's frames of "B" and "S" are like.
            allow_old: take also those that are older than they say they may be.

        Raises:
            CalibrationError: if one is stale or foreign, or there are two of a kind.
        """
        given = cls()
        for path, calibration in files.items():
            if calibration.kind in given.ids():
                raise CalibrationError(
                    f"{path.name} is a second {calibration.kind} calibration", hint="give one of a kind"
                )
            calibration.card.check_frames(path.name, frames, COMPARED[calibration.kind])
            calibration.card.check_age(path.name, allow_old=allow_old)
            if not calibration.card.check_sources(path.name, [path.resolve().parent.parent]):
                told = (
                    f"{path.name}: its session {calibration.card.where} is not at hand, its frames unproven"
                )
                given = replace(given, notes=(*given.notes, told))
            if isinstance(calibration, LightboxCalibration):
                given = replace(given, lightbox=calibration)
            elif isinstance(calibration, ColourCalibration):
                given = replace(given, colour=calibration)
            elif isinstance(calibration, GeometryCalibration):
                given = replace(given, geometry=calibration)
        return given

    def ids(self) -> dict[str, str]:
        """Return the id of each calibration given, by its kind."""
        return {c.kind: c.id for c in (self.lightbox, self.colour, self.geometry) if c is not None}

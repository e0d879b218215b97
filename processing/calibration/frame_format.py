"""What a camera's frames are like: all that a calibration must know to tell whether it holds for a frame."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from processing.errors import CalibrationError
from rig.raw_image import RawImage
from rig.records import PairRecord
from rig.session import Session

Offset = tuple[int, int] | None

MATTERS: Final = {
    "serial_number": "camera {}",
    "size": "frames of {} pixels",
    "offset": "region of interest at {}",
    "cfa": "colour order {}",
    "black_level": "black level {} DN",
    "white_level": "white level {} DN",
}
"""Field -> how a difference is told. Gain is kept but not compared: RAW codes are linear in it, and every
factor here is a ratio."""


@dataclass(frozen=True)
class FrameFormat:
    """One camera's frames.

    Attributes:
        width, height: size in pixels.
        cfa: colour order.
        black_level, white_level: in DN.
        serial_number, model: of the camera.
        gain_db: gain of the frames.
        offset: (x, y) of the region of interest on the sensor in pixels; None where it was not recorded.
    """

    width: int
    height: int
    cfa: str
    black_level: float
    white_level: float
    serial_number: str = ""
    model: str = ""
    gain_db: float = 0.0
    offset: Offset = None

    @classmethod
    def of(cls, raw: RawImage, offset: Offset = None) -> FrameFormat:
        """Describe a frame."""
        height, width = raw.pixels.shape
        return cls(
            width,
            height,
            raw.cfa,
            float(raw.black_level),
            float(raw.white_level),
            raw.serial_number,
            raw.model,
            float(raw.gain_db),
            offset,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the frames."""
        return self.height, self.width

    @property
    def size(self) -> str:
        """Width and height as text."""
        return f"{self.width}x{self.height}"

    @property
    def range_dn(self) -> float:
        """Codes from black to white."""
        return self.white_level - self.black_level

    def difference(self, other: FrameFormat, matters: Collection[str] = MATTERS) -> str:
        """Say what keeps a calibration of these frames from frames of another kind; empty if nothing.

        A serial number or an offset that one of the two does not know is not compared.

        Args:
            other: frames of the other kind.
            matters: fields that must be the same.
        """
        for name, text in MATTERS.items():
            if name not in matters:
                continue
            own, theirs = getattr(self, name), getattr(other, name)
            if own != theirs and not (name in ("serial_number", "offset") and not (own and theirs)):
                return f"{text.format(own)}, not {theirs}"
        return ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "offset": None if self.offset is None else list(self.offset)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FrameFormat:
        """Read what `to_dict` wrote.

        Raises:
            CalibrationError: if a field is missing or wrong.
        """
        try:
            offset = data["offset"]
            return cls(
                int(data["width"]),
                int(data["height"]),
                str(data["cfa"]),
                float(data["black_level"]),
                float(data["white_level"]),
                str(data["serial_number"]),
                str(data["model"]),
                float(data["gain_db"]),
                None if offset is None else (int(offset[0]), int(offset[1])),
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise CalibrationError(f"damaged description of the frames: {error!r}") from error


def formats_of(session: Session, record: PairRecord) -> dict[str, FrameFormat]:
    """Describe the frames of B and S of a recorded pair; the offset is the one read back from the camera.

    Raises:
        RawFileError: if a file is missing or damaged.
    """
    pair = record.load()
    takes = [take for take in session.takes(record.scene, record.kind) if take.take == record.take]
    settings = takes[-1].details.get("settings", {}) if takes else {}
    return {
        camera: FrameFormat.of(raw, _offset(settings.get(camera, ())))
        for camera, raw in (("B", pair.b), ("S", pair.s))
    }


def _offset(settings: Any) -> Offset:
    found = {item["name"]: item.get("applied") for item in settings if item.get("name", "")[:6] == "Offset"}
    x, y = found.get("OffsetX"), found.get("OffsetY")
    return None if x is None or y is None else (int(x), int(y))

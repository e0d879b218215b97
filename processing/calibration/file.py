"""What all calibration files have in common: identity, seal, sources, cameras, and when they hold.

A file's id is a hash of what was measured and from what; the seal is a hash of all the file says, its date
and the place of its session too. A file that was changed by hand, that another version of beamrig made, whose
sources changed, that is too old or of another camera is refused with the reason, never passed over.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from processing.calibration.frame_format import MATTERS, FrameFormat
from processing.calibration.takes import Source
from processing.errors import CalibrationError, OtherVersion
from processing.outputs import write_json
from rig.errors import BeamrigError
from rig.session import Session

SCHEMA: Final = 3
ALGORITHM: Final = 4
"""Raised whenever the same sources would give another calibration or other images."""
MOST_DAYS: Final = 36500
"""Longest time that a calibration may be said to hold."""
_APART: Final = ("id", "seal", "created", "where")
"""Fields that do not belong to what was measured."""


def digest(content: Mapping[str, Any]) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of plain values, whatever their order."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def now() -> str:
    """Return the present time, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_sealed(path: Path, content: Mapping[str, Any], created: str, where: str = "") -> None:
    """Write a calibration file, whole or not at all.

    Raises:
        ProcessingError: if it cannot be written.
    """
    data = {"id": digest(content), "created": created, "where": where, **content}
    write_json(path, {**data, "seal": digest(data)})


def read_sealed(path: Path) -> dict[str, Any]:
    """Read a calibration file of this version.

    Raises:
        OtherVersion: if another version of beamrig made it; its seal is then not looked at, for each version
            has sealed in its own way.
        CalibrationError: if it is missing, no calibration, or changed by hand.
    """
    try:
        if path.exists() and not path.is_file():
            raise CalibrationError(f"{path} is no file")  # a pipe would keep its reader waiting for ever
        data = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except FileNotFoundError as error:
        raise CalibrationError(f"{path} does not exist") from error
    except (OSError, ValueError, RecursionError) as error:  # brackets in brackets, a hundred thousand deep
        raise CalibrationError(f"{path} cannot be read: {error}", hint="calibrate again") from error
    if not isinstance(data, dict) or not {"id", "schema", "algorithm", "kind"} <= data.keys():
        raise CalibrationError(f"{path} is no calibration file", hint="see 'beamrig calibrate --help'")
    if (data["schema"], data["algorithm"]) != (SCHEMA, ALGORITHM):
        raise OtherVersion(
            f"{path.name} was made by another version of beamrig (format {data['schema']}, algorithm "
            f"{data['algorithm']}; this one has {SCHEMA}, {ALGORITHM})",
            hint="calibrate again from the same session",
        )
    content = {key: value for key, value in data.items() if key not in _APART}
    sealed = {key: value for key, value in data.items() if key != "seal"}
    if data["id"] != digest(content) or data.get("seal") != digest(sealed):
        raise CalibrationError(f"{path.name} was changed after it was made", hint="calibrate again")
    return data


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number that was measured")


@dataclass(frozen=True)
class Card:
    """What a calibration file of the laboratory says about itself.

    Attributes:
        session: id of the session it was made from.
        where: folder of that session when it was made.
        frames: what the frames of each camera are like for which it holds.
        sources: the RAW files it was made from.
        valid_days: how long it holds.
        created: ISO 8601 time.
    """

    session: str
    where: str
    frames: dict[str, FrameFormat]
    sources: tuple[Source, ...]
    valid_days: int
    created: str

    def to_dict(self) -> dict[str, Any]:
        """Return what belongs to the content of the file as plain values."""
        return {
            "session": self.session,
            "frames": {camera: frame.to_dict() for camera, frame in self.frames.items()},
            "sources": [source.__dict__ for source in self.sources],
            "valid_days": self.valid_days,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Card:
        """Read it from a whole file.

        Raises:
            KeyError, TypeError, ValueError: if something is missing or wrong.
        """
        needed = {"S"} if data["kind"] == "colour" else {"B", "S"}
        if not needed <= set(data["frames"]) <= {"B", "S"}:
            raise ValueError(f"frames of {sorted(data['frames'])}, not {sorted(needed)}")
        days, created = int(data["valid_days"]), str(data["created"])
        if not 1 <= days <= MOST_DAYS:
            raise ValueError(f"good for {days} days")
        if datetime.fromisoformat(created).tzinfo is None:
            raise ValueError(f"the date {created} has no time zone")
        return cls(
            session=str(data["session"]),
            where=str(data["where"]),
            frames={camera: FrameFormat.from_dict(frame) for camera, frame in data["frames"].items()},
            sources=tuple(Source(**source) for source in data["sources"]),
            valid_days=days,
            created=created,
        )

    def check_age(self, name: str, *, allow_old: bool = False) -> None:
        """Refuse a calibration that is older than it says it may be, or from the future.

        Raises:
            CalibrationError: with the age, and what to do.
        """
        age = datetime.now(UTC) - datetime.fromisoformat(self.created)
        if age < timedelta(days=-1):
            raise CalibrationError(f"{name} is dated {self.created}, in the future", hint="check the clock")
        if age > timedelta(days=self.valid_days) and not allow_old:
            raise CalibrationError(
                f"{name} is {age.days} days old and was good for {self.valid_days}",
                hint="calibrate again, or allow old calibrations",
            )

    def check_frames(
        self, name: str, frames: Mapping[str, FrameFormat], matters: Collection[str] = MATTERS
    ) -> None:
        """Refuse a calibration of other cameras or settings.

        Args:
            name: of the calibration, for the message.
            frames: what the session's frames are like.
            matters: fields that must be the same.

        Raises:
            CalibrationError: with what differs.
        """
        for camera, frame in self.frames.items():
            difference = frame.difference(frames[camera], matters)
            if difference:
                raise CalibrationError(
                    f"{name} does not fit camera {camera} of the session: it is of {difference}",
                    hint="calibrate with the camera and settings of the session",
                )

    def check_sources(self, name: str, beside: Iterable[Path] = ()) -> bool:
        """Compare the sources with the session they are from, where that is still there.

        Args:
            name: of the calibration, for the message.
            beside: more folders that may be the session.

        Returns:
            Whether the session was found.

        Raises:
            CalibrationError: if one is gone or another file now.
        """
        for folder in (Path(self.where), *beside):
            if not (folder / "session.yaml").is_file():
                continue
            try:
                with Session.open(folder) as session:
                    known = {record.id: record for record in session.pairs()} if self._is(session) else None
            except BeamrigError:
                continue  # somebody else's folder by now
            if known is None:
                continue
            for source in self.sources:
                record = known.get(source.pair)
                meta = {} if record is None else record.meta_b if source.camera == "B" else record.meta_s
                if meta.get("sha256") != source.sha256:
                    what = "is gone from" if record is None else "is another file now in"
                    raise CalibrationError(
                        f"{name} is stale: {source.pair}, from which it was made, {what} {folder.name}",
                        hint="calibrate again",
                    )
            return True
        return False

    def _is(self, session: Session) -> bool:
        return session.id == self.session

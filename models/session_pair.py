"""One developed pair's deblurred picture: what it is made from, its files, and the record beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.deblur import DeblurResult, EngineInfo
from models.errors import ImageError
from models.images import read_picture
from processing.jobs.derived import DerivedPair
from processing.jobs.pair_record import read_sealed, versions, write_sealed
from processing.jobs.report import derived_path
from processing.outputs import encode_image, publish, withdraw

__all__ = ["DeblurWish", "PairDesk", "PairInput", "read_deblurred"]

SCHEMA: Final = 1
PART: Final = "deblurred"
_ENGINE: Final = (
    "device", "precision", "reason", "fused", "architecture", "parameters", "trained", "note", "threads",
)  # fmt: skip
"""What a record tells of the engine: nothing that holds a place on this computer."""
_MADE_WITH: Final = ("schema", "pair", "sources", "weights", "only_moved")


@dataclass(frozen=True)
class DeblurWish:
    """Which pairs, and how.

    Attributes:
        scenes: Names of scenes; all when empty.
        takes: Numbers of takes; all when empty.
        kind: "action", "static" or "all"; nothing moves in static pairs.
        only_moved: Run the network only where B differs from S, and leave the rest of B as it is.
        precision: What the engine was asked for: "auto", or a precision that older results must have too.
        again: Make everything anew.
    """

    scenes: Sequence[str] = ()
    takes: Collection[int] = ()
    kind: str = "action"
    only_moved: bool = False
    precision: str = "auto"
    again: bool = False


@dataclass(frozen=True)
class PairInput:
    """The developed pictures of a pair, and the hashes of their files by name."""

    rgb: npt.NDArray[Any]
    reference: npt.NDArray[Any] | None
    sources: Mapping[str, str]


def read_deblurred(folder: Path, pair: DerivedPair) -> dict[str, Any] | None:
    """Return the record of a pair's deblurred picture, or None; it may be of an older developed picture.

    Args:
        folder: SESSION/derived/<scene>.
        pair: The pair.
    """
    stored = read_sealed(derived_path(folder, pair.record, PART, ".json"))
    return stored if stored is not None and stored.get("schema") == SCHEMA else None


class PairDesk:
    """Reads what a pair is made from, and writes what was made of it, for one engine and one wish.

    Args:
        info: The engine.
        wish: How the pairs are made.

    Raises:
        ImageError: The weights cannot be read.
    """

    def __init__(self, info: EngineInfo, wish: DeblurWish) -> None:
        self._wish = wish
        self._weights = "untrained" if info.weights is None else _file_hash(Path(info.weights))

    def read(self, folder: Path, pair: DerivedPair) -> PairInput | None:
        """Read a pair's pictures; None if its result is there and would be the same.

        Raises:
            ImageError: A picture is missing, damaged, or not what its record says.
        """
        names = ("B", "S") if self._wish.only_moved else ("B",)
        hashes = {name: self._vouched(pair, name) for name in names}
        if not self._wish.again and self._is_there(folder, pair, hashes):
            return None
        rgb = read_picture(pair.files["B"]).rgb
        reference = read_picture(pair.files["S"]).rgb if self._wish.only_moved else None
        return PairInput(rgb, reference, hashes)

    def _vouched(self, pair: DerivedPair, name: str) -> str:
        path = pair.files.get(name)
        if path is None:
            raise ImageError(f"the developed {name} is gone", hint="process the session again")
        found = _file_hash(path)
        if found != pair.data["files"][path.name]["sha256"]:
            raise ImageError(
                f"{path.name} is not what its record says", hint="damaged or changed: process it again"
            )
        return found

    def _made_with(self, pair: DerivedPair, hashes: Mapping[str, str]) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "pair": pair.record.id,
            "sources": dict(hashes),
            "weights": self._weights,
            "only_moved": self._wish.only_moved,
        }

    def _is_there(self, folder: Path, pair: DerivedPair, hashes: Mapping[str, str]) -> bool:
        stored = read_deblurred(folder, pair)
        wanted = self._made_with(pair, hashes)
        if stored is None or any(stored.get(key) != wanted[key] for key in _MADE_WITH):
            return False
        if self._wish.precision not in ("auto", stored["engine"]["precision"]):
            return False
        home = folder / pair.record.kind
        return all(_has_size(home / Path(name).name, facts) for name, facts in stored["files"].items())

    def write(self, folder: Path, pair: DerivedPair, source: PairInput, result: DeblurResult) -> None:
        """Write picture, mask and record; the old record goes first, the new one comes last.

        Raises:
            NoRoom: The disk is full.
            ProcessingError: A file cannot be written.
        """
        white = np.iinfo(source.rgb.dtype).max
        suffix = pair.files["B"].suffix
        sharp = np.rint(result.sharp * np.float32(white)).astype(source.rgb.dtype)
        files = [
            encode_image(derived_path(folder, pair.record, PART, suffix), sharp),
            encode_image(
                derived_path(folder, pair.record, f"{PART}_mask", ".png"),
                np.rint(result.mask * np.float32(255)).astype(np.uint8),
            ),
        ]
        record = derived_path(folder, pair.record, PART, ".json")
        withdraw(record)
        publish(files)
        write_sealed(
            record,
            {
                **self._made_with(pair, source.sources),
                "engine": {
                    **{name: told for name, told in result.info.to_dict().items() if name in _ENGINE},
                    "weights": Path(result.info.weights or "").name,
                },
                "made": {
                    "seconds": round(result.seconds, 3),
                    "tiles": result.tiles,
                    "share": round(result.share, 4),
                    "route": result.route,
                },
                "versions": versions(),
                "files": {file.path.name: file.facts() for file in files},
            },
        )


def _file_hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImageError(f"cannot read {path}: {error.strerror or error}") from error


def _has_size(path: Path, facts: Mapping[str, Any]) -> bool:
    try:
        return path.stat().st_size == int(facts["bytes"])
    except OSError:
        return False

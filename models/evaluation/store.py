"""Figures that are kept while an evaluation runs, so that a stopped one goes on where it ended.

One file of JSON lines a candidate, named by the hash of its weights; every line is on the disk before the
next picture is begun, names the hash of the pair's own pixels, and a torn last line is passed over.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.errors import EvaluationError
from models.training.pairs import TrainingPair

__all__ = ["FiguresFile", "ImageResult", "pair_digest"]

VERSION: Final = 2
"""Raised when a figure is computed in another way than before: older lines do not count then."""


@dataclass(frozen=True)
class ImageResult:
    """The figures of one picture.

    Attributes:
        name: Of the pair.
        digest: `pair_digest` of it.
        height_px, width_px: Its size.
        aligned: Whether the aligned figures were taken.
        values: `Figure.key` -> finite value.
        undefined: `Figure.key` -> why it has no value.
        seconds: That the candidate took.
    """

    name: str
    digest: str
    height_px: int
    width_px: int
    aligned: bool
    values: dict[str, float] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def pair_digest(pair: TrainingPair) -> str:
    """Return a hash of all pixels of a pair."""
    digest = hashlib.sha256()
    for array in (pair.blurred, pair.sharp, pair.mask):
        if array is not None:
            digest.update(f"{array.dtype} {array.shape}\n".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


class FiguresFile:
    """What is known of one candidate; without a folder it is only remembered.

    Args:
        folder: Where it is kept; made if missing. None keeps nothing.
        key: Of the candidate.

    Raises:
        EvaluationError: The folder cannot be written.
    """

    def __init__(self, folder: Path | None, key: str) -> None:
        self._known: dict[str, ImageResult] = {}
        self._path = None if folder is None else folder / f"{key}.jsonl"
        if self._path is not None:
            self._read(self._path)

    def find(self, digest: str, *, aligned: bool) -> ImageResult | None:
        """Return the figures of a pair, if they were taken before, aligned ones included where asked."""
        found = self._known.get(digest)
        return found if found is not None and (found.aligned or not aligned) else None

    def add(self, result: ImageResult) -> None:
        """Keep the figures of a pair.

        Raises:
            EvaluationError: The disk refuses.
        """
        self._known[result.digest] = result
        if self._path is None:
            return
        line = json.dumps({"version": VERSION, **result.__dict__}, allow_nan=False)
        try:
            with self._path.open("ab") as file:
                file.write(f"{line}\n".encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _refused(self._path, error) from error

    def _read(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab+") as file:
                file.seek(0)
                data = file.read()
                if data and not data.endswith(b"\n"):
                    file.write(b"\n")  # a torn line stays alone on its own
        except OSError as error:
            raise _refused(path, error) from error
        for line in data.splitlines():
            result = _parsed(line)
            if result is not None:
                self._known[result.digest] = result


def _parsed(line: bytes) -> ImageResult | None:
    try:
        stored: dict[str, Any] = json.loads(line)
        if stored.pop("version") != VERSION:
            return None
        result = ImageResult(**stored)
        whole = all(math.isfinite(value) for value in result.values.values()) and math.isfinite(
            result.seconds
        )
        named = isinstance(result.name, str) and isinstance(result.digest, str)
        return result if whole and named and isinstance(result.undefined, dict) else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _refused(path: Path, error: OSError) -> EvaluationError:
    return EvaluationError(
        f"cannot write {path}: {error.strerror or error}", hint="make room, or choose another --out"
    )

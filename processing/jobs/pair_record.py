"""The record of a developed pair: what it was made from and with, and the hashes of what came out.

It lies beside the pair's images as <pair>.json. A pair is skipped only if its record is what would be written
now and its files are there; and with it the pair can be made again, bit by bit. A record carries a hash of
itself: one that was edited by hand vouches for nothing.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from processing.calibration.file import ALGORITHM, digest
from processing.calibration.scene import SceneCalibration
from processing.jobs.report import derived_path
from processing.jobs.steps import Job
from processing.outputs import read_json, write_json
from rig.records import PairRecord

SCHEMA: Final = 3
_MADE_WITH: Final = (
    "schema", "pair", "profile", "choices", "calibration", "algorithm", "sources", "box", "images", "mask",
)  # fmt: skip


@cache
def versions() -> dict[str, str]:
    """Return the versions of what takes part in the bits of the result."""
    try:
        own = metadata.version("beamrig")
    except metadata.PackageNotFoundError:
        own = "0+unknown"
    return {
        "beamrig": own,
        "algorithm": str(ALGORITHM),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


def mask_origin(
    method: str,
    background: Sequence[PairRecord],
    others: Sequence[PairRecord],
    *,
    confidence: bool = False,
) -> dict[str, Any]:
    """Describe what a mask depends on besides its own pair.

    Args:
        method: of `Choices.masks`.
        background: static pairs that the background model saw.
        others: action pairs that it saw (Algorithm 1 as printed).
        confidence: whether it is written how sure the mask is.
    """
    lines = [f"{r.id} {r.meta_b['sha256']} {r.meta_s['sha256']}" for r in others]
    return {
        "method": method,
        "background": [record.id for record in background],
        "others": hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] if lines else None,
        **({"confidence": True} if confidence else {}),
    }


def made_with(
    record: PairRecord, job: Job, calibration: SceneCalibration, mask: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what determines the results of a pair, as plain values.

    Args:
        record: the RAW pair.
        job: what to make.
        calibration: of the scene.
        mask: `mask_origin`, or None where no mask is made.
    """
    return {
        "schema": SCHEMA,
        "pair": record.id,
        "profile": job.profile,
        "choices": calibration.choices.to_dict(),
        "calibration": calibration.id,
        "algorithm": ALGORITHM,
        "sources": {"B": record.meta_b["sha256"], "S": record.meta_s["sha256"]},
        "box": list(calibration.box),
        "images": [job.bits, job.format] if job.images else None,
        "mask": dict(mask) if mask is not None else None,
    }


def write_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """Write what is known of a pair or a scene with a hash of itself, instead of one that it holds.

    Raises:
        ProcessingError: if the file cannot be written.
    """
    bare = {key: value for key, value in content.items() if key != "seal"}
    write_json(path, {**bare, "seal": digest(bare)})


def read_sealed(path: Path) -> dict[str, Any] | None:
    """Return what `write_sealed` wrote, without the hash; None if there is nothing, or it was changed."""
    stored = read_json(path) or {}
    seal = stored.pop("seal", None)
    return stored if seal == digest(stored) else None


def read_record(folder: Path, record: PairRecord) -> dict[str, Any] | None:
    """Return the record of a pair from its scene's folder of results, without the hash of itself.

    None where there is no record, or one that is of an older beamrig, damaged, or was changed by hand.
    """
    stored = read_sealed(derived_path(folder, record, "", ".json"))
    return stored if stored is not None and stored.get("schema") == SCHEMA else None


def has_a_record(folder: Path, record: PairRecord) -> bool:
    """Tell whether there is a record of a pair, whatever it holds."""
    return derived_path(folder, record, "", ".json").is_file()


def covers(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell whether a record's results are what is wanted, or more: a mask or images made before may stay."""
    asked = dict(wanted)
    for part in ("images", "mask"):
        if asked[part] is None:
            asked[part] = stored.get(part)
    if asked["mask"] is not None and stored.get("mask") == {**asked["mask"], "confidence": True}:
        asked["mask"] = stored["mask"]
    return all(stored.get(key) == asked[key] for key in _MADE_WITH)


def parts_that_stay(stored: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of an older record stays when only masks or only images are made.

    That is "images" or "mask", and "files"; nothing stays unless it was made from and with the same.
    """
    if stored is None or not covers(stored, {**wanted, "images": None, "mask": None}):
        return {}
    stays = {part: stored[part] for part in ("images", "mask") if wanted[part] is None and stored[part]}
    files = {
        name: facts
        for name, facts in stored["files"].items()
        if ("mask" if name.endswith(("_mask.png", "_confidence.png")) else "images") in stays
    }
    return {**stays, "files": files}


def changed_files(folder: Path, record: PairRecord, stored: Mapping[str, Any]) -> list[str]:
    """Return the names of a record's files whose bytes are not what was written, or that are gone."""
    home = derived_path(folder, record, "", ".json").parent
    changed = []
    for name, facts in stored["files"].items():
        try:
            with (home / Path(name).name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            found = ""
        if found != facts["sha256"]:
            changed.append(name)
    return changed


def files_are_there(folder: Path, record: PairRecord, stored: Mapping[str, Any]) -> bool:
    """Tell whether all files of a record exist with their recorded size."""
    home = derived_path(folder, record, "", ".json").parent
    try:
        return all(
            (home / Path(name).name).stat().st_size == facts["bytes"]
            for name, facts in stored["files"].items()
        )
    except (OSError, KeyError, TypeError):
        return False

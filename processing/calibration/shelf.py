"""The calibrations that a session keeps: one that fits is used again, a damaged one is set aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from processing.calibration.scene import SceneCalibration
from processing.calibration.source_files import is_sound
from processing.calibration.takes import Takes
from processing.errors import CalibrationError, OtherVersion, ProcessingError
from processing.profile import Choices, Profile


@dataclass(frozen=True)
class Found:
    """What the shelf holds for a scene.

    Attributes:
        calibration: the one to be used again; None where the scene must be measured.
        notes: what a person should know: files of other versions that were passed over, damaged ones that
            were set aside.
    """

    calibration: SceneCalibration | None
    notes: tuple[str, ...] = ()


def find(
    folder: Path, scene: str, profile: Profile, choices: Choices, takes: Takes, used: Mapping[str, str]
) -> Found:
    """Look for a stored calibration made from exactly these takes in exactly this way.

    What is found here was made by beamrig and can be made again, so no file stops the work: one of another
    version was right in its time and stays; one that is damaged or was changed by hand is kept under another
    name, so that it is told once and can be looked at.

    Args:
        folder: where the session keeps them.
        scene: the scene it must be for.
        profile: the profile it must be for.
        choices: how each step must be done.
        takes: what it must be made from; a pair that it left out as damaged must be damaged still.
        used: kind -> id of the laboratory's calibrations that it must be made with.

    Raises:
        ProcessingError: if a damaged file cannot be renamed.
    """
    notes: list[str] = []
    others = 0
    for path in sorted(folder.glob(f"{scene}_{profile}_*.json")):
        try:
            stored = SceneCalibration.load(path)
        except OtherVersion:
            others += 1
            continue
        except CalibrationError as error:
            notes.append(f"{error.message}; it is kept as {_set_aside(path).name} and not used")
            continue
        same = (stored.scene, stored.choices, stored.used) == (scene, choices, dict(used))
        if same and _made_from(stored, takes):
            return Found(stored, tuple(notes))
    if others:
        files = "1 calibration" if others == 1 else f"{others} calibrations"
        notes.append(f"{files} by another version of beamrig passed over: the scene is measured anew")
    return Found(None, tuple(notes))


def _made_from(stored: SceneCalibration, takes: Takes) -> bool:
    known = {record.id: record for record in takes.records()}
    if not stored.left_out.keys() <= known.keys():
        return False
    if any(is_sound(known[pair]) for pair in stored.left_out):
        return False  # it came back: better with it
    return takes.without(stored.left_out).sources() == stored.sources


def _set_aside(path: Path) -> Path:
    """Give a file a name that no calibration has, and return it."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged{number}")).exists():
        number += 1
    try:
        return path.rename(aside)
    except OSError as error:
        raise ProcessingError(
            f"{path.name} is damaged and cannot be renamed: {error.strerror or error}",
            hint="check the rights of the session's folder",
        ) from error

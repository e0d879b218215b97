"""The small files of a session: cards in YAML and the copies of the hardware profiles."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rig.errors import SessionError
from rig.part_files import part_path, sync_folder
from rig.profiles import RigProfile, dump_profile, load_profile


def write_text(path: Path, text: str) -> None:
    """Write a file so that after a power cut there is the old one or the new one, never a half.

    Raises:
        OSError: The disk refused.
    """
    part = part_path(path)
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """Write a YAML card of plain data.

    Raises:
        SessionError: The disk refused, or the card holds something that is no plain data.
    """
    try:
        plain = json.loads(json.dumps(dict(card), allow_nan=False))
        write_text(path, yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))
    except (TypeError, ValueError) as error:
        raise SessionError(f"{path.name} cannot hold this: {error}") from error
    except OSError as error:
        raise SessionError(f"{path} cannot be written: {error.strerror}") from error


def read_card(path: Path, missing: str, hint: str) -> dict[str, Any]:
    """Read a YAML card.

    Args:
        path: The card.
        missing: What to say when it is not there, for example "no session".
        hint: What to do then.

    Raises:
        SessionError: It is missing or damaged.
    """
    try:
        card = yaml.safe_load(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SessionError(missing, hint=hint) from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SessionError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(card, dict):
        raise SessionError(f"{path} is damaged: it holds no fields")
    return card


def profile_copies(rig: RigProfile) -> dict[str, str]:
    """Return the profiles that a session keeps, as file name -> text; the rig names its copies beside it.

    Raises:
        ProfileError: A profile that the rig names cannot be loaded.
    """
    copies = {}
    slots = {}
    for camera, slot in rig.cameras.items():
        name = f"camera_{camera}"
        copies[f"profiles/{name}.yaml"] = dump_profile(load_profile(slot.profile, "camera"))
        slots[camera] = slot.model_copy(update={"profile": name})
    copies["profiles/trigger_box.yaml"] = dump_profile(load_profile(rig.trigger_box.profile, "trigger_box"))
    box = rig.trigger_box.model_copy(update={"profile": "trigger_box"})
    copies["profiles/rig.yaml"] = dump_profile(rig.model_copy(update={"cameras": slots, "trigger_box": box}))
    return copies


def is_empty(path: Path) -> bool:
    """Return whether this is a folder (and no link to one) that holds nothing."""
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def takes_on_disk(folder: Path) -> set[int]:
    """Take numbers of files that are there, whatever the journal says: none of them is used again."""
    found = (re.match(r"t(\d{1,6})_", path.name) for path in folder.glob("t*"))
    return {int(match[1]) for match in found if match}

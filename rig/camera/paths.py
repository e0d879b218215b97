"""Where GenTL producers (`.cti` files) are."""

from __future__ import annotations

import os
from pathlib import Path

from rig.camera.errors import ProducerError

SEARCH_VARIABLE = "GENICAM_GENTL64_PATH"
"""Environment variable in which makers' installers list the folders of their producers."""


def absolute_cti(cti: str | Path) -> Path:
    """Return a producer's path made absolute (a bare file name would be searched in the linker's path)."""
    return Path(cti).expanduser().absolute()


def checked_path(cti: str | Path) -> Path:
    """Return the absolute path of a producer file.

    Raises:
        ProducerError: it does not exist or is no file.
    """
    path = absolute_cti(cti)
    if not path.exists():
        raise ProducerError(
            f"there is no GenTL producer {path}", hint="check the path; its name ends in .cti"
        )
    if not path.is_file():
        raise ProducerError(f"{path} is no file", hint="name the .cti file itself, not its folder")
    return path


def installed_producers() -> list[Path]:
    """Return the producers in the folders of `GENICAM_GENTL64_PATH`, sorted, each once."""
    folders = [Path(part) for part in os.environ.get(SEARCH_VARIABLE, "").split(os.pathsep) if part]
    found = [path.absolute() for folder in folders if folder.is_dir() for path in folder.glob("*.cti")]
    return sorted(set(found))

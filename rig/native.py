"""The project's own C libraries, found beside the package they belong to and opened through ctypes."""

from __future__ import annotations

import ctypes
from pathlib import Path

from rig.errors import BeamrigError


def open_library(path: Path, error: type[BeamrigError]) -> ctypes.CDLL:
    """Open a library of `setup.py`; the caller says which arguments its functions take.

    Raises:
        BeamrigError: of the type given, if the library was not built.
    """
    if not path.is_file():
        raise error(
            f"{path.name} has not been built",
            hint="run `python setup.py build_ext --inplace` in the project",
        )
    return ctypes.CDLL(str(path))

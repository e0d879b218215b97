"""The project's own C libraries, found beside the package they belong to and opened through ctypes."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, Final

from rig.errors import BeamrigError

_BUILD: Final = "run `python setup.py build_ext --inplace` in the project"


class _Library(ctypes.CDLL):
    """A library whose missing functions are an error with a way out of it."""

    def __init__(self, path: Path, error: type[BeamrigError]) -> None:
        self._where, self._error = path, error
        super().__init__(str(path))

    def __getitem__(self, name_or_ordinal: Any) -> Any:
        try:
            return super().__getitem__(name_or_ordinal)
        except AttributeError as missing:
            raise self._error(
                f"{self._where.name} is of an older source: it has no {name_or_ordinal}", hint=_BUILD
            ) from missing


def open_library(path: Path, error: type[BeamrigError]) -> ctypes.CDLL:
    """Open a library of `setup.py`; the caller says which arguments its functions take.

    Args:
        path: of the library.
        error: raised here, and later where a function is asked for that the library does not have.

    Raises:
        BeamrigError: of the type given, if the library was not built, or cannot be loaded.
    """
    if not path.is_file():
        raise error(f"{path.name} has not been built", hint=_BUILD)
    try:
        return _Library(path, error)
    except OSError as refused:
        raise error(f"{path.name} cannot be loaded: {refused}", hint=_BUILD) from refused

"""The authors' checkpoints: torch pickles, from which only numbers are taken."""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.errors import CheckpointError
from models.networks.entry import NetworkEntry

__all__ = ["find_states", "unpickle"]


def unpickle(path: Path) -> Mapping[Any, Any]:
    """Return the dictionary in a torch pickle; code in it is refused, not run.

    Raises:
        CheckpointError: The file wants to run code, is no torch pickle, is cut off, or holds no dictionary.
    """
    _refuse_packed(path)
    try:
        with warnings.catch_warnings():
            # What another pickle protocol leads to is judged below, by what came out of it.
            warnings.filterwarnings("ignore", message="Detected pickle protocol")
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        wanted = re.search(r"GLOBAL (\S+)|(?:function|class) (\S+)", str(error))
        if wanted is not None:
            name = (wanted.group(1) or wanted.group(2)).strip("`'\".,")
            raise CheckpointError(
                f"{path.name} was refused: besides numbers it wants to load {name}, which may run code",
                hint="use only checkpoints from people you trust, saved as plain state dicts",
            ) from error
        raise CheckpointError(f"{path.name} is not a torch checkpoint") from error
    except (
        RuntimeError,
        EOFError,
        OSError,
        KeyError,
        ValueError,
        AssertionError,
        AttributeError,
        IndexError,
        TypeError,
    ) as error:
        # What a cut or foreign file makes of torch's reader depends on the byte at which it goes wrong.
        raise CheckpointError(f"{path.name} is not a torch checkpoint, or is cut off") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path.name} holds a {type(content).__name__}, not a checkpoint")
    return content


def _refuse_packed(path: Path) -> None:
    """Refuse an archive that holds more than its file: torch packs nothing, and would unpack a bomb."""
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return  # torch's older format, which is no archive
    try:
        with zipfile.ZipFile(path) as archive:
            held = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        raise CheckpointError(f"{path.name} is not a torch checkpoint, or is cut off") from error
    if held > path.stat().st_size:
        raise CheckpointError(
            f"{path.name} was refused: unpacked it is {held / 1e9:.3g} GB, torch's own files are not packed",
            hint="save it anew with torch.save",
        )


def find_states(
    content: Mapping[Any, Any], entries: Sequence[NetworkEntry], file: str
) -> list[tuple[NetworkEntry, Mapping[Any, Any]]]:
    """Return the networks that wrap their tensors as this file does, each with what it would find there.

    Raises:
        CheckpointError: No network does.
    """
    found: list[tuple[NetworkEntry, Mapping[Any, Any]]] = []
    for entry in entries:
        state: object = content
        for key in entry.wrapped:
            state = state.get(key) if isinstance(state, dict) else None
        # Where the tensors lie open in the file, anything with a tensor may be meant.
        if isinstance(state, dict) and (
            entry.wrapped or any(isinstance(value, Tensor) for value in state.values())
        ):
            found.append((entry, state))
    if not found:
        keys = ", ".join(sorted(str(key) for key in content)[:5])
        titles = " or ".join(entry.title for entry in entries)
        ways = dict.fromkeys(" -> ".join(entry.wrapped) or "plain tensors" for entry in entries)
        raise CheckpointError(
            f"{file} is no checkpoint of {titles}: it holds {keys or 'nothing'}",
            hint=f"expected {', or '.join(ways)}",
        )
    return found

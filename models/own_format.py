"""Our own weights: safetensors whose header says which network, whether trained and how, with a sha256."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from models.errors import CheckpointError
from models.networks.entry import NetworkEntry
from models.networks.registry import NETWORKS, entry_of
from models.state import Architecture, StateDict, build, check_state
from rig.errors import printable

__all__ = ["OwnWeights", "read_safetensors", "save_safetensors"]

FORMAT = "beamrig-network-1"
EARLIER_FORMATS = ("beamrig-lbag-1",)
LARGEST_SETTING = 1e6
"""Settings are clamps, shares, and the value of white; whole numbers in JSON may be beyond all floats."""


@dataclass(frozen=True)
class OwnWeights:
    """What one of our files holds; see `models.checkpoints.Checkpoint`."""

    state: StateDict
    architecture: Architecture
    settings: dict[str, float]
    trained: bool
    note: str
    recipe: Mapping[str, Any]


def save_safetensors(
    path: Path, model: nn.Module, *, trained: bool, recipe: Mapping[str, Any], note: str = ""
) -> str:
    """Write the weights in our own format; the file appears whole or not at all.

    Args:
        path: Target, ending in `.safetensors`; an existing file is replaced.
        model: A registered network; its parameters are stored in their own type.
        trained: Whether the weights come from a training.
        recipe: How they were trained; anything that JSON can say.
        note: What the operator should know about these weights.

    Returns:
        The sha256 of the tensors, which is also in the header.

    Raises:
        CheckpointError: The name ends otherwise, the network is not a registered one, or the disk refuses.
    """
    if path.suffix != ".safetensors":
        raise CheckpointError(f"own weights end in .safetensors, not {path.suffix or 'nothing'}")
    entry, keywords = entry_of(model)
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    digest = _digest(state)
    metadata = {
        "format": FORMAT,
        "architecture": json.dumps({"name": entry.name} | keywords),
        "trained": json.dumps(trained),
        "recipe": json.dumps(dict(recipe)),
        "note": note,
        "sha256": digest,
    }
    part = path.with_name(f".{path.name}.part")
    try:
        # The library's own way to a file makes one that nobody else may read.
        part.unlink(missing_ok=True)
        with part.open("xb") as handle:
            handle.write(save(state, metadata))
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(path)
    except (SafetensorError, OSError) as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise CheckpointError(
            f"cannot write {path}: {error}", hint="make room, or choose another place"
        ) from error
    return digest


def read_safetensors(path: Path) -> OwnWeights:
    """Read one of our own files.

    Raises:
        CheckpointError: It is none, is damaged, or its header and its tensors disagree.
    """
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = dict(file.metadata() or {})
            state: StateDict = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path.name} is not a safetensors file: {error}") from error
    if metadata.get("format") not in (FORMAT, *EARLIER_FORMATS):
        raise CheckpointError(f"{path.name} has no beamrig header", hint=f"its format must be {FORMAT}")
    if metadata.get("sha256") != _digest(state):
        raise CheckpointError(
            f"{path.name} is damaged: its sha256 differs", hint="fetch or copy the file again"
        )
    try:
        stated = json.loads(metadata["architecture"])
        trained, recipe = json.loads(metadata["trained"]), json.loads(metadata["recipe"])
    except (KeyError, ValueError, RecursionError) as error:  # ValueError: also for numbers of 5000 digits
        raise CheckpointError(f"{path.name} has an unreadable header: {error}") from error
    if not isinstance(trained, bool) or not isinstance(recipe, dict) or not isinstance(stated, dict):
        raise CheckpointError(f"{path.name} has an unreadable header")
    entry = NETWORKS.get(str(stated.get("name")))
    if entry is None:
        raise CheckpointError(
            f"{path.name} says it is {stated.get('name')!r}, which is no network here",
            hint=f"known: {', '.join(NETWORKS)}",
        )
    architecture = check_state(state, entry, path.name)
    settings = _settings(stated, entry, architecture, path.name)
    note = printable(metadata.get("note", ""))
    return OwnWeights(state, architecture, settings, trained, note, recipe)


def _settings(
    stated: dict[str, Any], entry: NetworkEntry, architecture: Architecture, file: str
) -> dict[str, float]:
    """Return what the header says beyond the shapes, after a look at all that it says."""
    settings = {key: stated[key] for key in entry.settings if key in stated}
    if {key: value for key, value in stated.items() if key not in settings} != {
        "name": entry.name,
        **architecture.size,
    }:
        raise CheckpointError(f"{file} says it is {stated}, its tensors are {architecture}")
    for key, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_SETTING:
            raise CheckpointError(f"{file} says that {key} is {str(value)[:40]}, which is no number for it")
    build(entry, dict(architecture.size) | settings, file, device="meta")
    return {key: float(value) for key, value in settings.items()}


def _digest(state: Mapping[str, Tensor]) -> str:
    """Return the sha256 over names, types, shapes and bytes of all tensors, in order of their names."""
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        # Flat first: 1x1 kernels laid out channels last count as contiguous and yet step over one another.
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()

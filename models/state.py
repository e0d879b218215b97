"""State dicts: which registered network one belongs to, and whether it is complete."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from models.errors import CheckpointError
from models.networks.entry import NetworkEntry, Size
from models.networks.registry import NETWORKS, entry_of_state

__all__ = ["Architecture", "StateDict", "build", "check_state", "find_entry", "shapes_of"]

MOST_NAMED = 4

StateDict = dict[str, Tensor]

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""What weights come in; the types of 8 bits lack half of torch's functions, and no network here has them."""


@dataclass(frozen=True)
class Architecture:
    """A registered network and its size.

    Attributes:
        name: Of its entry in the registry.
        size: Keywords of its class that the shapes of its parameters tell.
    """

    name: str
    size: Mapping[str, Any]

    @property
    def entry(self) -> NetworkEntry:
        """The network's entry in the registry."""
        return NETWORKS[self.name]

    def __str__(self) -> str:
        return self.entry.describe(self.size)


def shapes_of(state: Mapping[Any, Any]) -> dict[str, tuple[int, ...]]:
    """Return name and shape of everything in a state dict; what is no plain tensor has the shape ()."""
    return {str(key): tuple(value.shape) if _is_plain(value) else () for key, value in state.items()}


def find_entry(
    candidates: Sequence[tuple[NetworkEntry, Mapping[Any, Any]]], file: str
) -> tuple[NetworkEntry, Mapping[Any, Any]]:
    """Return the first network that knows the names in its state dict, with that state dict.

    Args:
        candidates: Networks, each with the state dict that the file would hold for it.
        file: Name of the file, for messages.

    Raises:
        CheckpointError: There is none; the message names another network that the tensors belong to, or the
            first parameter that is missing.
    """
    for entry, state in candidates:
        if entry.size_of(shapes_of(state)) is not None:
            return entry, state
    first, state = candidates[0]
    shapes = shapes_of(state)
    titles = " or ".join(entry.title for entry, other in candidates if other is state)
    known = ", ".join(entry.title for entry in NETWORKS.values())
    found = entry_of_state(shapes)
    if found is not None:
        raise CheckpointError(f"{file} holds {found[0].title} wrapped as {titles}", hint=f"known: {known}")
    raise CheckpointError(
        f"{file} does not hold {titles}: {_first_missing(first, shapes)}", hint=f"known: {known}"
    )


def build(entry: NetworkEntry, keywords: Size, file: str, *, device: str = "cpu") -> nn.Module:
    """Return an untrained network for what a file says; sizes that cannot be are the file's error."""
    try:
        with torch.device(device):
            return entry.build(**keywords)
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise CheckpointError(f"{file} speaks of {entry.title} as it cannot be: {error}") from error


def check_state(state: Mapping[Any, Any], entry: NetworkEntry, file: str) -> Architecture:
    """Check a state dict strictly and return the network that it belongs to.

    Raises:
        CheckpointError: Parameters are missing, unknown, of another shape, no numbers, or not finite; the
            message names a few of them.
    """
    size = entry.size_of(shapes_of(state))
    if size is None:
        raise CheckpointError(
            f"{file} does not hold {entry.title}: {_first_missing(entry, shapes_of(state))}"
        )
    architecture = Architecture(entry.name, dict(size))
    expected: dict[str, Tensor] = build(entry, dict(size), file, device="meta").state_dict()
    missing = [key for key in expected if key not in state]
    unknown = [str(key) for key in state if key not in expected]
    if missing or unknown:
        raise CheckpointError(f"{file} is not {architecture}: " + _name_differences(missing, unknown))
    foreign = [key for key, value in expected.items() if not _is_alike(state[key], value)]
    if foreign:
        kind = "floating point numbers" if expected[foreign[0]].is_floating_point() else "whole numbers"
        raise CheckpointError(f"{file} holds something else than {kind} in {_few(foreign)}")
    shaped = [
        f"{key} has {tuple(state[key].shape)} instead of {tuple(value.shape)}"
        for key, value in expected.items()
        if state[key].shape != value.shape
    ]
    if shaped:
        raise CheckpointError(f"{file} is not {architecture}: {_few(shaped)}")
    hollow = [key for key, value in state.items() if value.untyped_storage().nbytes() < value.nbytes]
    if hollow:
        raise CheckpointError(f"{file} holds fewer numbers than it says in {_few(hollow)}")
    # As float32, which is what is loaded: a double may be finite and yet too large for it.
    wild = [key for key, value in state.items() if not bool(torch.isfinite(value.float()).all())]
    if wild:
        raise CheckpointError(f"{file} holds numbers that are not finite in {_few(wild)}")
    return architecture


def _is_plain(value: object) -> bool:
    """Tell whether a value is a tensor with its numbers in memory, one beside the other.

    A pickle may also hold sparse and nested tensors and such without numbers, of which most questions fail.
    """
    return (
        isinstance(value, Tensor)
        and not value.is_nested
        and value.layout == torch.strided
        and value.device.type == "cpu"
    )


def _is_alike(value: object, expected: Tensor) -> bool:
    """Tell whether a value is a plain tensor of the expected kind: counters are whole, all else is not."""
    if not isinstance(value, Tensor) or not _is_plain(value) or value.is_quantized or value.is_complex():
        return False
    return value.dtype in FLOATS if expected.is_floating_point() else not value.is_floating_point()


def _few(items: list[str]) -> str:
    more = len(items) - MOST_NAMED
    return ", ".join(items[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _name_differences(missing: list[str], unknown: list[str]) -> str:
    """Say which names are missing and unknown, the missing ones with the nearest unknown name."""
    said: list[str] = []
    if missing:
        named = [f"{key}{_near(key, unknown, 0.7)}" for key in missing[:MOST_NAMED]]
        said.append(f"{len(missing)} missing: {_few(named + missing[MOST_NAMED:])}")
    if unknown:
        said.append(f"{len(unknown)} unknown: {_few(unknown)}")
    return "; ".join(said)


def _first_missing(entry: NetworkEntry, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Say by which parameter of a network a state dict fails, with the nearest name that it has."""
    with torch.device("meta"):
        names = list(entry.build().state_dict())
    # Of many blocks the first is enough: a smaller network has it as well.
    missing = next((name for name in names if name not in shapes), None)
    if missing is None:
        return "its first or last layer has another shape"
    return f"{missing} is missing{_near(missing, shapes, 0.6)}"


def _near(name: str, names: Iterable[str], cutoff: float) -> str:
    near = difflib.get_close_matches(name, list(names), n=1, cutoff=cutoff)
    return f" (near: {near[0]})" if near else ""

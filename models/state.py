"""State dicts of LBAG and MIMO-UNet: which network one belongs to, and whether it is complete."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from models.errors import CheckpointError
from models.networks.lbag import LBAG

__all__ = ["Architecture", "StateDict", "check_state", "expected_shapes", "infer_architecture"]

BLOCK = re.compile(r"Encoder\.0\.layers\.(\d+)\.main\.0\.main\.0\.weight")
STEM = "feat_extract.0.main.0.weight"
HEADS = ("feat_extract.5.main.0", "ConvsOut.0.main.0", "ConvsOut.1.main.0")
MOST_NAMED = 4

StateDict = dict[str, Tensor]


@dataclass(frozen=True)
class Architecture:
    """Size of a network of this family.

    Attributes:
        base: Channels at full scale.
        num_res: Residual blocks a stage.
        gated: True for LBAG (four output channels), False for MIMO-UNet (three).
    """

    base: int
    num_res: int
    gated: bool = True

    def __str__(self) -> str:
        name = "LBAG" if self.gated else "MIMO-UNet"
        return f"{name} with {self.base} base channels and {self.num_res} residual blocks a stage"


def infer_architecture(state: Mapping[str, Any], name: str = "the state dict") -> Architecture:
    """Return the size that the names and shapes of a state dict speak of.

    Raises:
        CheckpointError: The first or last convolution, by which the size is told, is missing or odd.
    """
    stem, head = state.get(STEM), state.get(f"{HEADS[0]}.weight")
    blocks = {int(found.group(1)) for key in state if (found := BLOCK.fullmatch(str(key)))}
    if not isinstance(stem, Tensor) or not isinstance(head, Tensor) or not blocks:
        raise CheckpointError(
            f"{name} does not hold LBAG: {_missing_hint(state)}", hint="LBAG and MIMO-UNet are known"
        )
    outputs = head.shape[0] if head.ndim == 4 else 0
    if stem.ndim != 4 or stem.shape[0] < 2 or outputs not in (3, 4):
        raise CheckpointError(
            f"{name} does not hold LBAG: {STEM} has shape {tuple(stem.shape)}, "
            f"{HEADS[0]}.weight {tuple(head.shape)}"
        )
    return Architecture(stem.shape[0], len(blocks), gated=outputs == 4)


def expected_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every parameter of a network, without allocating it."""
    with torch.device("meta"):
        model = LBAG(architecture.base, architecture.num_res)
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    if not architecture.gated:
        for head in HEADS:
            shapes[f"{head}.weight"] = (3, *shapes[f"{head}.weight"][1:])
            shapes[f"{head}.bias"] = (3,)
    return shapes


def check_state(state: Mapping[str, Any], name: str) -> Architecture:
    """Check a state dict strictly and return the network that it belongs to.

    Raises:
        CheckpointError: Parameters are missing, unknown, of another shape, no numbers, or not finite; the
            message names a few of them.
    """
    architecture = infer_architecture(state, name)
    expected = expected_shapes(architecture)
    missing = [key for key in expected if key not in state]
    unknown = [str(key) for key in state if key not in expected]
    if missing or unknown:
        raise CheckpointError(f"{name} is not {architecture}: " + _name_differences(missing, unknown))
    foreign = [
        key for key, value in state.items() if not isinstance(value, Tensor) or not value.is_floating_point()
    ]
    if foreign:
        raise CheckpointError(f"{name} holds something else than floating point numbers in {_few(foreign)}")
    shaped = [
        f"{key} has {tuple(state[key].shape)} instead of {shape}"
        for key, shape in expected.items()
        if tuple(state[key].shape) != shape
    ]
    if shaped:
        raise CheckpointError(f"{name} is not {architecture}: {_few(shaped)}")
    wild = [key for key, value in state.items() if not bool(torch.isfinite(value).all())]
    if wild:
        raise CheckpointError(f"{name} holds numbers that are not finite in {_few(wild)}")
    return architecture


def _is_real(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def _few(items: list[str]) -> str:
    more = len(items) - MOST_NAMED
    return ", ".join(items[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _name_differences(missing: list[str], unknown: list[str]) -> str:
    """Say which names are missing and unknown, the missing ones with the nearest unknown name."""
    said: list[str] = []
    if missing:
        named = []
        for key in missing[:MOST_NAMED]:
            near = difflib.get_close_matches(key, unknown, n=1, cutoff=0.7)
            named.append(f"{key} (near: {near[0]})" if near else key)
        said.append(f"{len(missing)} missing: {_few(named + missing[MOST_NAMED:])}")
    if unknown:
        said.append(f"{len(unknown)} unknown: {_few(unknown)}")
    return "; ".join(said)


def _missing_hint(state: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(STEM, [str(key) for key in state], n=1, cutoff=0.6)
    if STEM in state:
        return "its residual blocks or its last convolution are missing"
    return f"{STEM} is missing" + (f" (near: {near[0]})" if near else "")

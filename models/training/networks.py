"""From a recipe to the network that is trained, and the weights that it starts from."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from models.checkpoints import initialise_from_mimo_unet, read_checkpoint
from models.networks.layers import Scale
from models.networks.lbag import LBAG
from models.training.errors import RecipeError
from models.training.recipe import Network
from models.training.start import he_start_

__all__ = ["TRAINABLE", "as_scales", "build", "file_sha256", "has_mask", "initialise"]

TRAINABLE: dict[str, Literal["lbag", "mimo-unet"]] = {
    "lbag": "lbag",
    "mimo-unet": "mimo-unet",
    "mimo-unet-plus": "mimo-unet",
}
"""Names in the registry of what can be trained, and what a recipe calls it."""
HEADS = ("ConvsOut.0.main.0", "ConvsOut.1.main.0", "feat_extract.5.main.0")


def build(spec: Network, seed: int) -> nn.Module:
    """Return the network of a recipe; a seed gives one start, and torch's own dice are not moved."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: nn.Module
        if spec.name == "lbag":
            network = LBAG(spec.base, spec.num_res, gate_min=spec.gate_min, drop=spec.drop)
        else:
            network = _mimo_unet(spec)
        if spec.start == "he":
            he_start_(network)
    if spec.zero_heads:
        for name in HEADS:
            for value in network.get_submodule(name).parameters():
                nn.init.zeros_(value)
    return network


def _mimo_unet(spec: Network) -> nn.Module:
    from models.networks.mimo_unet import MIMOUNet

    return MIMOUNet(spec.base, spec.num_res, drop=spec.drop)


def initialise(network: nn.Module, path: Path, *, zero_heads: bool = False) -> str:
    """Load the weights that a training starts from; MIMO-UNet's fill LBAG's backbone (LBAG+, section 5).

    Returns:
        A sentence that says what was loaded.

    Raises:
        RecipeError: There is no such file, or it belongs to a network of another kind or size.
    """
    if not path.is_file():
        raise RecipeError(f"no weights at {path} to start from", hint="name the file with --init FILE")
    checkpoint = read_checkpoint(path)
    if TRAINABLE.get(checkpoint.architecture.name) == "mimo-unet" and isinstance(network, LBAG):
        heads = initialise_from_mimo_unet(network, path)
        start = "zero" if zero_heads else "random"
        return f"{path.name}: MIMO-UNet's backbone; {len(heads) // 2} output convolutions start {start}"
    try:
        network.load_state_dict(checkpoint.state, strict=True)
    except RuntimeError as error:
        raise RecipeError(
            f"{path.name} holds {checkpoint.architecture}, the recipe's network is another",
            hint="make network.base and network.num_res those of the weights",
        ) from error
    return f"{path.name}: {checkpoint.architecture}"


def as_scales(output: Any) -> list[Scale]:
    """Return what a network gave as scales 1/4, 1/2 and 1.

    A network without gates gives pictures alone; its gate and mask are 1 everywhere, and nobody asks.
    """
    scales: list[Scale] = []
    for item in output:
        if isinstance(item, Tensor):
            ones = item.new_ones(()).expand(item.shape[0], 1, *item.shape[2:])
            scales.append(Scale(item, ones, ones))
        else:
            scales.append(item)
    return scales


def has_mask(spec: Network) -> bool:
    """Return whether the network predicts a blur mask."""
    return spec.name == "lbag"


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()

"""Weights on disk: the authors' checkpoints of every registered network, and our own. All are read strictly.

The authors' files are torch pickles; where in them the tensors lie is told by the registry:

* LBAG (LeiaLi/ReLoBlur): `{'global_step', 'optimizer_states', 'state_dict': {'model': ...}}`,
  `model_ckpt_steps_N.ckpt`;
* MIMO-UNet (chosj95/MIMO-UNet): `{'model': ...}`, `.pkl`; it has no gates and serves LBAG+ as its start;
* DeepDeblur (SeungjunNah/DeepDeblur-PyTorch): `{'G': ..., 'D': ...}`, `model-N.pt`, D only where it was
  trained with a discriminator.

Our own are safetensors, see `models.own_format`. A checkpoint may come from a stranger: pickles are read with
`weights_only=True`, which runs no code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.errors import CheckpointError
from models.networks.entry import NetworkEntry
from models.networks.lbag import LBAG, RELEASED_GATE_MIN
from models.networks.registry import NETWORKS
from models.own_format import read_safetensors, save_safetensors
from models.pickles import find_states, unpickle
from models.state import Architecture, StateDict, build, check_state, find_entry

__all__ = [
    "Checkpoint",
    "initialise_from_mimo_unet",
    "load_lbag",
    "load_network",
    "read_checkpoint",
    "save_safetensors",
]

LARGEST_FILE_BYTES = 4 << 30
"""Of the largest network the weights take 200 MB, and three times as much with what Adam keeps of them."""
MIMO_UNETS = ("mimo-unet", "mimo-unet-plus")
MIMO_UNET_HEADS = ("feat_extract.5", "ConvsOut.0", "ConvsOut.1")


@dataclass(frozen=True)
class Checkpoint:
    """A state dict with what its file says about it.

    Attributes:
        path: The file.
        source: "beamrig" for our own files; for the authors' the name of the network that writes such files
            ("mimo-unet" for MIMO-UNet+ too).
        state: Parameters by name, float32 on the CPU (counters stay whole).
        architecture: Network and size, inferred from the shapes.
        trained: Whether the weights come from a training.
        note: What the operator should know about the weights; may be empty.
        recipe: How they were trained, as the file tells it; empty for the authors' files.
        settings: What our own header says beyond the shapes; where it is silent, the released value holds.
    """

    path: Path
    source: str
    state: StateDict
    architecture: Architecture
    trained: bool
    note: str
    recipe: Mapping[str, Any]
    settings: Mapping[str, float] = field(default_factory=dict)

    @property
    def gate_min(self) -> float:
        """Lower clamp of LBAG's gate: what our own header says, 0.1 (as released) where none is said."""
        return self.settings.get("gate_min", RELEASED_GATE_MIN)


def read_checkpoint(path: Path, name: str | None = None) -> Checkpoint:
    """Read a file of weights of any known format.

    Args:
        path: The file.
        name: Of the network that is wanted; without it the first of the registry that the file holds.

    Raises:
        CheckpointError: The file is missing, is no checkpoint, wants to run code, is damaged, or its tensors
            are not those of the network that is wanted, or of any.
    """
    path = Path(path)
    if name is not None and name not in NETWORKS:
        raise CheckpointError(f"no network is called {name!r}", hint=f"known: {', '.join(NETWORKS)}")
    if not path.is_file():
        raise CheckpointError(f"no weights at {path}", hint="name a .ckpt, .pkl, .pt or .safetensors file")
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}") from error
    if size > LARGEST_FILE_BYTES:
        raise CheckpointError(f"{path.name} has {size / 1e9:.1f} GB: no network here is as large")
    if path.suffix != ".safetensors":
        return _read_pickle(path, [NETWORKS[name]] if name else list(NETWORKS.values()))
    own = read_safetensors(path)
    if name not in (None, own.architecture.name):
        raise CheckpointError(f"{path.name} holds {own.architecture}, not {NETWORKS[str(name)].title}")
    state = _as_float32(own.state)
    return Checkpoint(
        path, "beamrig", state, own.architecture, own.trained, own.note, own.recipe, own.settings
    )


def load_network(path: Path, name: str | None = None) -> tuple[nn.Module, Checkpoint]:
    """Build the network that a file of weights belongs to and load it strictly; the network is in eval mode.

    `NETWORKS[checkpoint.architecture.name].predict(network, rgb)` then runs it.

    Raises:
        CheckpointError: As `read_checkpoint`.
    """
    checkpoint = read_checkpoint(path, name)
    architecture = checkpoint.architecture
    keywords = dict(architecture.size) | dict(checkpoint.settings)
    # Without numbers at first: drawing random ones for 16 million parameters takes longer than reading them.
    model = build(architecture.entry, keywords, path.name, device="meta")
    own = {key: value.clone(memory_format=torch.contiguous_format) for key, value in checkpoint.state.items()}
    model.load_state_dict(own, strict=True, assign=True)
    return model.eval(), checkpoint


def load_lbag(path: Path) -> tuple[LBAG, Checkpoint]:
    """Build and load LBAG; see `load_network`.

    Raises:
        CheckpointError: As `read_checkpoint`, or the file holds another network.
    """
    model, checkpoint = load_network(Path(path))
    if not isinstance(model, LBAG):
        entry = checkpoint.architecture.entry
        if entry.name in MIMO_UNETS:
            raise CheckpointError(
                f"{path.name} holds {entry.title}, which has no gates and predicts no mask",
                hint="it can initialise a training of LBAG; to deblur, name LBAG weights",
            )
        raise CheckpointError(f"{path.name} holds {entry.title}, not LBAG", hint="name LBAG weights")
    return model, checkpoint


def initialise_from_mimo_unet(model: LBAG, path: Path) -> tuple[str, ...]:
    """Copy MIMO-UNet's backbone into a network that is about to be trained (LBAG+ in the paper, section 5).

    Returns:
        The names of the parameters that keep their random start: the three output convolutions, which have
        four channels in LBAG and three in MIMO-UNet.

    Raises:
        CheckpointError: The file cannot be read, is not MIMO-UNet's, or has another size than `model`.
    """
    checkpoint = read_checkpoint(path)
    architecture = checkpoint.architecture
    if architecture.name not in MIMO_UNETS:
        raise CheckpointError(
            f"{path.name} is not a MIMO-UNet checkpoint: it holds {architecture.entry.title}",
            hint="use load_lbag for LBAG weights",
        )
    own = Architecture("lbag", {"base": model.base, "num_res": model.num_res})
    if architecture.size != own.size:
        raise CheckpointError(f"{path.name} holds {architecture}, the network is {own}")
    heads = tuple(name for name in checkpoint.state if name.startswith(MIMO_UNET_HEADS))
    kept = model.state_dict()
    model.load_state_dict(checkpoint.state | {name: kept[name] for name in heads}, strict=True)
    return heads


def _read_pickle(path: Path, entries: list[NetworkEntry]) -> Checkpoint:
    content = unpickle(path)
    entry, state = find_entry(find_states(content, entries, path.name), path.name)
    architecture = check_state(state, entry, path.name)
    trained, note = _story(content, entry)
    source = MIMO_UNETS[0] if entry.name in MIMO_UNETS else entry.name
    return Checkpoint(path, source, _as_float32(dict(state)), architecture, trained, note, {})


def _story(content: Mapping[Any, Any], entry: NetworkEntry) -> tuple[bool, str]:
    """Return whether the authors' weights are trained and what to say of it; only LBAG's files tell."""
    step = content.get("global_step")
    if entry.name != "lbag":
        return True, ""
    if not isinstance(step, int):
        return True, "the checkpoint does not say for how many steps it was trained"
    if step > 0:
        return True, f"trained for {step} steps"
    return False, "the checkpoint was saved before the first step"


def _as_float32(state: StateDict) -> StateDict:
    return {
        name: value.detach().to(torch.float32) if value.is_floating_point() else value.detach()
        for name, value in state.items()
    }

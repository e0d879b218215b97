"""Weights on disk: the authors' checkpoints, MIMO-UNet's, and our own safetensors. All are read strictly.

Three formats are known:

* LBAG as released (public repository LeiaLi/ReLoBlur): a torch pickle
  `{'global_step', 'optimizer_states', 'state_dict': {'model': ...}}`, `model_ckpt_steps_N.ckpt`;
* MIMO-UNet as released (chosj95/MIMO-UNet): a torch pickle `{'model': ...}`, `.pkl`. It has no gates and only
  serves to initialise a training (LBAG+ in the paper);
* our own: safetensors whose header says what the network is, whether it was trained and how, with a sha256.

A checkpoint may come from a stranger: pickles are read with `weights_only=True`, which runs no code.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from models.errors import CheckpointError
from models.networks.lbag import LBAG, RELEASED_GATE_MIN
from models.state import Architecture, StateDict, check_state

__all__ = ["Checkpoint", "initialise_from_mimo_unet", "load_lbag", "read_checkpoint", "save_safetensors"]

FORMAT = "beamrig-lbag-1"
MIMO_UNET_HEADS = ("feat_extract.5", "ConvsOut.0", "ConvsOut.1")


@dataclass(frozen=True)
class Checkpoint:
    """A state dict with what its file says about it.

    Attributes:
        path: The file.
        source: "lbag" (released format), "mimo-unet" or "beamrig" (our own).
        state: Parameters by name, float32 on the CPU.
        architecture: Size of the network, inferred from the shapes.
        trained: Whether the weights come from a training.
        note: What the operator should know about the weights; may be empty.
        recipe: How they were trained, as the file tells it; empty for the authors' files.
        gate_min: Lower clamp of LBAG's gate: what our own header says, 0.1 (as released) where none is said.
    """

    path: Path
    source: str
    state: StateDict
    architecture: Architecture
    trained: bool
    note: str
    recipe: Mapping[str, Any]
    gate_min: float = RELEASED_GATE_MIN


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a file of weights of any known format.

    Raises:
        CheckpointError: The file is missing, is no checkpoint, wants to run code, is damaged, or its tensors
            are not those of a network of this family.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"no weights at {path}", hint="name a .ckpt, .pkl or .safetensors file")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    return _read_pickle(path)


def load_lbag(path: Path) -> tuple[LBAG, Checkpoint]:
    """Build the network that a file of weights belongs to and load it strictly; the network is in eval mode.

    Raises:
        CheckpointError: As `read_checkpoint`, or the file holds a network without gates.
    """
    checkpoint = read_checkpoint(path)
    if checkpoint.source == "mimo-unet":
        raise CheckpointError(
            f"{path.name} holds MIMO-UNet, which has no gates and predicts no mask",
            hint="it can initialise a training of LBAG; to deblur, name LBAG weights",
        )
    size = checkpoint.architecture
    model = LBAG(size.base, size.num_res, gate_min=checkpoint.gate_min)
    model.load_state_dict(checkpoint.state, strict=True)
    return model.eval(), checkpoint


def initialise_from_mimo_unet(model: LBAG, path: Path) -> tuple[str, ...]:
    """Copy MIMO-UNet's backbone into a network that is about to be trained (LBAG+ in the paper, section 5).

    Returns:
        The names of the parameters that keep their random start: the three output convolutions, which have
        four channels in LBAG and three in MIMO-UNet.

    Raises:
        CheckpointError: The file cannot be read, is not MIMO-UNet's, or has another size than `model`.
    """
    checkpoint = read_checkpoint(path)
    if checkpoint.source != "mimo-unet":
        raise CheckpointError(
            f"{path.name} is not a MIMO-UNet checkpoint", hint="use load_lbag for LBAG weights"
        )
    own = Architecture(model.base, model.num_res, gated=False)
    if checkpoint.architecture != own:
        raise CheckpointError(f"{path.name} holds {checkpoint.architecture}, the network has {own}")
    heads = tuple(name for name in checkpoint.state if name.startswith(MIMO_UNET_HEADS))
    kept = model.state_dict()
    model.load_state_dict(checkpoint.state | {name: kept[name] for name in heads}, strict=True)
    return heads


def save_safetensors(
    path: Path, model: LBAG, *, trained: bool, recipe: Mapping[str, Any], note: str = ""
) -> str:
    """Write the weights in our own format; the file appears whole or not at all.

    Args:
        path: Target, ending in `.safetensors`; an existing file is replaced.
        model: The network; its parameters are stored in their own type.
        trained: Whether the weights come from a training.
        recipe: How they were trained; anything that JSON can say.
        note: What the operator should know about these weights.

    Returns:
        The sha256 of the tensors, which is also in the header.
    """
    if path.suffix != ".safetensors":
        raise CheckpointError(f"own weights end in .safetensors, not {path.suffix or 'nothing'}")
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    digest = _digest(state)
    gate_min = model.gate.gate_min
    stated = {"name": "lbag", "base": model.base, "num_res": model.num_res, "gate_min": gate_min}
    metadata = {
        "format": FORMAT,
        "architecture": json.dumps(stated),
        "trained": json.dumps(trained),
        "recipe": json.dumps(dict(recipe)),
        "note": note,
        "sha256": digest,
    }
    part = path.with_name(f".{path.name}.part")
    save_file(state, part, metadata=metadata)
    with part.open("rb+") as handle:
        os.fsync(handle.fileno())
    part.replace(path)
    return digest


def _read_safetensors(path: Path) -> Checkpoint:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = dict(file.metadata() or {})
            state: StateDict = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path.name} is not a safetensors file: {error}") from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path.name} has no beamrig header", hint=f"its format must be {FORMAT}")
    if metadata.get("sha256") != _digest(state):
        raise CheckpointError(
            f"{path.name} is damaged: its sha256 differs", hint="fetch or copy the file again"
        )
    try:
        stated = json.loads(metadata["architecture"])
        trained, recipe = json.loads(metadata["trained"]), json.loads(metadata["recipe"])
    except (KeyError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path.name} has an unreadable header: {error}") from error
    if not isinstance(trained, bool) or not isinstance(recipe, dict) or not isinstance(stated, dict):
        raise CheckpointError(f"{path.name} has an unreadable header")
    gate_min = stated.pop("gate_min", RELEASED_GATE_MIN)
    if isinstance(gate_min, bool) or not isinstance(gate_min, int | float) or not 0 <= gate_min <= 1:
        raise CheckpointError(f"{path.name} says its gate is clamped at {gate_min!r}, not between 0 and 1")
    architecture = check_state(state, path.name)
    if stated != {"name": "lbag", "base": architecture.base, "num_res": architecture.num_res}:
        raise CheckpointError(f"{path.name} says it is {stated}, its tensors are {architecture}")
    note = metadata.get("note", "")
    return Checkpoint(
        path, "beamrig", _as_float32(state), architecture, trained, note, recipe, float(gate_min)
    )


def _read_pickle(path: Path) -> Checkpoint:
    content = _unpickle(path)
    source, state = _find_state(content, path.name)
    architecture = check_state(state, path.name)
    if architecture.gated != (source == "lbag"):
        kind = "LBAG" if architecture.gated else "MIMO-UNet"
        raise CheckpointError(f"{path.name} wraps {kind} tensors as the other network does")
    step = content.get("global_step")
    if source == "mimo-unet":
        trained, note = True, ""
    elif isinstance(step, int):
        trained = step > 0
        note = f"trained for {step} steps" if trained else "the checkpoint was saved before the first step"
    else:
        trained, note = True, "the checkpoint does not say for how many steps it was trained"
    return Checkpoint(path, source, _as_float32(state), architecture, trained, note, {})


def _unpickle(path: Path) -> Mapping[str, Any]:
    """Return the dictionary in a torch pickle; code in it is refused, not run."""
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
        AttributeError,
        IndexError,
        TypeError,
    ) as error:
        # What a cut or foreign file makes of torch's reader depends on the byte at which it goes wrong.
        raise CheckpointError(f"{path.name} is not a torch checkpoint, or is cut off") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path.name} holds a {type(content).__name__}, not a checkpoint")
    return content


def _find_state(content: Mapping[str, Any], name: str) -> tuple[str, StateDict]:
    nested = content.get("state_dict")
    if isinstance(nested, dict) and isinstance(nested.get("model"), dict):
        return "lbag", dict(nested["model"])
    if isinstance(content.get("model"), dict):
        return "mimo-unet", dict(content["model"])
    keys = ", ".join(sorted(str(key) for key in content)[:5])
    raise CheckpointError(
        f"{name} is no checkpoint of LBAG or MIMO-UNet: it holds {keys or 'nothing'}",
        hint="expected state_dict -> model, or model",
    )


def _as_float32(state: StateDict) -> StateDict:
    return {name: value.detach().to(torch.float32) for name, value in state.items()}


def _digest(state: Mapping[str, Tensor]) -> str:
    """Return the sha256 over names, types, shapes and bytes of all tensors, in order of their names."""
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.view(torch.uint8).numpy().tobytes() if value.ndim else value.numpy().tobytes())
    return digest.hexdigest()

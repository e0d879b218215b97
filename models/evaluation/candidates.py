"""What is evaluated: a network with its weights, or the blurred picture as it is."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models.checkpoints import Checkpoint, load_network, read_checkpoint
from models.deblur import DeblurEngine
from models.errors import Cancelled, CheckpointError, EngineError, ImageError
from models.evaluation.figures import to_8bit
from models.pictures import NOT_FINITE, NOT_FINITE_HINT, as_unit_range, to_planes
from models.room import check_room
from models.weights import default_weights
from rig.errors import printable

__all__ = [
    "INPUT",
    "SHIPPED",
    "About",
    "Candidate",
    "InputAsItIs",
    "Prediction",
    "open_candidate",
    "open_candidates",
]

INPUT: Final = "input"
SHIPPED: Final = "shipped"
LONGEST_NAME: Final = 80
_TYPES: Final = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Prediction:
    """What a candidate makes of a picture.

    Attributes:
        sharp: (H, W, 3) uint8.
        mask: (H, W) float32 in 0..1; None where it predicts none.
        seconds: Time taken.
    """

    sharp: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.float32] | None
    seconds: float


@dataclass(frozen=True)
class About:
    """What a candidate is, as reports say it.

    Attributes:
        name: In tables.
        key: Names its stored results: the same key means the same pictures.
        network: In words; empty for the input.
        weights: File name; empty for the input.
        sha256: Of that file.
        trained: Whether its weights come from a training; None for the input.
        device, precision: Where and in what it runs.
        gate, bapc, ssim_loss, pretrained: The switches of the paper's Table 3; None where the file of weights
            does not tell.
    """

    name: str
    key: str
    network: str = ""
    weights: str = ""
    sha256: str = ""
    trained: bool | None = None
    device: str = ""
    precision: str = ""
    gate: bool | None = None
    bapc: bool | None = None
    ssim_loss: bool | None = None
    pretrained: bool | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {name: value for name, value in asdict(self).items() if name != "key"}


class Candidate(Protocol):
    """Something that turns a blurred picture into a sharper one."""

    about: About

    def predict(
        self, blurred: npt.NDArray[Any], cancel: threading.Event, progress: Callable[[float], None]
    ) -> Prediction:
        """Return what it makes of (H, W, 3) uint8 or uint16.

        Raises:
            Cancelled: `cancel` was set.
            ImageError: It does not take this picture.
        """
        ...


class InputAsItIs:
    """The blurred picture itself: what every network must be better than."""

    about = About(INPUT, INPUT)

    def predict(
        self, blurred: npt.NDArray[Any], cancel: threading.Event, progress: Callable[[float], None]
    ) -> Prediction:
        """Return the picture in 8 bit."""
        return Prediction(to_8bit(blurred), None, 0.0)


class _Lbag:
    """LBAG through the inference engine, tile by tile where it must be."""

    def __init__(self, name: str, path: Path, checkpoint: Checkpoint, device: str, precision: str) -> None:
        self._engine = DeblurEngine(path, device, precision)
        info = self._engine.describe()
        self.about = _about(name, path, checkpoint, info.architecture, info.device, info.precision, gate=True)

    def predict(
        self, blurred: npt.NDArray[Any], cancel: threading.Event, progress: Callable[[float], None]
    ) -> Prediction:
        """Return the engine's picture, rounded to 8 bit, and the network's mask."""
        result = self._engine.run(blurred, cancel, progress)
        return Prediction(to_8bit(result.sharp), result.mask, result.seconds)


class _Registered:
    """Any other network of the registry: the whole picture at once, as its paper runs it."""

    def __init__(self, name: str, path: Path, device: str, precision: str) -> None:
        self._model, checkpoint = load_network(path)
        self._entry = checkpoint.architecture.entry
        if self._entry.run is None or self._entry.rules.pictures != 1:
            raise CheckpointError(
                f"{path.name} holds {self._entry.title}, which does not deblur a picture by itself"
            )
        if device == "cuda" and not torch.cuda.is_available():
            raise EngineError("CUDA is not available on this machine", hint="use --device auto")
        self._device = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
        precision = "fp32" if precision == "auto" else precision
        self._type = _TYPES[precision]
        self._model.to(self._device)
        self.about = _about(
            name, path, checkpoint, str(checkpoint.architecture), self._device, precision, gate=False
        )

    def predict(
        self, blurred: npt.NDArray[Any], cancel: threading.Event, progress: Callable[[float], None]
    ) -> Prediction:
        """Return the network's picture, rounded to 8 bit, and its mask where it predicts one."""
        begun = time.perf_counter()
        # Whole, as its paper runs it: a tile that changes nothing would have to read hundreds of pixels more.
        height, width = blurred.shape[:2]
        check_room(
            self._entry.title, height, width, self._entry.bytes_per_pixel(self._model),
            "close other programs, or evaluate smaller pictures", self._device,
        )  # fmt: skip
        planes = to_planes(as_unit_range(blurred)).to(self._device)
        with (
            _stoppable(self._model, cancel),
            torch.inference_mode(),
            torch.autocast(self._device, self._type, enabled=self._type != torch.float32),
        ):
            sharp, mask = self._entry.predict(self._model, planes)
        if not bool(torch.isfinite(sharp).all()):
            raise ImageError(NOT_FINITE, hint=NOT_FINITE_HINT)
        picture = to_8bit(sharp[0].permute(1, 2, 0).float().cpu().numpy())
        found = None if mask is None else mask[0, 0].float().cpu().numpy()
        return Prediction(picture, found, time.perf_counter() - begun)


@contextmanager
def _stoppable(model: nn.Module, cancel: threading.Event) -> Iterator[None]:
    """Let a network stop after the layer in work once `cancel` is set."""

    def look(*_: object) -> None:
        if cancel.is_set():
            raise Cancelled("the evaluation was stopped")

    handles = [part.register_forward_hook(look) for part in model.modules() if not any(part.children())]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def open_candidate(named: str, device: str = "auto", precision: str = "auto") -> Candidate:
    """Return what is evaluated.

    Args:
        named: A file of weights, or `input`, or `shipped`.
        device: Of the inference engine.
        precision: Likewise.

    Raises:
        CheckpointError: The weights are missing or cannot be used.
        EngineError: The machine cannot do what was asked.
    """
    if named == INPUT:
        return InputAsItIs()
    path = Path(named)
    if named == SHIPPED:
        shipped = default_weights()
        if shipped is None:
            raise CheckpointError("no weights are shipped with this beamrig", hint="name a file of weights")
        path = shipped
    checkpoint = read_checkpoint(path)
    told = printable(str(checkpoint.recipe.get("name") or ""))[:LONGEST_NAME]
    name = SHIPPED if named == SHIPPED else told or path.name
    if checkpoint.architecture.name == "lbag":
        return _Lbag(name, path, checkpoint, device, precision)
    return _Registered(name, path, device, precision)


def open_candidates(named: Sequence[str], device: str = "auto", precision: str = "auto") -> list[Candidate]:
    """Return all that is evaluated, under names that differ; see `open_candidate`.

    A network is called as the recipe that trained it, for every training calls its file the same; where that
    is not enough, its path stands behind.
    """
    once = list(dict.fromkeys(named))
    opened = [open_candidate(one, device, precision) for one in once]
    names = [candidate.about.name for candidate in opened]
    for path, candidate in zip(once, opened, strict=True):
        if names.count(candidate.about.name) > 1:
            candidate.about = replace(candidate.about, name=f"{candidate.about.name} ({path})")
    return opened


def _about(
    name: str, path: Path, checkpoint: Checkpoint, network: str, device: str, precision: str, *, gate: bool
) -> About:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    recipe = checkpoint.recipe
    return About(
        name,
        f"{digest[:20]}-{device}-{precision}",
        network,
        path.name,
        digest,
        checkpoint.trained,
        device,
        precision,
        gate,
        _positive(recipe, "patches", "blurred_share"),
        _positive(recipe, "losses", "ssim"),
        bool(recipe["init"]) if "init" in recipe else None,
    )


def _positive(recipe: Mapping[str, Any], part: str, name: str) -> bool | None:
    """Return whether a number of a recipe is above 0; None where the recipe does not tell."""
    section = recipe.get(part)
    value = section.get(name) if isinstance(section, Mapping) else None
    return value > 0 if isinstance(value, (int, float)) else None

"""What the inference engine says: about itself, and about a picture."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from models.backend import Candidate
from models.memory import Moving
from models.networks.lbag import LBAG
from models.pictures import FloatImage
from models.tuning import Tuning

__all__ = ["DeblurResult", "EngineInfo", "engine_info"]


@dataclass(frozen=True)
class EngineInfo:
    """What the engine runs, where, and why.

    Attributes:
        device: "cpu" or "cuda".
        precision: "fp32", "bf16" or "fp16".
        reason: Why this precision was chosen, in one line.
        fused: Whether convolutions run fused with what follows them.
        weights: Path of the weights; None for the untrained network.
        architecture: The network in words.
        parameters: Number of its parameters.
        trained: Whether the weights come from a training.
        note: What the operator must know about the weights.
        threads: CPU threads that torch uses.
        form: How the network runs, one of `models.backend.FORMS`.
        remembered: Whether the choice was measured at an earlier start and read from `memory`.
        memory: Path of the file that keeps the choice; None where it was asked for or cannot be kept.
        memory_note: Why an existing file was not used, or could not be written; may be empty.
        candidates: Every way that was considered, with what was measured and why it was taken or not.
        moving: How tiles are run when only what moved is; None until it was measured.
    """

    device: str
    precision: str
    reason: str
    fused: bool
    weights: str | None
    architecture: str
    parameters: int
    trained: bool
    note: str
    threads: int
    form: str = "channels-last"
    remembered: bool = False
    memory: str | None = None
    memory_note: str = ""
    candidates: tuple[Candidate, ...] = ()
    moving: Moving | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can say them."""
        moving = None if self.moving is None else self.moving.model_dump()
        return asdict(self) | {"candidates": [asdict(way) for way in self.candidates], "moving": moving}


def engine_info(tuning: Tuning, model: LBAG, weights: Path | None, note: str, *, trained: bool) -> EngineInfo:
    """Return what runs a network by now: measuring may have changed it since the last time."""
    choice = tuning.choice
    backend = choice.backend
    moving = None if choice.memory is None else choice.memory.moving
    return EngineInfo(
        device=backend.device,
        precision=backend.precision,
        reason=backend.reason,
        fused=backend.fused,
        weights=None if weights is None else str(weights),
        architecture=f"LBAG with {model.base} base channels and {model.num_res} residual blocks a stage",
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        trained=trained,
        note=note,
        threads=torch.get_num_threads(),
        form=backend.form,
        remembered=choice.remembered,
        memory=choice.path,
        memory_note=choice.note,
        candidates=choice.candidates,
        moving=moving if tuning.ready is None else tuning.ready.moving,
    )


@dataclass(frozen=True)
class DeblurResult:
    """What came out.

    Attributes:
        sharp: (H, W, 3) float32 in 0..1, sRGB-encoded as the input was.
        mask: (H, W) float32 in 0..1, how surely a pixel is blurred (the gate's sigmoid, before its clamp);
            0 where the network did not run.
        seconds: Wall time of the whole run, without what was measured of the machine before it.
        tiles: Into how many pieces the picture was cut; 1 is the whole at once, 0 means that nothing moved.
        scale: Size at which the network saw the picture: 1, or less for a preview.
        info: The engine.
        share: Part of the picture, 0..1, whose pixels the network wrote.
        route: "whole" (at once), "tiles" (all of it, in pieces) or "moved" (only where something moved).
    """

    sharp: FloatImage
    mask: FloatImage
    seconds: float
    tiles: int
    scale: float
    info: EngineInfo
    share: float = 1.0
    route: str = "whole"

"""Device, precision and form in which a network can run; which of them it does, `models.choice` measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from models.errors import EngineError
from models.fused import can_fuse, fuse_
from models.networks.lbag import LBAG

__all__ = [
    "DEVICES",
    "FORMS",
    "PRECISIONS",
    "Backend",
    "Candidate",
    "Device",
    "Precision",
    "backend_as_asked",
    "candidates_for",
    "fresh_copy",
    "place",
    "resolve_device",
]

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")
PRECISIONS: tuple[Precision, ...] = ("auto", "fp32", "bf16", "fp16")
FORMS = ("contiguous", "channels-last", "fused", "graph", "compiled")
"""Plain modules in either layout; oneDNN's fused primitives (CPU); CUDA graphs; torch.compile (CUDA)."""

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Backend:
    """Where and how a network runs.

    Attributes:
        device: "cpu" or "cuda".
        precision: "fp32", "bf16" or "fp16"; what the features are computed in. Pictures stay float32.
        reason: Why this and not another, in one line.
        form: One of `FORMS`.
    """

    device: str
    precision: str
    reason: str = ""
    form: str = "channels-last"

    @property
    def dtype(self) -> torch.dtype:
        """Type of weights and features."""
        return _DTYPES[self.precision]

    @property
    def fused(self) -> bool:
        """Whether convolutions run fused with what follows them (`models.fused`)."""
        return self.form == "fused"

    @property
    def name(self) -> str:
        """Precision and form in words."""
        return f"{self.precision} {self.form}"


@dataclass(frozen=True)
class Candidate:
    """One way to run a network, and what became of it.

    Attributes:
        precision: "fp32", "bf16" or "fp16".
        form: One of `FORMS`.
        seconds: Least time of the probe picture (CPU: processor time a thread); None where it was not
            or could not be run.
        rms_of_255: Rms deviation from float32 on the probe, in 8-bit grey levels.
        worst_of_255: Largest deviation from float32 on the probe, in 8-bit grey levels.
        verdict: "chosen", or why not.
    """

    precision: str
    form: str
    seconds: float | None
    rms_of_255: float | None
    worst_of_255: float | None
    verdict: str


def resolve_device(device: str, precision: str) -> str:
    """Return "cpu" or "cuda" for what was asked.

    Raises:
        EngineError: The machine cannot do what was asked.
    """
    if device not in DEVICES or precision not in PRECISIONS:
        raise EngineError(
            f"device {device!r} with precision {precision!r} is unknown",
            hint=f"devices: {', '.join(DEVICES)}; precisions: {', '.join(PRECISIONS)}",
        )
    has_cuda = torch.cuda.is_available()
    if device == "cuda" and not has_cuda:
        raise EngineError("this machine has no CUDA device that torch can use", hint="--device cpu")
    resolved = "cuda" if has_cuda and device != "cpu" else "cpu"
    if resolved == "cpu" and precision == "fp16":
        raise EngineError("float16 is for CUDA devices", hint="--precision bf16 or fp32")
    return resolved


def backend_as_asked(device: str, precision: str) -> Backend:
    """Return the way for a precision that the caller insists on; nothing is measured."""
    form = "fused" if device == "cpu" and can_fuse(_DTYPES[precision]) else "channels-last"
    return Backend(device, precision, "as asked", form)


def candidates_for(device: str) -> list[Backend]:
    """Return every way worth trying on a device; the first is the reference, plain float32."""
    if device == "cuda":
        half = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
        return [
            Backend(device, "fp32"),
            *(Backend(device, half, form=form) for form in ("channels-last", "graph", "compiled")),
        ]
    ways = [Backend(device, "fp32", form="contiguous"), Backend(device, "fp32")]
    ways += [Backend(device, "fp32", form="fused")] if can_fuse(torch.float32) else []
    ways += [Backend(device, "bf16")]
    return [*ways, Backend(device, "bf16", form="fused")] if can_fuse(torch.bfloat16) else ways


def fresh_copy(model: LBAG) -> LBAG:
    """Return an independent network with the same weights, in eval mode."""
    copy = LBAG(model.base, model.num_res, gate_min=model.gate.gate_min)
    copy.load_state_dict(model.state_dict(), strict=True)
    return copy.eval()


def place(model: LBAG, backend: Backend) -> LBAG:
    """Return a copy of the network for a backend, its weights in channels-last order or "contiguous".

    Channels-last is what oneDNN's and cuDNN's fast kernels read; on a CPU with AMX the layout matters as much
    as the type. What "graph" and "compiled" add is done by `models.runner`.
    """
    copy = fresh_copy(model).to(device=backend.device, dtype=backend.dtype)
    if backend.form == "contiguous":
        return copy
    placed: LBAG = copy.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return fuse_(placed) if backend.fused else placed

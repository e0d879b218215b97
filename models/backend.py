"""On what, and in which precision, a network runs: chosen by measuring, not by the name of the machine."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from models.errors import EngineError
from models.fused import can_fuse, fuse_
from models.networks.lbag import LBAG

__all__ = ["DEVICES", "PRECISIONS", "Backend", "Device", "Precision", "choose_backend", "fresh_copy", "place"]

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")
PRECISIONS: tuple[Precision, ...] = ("auto", "fp32", "bf16", "fp16")

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

PROBE_SIDE_PX = 128
PROBE_REPEATS = 2
LEAST_GAIN = 1.15
"""Reduced precision must be at least this much faster, or its rounding buys nothing."""
RMS_TOLERANCE = 0.5 / 255
MAX_TOLERANCE = 4.0 / 255


@dataclass(frozen=True)
class Backend:
    """Where and how a network runs.

    Attributes:
        device: "cpu" or "cuda".
        precision: "fp32", "bf16" or "fp16"; what the features are computed in. Pictures stay float32.
        reason: Why this and not another, in one line.
        fused: Whether convolutions run fused with what follows them (`models.fused`).
    """

    device: str
    precision: str
    reason: str
    fused: bool = False

    @property
    def dtype(self) -> torch.dtype:
        """Type of weights and features."""
        return _DTYPES[self.precision]


def choose_backend(model: LBAG, device: str = "auto", precision: str = "auto") -> Backend:
    """Choose device and precision for a network; in doubt by timing it on a small picture.

    Args:
        model: The network in float32 on the CPU, in eval mode; it is not changed.
        device: "auto", "cpu" or "cuda".
        precision: "auto", "fp32", "bf16" or "fp16".

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
    chosen = "cuda" if has_cuda and device != "cpu" else "cpu"
    if chosen == "cpu" and precision == "fp16":
        raise EngineError("float16 is for CUDA devices", hint="--precision bf16 or fp32")
    if precision != "auto":
        return _backend(chosen, precision, "as asked")
    if chosen == "cuda":
        half = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
        return _judge(model, "cuda", half)
    return _judge(model, "cpu", "bf16")


def fresh_copy(model: LBAG) -> LBAG:
    """Return an independent network with the same weights, in eval mode."""
    copy = LBAG(model.base, model.num_res, gate_min=model.gate.gate_min)
    copy.load_state_dict(model.state_dict(), strict=True)
    return copy.eval()


def place(model: LBAG, backend: Backend) -> LBAG:
    """Return a copy of the network for a backend, its weights in channels-last order.

    Channels-last is what oneDNN's and cuDNN's fast kernels read; on a CPU with AMX the layout matters as much
    as the type.
    """
    copy = fresh_copy(model).to(device=backend.device, dtype=backend.dtype)
    placed: LBAG = copy.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return fuse_(placed) if backend.fused else placed


def _backend(device: str, precision: str, reason: str) -> Backend:
    return Backend(device, precision, reason, fused=device == "cpu" and can_fuse(_DTYPES[precision]))


def _judge(model: LBAG, device: str, reduced: str) -> Backend:
    """Time and compare float32 with the reduced precision on a seeded picture."""
    full, half = _backend(device, "fp32", ""), _backend(device, reduced, "")
    exact, seconds_full = _try_out(place(model, full), device)
    rounded, seconds_reduced = _try_out(place(model, half), device)
    difference = rounded.clamp(0, 1) - exact.clamp(0, 1)
    rms, worst = float(difference.square().mean().sqrt()), float(difference.abs().max())
    gain = seconds_full / seconds_reduced
    measured = f"{reduced} is {gain:.1f} x as fast as fp32 here, rms deviation {rms * 255:.2f}/255"
    if not (rms <= RMS_TOLERANCE and worst <= MAX_TOLERANCE):
        said = f"{reduced} deviates by up to {worst * 255:.1f}/255 with these weights"
        return replace(full, reason=said)
    return replace(half if gain >= LEAST_GAIN else full, reason=measured)


def _try_out(model: LBAG, device: str) -> tuple[Tensor, float]:
    """Return the sharp image of a seeded picture and the least of several times, in seconds."""
    dice = torch.Generator().manual_seed(7)
    coarse = torch.rand(1, 3, PROBE_SIDE_PX // 8, PROBE_SIDE_PX // 8, generator=dice)
    smooth = torch.nn.functional.interpolate(coarse, scale_factor=8.0, mode="bilinear")
    picture = smooth * 0.9 + 0.1 * torch.rand(smooth.shape, generator=dice)
    picture = picture.to(device).contiguous(memory_format=torch.channels_last)
    best = float("inf")
    with torch.inference_mode():
        sharp = model(picture)[2].sharp  # the first pass also sets up kernels and is not timed
        for _ in range(PROBE_REPEATS):
            started = time.perf_counter()
            sharp = model(picture)[2].sharp
            if device == "cuda":
                torch.cuda.synchronize()
            best = min(best, time.perf_counter() - started)
    return sharp.float().cpu(), best

"""Convolution, bias, ReLU and sum as one oneDNN primitive each: the same network, less memory traffic.

On a CPU with AMX much of the time goes into feature maps that are read and written again for a ReLU or a sum.
oneDNN can do both while a convolution's result is still in registers (1.3 to 1.4 times as fast in bfloat16).
torch offers this as operators that its own compiler emits; they are not part of its promised interface, so
`can_fuse` tries them out before they are used, and an engine that cannot have them runs the plain modules.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from models.networks.layers import ConvUnit, ResBlock, ResStage
from models.networks.lbag import LBAG

__all__ = ["FusedBlock", "can_fuse", "fuse_"]


class FusedConv(nn.Module):
    """A `ConvUnit` (not an upward one) as one primitive; for inference on a CPU."""

    def __init__(self, unit: ConvUnit) -> None:
        super().__init__()
        conv = unit.main[0]
        if not isinstance(conv, nn.Conv2d):
            raise TypeError("only a plain convolution can be fused")
        self.weight, self.bias = conv.weight, conv.bias
        self.stride = list(conv.stride)
        self.padding = [side // 2 for side in conv.kernel_size]
        self.after = "relu" if len(unit.main) > 1 else "none"

    def forward(self, x: Tensor) -> Tensor:
        """Return what the unit returns."""
        y: Tensor = _operators()._convolution_pointwise(
            x, self.weight, self.bias, self.padding, self.stride, [1, 1], 1, self.after, [], ""
        )
        return y

    def plus(self, x: Tensor, other: Tensor) -> Tensor:
        """Return the convolution of `x` plus `other`; `other` stays as it is."""
        y: Tensor = _operators()._convolution_pointwise.binary(
            x, other, self.weight, self.bias, self.padding, self.stride, [1, 1], 1, "add", 1.0, None, [], None
        )
        return y

    def plus_(self, x: Tensor, other: Tensor) -> Tensor:
        """Add the convolution of `x` to `other` in place and return it."""
        y: Tensor = _operators()._convolution_pointwise_.binary(
            other, x, self.weight, self.bias, self.padding, self.stride, [1, 1], 1, "add", 1.0, None, [], None
        )
        return y


class FusedBlock(nn.Module):
    """A `ResBlock` of two primitives.

    Args:
        block: The block whose weights it uses.
        first: Whether it is the first of its stage: then its input belongs to someone else and is kept,
            otherwise the result takes the place of the input.
    """

    def __init__(self, block: ResBlock, *, first: bool) -> None:
        super().__init__()
        units = [unit for unit in block.main if isinstance(unit, ConvUnit)]
        self.inner, self.outer = (FusedConv(unit) for unit in units)
        self.first = first

    def forward(self, x: Tensor) -> Tensor:
        """Return `x + conv(relu(conv(x)))`, of the shape of `x`."""
        inner: Tensor = self.inner(x)
        return self.outer.plus(inner, x) if self.first else self.outer.plus_(inner, x)


def fuse_(model: LBAG) -> LBAG:
    """Replace the units of a network on the CPU by fused ones, in place; its state dict is lost."""
    for module in list(model.modules()):
        if isinstance(module, ResStage):
            blocks = [block for block in module.layers if isinstance(block, ResBlock)]
            module.layers = nn.Sequential(
                *(FusedBlock(block, first=index == 0) for index, block in enumerate(blocks))
            )
    for parent in list(model.modules()):
        for name, unit in list(parent.named_children()):
            # An AFF takes the first of its two convolutions apart and needs it as it is.
            if isinstance(unit, ConvUnit) and _is_plain(unit) and not _is_aff_share(model, unit):
                setattr(parent, name, FusedConv(unit))
    return model


def can_fuse(dtype: torch.dtype) -> bool:
    """Tell whether torch has the fused operators here, and whether they compute what they should."""
    unit = ConvUnit(3, 4, 3, relu=False).to(dtype)
    x = torch.linspace(-1, 1, 3 * 8 * 8).reshape(1, 3, 8, 8).to(dtype)
    other = torch.ones(1, 4, 8, 8).to(dtype).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        expected = unit(x) + other
        try:
            fused = FusedConv(unit)
            results = (fused.plus(x, other), fused(x) + other, fused.plus_(x, other.clone()))
        except (RuntimeError, AttributeError, TypeError, NotImplementedError):
            return False
        return all(torch.allclose(result, expected, atol=0.05) for result in results)


def _operators() -> Any:
    return torch.ops.mkldnn


def _is_plain(unit: ConvUnit) -> bool:
    return isinstance(unit.main[0], nn.Conv2d)


def _is_aff_share(model: LBAG, unit: ConvUnit) -> bool:
    return any(unit is aff.get_submodule("conv.0") for aff in model.AFFs)

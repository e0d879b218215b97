"""G and F once more, from a state dict and the tables of the supplement, as the reference of the tests."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]
NAMES_FILE = Path(__file__).parent / "data" / "kernel_space_released_names.txt"


def published_shapes(*, variational: bool) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the 159 tensors of the released network, in their order."""
    lines = [line.split() for line in NAMES_FILE.read_text(encoding="utf-8").splitlines()]
    column = 2 if variational else 1
    return {line[0]: tuple(int(side) for side in line[column].split("x")) for line in lines}


def lively_state(shapes: dict[str, tuple[int, ...]], seed: int = 0) -> State:
    """Random tensors that keep the size of features about constant from layer to layer."""
    dice = torch.Generator().manual_seed(seed)
    state: State = {}
    for name, shape in shapes.items():
        values = torch.randn(shape, generator=dice)
        fan_in = 1 if len(shape) == 1 else values[0].numel()
        state[name] = values * (0.2 if len(shape) == 1 else (2 / fan_in) ** 0.5)
    return state


def conv(state: State, name: str, x: Tensor, *, stride: int = 1, pad: int = 1) -> Tensor:
    return F.conv2d(x, state[f"{name}.weight"], state.get(f"{name}.bias"), stride=stride, padding=pad)


def leaky(x: Tensor, slope: float) -> Tensor:
    return torch.where(x > 0, x, slope * x)


def reflected(x: Tensor, pad: int) -> Tensor:
    """Reflection at the border by index: -1 becomes 1, the edge itself is not repeated."""
    for axis in (2, 3):
        count = x.shape[axis]
        where = torch.arange(-pad, count + pad).abs()
        where = torch.where(where >= count, 2 * (count - 1) - where, where)
        x = x.index_select(axis, where)
    return x


def plain_blocks(state: State, part: str, first: int, count: int, x: Tensor) -> Tensor:
    for index in range(first, first + count):
        x = x + conv(state, f"{part}.{index}.conv2", conv(state, f"{part}.{index}.conv1", x).clamp(min=0))
    return x


def preprocess(state: State, x: Tensor, front: int) -> Tensor:
    for index, stride in ((0, 1), (2, 2), (4, 2)):
        x = leaky(conv(state, f"feature_extractor.{index}", x, stride=stride), 0.1)
    return plain_blocks(state, "feature_extractor", 6, front, x)


def reference_code(state: State, sharp: Tensor, blurred: Tensor, front: int) -> Tensor:
    """Return what G says (both halves where it is variational)."""
    part = "kernel_extractor.model"
    x = torch.cat([preprocess(state, sharp, front), preprocess(state, blurred, front)], dim=1)
    x = conv(state, f"{part}.1", reflected(x, 3), pad=0).clamp(min=0)
    for index in (4, 7, 10, 13, 16):
        x = conv(state, f"{part}.{index}", x, stride=2).clamp(min=0)
    for index in (19, 20, 21, 22):
        name = f"{part}.{index}.conv_block"
        inner = conv(state, f"{name}.1", reflected(x, 1), pad=0).clamp(min=0)
        x = x + conv(state, f"{name}.5", reflected(inner, 1), pad=0)
    return x


def reference_blur(state: State, sharp: Tensor, kernel: Tensor, front: int, back: int) -> Tensor:
    """Return F(x, k), the encoder and the decoder written one after the other."""
    name, skips = "adapter.model", []
    x = conv(state, f"{name}.down.0", preprocess(state, sharp, front), stride=2)
    for _ in range(4):
        name += ".submodule"
        x = leaky(x, 0.2)
        skips.append(x)
        x = conv(state, f"{name}.down.1", x, stride=2)
    x = torch.cat([x, kernel], dim=1)
    for skip in reversed(skips):
        x = F.conv_transpose2d(x.clamp(min=0), state[f"{name}.up.1.weight"], stride=2, padding=1)
        x = torch.cat([x, skip], dim=1)
        name = name.removesuffix(".submodule")
    weight, bias = state[f"{name}.up.1.weight"], state[f"{name}.up.1.bias"]
    x = torch.tanh(F.conv_transpose2d(x.clamp(min=0), weight, bias, stride=2, padding=1))
    x = plain_blocks(state, "recon_trunk", 0, back, x)
    for index in (back, back + 3):
        x = leaky(F.pixel_shuffle(conv(state, f"recon_trunk.{index}", x), 2), 0.1)
    x = leaky(conv(state, f"recon_trunk.{back + 6}", x), 0.1)
    return conv(state, f"recon_trunk.{back + 8}", x) + sharp

"""BladeNet once more, from a state dict and section B.1 of its paper, as the reference of the tests."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


def rule_of_shapes(base: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all tensors, from the table of stages: name, input, middle, output channels."""
    b = base
    shapes: dict[str, tuple[int, ...]] = {}

    def double(name: str, c_in: int, middle: int, c_out: int) -> None:
        for place, (one, two) in ((0, (c_in, middle)), (3, (middle, c_out))):
            shapes[f"{name}.{place}.weight"] = (two, one, 3, 3)
            shapes[f"{name}.{place}.bias"] = (two,)
            for part in ("weight", "bias", "running_mean", "running_var"):
                shapes[f"{name}.{place + 1}.{part}"] = (two,)
            shapes[f"{name}.{place + 1}.num_batches_tracked"] = ()

    for net, c_in, c_out in (("lbp", 3, 1), ("main", 4, 3)):
        double(f"{net}.first", c_in, b, b)
        for index, (one, two) in enumerate(((b, 2 * b), (2 * b, 4 * b), (4 * b, 8 * b), (8 * b, 8 * b))):
            double(f"{net}.downs.{index}", one, two, two)
        for index, (one, two) in enumerate(((8 * b, 8 * b), (16 * b, 4 * b), (8 * b, 2 * b), (4 * b, b))):
            double(f"{net}.ups.{index}.conv", one, one // 2, two)
            if net == "main" and index > 0:
                shapes[f"{net}.ups.{index}.bsa.conv.weight"] = (1, two, 1, 1)
                shapes[f"{net}.ups.{index}.bsa.conv.bias"] = (1,)
                double(f"{net}.ups.{index}.refine", two, two, two)
        double(f"{net}.last", 2 * b, b, b)
        shapes[f"{net}.head.weight"] = (c_out, b, 1, 1)
        shapes[f"{net}.head.bias"] = (c_out,)
    return shapes


def lively_state(base: int, seed: int = 0) -> State:
    """Random tensors, batch statistics included, under which features neither die nor grow."""
    dice = torch.Generator().manual_seed(seed)
    state: State = {}
    for name, shape in rule_of_shapes(base).items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(7)
        elif name.endswith("running_var"):
            state[name] = 0.5 + torch.rand(shape, generator=dice)
        elif len(shape) == 4:
            fan_in = shape[1] * shape[2] * shape[3]
            state[name] = torch.randn(shape, generator=dice) * (2 / fan_in) ** 0.5
        else:
            state[name] = torch.randn(shape, generator=dice) * 0.3 + (1.0 if name.endswith("weight") else 0.0)
    return state


def twice(x: Tensor) -> Tensor:
    """Bilinear x2 by hand: every new sample lies a quarter step off an old one, the border repeats."""
    for axis in (2, 3):
        first, last = x.narrow(axis, 0, 1), x.narrow(axis, x.shape[axis] - 1, 1)
        before = torch.cat([first, x.narrow(axis, 0, x.shape[axis] - 1)], dim=axis)
        after = torch.cat([x.narrow(axis, 1, x.shape[axis] - 1), last], dim=axis)
        pair = torch.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], dim=axis + 1)
        x = pair.flatten(axis, axis + 1)
    return x


def double_conv(state: State, name: str, x: Tensor) -> Tensor:
    for place in (0, 3):
        x = F.conv2d(x, state[f"{name}.{place}.weight"], state[f"{name}.{place}.bias"], padding=1)
        norm = {
            part: state[f"{name}.{place + 1}.{part}"][:, None, None]
            for part in ("weight", "bias", "running_mean", "running_var")
        }
        x = (x - norm["running_mean"]) / (norm["running_var"] + 1e-5).sqrt() * norm["weight"] + norm["bias"]
        x = x.clamp(min=0)
    return x


def reference_unet(state: State, net: str, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    levels = [double_conv(state, f"{net}.first", x)]
    for index in range(4):
        pooled = levels[-1].unfold(2, 2, 2).unfold(3, 2, 2).amax(dim=(4, 5))
        levels.append(double_conv(state, f"{net}.downs.{index}", pooled))
    y, maps = levels[4], []
    for index in range(4):
        y = double_conv(state, f"{net}.ups.{index}.conv", twice(y))
        if net == "main" and index > 0:
            kernel, bias = (
                state[f"{net}.ups.{index}.bsa.conv.weight"],
                state[f"{net}.ups.{index}.bsa.conv.bias"],
            )
            attention = 1 / (1 + torch.exp(-((kernel * y).sum(dim=1, keepdim=True) + bias)))
            maps.append(attention)
            y = double_conv(state, f"{net}.ups.{index}.refine", attention * y)
        y = torch.cat([y, levels[3 - index]], dim=1)
    y = double_conv(state, f"{net}.last", y)
    return F.conv2d(y, state[f"{net}.head.weight"], state[f"{net}.head.bias"]), maps


def reference_blade(state: State, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the sharp picture, the blur's logit and the mean attention, in eval mode."""
    logit, _ = reference_unet(state, "lbp", image)
    probability = 1 / (1 + torch.exp(-logit))
    sharp, (quarter, half, full) = reference_unet(state, "main", torch.cat([image, probability], dim=1))
    # Enlarging by 4 at once: sample i of the fine grid lies at (i + 0.5) / 4 - 0.5 of the coarse one.
    return sharp, logit, (enlarged(quarter, 4) + enlarged(half, 2) + full) / 3


def enlarged(x: Tensor, factor: int) -> Tensor:
    for axis in (2, 3):
        count = x.shape[axis]
        where = ((torch.arange(count * factor) + 0.5) / factor - 0.5).clamp(0, count - 1)
        low = where.floor().long().clamp(max=max(count - 2, 0))
        share = (where - low).reshape([-1 if index == axis else 1 for index in range(4)])
        high = (low + 1).clamp(max=count - 1)
        x = (1 - share) * x.index_select(axis, low) + share * x.index_select(axis, high)
    return x

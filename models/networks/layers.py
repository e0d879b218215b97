"""Building blocks of MIMO-UNet (Cho et al. 2021), from which LBAG is made (Li et al. 2023, Fig. 4-5).

The attribute names are those of the public checkpoints: a state dict must load without renaming. All feature
maps are tensors (N, C, H, W) of a floating type; "scale 1/2" means H and W divided by two. Sums are made in
place where autograd allows it: at full size much of the time goes into memory touched for the first time.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = [
    "AFF",
    "FAM",
    "SCM",
    "ConvUnit",
    "GateBlock",
    "ResBlock",
    "ResStage",
    "Scale",
    "add_enlarged_",
    "halve",
]


def halve(x: Tensor) -> Tensor:
    """Return every second row and column: nearest resampling by 1/2 of an even-sized map, without a copy."""
    return x[..., ::2, ::2]


def add_enlarged_(target: Tensor, x: Tensor, factor: int) -> None:
    """Add a map in place, every value repeated `factor` times along both sides (nearest resampling).

    The target (N, C, H, W) is seen as (N, C, H / factor, factor, W / factor, factor); nothing is allocated.
    """
    count, channels, height, width = x.shape
    cells = target.view(count, channels, height, factor, width, factor)
    cells.add_(x[:, :, :, None, :, None])


class ConvUnit(nn.Module):
    """Convolution with bias, followed by a ReLU or not; maps (N, c_in, H, W) to (N, c_out, H', W').

    Args:
        c_in: Channels of the input.
        c_out: Channels of the output.
        kernel: Side of the kernel in pixels; the padding keeps H and W at stride 1.
        stride: Step of the convolution; with `upward` the factor by which H and W grow.
        relu: Whether a ReLU follows.
        upward: A transposed convolution instead (kernel 4, stride 2 doubles H and W).
    """

    def __init__(
        self, c_in: int, c_out: int, kernel: int, *, stride: int = 1, relu: bool = True, upward: bool = False
    ) -> None:
        super().__init__()
        conv: nn.Module
        if upward:
            conv = nn.ConvTranspose2d(c_in, c_out, kernel, stride=stride, padding=kernel // 2 - 1)
        else:
            conv = nn.Conv2d(c_in, c_out, kernel, stride=stride, padding=kernel // 2)
        self.main = nn.Sequential(conv, nn.ReLU(inplace=True)) if relu else nn.Sequential(conv)

    def forward(self, x: Tensor) -> Tensor:
        """Return the filtered map."""
        y: Tensor = self.main(x)
        return y


class ResBlock(nn.Module):
    """Two 3x3 convolutions with a ReLU between them, added to their input; no normalisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            ConvUnit(channels, channels, 3), ConvUnit(channels, channels, 3, relu=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return `x + conv(relu(conv(x)))`, of the shape of `x`."""
        y: Tensor = self.main(x)
        return y.add_(x)


class ResStage(nn.Module):
    """A row of residual blocks: one contracting or expansive step without its change of scale."""

    def __init__(self, channels: int, num_res: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(ResBlock(channels) for _ in range(num_res)))

    def forward(self, x: Tensor) -> Tensor:
        """Return the refined map, of the shape of `x`."""
        y: Tensor = self.layers(x)
        return y


class SCM(nn.Module):
    """Shallow convolutional module: features of a reduced image, to meet the encoder at its scale."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            ConvUnit(3, channels // 4, 3),
            ConvUnit(channels // 4, channels // 2, 1),
            ConvUnit(channels // 2, channels // 2, 3),
            ConvUnit(channels // 2, channels - 3, 1),
        )
        self.conv = ConvUnit(channels, channels, 1, relu=False)

    def forward(self, image: Tensor) -> Tensor:
        """Return features (N, channels, h, w) of an image (N, 3, h, w); the image itself comes first."""
        y: Tensor = self.conv(torch.cat([image, self.main(image)], dim=1))
        return y


class FAM(nn.Module):
    """Feature attention module: lets the reduced image weigh the encoder's features."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.merge = ConvUnit(channels, channels, 3, relu=False)

    def forward(self, features: Tensor, shallow: Tensor) -> Tensor:
        """Return `features + conv(features * shallow)`, all of one shape."""
        y: Tensor = self.merge(features * shallow)
        return y.add_(features)


class AFF(nn.Module):
    """Asymmetric feature fusion: one skip connection made of the encoder's features of all three scales.

    The published form resamples the three maps to one scale, concatenates them (7 x base channels) and
    applies a 1x1 convolution. Nearest resampling and a 1x1 convolution commute, so here every map goes
    through its share of the 1x1 kernel at its own scale and the three results are summed. The numbers are the
    same up to rounding; the concatenation (2.2 GB for a 2448x2048 frame in bf16) is never made.

    Args:
        base: Channels at full scale (maps have base, 2 base and 4 base channels).
        level: 0 for the fusion at full scale, 1 for the one at scale 1/2.
    """

    def __init__(self, base: int, level: int) -> None:
        super().__init__()
        channels = base << level
        self.level = level
        self.base = base
        self.conv = nn.Sequential(
            ConvUnit(7 * base, channels, 1), ConvUnit(channels, channels, 3, relu=False)
        )

    def forward(self, full: Tensor, half: Tensor, quarter: Tensor) -> Tensor:
        """Return the fused map at scale 1 / 2**level from maps at scales 1, 1/2 and 1/4."""
        first = self.conv.get_submodule("0.main.0")
        weight, bias = first.get_parameter("weight"), first.get_parameter("bias")
        a, b = self.base, 3 * self.base
        w_full, w_half, w_quarter = weight[:, :a], weight[:, a:b], weight[:, b:]
        if self.level == 0:
            fused = F.conv2d(full, w_full, bias)
            add_enlarged_(fused, F.conv2d(half, w_half), 2)
            add_enlarged_(fused, F.conv2d(quarter, w_quarter), 4)
        else:
            fused = F.conv2d(halve(full), w_full, bias)
            add_enlarged_(fused, F.conv2d(half, w_half), 1)
            add_enlarged_(fused, F.conv2d(quarter, w_quarter), 2)
        y: Tensor = self.conv.get_submodule("1")(F.relu(fused, inplace=True))
        return y


class Scale(NamedTuple):
    """What LBAG says at one scale.

    Attributes:
        sharp: Sharp image (N, 3, h, w), not clipped.
        gate: What the residual was multiplied by, (N, 1, h, w): the mask, clamped from below.
        mask: Local blur mask (N, 1, h, w) in 0..1: the sigmoid of the gate channel.
    """

    sharp: Tensor
    gate: Tensor
    mask: Tensor


class GateBlock(nn.Module):
    """Gate block (Fig. 5): one latent channel becomes the mask that gates the residual of the other three.

    The sigmoid, the product and the sum are done in the type of the image, so that a network in bf16 does not
    round the picture itself.

    Args:
        gate_min: Lower clamp of the gate. The released configuration has 0.1, the paper does not mention it.
    """

    def __init__(self, gate_min: float) -> None:
        super().__init__()
        self.gate_min = gate_min

    def forward(self, latent: Tensor, image: Tensor) -> Scale:
        """Return `residual * gate + image` with its gate and mask.

        Args:
            latent: (N, 4, h, w); channel 0 is the gate's logit, 1..3 the residual.
            image: The blurred image at this scale, (N, 3, h, w).
        """
        latent = latent.to(image.dtype)
        mask = torch.sigmoid(latent[:, :1])
        gate = mask.clamp_min(self.gate_min)
        return Scale(latent[:, 1:] * gate + image, gate, mask)

"""DeepDeblur: residual networks from coarse to fine over a Gaussian pyramid, and their discriminator.

"Deep Multi-scale Convolutional Neural Network for Dynamic Scene Deblurring", Nah et al., CVPR 2017, section
3.1, Fig. 3-4 and Table 1. The names of the parameters are those of the public checkpoints
(SeungjunNah/DeepDeblur-PyTorch); there scale 0 is the finest, and pictures run from 0 to 255.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import ImageError

__all__ = [
    "DeepDeblur",
    "DeepDeblurDiscriminator",
    "deep_deblur_size",
    "discriminator_size",
    "gaussian_pyramid",
]

MOST_SCALES = 3

SIGMA_PX = 2 / 3
"""Blur before a pyramid is halved: a third of the factor 2, as the public code has it by its library."""

RADIUS_PX = 3
SLOPE = 0.2
"""Of the LeakyReLU; the paper does not give it, the public code does."""

BODY = re.compile(r"body_models\.(\d+)\.body\.(\d+)\.body\.0\.weight")
STEM = "body_models.0.body.0.weight"

# Output channels, in units of `channels`, side of the kernel, stride and padding of each convolution.
Layer = tuple[float, int, int, int]
TABLE_1: tuple[Layer, ...] = (
    (0.5, 5, 2, 2),
    (1, 5, 1, 2),
    (1, 5, 2, 2),
    (2, 5, 1, 2),
    (2, 5, 2, 2),
    (4, 5, 1, 2),
    (4, 5, 4, 2),
    (8, 5, 1, 2),
    (8, 5, 4, 2),
    (16, 5, 2, 2),
)
RELEASED: tuple[Layer, ...] = (
    (0.5, 5, 1, 2),
    (0.5, 5, 2, 2),
    (1, 5, 1, 2),
    (1, 5, 2, 2),
    (2, 5, 1, 2),
    (2, 5, 4, 2),
    (4, 5, 1, 2),
    (4, 5, 4, 2),
    (8, 5, 1, 2),
    (8, 4, 4, 0),
)


def gaussian_pyramid(image: Tensor, scales: int) -> list[Tensor]:
    """Return the picture and its halved copies, finest first.

    Every step blurs with a Gaussian of 2/3 px, the border repeated as in a mirror that shows the edge twice,
    and averages blocks of 2x2.

    Args:
        image: (N, C, H, W), H and W multiples of 2 ** (scales - 1).
        scales: Number of pictures to return, at least one.
    """
    weights = [math.exp(-0.5 * (offset / SIGMA_PX) ** 2) for offset in range(-RADIUS_PX, RADIUS_PX + 1)]
    taps = [weight / sum(weights) for weight in weights]
    pyramid = [image]
    for _ in range(scales - 1):
        smooth = pyramid[-1]
        for dim in (-2, -1):
            side = smooth.shape[dim]
            places = torch.arange(-RADIUS_PX, side + RADIUS_PX, device=image.device) % (2 * side)
            places = torch.where(places < side, places, 2 * side - 1 - places)
            wide = smooth.index_select(dim, places)
            smooth = sum(
                (wide.narrow(dim, index, side) * tap for index, tap in enumerate(taps[1:], 1)),
                start=wide.narrow(dim, 0, side) * taps[0],
            )
        pyramid.append(F.avg_pool2d(smooth, 2))
    return pyramid


class Block(nn.Module):
    """Modified residual block (Fig. 3 b): two convolutions with a ReLU between, none after the sum."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(channels, channels, kernel), nn.ReLU(inplace=True), _conv(channels, channels, kernel)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return `x + conv(relu(conv(x)))`, of the shape of `x`."""
        y: Tensor = self.body(x)
        return y.add_(x)


class ScaleNetwork(nn.Module):
    """The network of one scale: a convolution, residual blocks, a convolution back to RGB."""

    def __init__(self, c_in: int, channels: int, blocks: int, kernel: int) -> None:
        super().__init__()
        row = (Block(channels, kernel) for _ in range(blocks))
        self.body = nn.Sequential(_conv(c_in, channels, kernel), *row, _conv(channels, 3, kernel))

    def forward(self, x: Tensor) -> Tensor:
        """Return a sharp image (N, 3, h, w), less its mean value."""
        y: Tensor = self.body(x)
        return y


class UpConvolution(nn.Module):
    """Carries a coarse result to the next finer scale: 12 channels by convolution, then rearranged to 3."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.uppath = nn.Sequential(_conv(3, 12, kernel), nn.PixelShuffle(2))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, 3, 2 h, 2 w) from (N, 3, h, w)."""
        y: Tensor = self.uppath(x)
        return y


class DeepDeblur(nn.Module):
    """Predicts sharp images at all scales of a pyramid, each scale helped by the next coarser one.

    Args:
        scales: Number of scales, 1 to 3 (K in the paper). Released: 3.
        channels: Feature maps of every layer. Released: 64.
        blocks: Residual blocks a scale. Released: 19, so that three scales have 120 convolutions.
        kernel: Side of the kernels of all convolutions but the upward ones, which have 5. Released: 5.
        white: Value of white in the pictures it takes. Released: 255; the paper has 1.
    """

    def __init__(
        self, scales: int = 3, channels: int = 64, blocks: int = 19, *, kernel: int = 5, white: float = 255.0
    ) -> None:
        super().__init__()
        if not 1 <= scales <= MOST_SCALES or min(channels, blocks, kernel) < 1 or kernel % 2 == 0:
            raise ValueError(
                f"it needs 1 to {MOST_SCALES} scales, channels, blocks and an odd kernel, "
                f"not {scales}, {channels}, {blocks} and {kernel}"
            )
        if not 0 < white < math.inf:
            raise ValueError(f"white must be above 0, not {white}")
        self.scales, self.channels, self.blocks = scales, channels, blocks
        self.kernel, self.white = kernel, white
        coarsest = scales - 1
        self.body_models = nn.ModuleList(
            ScaleNetwork(3 if scale == coarsest else 6, channels, blocks, kernel) for scale in range(scales)
        )
        # Named by the scale that they start from; nothing starts from the finest.
        self.conv_end_models = nn.ModuleDict({str(scale): UpConvolution(5) for scale in range(1, scales)})

    def forward(self, pyramid: Sequence[Tensor]) -> list[Tensor]:
        """Return the sharp pyramid, finest first, not clipped.

        Args:
            pyramid: Blurred RGB (N, 3, H, W) in 0..white and its halved copies, finest first, as
                `gaussian_pyramid` makes them.

        Raises:
            ImageError: The pictures are not such a pyramid.
        """
        _check_pyramid(pyramid, self.scales)
        mean = self.white / 2
        sharp: list[Tensor] = []
        entry = pyramid[-1] - mean
        for scale in reversed(range(self.scales)):
            result: Tensor = self.body_models[scale](entry)
            sharp.insert(0, result + mean)
            if scale > 0:
                above = self.conv_end_models[str(scale)](result)
                entry = torch.cat([pyramid[scale - 1] - mean, above], dim=1)
        return sharp


class DeepDeblurDiscriminator(nn.Module):
    """Tells the network's results from sharp pictures while training (Eq. 5).

    Args:
        channels: The first convolution has half as many. Released and in Table 1: 64.
        layout: "paper" is Table 1; "released" is what the public code builds, with other strides and half as
            many channels at the end. Neither has biases.
    """

    def __init__(self, channels: int = 64, layout: Literal["paper", "released"] = "paper") -> None:
        super().__init__()
        if channels < 2 or channels % 2 or layout not in ("paper", "released"):
            raise ValueError(f"an even number of channels and a known layout, not {channels} and {layout!r}")
        self.channels = channels
        self.layout = layout
        c_in = 3
        row = []
        for share, kernel, stride, padding in TABLE_1 if layout == "paper" else RELEASED:
            c_out = int(channels * share)
            row.append(nn.Conv2d(c_in, c_out, kernel, stride=stride, padding=padding, bias=False))
            c_in = c_out
        self.conv_layers = nn.ModuleList(row)
        self.act = nn.LeakyReLU(SLOPE)
        self.dense = nn.Conv2d(c_in, 1, 1, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logit of "this is a true sharp picture", (N, 1, H / 256, W / 256).

        The sigmoid of Table 1 belongs to the loss, which takes logits and so stays finite.

        Args:
            image: RGB (N, 3, H, W), H and W multiples of 256: the size of the patches of the training.
        """
        if image.ndim != 4 or image.shape[1] != 3 or image.shape[2] % 256 or image.shape[3] % 256:
            raise ImageError(
                f"the discriminator takes (N, 3, H, W), multiples of 256, not {tuple(image.shape)}"
            )
        x = image
        for layer in self.conv_layers:
            x = self.act(layer(x))
        y: Tensor = self.dense(x)
        return y


def deep_deblur_size(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int] | None:
    """Return scales, channels, blocks and kernel that a state dict speaks of; None where it is another's."""
    stem = shapes.get(STEM, ())
    found = [match for name in shapes if (match := BODY.fullmatch(name))]
    if len(stem) != 4 or not found:
        return None
    scales = {int(match.group(1)) for match in found}
    blocks = {int(match.group(2)) for match in found if match.group(1) == "0"}
    if min(stem) < 1 or stem[3] % 2 == 0 or not blocks:
        return None
    return {"scales": len(scales), "channels": stem[0], "blocks": len(blocks), "kernel": stem[3]}


def discriminator_size(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int | str] | None:
    """Return channels and layout that a state dict speaks of; None where it is another's."""
    first, second = shapes.get("conv_layers.0.weight", ()), shapes.get("conv_layers.1.weight", ())
    if len(first) != 4 or len(second) != 4 or first[0] < 1:
        return None
    return {"channels": 2 * first[0], "layout": "released" if second[0] == first[0] else "paper"}


def _conv(c_in: int, c_out: int, kernel: int) -> nn.Conv2d:
    return nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2)


def _check_pyramid(pyramid: Sequence[Tensor], scales: int) -> None:
    shapes = [tuple(image.shape) for image in pyramid]
    if len(shapes) == scales and len(shapes[0]) == 4 and shapes[0][1] == 3:
        count, _, height, width = shapes[0]
        expected = [(count, 3, height >> scale, width >> scale) for scale in range(scales)]
        if shapes == expected and height % (1 << (scales - 1)) == 0 and width % (1 << (scales - 1)) == 0:
            return
    raise ImageError(
        f"the network takes a pyramid of {scales} RGB pictures, each half the last, not {shapes}"
    )

"""Blocks that the kernel space and the deep priors of its deblurring share (Tran et al., CVPR 2021).

The names are those of the public checkpoints, which count places without parameters too: paddings,
activations, and normalisations that are not there.
"""

from __future__ import annotations

from collections import OrderedDict

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["HALVINGS", "PlainBlock", "ReflectedBlock", "extractor_body"]

HALVINGS = 5
"""Steps by two from the preprocessed features (scale 1/4) to the code (scale 1/128)."""


class PlainBlock(nn.Module):
    """x + conv(relu(conv(x))), 3x3 with zeros beyond the border."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        for name, value in self.named_parameters():  # a block starts close to the identity, as released
            if value.is_meta:
                continue  # no numbers to draw; trying costs the import of torch's tracing, more than a second
            if name.endswith("bias"):
                nn.init.zeros_(value)
            else:
                nn.init.kaiming_normal_(value)
                value.data.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the refined map, of the shape of `x`."""
        y: Tensor = self.conv2(F.relu(self.conv1(x)))
        return x + y


class ReflectedBlock(nn.Module):
    """The same with reflection at the border; the published names count padding and activation too."""

    def __init__(self, channels: int, *, bias: bool) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            OrderedDict(
                {
                    "0": nn.ReflectionPad2d(1),
                    "1": nn.Conv2d(channels, channels, 3, bias=bias),
                    "3": nn.ReLU(),
                    "4": nn.ReflectionPad2d(1),
                    "5": nn.Conv2d(channels, channels, 3, bias=bias),
                }
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the refined map, of the shape of `x`."""
        y: Tensor = self.conv_block(x)
        return x + y


def extractor_body(c_in: int, width: int, c_out: int, *, blocks: int, bias: bool) -> nn.Sequential:
    """Return Table 3 behind the preprocessing: 7x7, five halvings up to `c_out` channels, residual blocks.

    Maps (N, c_in, h, w) to (N, c_out, h / 32, w / 32). Published names: three places a step, of
    which the middle one (a normalisation that is not there) stays empty.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["0"] = nn.ReflectionPad2d(3)
    layers["1"] = nn.Conv2d(c_in, width, 7, bias=bias)
    layers["3"] = nn.ReLU()
    for step in range(HALVINGS):
        here, there = min(width << step, c_out), min(width << (step + 1), c_out)
        layers[str(4 + 3 * step)] = nn.Conv2d(here, there, 3, stride=2, padding=1, bias=bias)
        layers[str(6 + 3 * step)] = nn.ReLU()
    first_block = 4 + 3 * HALVINGS
    for index in range(blocks):
        layers[str(first_block + index)] = ReflectedBlock(c_out, bias=bias)
    return nn.Sequential(layers)

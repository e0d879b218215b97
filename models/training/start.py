"""The random start of a network: how large its maps are before the first step.

torch's own start of a convolution keeps a third of the variance from layer to layer. Through LBAG's depth the
signal shrinks so far that at its output convolutions an edge is 70 times smaller than at the input (standard
deviation over a picture 0.012 instead of 0.88, base 16, 4 blocks), and a short training spends most of its
steps on growing it again. He's start keeps the size ("Delving Deep into Rectifiers", He et al. 2015, Eq. 10).
"""

from __future__ import annotations

import torch
from torch import nn

from models.networks.layers import FAM, ResBlock

__all__ = ["he_start_"]

BRANCH_GAIN = 0.2
"""A branch that is added to its input starts small, or the sums of a stage's blocks would grow with depth."""


@torch.no_grad()
def he_start_(network: nn.Module) -> nn.Module:
    """Draw all convolutions anew from torch's dice: variance 2 / (inputs of a value), biases 0; in place.

    The last convolution of every residual block and of every `FAM` is multiplied by `BRANCH_GAIN`.
    """
    for module in network.modules():
        if isinstance(module, nn.ConvTranspose2d):
            # A value of the result sees kernel² / stride² places of every channel.
            (kernel, _), (stride, _) = module.kernel_size, module.stride
            nn.init.normal_(module.weight, 0, (2 * stride**2 / (module.in_channels * kernel**2)) ** 0.5)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)) and module.bias is not None:
            nn.init.zeros_(module.bias)
    for branch in network.modules():
        if isinstance(branch, ResBlock):
            branch.get_parameter("main.1.main.0.weight").mul_(BRANCH_GAIN)
        elif isinstance(branch, FAM):
            branch.get_parameter("merge.main.0.weight").mul_(BRANCH_GAIN)
    return network

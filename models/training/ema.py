"""The running mean of the weights: what is validated and shipped moves less than what is trained."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

__all__ = ["RunningMean"]


class RunningMean:
    """Exponential running mean of a network's parameters.

    In the first steps the mean follows faster (decay (1 + n) / (10 + n)), so that it does not drag the random
    start along.

    Args:
        network: Whose parameters are followed; the mean starts as their copy.
        decay: Share of the mean that is kept at a step; 0 makes the mean the present weights.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.mean = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take the weights after step number `step` (1 is the first) into the mean."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            self.mean[name].lerp_(value, share)

    def load(self, mean: Mapping[str, Tensor]) -> None:
        """Take over a saved mean."""
        for name, value in self.mean.items():
            value.copy_(mean[name])

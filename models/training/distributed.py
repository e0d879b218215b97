"""One process or several (`torchrun`): who writes, who takes which samples, and how all stop together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn

from models.training.errors import TrainingError

__all__ = ["Crew", "crew"]


@dataclass(frozen=True)
class Crew:
    """The processes of one training.

    Attributes:
        rank: Number of this process; 0 writes and speaks.
        size: Processes in all.
        device: Where this process computes.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes and speaks."""
        return self.rank == 0

    def share(self, batch: int) -> range:
        """Return which samples of a batch are this process's.

        Raises:
            TrainingError: The batch cannot be shared evenly; uneven shares would weigh samples unequally.
        """
        if batch % self.size:
            raise TrainingError(
                f"a batch of {batch} cannot be shared by {self.size} processes",
                hint="change batch in the recipe",
            )
        part = batch // self.size
        return range(self.rank * part, (self.rank + 1) * part)

    def wrap(self, network: nn.Module, *, all_used: bool = True) -> nn.Module:
        """Return the network whose gradients are the mean over all processes.

        Args:
            network: The network.
            all_used: Whether every parameter gets a gradient; those without are looked for otherwise.
        """
        if self.size == 1:
            return network
        ids = [self.device.index] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(
            network, device_ids=ids, find_unused_parameters=not all_used
        )

    def any(self, wish: bool) -> bool:
        """Return whether any process wishes so; all get the same answer at the same step."""
        if self.size == 1:
            return wish
        flag = torch.tensor(float(wish), device=self.device)
        dist.all_reduce(flag, op=dist.ReduceOp.MAX)
        return bool(flag.item() > 0)

    def mean(self, value: torch.Tensor) -> torch.Tensor:
        """Return the mean of a tensor over all processes."""
        if self.size == 1:
            return value
        total = value.detach().clone()
        dist.all_reduce(total)
        return total / self.size

    def choose(self, text: str) -> str:
        """Return what the leading process says."""
        if self.size == 1:
            return text
        said: list[str] = [text]
        dist.broadcast_object_list(said, src=0, device=self.device if self.device.type == "cuda" else None)
        return said[0]


@contextmanager
def crew(device: str = "auto") -> Iterator[Crew]:
    """Join the processes that `torchrun` started; alone without it.

    Args:
        device: auto, cpu or cuda.
    """
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    cuda = device != "cpu" and torch.cuda.is_available()
    if device == "cuda" and not cuda:
        raise TrainingError("this machine has no CUDA device that torch can use", hint="--device cpu")
    place = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(place)
    if size == 1:
        yield Crew(0, 1, place)
        return
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Crew(rank, size, place)
    finally:
        dist.destroy_process_group()

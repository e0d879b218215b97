"""One step of a training, and the state between two steps."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from models.errors import CheckpointError
from models.training.batches import Batch
from models.training.distributed import Crew
from models.training.ema import RunningMean
from models.training.errors import TrainingError
from models.training.losses import local_loss
from models.training.networks import as_scales, has_mask
from models.training.recipe import Recipe

__all__ = ["Precision", "Trainer"]

Precision = Literal["fp32", "bf16"]
MOST_SKIPPED = 10
"""So many steps in a row without a finite gradient end the training."""


class Trainer:
    """Lowers the loss of a network, a step a call.

    Args:
        recipe: What is to be done.
        network: The network, on the CPU; it is moved to the crew's device.
        crew: The processes that share every batch.
    """

    def __init__(self, recipe: Recipe, network: nn.Module, crew: Crew) -> None:
        self.recipe = recipe
        self.crew = crew
        self.precision: Precision = "fp32" if recipe.precision == "auto" else recipe.precision
        # Channels last is what the fast convolutions of CPU and GPU want; without, bf16 gains little.
        self.network = cast(nn.Module, network.to(crew.device, memory_format=torch.channels_last))  # type: ignore[call-overload]
        self.network.train()
        self.wrapped = crew.wrap(self.network, all_used=all(recipe.losses.scales))
        spec = recipe.optimiser
        kind = torch.optim.AdamW if spec.weight_decay > 0 else torch.optim.Adam
        self.optimiser: torch.optim.Optimizer = kind(
            self.network.parameters(), spec.lr, betas=spec.betas, weight_decay=spec.weight_decay, fused=True
        )
        self.mean = RunningMean(self.network, recipe.ema)
        self.step = 0
        self._skipped = 0

    def train_step(self, batch: Batch) -> dict[str, float]:
        """Do the next step and return its losses by name, with "total", "gradient_norm" and "lr".

        A step whose gradient is not finite changes nothing but the count.

        Raises:
            TrainingError: The gradient was not finite for several steps in a row.
        """
        spec = self.recipe.optimiser
        lr = spec.lr_at(self.step, self.recipe.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = lr
        # Dropout's dice depend on the step alone, so that a resumed training throws the same.
        torch.manual_seed(_mix(self.recipe.seed, self.step, self.crew.rank))
        self.optimiser.zero_grad(set_to_none=True)
        total, parts = self.loss(batch, self.wrapped)
        total.backward()  # type: ignore[no-untyped-call]
        limit = spec.clip_norm or math.inf
        norm = float(nn.utils.clip_grad_norm_(self.network.parameters(), limit))
        # Only the gradient's norm is asked: several processes share it, their losses they do not.
        if math.isfinite(norm):
            self.optimiser.step()
            self._skipped = 0
        else:
            self._skipped += 1
            if self._skipped >= MOST_SKIPPED:
                raise TrainingError(
                    f"the gradient is not finite at step {self.step + 1}, the {MOST_SKIPPED}th in a row",
                    hint="lower optimiser.lr, or set optimiser.clip_norm",
                )
        self.step += 1
        self.mean.update(self.network, self.step)
        # Of several processes one may have drawn masks and another none: all must speak of the same terms.
        names = ["total", *(parts if self.crew.size == 1 else self._terms())]
        parts = {"total": total.detach(), **parts}
        values = torch.stack([parts.get(name, total.new_zeros(())).float() for name in names])
        said = dict(zip(names, self.crew.mean(values).tolist(), strict=True))
        return {**said, "gradient_norm": norm, "lr": lr}

    def _terms(self) -> list[str]:
        """Return the names of all terms that a batch may have."""
        weights = self.recipe.losses
        return [name for name in ("mae", "ssim", "msfr", "mask") if getattr(weights, name)]

    def loss(self, batch: Batch, network: nn.Module) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch and its parts; samples whose mask nobody knows have no mask loss."""
        batch = batch.to(self.crew.device)
        image = batch.blurred.contiguous(memory_format=torch.channels_last)
        with self.autocast(self.precision):
            scales = as_scales(network(image))
        weights = self.recipe.losses
        if not has_mask(self.recipe.network) or not bool(batch.known.any()):
            return local_loss(scales, batch.sharp, None, weights)
        if bool(batch.known.all()):
            return local_loss(scales, batch.sharp, batch.mask, weights)
        total, parts = image.new_zeros(()), dict[str, Tensor]()
        for group, mask in ((batch.known, batch.mask), (~batch.known, None)):
            share = group.float().mean()
            chosen = [type(scale)(*(value[group] for value in scale)) for scale in scales]
            lost, named = local_loss(
                chosen, batch.sharp[group], mask if mask is None else mask[group], weights
            )
            total = total + share * lost
            for name, value in named.items():
                parts[name] = parts[name] + share * value if name in parts else share * value
        return total, parts

    def autocast(self, precision: Precision) -> contextlib.AbstractContextManager[Any]:
        """Return the context in which the network runs."""
        if precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.crew.device.type, dtype=torch.bfloat16)

    def choose_precision(self, batch: Batch, trials: int = 3) -> str:
        """Measure fp32 and bf16 on a batch where the recipe says auto, and return a sentence on the choice.

        Weights and moments stay as they are; only gradients are made, and thrown away.
        """
        if self.recipe.precision != "auto":
            return f"{self.precision}, as the recipe says"
        seconds: dict[Precision, float] = {}
        # In turns, so that what else the machine does meets both alike.
        for precision in ("fp32", "bf16") * trials:
            self.precision = precision
            seconds[precision] = min(seconds.get(precision, math.inf), self._work_s(batch))
        self.precision = "bf16" if seconds["bf16"] < seconds["fp32"] else "fp32"
        # Several processes must agree, or their gradients would differ in kind.
        self.precision = cast(Precision, self.crew.choose(self.precision))
        return f"{self.precision}: fp32 takes {seconds['fp32']:.3f} s a step, bf16 {seconds['bf16']:.3f} s"

    def _work_s(self, batch: Batch) -> float:
        """Return how long a step works: on a CPU its own time only, whatever runs beside it."""
        if self.crew.device.type != "cpu":
            return self.time_once(batch)
        began = time.process_time()
        self.time_once(batch)
        return (time.process_time() - began) / torch.get_num_threads()

    def time_once(self, batch: Batch) -> float:
        """Return the seconds of one step without its update; nothing changes."""
        began = time.perf_counter()
        total, _ = self.loss(batch, self.network)
        total.backward()  # type: ignore[no-untyped-call]
        float(next(self.network.parameters()).grad.sum())  # type: ignore[union-attr]  # waits for the GPU
        self.network.zero_grad(set_to_none=True)
        return time.perf_counter() - began

    @contextlib.contextmanager
    def averaged(self) -> Any:
        """Lend the network with the mean of its weights, in eval mode; the trained ones come back after."""
        trained = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.mean.mean)
        self.network.eval()
        try:
            yield self.network
        finally:
            self.network.load_state_dict(trained)
            self.network.train()

    def state(self) -> dict[str, Any]:
        """Return all that the next step depends on."""
        return {
            "step": self.step,
            "skipped": self._skipped,
            "precision": self.precision,
            "model": self.network.state_dict(),
            "ema": self.mean.mean,
            "optimiser": self.optimiser.state_dict(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state.

        Raises:
            CheckpointError: The state is not this network's.
        """
        try:
            self.network.load_state_dict(state["model"])
            self.mean.load(state["ema"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self._skipped = int(state["step"]), int(state["skipped"])
            self.precision = "bf16" if state["precision"] == "bf16" else "fp32"
        except (KeyError, RuntimeError, ValueError, TypeError) as error:
            raise CheckpointError("the saved state is not this network's", hint="another --out") from error


def _mix(*numbers: int) -> int:
    """Return one seed made of several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))

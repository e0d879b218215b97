"""What the losses cost in a training step, and against the plain way of writing them, in one process.

Reference for the shifts: the nine shifted truths as one batch through autograd, an 11x11 convolution for SSIM
and two Fourier transforms for each, as the equations suggest. Reference for the whole: a training step of a
network of base 16 (bf16 autocast, channels-last, Adam) with a loss that costs nothing. Times are of the
processor, on one thread, so that other programs on the machine disturb them least.

    python benchmarks/bench_losses.py [--batch 8] [--side 128] [--repeats 5]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from timing import best_s

from models.networks.layers import Scale
from models.networks.lbag import seeded_lbag
from models.training.losses import LossWeights, local_loss

WINDOW = torch.exp(-(torch.arange(11.0) - 5).square() / 4.5)
WINDOW = (WINDOW / WINDOW.sum()).outer(WINDOW / WINDOW.sum()).expand(3, 1, 11, 11).contiguous()


def plain_ssim(x: Tensor, y: Tensor) -> Tensor:
    def mean(maps: Tensor) -> Tensor:
        return F.conv2d(maps, WINDOW, groups=3)

    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    ssim = (2 * mx * my + 1e-4) * (2 * cov + 9e-4) / ((mx * mx + my * my + 1e-4) * (vx + vy + 9e-4))
    return -ssim.mean((1, 2, 3))


def plain_loss(scales: tuple[Scale, ...], sharp: Tensor, mask: Tensor, *, shifts: bool) -> Tensor:
    total = sharp.new_zeros(())
    moves = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)] if shifts else [(0, 0)]
    for scale in scales:
        x, size = scale.sharp, scale.sharp.shape[-2:]
        truth = F.interpolate(sharp, size=size, mode="bilinear")
        y = torch.stack([F.pad(truth, (dx, -dx, dy, -dy), mode="reflect") for dy, dx in moves], 1).flatten(
            0, 1
        )
        x = x[:, None].repeat(1, len(moves), 1, 1, 1).flatten(0, 1)
        spectra = (torch.fft.rfft2(x) - torch.fft.rfft2(y)).abs().mean((1, 2, 3))
        for weight, values in ((1, (x - y).abs().mean((1, 2, 3))), (1, plain_ssim(x, y)), (0.1, spectra)):
            total = total + weight * values.view(-1, len(moves)).amin(1).mean()
        total = total + 0.1 * F.mse_loss(scale.gate, F.interpolate(mask, size=size, mode="nearest"))
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = seeded_lbag(16, 2).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(network.parameters(), 1e-4)
    image, sharp = (
        torch.rand(args.batch, 3, args.side, args.side).contiguous(memory_format=torch.channels_last)
        for _ in range(2)
    )
    mask = (torch.rand(args.batch, 1, args.side, args.side) > 0.8).float()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        said = tuple(Scale(*(one.float() for one in scale)) for scale in network(image))

    def free(scales: tuple[Scale, ...]) -> Tensor:
        return torch.stack([scale.sharp.mean() + scale.gate.mean() for scale in scales]).sum()

    def ours(weights: LossWeights) -> Callable[[tuple[Scale, ...]], Tensor]:
        return lambda scales: local_loss(scales, sharp, mask, weights)[0]

    def step(loss: Callable[[tuple[Scale, ...]], Tensor]) -> None:
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16):
            scales = network(image)
        loss(scales).backward()
        optimiser.step()

    def alone(loss: Callable[[tuple[Scale, ...]], Tensor]) -> None:
        loss(tuple(Scale(*(one.detach().requires_grad_() for one in scale)) for scale in said)).backward()

    losses = {
        "in place": ours(LossWeights(reading="released", shift_px=0)),
        "nine shifts, released": ours(LossWeights(reading="released")),
        "nine shifts, paper": ours(LossWeights(reading="paper")),
        "plain, in place": lambda scales: plain_loss(scales, sharp, mask, shifts=False),
        "plain, nine shifts": lambda scales: plain_loss(scales, sharp, mask, shifts=True),
    }
    for plain, fast in (("plain, in place", "in place"), ("plain, nine shifts", "nine shifts, released")):
        if abs(float(losses[plain](said)) - float(losses[fast](said))) > 1e-4:
            sys.exit(f"{plain} and {fast} differ")
    nothing = best_s(lambda: step(free), args.repeats)[1]
    report: dict[str, object] = {"batch": args.batch, "side_px": args.side, "step_without_loss_s": nothing}
    for name, loss in losses.items():
        cost = best_s(lambda loss=loss: alone(loss), args.repeats)[1]
        added = best_s(lambda loss=loss: step(loss), args.repeats)[1] / nothing - 1
        report[name] = {"s": round(cost, 4), "added_to_step_percent": round(100 * added, 1)}
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()

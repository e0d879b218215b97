"""Structural similarity as a loss (Wang et al. 2004; appendix of Li et al. 2023, Eq. 5).

An 11x11 Gaussian window of sigma 1.5 on the valid area, biased variances, K1 = 0.01, K2 = 0.03, range 1: as
the released code has it. Values and gradients are in closed form: autograd would keep some twenty maps
of the picture's size and filter maps that need no gradient. The window is separable and all maps are filtered
in one depthwise convolution with the channels innermost, which is many times faster than plane by plane.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models.errors import ImageError
from models.training.shift import SHIFTS, area_of, shifted

__all__ = ["WINDOW", "negative_ssim", "negative_ssim_of_shifts"]

WINDOW: Final = 11
_SIGMA: Final = 1.5
_C1: Final = 0.01**2
_C2: Final = 0.03**2


@functools.lru_cache(maxsize=32)
def _kernels(channels: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the window's factors as depthwise kernels (channels, 1, 11, 1) and (channels, 1, 1, 11)."""
    at = np.arange(WINDOW) - WINDOW // 2
    values = np.exp(-np.square(at) / (2 * _SIGMA**2))
    with torch.inference_mode(False):  # or what a validation made first could not serve a training
        window = torch.tensor((values / values.sum()).tolist(), dtype=dtype, device=device)
        window = window.expand(channels, 1, WINDOW)
        return window[..., None].contiguous(), window[:, :, None, :].contiguous()


def _filter(maps: list[Tensor], *, back: bool = False) -> tuple[Tensor, ...]:
    """Return maps (N, C, H, W) under the window, (N, C, H - 10, W - 10); with `back` the adjoint, + 10."""
    on_cpu = maps[0].device.type == "cpu"
    stacked = torch.cat(maps, dim=1)
    stacked = stacked.contiguous(memory_format=torch.channels_last if on_cpu else torch.contiguous_format)
    channels = stacked.shape[1]
    down, across = _kernels(channels, stacked.dtype, stacked.device)
    pad = WINDOW - 1 if back else 0
    # cuDNN may multiply in TF32, which would round the squares until no variance is left.
    with contextlib.nullcontext() if on_cpu else torch.backends.cudnn.flags(enabled=False):
        stacked = F.conv2d(stacked, down, padding=(pad, 0), groups=channels)
        stacked = F.conv2d(stacked, across, padding=(0, pad), groups=channels)
    return torch.split(stacked, [one.shape[1] for one in maps], dim=1)


def _check(x: Tensor, least: int) -> None:
    if min(x.shape[-2:]) < least:
        raise ImageError(
            f"a picture of {x.shape[-1]}x{x.shape[-2]} pixels is smaller than SSIM's window of {least}",
            hint=f"train with larger patches: {4 * least} pixels where the network has a quarter scale",
        )


class _NegativeSsim(torch.autograd.Function):
    """Value for each image, with the gradient for x made at once."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
        mean_x, mean_y, squares, product = _filter([x, y, torch.addcmul(x * x, y, y), x * y])
        means = mean_x * mean_y
        mean_squares = torch.addcmul(mean_x * mean_x, mean_y, mean_y)
        a1 = 2 * means + _C1
        a2 = 2 * (product - means) + _C2
        b1 = mean_squares + _C1
        b2 = squares - mean_squares + _C2
        share = 1 / (b1 * b2)
        ssim = a1 * a2 * share
        count = x[0, :, : -WINDOW + 1, : -WINDOW + 1].numel()
        if weight is None:
            value = -ssim.mean(dim=(1, 2, 3))
            each: Tensor | float = -1 / count
        else:
            each = -weight / (weight.sum(dim=(1, 2, 3), keepdim=True) * x.shape[1])
            value = (ssim * each).sum(dim=(1, 2, 3))
        if ctx.needs_input_grad[0]:
            by_product = 2 * a1 * share
            by_squares = -ssim / b2
            by_mean = mean_y * (2 * a2 * share - by_product) + 2 * mean_x * (-by_squares - ssim / b1)
            back_mean, back_squares, back_product = _filter(
                [by_mean * each, by_squares * each, by_product * each], back=True
            )
            ctx.save_for_backward(back_mean + 2 * x * back_squares + y * back_product)
        return value

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, None, None]:
        if not ctx.needs_input_grad[0]:
            return None, None, None
        (gradient,) = ctx.saved_tensors
        return upstream[0][:, None, None, None] * gradient, None, None


def negative_ssim(x: Tensor, y: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return -SSIM of each image (N,), mean over channels and the valid area (appendix, Eq. 5).

    Args:
        x: Prediction (N, C, H, W), float32 or float64, H and W at least 11. Only it gets a gradient.
        y: Truth of the same shape and type.
        weight: (N, 1, H - 10, W - 10) for a weighted mean over positions of the window, or None.

    Raises:
        ImageError: The pictures are smaller than the window.
    """
    _check(x, WINDOW)
    with torch.autocast(x.device.type, enabled=False):
        positions = None if weight is None else weight.to(x.dtype)
        value: Tensor = _NegativeSsim.apply(x, y, positions)  # type: ignore[no-untyped-call]
    return value


@torch.no_grad()
def negative_ssim_of_shifts(x: Tensor, framed: Tensor, *, overlap: bool) -> Tensor:
    """Return -SSIM (9, N) for the truth shifted by each of SHIFTS, without gradients.

    The statistics of either picture are filtered once; only the products need nine filters.

    Args:
        x: Prediction (N, C, H, W).
        framed: Truth with its frame (N, C, H + 2, W + 2), see `shift.reflect`.
        overlap: Judge the overlapping area only, see `shift.area_of`.
    """
    _check(x, WINDOW + overlap)
    with torch.autocast(x.device.type, enabled=False):
        mean_x, square_x = _filter([x, x * x])
        mean_y, square_y = _filter([framed, framed * framed])
        squares_of_x, squares_of_y = mean_x * mean_x, mean_y * mean_y
        values = torch.empty(len(SHIFTS), x.shape[0], dtype=x.dtype, device=x.device)
        for start in range(0, len(SHIFTS), 3):
            shifts = SHIFTS[start : start + 3]
            products = _filter([x * shifted(framed, shift) for shift in shifts])
            for offset, (shift, product) in enumerate(zip(shifts, products, strict=True)):
                means = mean_x * shifted(mean_y, shift)
                mean_squares = squares_of_x + shifted(squares_of_y, shift)
                ssim = product.sub(means).mul_(2).add_(_C2).mul_(means.mul_(2).add_(_C1))
                spread = (square_x + shifted(square_y, shift)).sub_(mean_squares).add_(_C2)
                ssim.div_(spread.mul_(mean_squares.add_(_C1)))
                area = area_of(shift, x.shape[-2], x.shape[-1], overlap=overlap, window=WINDOW)
                values[start + offset] = area.cut(ssim).mean(dim=(1, 2, 3)).neg_()
        return values

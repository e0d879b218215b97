"""Blind deblurring by two deep priors: sharp picture and blur kernel of one picture are searched together.

"Explore Image Deblurring via Encoded Blur Kernel Space", Tran et al., CVPR 2021, with its supplement (2.4,
3): a network with random start gives the picture x, another one the kernel k, out of fixed noise, and both
are trained on the blurred picture y alone, in turns, to lower

    rho(y, F(x, k)) + w_k |k|_2 + w_x mean |grad x|^alpha    (hyper-Laplacian prior, Krishnan & Fergus 2009)

No network is trained beforehand but F; a run takes thousands of steps, minutes to hours by size and
machine.

What the supplement leaves open, or the released code does otherwise, and what is done here: rho is 1 - SSIM
plus the mean Charbonnier distance (released: a perceptual distance by VGG, whose weights would have to come
along); first x alone is led to y, as released; the gradient is Sobel's over all colours, as released; the
noise is uniform in 0..0.1 and trembles a little at every step, as released.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from models.blur_operators import BlurOperator
from models.errors import Cancelled, EngineError, ImageError
from models.networks.kernel_space_priors import PicturePrior
from models.pictures import FloatImage, as_unit_range, pad_to_multiple, to_planes
from models.room import check_room
from models.training.ssim import WINDOW, negative_ssim

__all__ = [
    "ENCODED_SEARCH",
    "UNIFORM_SEARCH",
    "KernelDeblurResult",
    "KernelDeblurSettings",
    "data_term",
    "gradient_prior",
    "kernel_deblur",
]

NOISE_WHITE = 0.1
EPSILON = 1e-6
DECAY = 0.7
DECAYS = 5
"""The steps shrink to 0.7 of their length after every fifth of the run."""

Progress = Callable[[float, float], None]


@dataclass(frozen=True)
class KernelDeblurSettings:
    """How the search goes; the defaults are those of the paper, else of the released code.

    Attributes:
        steps: Turns of kernel and picture.
        warm_up: Steps before, in which the picture alone is led to the blurred one.
        picture_rate: Length of a step of the picture's network (Adam).
        kernel_rate: Length of a step of the kernel's network.
        kernel_weight: w_k.
        gradient_weight: w_x.
        gradient_power: alpha.
        trembling: Standard deviation of what is added to the noise at every step.
        levels: Steps by two of the picture's network; fewer where the picture is small.
        width: Channels of the picture's network.
        seed: Of all random numbers; the same seed gives the same result on the same machine.
    """

    steps: int = 5000
    warm_up: int = 300
    picture_rate: float = 5e-4
    kernel_rate: float = 5e-4
    kernel_weight: float = 6e-4
    gradient_weight: float = 2e-2
    gradient_power: float = 0.66
    trembling: float = 1e-3
    levels: int = 5
    width: int = 128
    seed: int = 0


ENCODED_SEARCH = KernelDeblurSettings()
"""As the paper has it for codes of the kernel space."""

UNIFORM_SEARCH = KernelDeblurSettings(
    steps=2000, warm_up=200, picture_rate=5e-3, kernel_rate=3e-3, gradient_weight=2e-3, width=32, levels=4
)
"""For one kernel: larger steps, which found kernels of 7 px in made pictures where smaller ones did not."""


@dataclass(frozen=True)
class KernelDeblurResult:
    """What was found.

    Attributes:
        sharp: (H, W, 3) float32 in 0..1, sRGB-encoded as the input was.
        kernel: The kernel in the operator's own form.
        curve: The data term rho at every step.
        seconds: Wall time.
    """

    sharp: FloatImage
    kernel: npt.NDArray[np.float32]
    curve: list[float] = field(repr=False)
    seconds: float = 0.0


def kernel_deblur(
    rgb: npt.NDArray[Any],
    operator: BlurOperator,
    settings: KernelDeblurSettings | None = None,
    *,
    cancel: threading.Event | None = None,
    progress: Progress | None = None,
) -> KernelDeblurResult:
    """Search the sharp picture and the kernel whose blur explains a picture.

    Args:
        rgb: (H, W, 3) uint8, uint16 or floating point in 0..1, sRGB-encoded.
        operator: How a kernel blurs.
        settings: How the search goes.
        cancel: Stops the search after the step that runs.
        progress: Called after each step with the done fraction, 0..1, and the data term.

    Raises:
        ImageError: `rgb` is no such picture, too small for SSIM's window, or too large for the memory.
        EngineError: The search met values that are not finite.
        Cancelled: `cancel` was set.
    """
    settings = settings or ENCODED_SEARCH
    started = time.perf_counter()
    image = as_unit_range(rgb)
    height, width = image.shape[:2]
    if min(height, width) < WINDOW:
        raise ImageError(f"a picture of {width}x{height} pixels is too small: {WINDOW} are needed")
    padded = _padded(image, operator)
    grown = [side + 2 * operator.margin_px for side in padded.shape[:2]]
    # The peak is the way back through the picture's network: 4.2 kB a pixel were measured at 32 channels.
    needed = 140 * settings.width + operator.bytes_per_pixel
    check_room("the search", grown[0], grown[1], needed, "cut out what moves")
    blurred = to_planes(padded).contiguous()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        search = _Search(blurred, operator, settings)
        curve = search.run(cancel, progress)
    with torch.no_grad():
        sharp, kernel = search.found()
    down, right = operator.offset_px(kernel)
    top, left = operator.margin_px - down, operator.margin_px - right
    cut = sharp[0, :, top : top + height, left : left + width]
    picture = np.ascontiguousarray(cut.permute(1, 2, 0).numpy())
    return KernelDeblurResult(picture, kernel.numpy().copy(), curve, time.perf_counter() - started)


def data_term(found: Tensor, blurred: Tensor) -> Tensor:
    """Return rho: 1 - SSIM plus the mean of sqrt(d^2 + 1e-6) - 1e-3; 0 for equal pictures."""
    distance = torch.sqrt((found - blurred).square() + EPSILON).mean() - EPSILON**0.5
    rho: Tensor = distance + 1 + negative_ssim(found, blurred).mean()
    return rho


def gradient_prior(sharp: Tensor, power: float) -> Tensor:
    """Return the mean of |grad x|^power, by Sobel's operators on the sum of the colours."""
    across = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])
    taps = torch.stack([across, across.T])[:, None].to(sharp)
    squares = F.conv2d(sharp.sum(dim=1, keepdim=True), taps).square().sum(dim=1)
    return ((squares + EPSILON) ** (power / 2)).mean()


class _Search:
    """The two networks of one run, with their noise and optimisers."""

    def __init__(self, blurred: Tensor, operator: BlurOperator, settings: KernelDeblurSettings) -> None:
        height, width = blurred.shape[2:]
        margin = 2 * operator.margin_px
        self._blurred, self._operator, self._settings = blurred, operator, settings
        levels = settings.levels
        while levels > 1 and min(height, width) + margin < 4 << levels:
            levels -= 1
        self._picture = PicturePrior(levels, settings.width)
        self._kernel, noise_shape = operator.prior(height, width)
        picture_shape = (1, self._picture.noise_channels, height + margin, width + margin)
        self._picture_noise = NOISE_WHITE * torch.rand(picture_shape)
        self._kernel_noise = NOISE_WHITE * torch.rand(noise_shape)
        self._moves = [
            torch.optim.Adam(self._kernel.parameters(), lr=settings.kernel_rate),
            torch.optim.Adam(self._picture.parameters(), lr=settings.picture_rate),
        ]

    def run(self, cancel: threading.Event | None, progress: Progress | None) -> list[float]:
        """Do all steps and return the data term at each."""
        settings, curve = self._settings, list[float]()
        count = settings.warm_up + settings.steps
        for index in range(count):
            if cancel is not None and cancel.is_set():
                raise Cancelled("the search for the sharp picture was stopped")
            if index < settings.warm_up:
                said = self._warm_up()
            else:
                turn = index - settings.warm_up
                self._set_rates(DECAY ** (DECAYS * turn // settings.steps))
                said = self._turn()
                curve.append(said)
            if not math.isfinite(said):
                raise EngineError(
                    f"the search went astray at step {index + 1}", hint="try another --seed, or other weights"
                )
            if progress is not None:
                progress((index + 1) / count, said)
        return curve

    def found(self) -> tuple[Tensor, Tensor]:
        """Return picture and kernel out of the noise itself."""
        return self._picture(self._picture_noise), self._kernel(self._kernel_noise)

    def _warm_up(self) -> float:
        margin = self._operator.margin_px
        picture = self._picture(self._trembling(self._picture_noise))
        height, width = self._blurred.shape[2:]
        inner = picture[..., margin : margin + height, margin : margin + width]
        loss = F.mse_loss(inner, self._blurred)
        self._step(1, loss)
        return float(loss.detach())

    def _turn(self) -> float:
        """Move the kernel while the picture stands, then the picture while the new kernel stands."""
        settings = self._settings
        picture_noise = self._trembling(self._picture_noise)
        kernel_noise = self._trembling(self._kernel_noise)
        picture = self._picture(picture_noise)
        kernel = self._kernel(kernel_noise)
        distance = data_term(self._operator.blur(picture.detach(), kernel), self._blurred)
        self._step(0, distance + settings.kernel_weight * kernel.norm())
        with torch.no_grad():
            kernel = self._kernel(kernel_noise)
        distance = data_term(self._operator.blur(picture, kernel), self._blurred)
        prior = gradient_prior(picture, settings.gradient_power)
        self._step(1, distance + settings.gradient_weight * prior)
        return float(distance.detach())

    def _trembling(self, noise: Tensor) -> Tensor:
        return noise + self._settings.trembling * torch.randn_like(noise)

    def _step(self, which: int, loss: Tensor) -> None:
        move = self._moves[which]
        move.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        move.step()

    def _set_rates(self, factor: float) -> None:
        rates = (self._settings.kernel_rate, self._settings.picture_rate)
        for move, rate in zip(self._moves, rates, strict=True):
            for group in move.param_groups:
                group["lr"] = factor * rate


def _padded(image: FloatImage, operator: BlurOperator) -> FloatImage:
    """Reflect a picture at its bottom and right up to a size that the operator takes."""
    height, width = (max(side, operator.least_px) for side in image.shape[:2])
    grown = np.pad(image, ((0, height - image.shape[0]), (0, width - image.shape[1]), (0, 0)), mode="reflect")
    return pad_to_multiple(grown, operator.multiple)

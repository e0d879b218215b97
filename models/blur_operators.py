"""What the deblurring by deep priors can hold a picture against: ways to blur one by a kernel.

* `EncodedBlur`: F of the encoded blur kernel space (Tran et al., CVPR 2021), for blur that differs from
  place to place. It needs weights: with random ones F blurs by nothing that a camera does.
* `UniformBlur`: one kernel for the whole picture, in linear light (Ren et al., CVPR 2020). Needs no
  weights: for camera shake, or a crop of one thing that moves in a straight line.
"""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.kernel_space import LEAST_PX, MULTIPLE, KernelSpace
from models.networks.kernel_space_priors import CodePrior, UniformKernelPrior

__all__ = ["BlurOperator", "EncodedBlur", "UniformBlur"]

SRGB_KNEE = 0.0031308


class BlurOperator(Protocol):
    """Blurs a picture by a kernel, whatever that is, so that gradients reach both.

    Attributes:
        multiple: Height and width of the blurred picture must be multiples of this.
        least_px: And at least this.
        margin_px: How much larger the sharp picture is than the blurred one, on every side.
        bytes_per_pixel: What a blur and the way back through it need for each pixel, about.
    """

    multiple: int
    least_px: int
    margin_px: int
    bytes_per_pixel: int

    def prior(self, height: int, width: int) -> tuple[nn.Module, tuple[int, ...]]:
        """Return a network that makes a kernel for a blurred picture, and the shape of its noise."""
        ...

    def blur(self, sharp: Tensor, kernel: Tensor) -> Tensor:
        """Return (1, 3, H, W) of a sharp picture that is larger by the margin, sRGB-encoded in 0..1."""
        ...

    def offset_px(self, kernel: Tensor) -> tuple[int, int]:
        """Return how far down and to the right, at most the margin, a kernel moves what it blurs."""
        ...


class EncodedBlur:
    """F(x, k) of a trained kernel space; its weights are held fixed."""

    multiple = MULTIPLE
    least_px = LEAST_PX
    margin_px = 0

    def __init__(self, space: KernelSpace) -> None:
        self.bytes_per_pixel = 60 * space.width
        self._space = space.eval().requires_grad_(requires_grad=False)

    def prior(self, height: int, width: int) -> tuple[nn.Module, tuple[int, ...]]:
        """Return G's architecture with noise of the size of preprocessed features (supplement, 2.4)."""
        channels = self._space.width
        return CodePrior(channels), (1, channels, height // 4, width // 4)

    def blur(self, sharp: Tensor, kernel: Tensor) -> Tensor:
        """Return F(x, k)."""
        return self._space.blur(sharp, kernel)

    def offset_px(self, kernel: Tensor) -> tuple[int, int]:
        """Return none: F was trained on pairs whose sharp picture lies in the middle of the blur."""
        return 0, 0


class UniformBlur:
    """Convolution of linear light with one kernel, for all three colours; nothing is assumed of the border.

    Args:
        side: Side of the kernel in pixels, odd; larger than the longest blur.
    """

    multiple = 1
    bytes_per_pixel = 0

    def __init__(self, side: int) -> None:
        if side < 1 or side % 2 == 0:
            raise ValueError(f"a kernel has an odd side, not {side}")
        self.side = side
        self.margin_px = side // 2
        self.least_px = side

    def prior(self, height: int, width: int) -> tuple[nn.Module, tuple[int, ...]]:
        """Return the fully connected network of Ren et al.; the size of the picture does not matter to it."""
        prior = UniformKernelPrior(self.side)
        return prior, (1, prior.noise_values)

    def blur(self, sharp: Tensor, kernel: Tensor) -> Tensor:
        """Return where the kernel (side, side) fits wholly onto the picture."""
        taps = kernel.expand(3, 1, self.side, self.side)
        return encode_srgb(F.conv2d(decode_srgb(sharp), taps, groups=3))

    def offset_px(self, kernel: Tensor) -> tuple[int, int]:
        """Return minus the kernel's centre of mass, in whole pixels.

        A kernel and a picture that are moved against each other explain as much. The middle of the mass is
        the middle of the exposure, where the sharp picture is expected.
        """
        places = torch.arange(self.side, dtype=kernel.dtype) - self.margin_px
        down, right = (kernel.sum(dim=axis) @ places for axis in (1, 0))
        return -round(float(down)), -round(float(right))


def decode_srgb(encoded: Tensor) -> Tensor:
    """Return linear light of sRGB-encoded values in 0..1 (IEC 61966-2-1)."""
    return torch.where(encoded <= 12.92 * SRGB_KNEE, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def encode_srgb(linear: Tensor) -> Tensor:
    """Undo `decode_srgb`; the power sees no zero, where its slope is not finite."""
    bright = linear.clamp_min(SRGB_KNEE)
    return torch.where(linear <= SRGB_KNEE, 12.92 * linear, 1.055 * bright ** (1 / 2.4) - 0.055)

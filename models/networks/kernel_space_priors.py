"""Deep priors of the deblurring by encoded kernels: networks whose output is the picture, or the blur kernel.

"Explore Image Deblurring via Encoded Blur Kernel Space", Tran et al., CVPR 2021, supplement 2.4: for the
picture a U-Net as in "Deep Image Prior", Ulyanov et al., CVPR 2018; for the code the architecture of G. For
one uniform kernel the fully connected network of "Neural Blind Deconvolution Using Deep Priors", Ren et
al., CVPR 2020 (the reference [8] that the supplement builds on). The networks start from random numbers for
every picture and are never stored.

Left open, or unlike the released code, which is left where it costs much: the picture's prior has no
non-local blocks (they hold a number for every pair of pixels), its skips cross at scales 1 to 1 /
2**levels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.kernel_space_layers import extractor_body

__all__ = ["CodePrior", "PicturePrior", "UniformKernelPrior"]

SLOPE = 0.2


class _Filtered(nn.Sequential):
    """Reflected convolution, batch normalisation, LeakyReLU."""

    def __init__(self, c_in: int, c_out: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(
                c_in, c_out, kernel, stride, kernel // 2, padding_mode="reflect" if kernel > 1 else "zeros"
            ),
            nn.BatchNorm2d(c_out),
            nn.LeakyReLU(SLOPE),
        )


class _Level(nn.Module):
    """One step down and up again, with a thin skip connection beside."""

    def __init__(self, c_in: int, width: int, skip: int, deeper: _Level | None) -> None:
        super().__init__()
        self.skip = _Filtered(c_in, skip, 1)
        self.down = nn.Sequential(_Filtered(c_in, width, 3, stride=2), _Filtered(width, width, 3))
        self.deeper = deeper
        self.norm = nn.BatchNorm2d(skip + width)
        self.up = nn.Sequential(_Filtered(skip + width, width, 3), _Filtered(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        y = self.down(x)
        if self.deeper is not None:
            y = self.deeper(y)
        y = F.interpolate(y, size=x.shape[2:], mode="bilinear", align_corners=False)
        z: Tensor = self.up(self.norm(torch.cat([self.skip(x), y], dim=1)))
        return z


class PicturePrior(nn.Module):
    """A picture (1, 3, H, W) in 0..1 out of fixed noise (1, `noise_channels`, H, W).

    Args:
        levels: Steps by two; H and W must be at least 2 * 2**levels.
        width: Channels of all steps.
        skip: Channels of the skip connections.
        noise_channels: Channels of the noise; the released code has 8.
    """

    def __init__(self, levels: int = 5, width: int = 128, skip: int = 16, noise_channels: int = 8) -> None:
        super().__init__()
        self.noise_channels = noise_channels
        level: _Level | None = None
        for index in reversed(range(levels)):
            level = _Level(width if index else noise_channels, width, skip, level)
        if level is None:
            raise ValueError(f"a prior needs at least one level, not {levels}")
        self.body = level
        self.head = nn.Conv2d(width, 3, 1)

    def forward(self, noise: Tensor) -> Tensor:
        """Return the picture."""
        return torch.sigmoid(self.head(self.body(noise)))


class CodePrior(nn.Module):
    """A code (1, 8 width, h / 32, w / 32) out of noise (1, width, h, w): the architecture of G, with biases.

    The released code gives it 6 residual blocks, and noise of one picture's features instead of two.
    """

    def __init__(self, width: int, *, blocks: int = 6) -> None:
        super().__init__()
        self.model = extractor_body(width, width, 8 * width, blocks=blocks, bias=True)

    def forward(self, noise: Tensor) -> Tensor:
        """Return the code."""
        y: Tensor = self.model(noise)
        return y


class UniformKernelPrior(nn.Module):
    """A blur kernel (side, side) that is positive and sums to one, out of noise (1, `noise_values`).

    Ren et al. (2020), section 3.1: one hidden layer, a softmax over the pixels of the kernel.
    """

    def __init__(self, side: int, *, noise_values: int = 200, hidden: int = 1000) -> None:
        super().__init__()
        if side < 1 or side % 2 == 0:
            raise ValueError(f"a kernel has an odd side, not {side}")
        self.side = side
        self.noise_values = noise_values
        self.model = nn.Sequential(
            nn.Linear(noise_values, hidden), nn.ReLU6(), nn.Linear(hidden, side * side), nn.Softmax(dim=1)
        )

    def forward(self, noise: Tensor) -> Tensor:
        """Return the kernel."""
        y: Tensor = self.model(noise)
        return y.view(self.side, self.side)

"""The encoded blur kernel space: G reads the blur between two pictures, F puts it onto another.

"Explore Image Deblurring via Encoded Blur Kernel Space", Tran et al., CVPR 2021, with its supplement
(sections 2.1-2.3, Tables 1-4). k = G(x, y) encodes what made the blurred y of the sharp x; F(x, k) blurs x
by k. Both share one preprocessing block. The names of the parameters are those of the public checkpoints
(VinAIResearch, blur-kernel-space-exploring: `GOPRO_woVAE.pth`, `REDS_woVAE.pth` and `..._wVAE.pth`, plain
state dicts; its comments call F what the paper calls G).

Where the supplement and the released network differ, the released one is followed, or its weights would
mean nothing here:

* G: ReLU where Table 3 says LeakyReLU(0.1); convolutions without bias; reflection at the border.
* F's encoder and decoder: kernels of 4 where Table 4 says 3; LeakyReLU(0.2) on the way down, ReLU on the
  way up, tanh at the end; only the outermost transposed convolution has a bias. A skip connection carries
  what the LeakyReLU left of the features (it works in place there), and the ReLU of the innermost step also
  meets k, so that negative values of k do nothing.
* Table 2 lacks the LeakyReLU(0.1) between the last two convolutions. F adds its output to the sharp
  picture.
* A variational form gives mean and spread of k, each of 512 channels.

Pictures are RGB (N, 3, H, W) in 0..1, H and W multiples of 128 (seven halvings).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import ImageError
from models.networks.kernel_space_layers import PlainBlock, extractor_body

__all__ = ["LEAST_PX", "MULTIPLE", "KernelCode", "KernelSpace", "kernel_space_size"]

MULTIPLE = 128
"""Height and width of a picture must be multiples of this."""

LEAST_PX = 256
"""G needs at least this side: a code of one row or column cannot be reflected at its border."""

RELEASED_WIDTH = 64
RELEASED_FRONT = 10
RELEASED_BACK = 20
EXTRACTOR_BLOCKS = 4

SLOPE = 0.1
DOWN_SLOPE = 0.2


class KernelCode(NamedTuple):
    """An encoded blur kernel.

    Attributes:
        mean: (N, 8 width, H / 128, W / 128); the code itself where the network is not variational.
        spread: Factor of a standard normal variate around `mean`, the same shape; None where not variational.
    """

    mean: Tensor
    spread: Tensor | None

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Return a code drawn from the normal distribution that mean and spread describe."""
        if self.spread is None:
            return self.mean
        noise = torch.randn(self.mean.shape, generator=generator, dtype=self.mean.dtype)
        return self.mean + self.spread * noise.to(self.mean.device)


class Extractor(nn.Module):
    """G behind the preprocessing block."""

    def __init__(self, width: int, c_out: int) -> None:
        super().__init__()
        self.model = extractor_body(2 * width, width, c_out, blocks=EXTRACTOR_BLOCKS, bias=False)

    def forward(self, sharp: Tensor, blurred: Tensor) -> Tensor:
        """Return the code of two preprocessed pictures (N, width, h, w)."""
        y: Tensor = self.model(torch.cat([sharp, blurred], dim=1))
        return y


class AdapterLevel(nn.Module):
    """One step down and up of F's encoder and decoder, with all deeper steps inside.

    Args:
        outer: Channels that come in, and that the way up gives back.
        inner: Channels one step deeper.
        deeper: The next step; None for the innermost, which meets the code.
        outermost: No skip connection, tanh at the end.
    """

    def __init__(
        self, outer: int, inner: int, deeper: AdapterLevel | None, *, outermost: bool = False
    ) -> None:
        super().__init__()
        self.outermost = outermost
        down = nn.Conv2d(outer, inner, 4, stride=2, padding=1, bias=False)
        up = nn.ConvTranspose2d(2 * inner, outer, 4, stride=2, padding=1, bias=outermost)
        self.down = nn.Sequential(OrderedDict({"0" if outermost else "1": down}))
        self.submodule = deeper
        self.up = nn.Sequential(OrderedDict({"1": up}))

    def forward(self, x: Tensor, kernel: Tensor) -> Tensor:
        """Return (N, outer, h, w), followed by the skipped features unless this is the outermost step."""
        if not self.outermost:
            x = F.leaky_relu(x, DOWN_SLOPE)
        y = self.down(x)
        y = torch.cat([y, kernel], dim=1) if self.submodule is None else self.submodule(y, kernel)
        y = self.up(F.relu(y))
        return torch.tanh(y) if self.outermost else torch.cat([y, x], dim=1)


class Adapter(nn.Module):
    """F between preprocessing and postprocessing (Table 4)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        level = AdapterLevel(8 * width, 8 * width, None)
        for factor in (4, 2, 1):
            level = AdapterLevel(factor * width, 2 * factor * width, level)
        self.model = AdapterLevel(width, width, level, outermost=True)

    def forward(self, features: Tensor, kernel: Tensor) -> Tensor:
        """Return features (N, width, h, w) blurred by a code (N, 8 width, h / 32, w / 32)."""
        y: Tensor = self.model(features, kernel)
        return y


class KernelSpace(nn.Module):
    """G and F with their common preprocessing block.

    Args:
        width: Channels of the features at scale 1/4; a code has 8 times as many. Released: 64.
        front: Residual blocks of the preprocessing block. Released: 10.
        back: Residual blocks of the postprocessing block. Released: 20.
        variational: Whether G gives mean and spread of a code (`wVAE`).
    """

    def __init__(
        self,
        width: int = RELEASED_WIDTH,
        *,
        front: int = RELEASED_FRONT,
        back: int = RELEASED_BACK,
        variational: bool = False,
    ) -> None:
        super().__init__()
        if width < 1 or front < 0 or back < 0:
            raise ValueError(f"no kernel space of width {width} with {front} and {back} blocks")
        self.width = width
        self.front = front
        self.back = back
        self.variational = variational
        self.feature_extractor = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, width, 3, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, width, 3, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
            *(PlainBlock(width) for _ in range(front)),
        )
        self.kernel_extractor = Extractor(width, self.code_channels * (2 if variational else 1))
        self.adapter = Adapter(width)
        self.recon_trunk = nn.Sequential(
            *(PlainBlock(width) for _ in range(back)),
            nn.Conv2d(width, 4 * width, 3, padding=1),
            nn.PixelShuffle(2),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, 4 * width, 3, padding=1),
            nn.PixelShuffle(2),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, width, 3, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, 3, 3, padding=1),
        )

    @property
    def code_channels(self) -> int:
        """Channels of a code."""
        return 8 * self.width

    def forward(self, sharp: Tensor, blurred: Tensor) -> KernelCode:
        """Return G(x, y): the code of the blur between two pictures of one size (N, 3, H, W).

        Raises:
            ImageError: The pictures are no such pair, or smaller than 256 pixels.
        """
        _check_picture(sharp)
        if sharp.shape != blurred.shape or min(sharp.shape[2:]) < LEAST_PX:
            raise ImageError(
                f"a blur is read from two pictures of one size, at least {LEAST_PX} px, "
                f"not {tuple(sharp.shape)} and {tuple(blurred.shape)}"
            )
        code = self.kernel_extractor(self.feature_extractor(sharp), self.feature_extractor(blurred))
        if not self.variational:
            return KernelCode(code, None)
        return KernelCode(code[:, : self.code_channels], code[:, self.code_channels :])

    def blur(self, sharp: Tensor, kernel: Tensor) -> Tensor:
        """Return F(x, k): a picture (N, 3, H, W) blurred by a code (N, 8 width, H / 128, W / 128).

        Raises:
            ImageError: The picture has another shape, or the code does not belong to its size.
        """
        _check_picture(sharp)
        height, width = sharp.shape[2] // MULTIPLE, sharp.shape[3] // MULTIPLE
        if tuple(kernel.shape) != (sharp.shape[0], self.code_channels, height, width):
            raise ImageError(
                f"the code of a picture {tuple(sharp.shape)} is "
                f"{(sharp.shape[0], self.code_channels, height, width)}, not {tuple(kernel.shape)}"
            )
        y: Tensor = self.recon_trunk(self.adapter(self.feature_extractor(sharp), kernel))
        return y + sharp


def _check_picture(image: Tensor) -> None:
    if image.ndim != 4 or image.shape[1] != 3 or image.shape[2] % MULTIPLE or image.shape[3] % MULTIPLE:
        raise ImageError(
            f"the kernel space takes (N, 3, H, W), H and W multiples of {MULTIPLE}, not {tuple(image.shape)}"
        )


def kernel_space_size(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any] | None:
    """Return the keywords that names and shapes of a state dict tell; None where it is another network's."""
    stem = shapes.get("feature_extractor.0.weight")
    last = shapes.get("kernel_extractor.model.19.conv_block.5.weight")
    if stem is None or last is None or len(stem) != 4 or len(last) != 4 or stem[0] < 1:
        return None
    blocks = re.compile(r"(feature_extractor|recon_trunk)\.\d+\.conv2\.weight")
    parts = [found.group(1) for name in shapes if (found := blocks.fullmatch(name))]
    return {
        "width": stem[0],
        "front": parts.count("feature_extractor"),
        "back": parts.count("recon_trunk"),
        "variational": last[0] == 16 * stem[0],
    }

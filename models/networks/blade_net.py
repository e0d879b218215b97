"""BladeNet: a U-Net that sees where the blur is, and attends to it.

"LODE: Deep Local Deblurring and A New Benchmark", Wang et al., 2021, sections 4.2-4.4 and B.1-B.2. Two U-Nets
of one build: the Local Blur Perception module (LBP) predicts how probably each pixel is locally blurred; the
deblurring network takes the picture with that probability as a fourth channel and has Blur-guided Spatial
Attention (BSA) in Up2, Up3 and Up4:

* Eq. 2: M = sigmoid(conv(F)), one map for all channels of the features F;
* Eq. 3: F' = M (.) F, element by element;
* Eq. 4: the maps of the three stages, enlarged to the picture's size and added, are held against the mask.

No weights and no code were published. What the paper leaves open, and what is done here:

* Channels: 64, doubled by each Down up to 512 (Down4 keeps 512), halved by each Up from 512; the first
  convolution of an Up goes to half of its input's channels; convolutions carry a bias beside batch
  normalisation. This one of the usual U-Nets has the 40.8 M parameters that section B.1 states (40.81 M with
  LBP).
* In front of Down1 and behind Up4 stands one more double convolution (somebody must read the picture and fuse
  the last concatenation), then a 1x1 convolution to the picture or to the blur's logit.
* The convolution of Eq. 2 is 1x1 to one channel, without normalisation.
* The picture is predicted itself, not what must be added to the blurred one; `residual=1` adds that one
  (the paper's text speaks of neither).
* Bilinear enlarging does not align corners, so that a tile of a picture gives what the whole picture gives.
* A sum of three maps lies in 0..3 and a mask of ones would draw each to 1/3; it is divided by their number.
* H and W must be multiples of 16 (four halvings).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import ImageError

__all__ = ["MULTIPLE", "BladeNet", "BladeOutput", "SpatialAttention", "UNet", "blade_size"]

MULTIPLE = 16
"""Height and width of the input must be multiples of this (four halvings)."""

PAPER_BASE = 64
DOWN_WIDTHS = (1, 2, 4, 8, 8)
"""Channels after the first double convolution and after Down1 to Down4, in units of the base."""

UP_WIDTHS = (8, 4, 2, 1)
"""Channels of the features of Up1 to Up4 before the concatenation, in the same units."""


class BladeOutput(NamedTuple):
    """What BladeNet says.

    Attributes:
        sharp: Sharp picture (N, 3, H, W), not clipped.
        blur_logit: LBP's logit of the probability that a pixel is locally blurred (N, 1, H, W); None without.
        attention: Mean of the three attention maps at the size of the picture (N, 1, H, W) in 0..1; None
            without BSA.
    """

    sharp: Tensor
    blur_logit: Tensor | None
    attention: Tensor | None

    @property
    def mask(self) -> Tensor | None:
        """The blur mask (N, 1, H, W) in 0..1: LBP's probability, or the attention where there is no LBP."""
        return self.attention if self.blur_logit is None else torch.sigmoid(self.blur_logit)


class DoubleConv(nn.Sequential):
    """Conv-BN-ReLU-Conv-BN-ReLU with 3x3 kernels; maps (N, c_in, H, W) to (N, c_out, H, W)."""

    def __init__(self, c_in: int, c_out: int, *, middle: int | None = None) -> None:
        middle = c_out if middle is None else middle
        super().__init__(
            nn.Conv2d(c_in, middle, 3, padding=1),
            nn.BatchNorm2d(middle),
            nn.ReLU(inplace=True),
            nn.Conv2d(middle, c_out, 3, padding=1),
            nn.BatchNorm2d(c_out),
            nn.ReLU(inplace=True),
        )


class SpatialAttention(nn.Module):
    """Blur-guided spatial attention (BSA), Eq. 2-3."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 1, 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features weighed by the map, (N, C, h, w), and the map, (N, 1, h, w) in 0..1."""
        attention = torch.sigmoid(self.conv(features))
        return features * attention, attention


class Up(nn.Module):
    """One upsampling block: bilinear x2, double convolution, with BSA another one behind, concatenation."""

    def __init__(self, c_in: int, c_out: int, *, attention: bool) -> None:
        super().__init__()
        self.conv = DoubleConv(c_in, c_out, middle=c_in // 2)
        self.bsa = SpatialAttention(c_out) if attention else None
        self.refine = DoubleConv(c_out, c_out) if attention else None

    def forward(self, deep: Tensor, skip: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the concatenation of own features and `skip` at twice the size of `deep`, and the map."""
        y = self.conv(F.interpolate(deep, scale_factor=2, mode="bilinear", align_corners=False))
        attention = None
        if self.bsa is not None and self.refine is not None:
            y, attention = self.bsa(y)
            y = self.refine(y)
        return torch.cat([y, skip], dim=1), attention


class UNet(nn.Module):
    """The U-Net of section B.1: four Down blocks (max pooling, double convolution) and four Up blocks.

    Args:
        c_in: Channels of the input.
        c_out: Channels of the output.
        base: Channels at full scale; the paper's parameter count gives 64.
        attention: Whether Up2, Up3 and Up4 have blur-guided spatial attention.
    """

    def __init__(self, c_in: int, c_out: int, base: int, *, attention: bool = False) -> None:
        super().__init__()
        widths = [base * width for width in DOWN_WIDTHS]
        self.first = DoubleConv(c_in, widths[0])
        self.downs = nn.ModuleList(DoubleConv(fine, coarse) for fine, coarse in pairwise(widths))
        self.ups = nn.ModuleList()
        deep = widths[-1]
        for stage, width in enumerate(UP_WIDTHS):
            own, skip = base * width, widths[-2 - stage]
            self.ups.append(Up(deep, own, attention=attention and stage > 0))
            deep = own + skip
        self.last = DoubleConv(deep, base)
        self.head = nn.Conv2d(base, c_out, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the output (N, c_out, H, W) and the attention maps at scales 1/4, 1/2 and 1 (or none)."""
        skips = [self.first(x)]
        for down in self.downs:
            skips.append(down(F.max_pool2d(skips[-1], 2)))
        y = skips.pop()
        maps: list[Tensor] = []
        for up in self.ups:
            y, attention = up(y, skips.pop())
            if attention is not None:
                maps.append(attention)
        out: Tensor = self.head(self.last(y))
        return out, maps


class BladeNet(nn.Module):
    """Predicts a sharp picture, where it is locally blurred, and where the network looked.

    Args:
        base: Channels at full scale of both U-Nets; the paper's parameter count gives 64.
        perception: Whether there is an LBP module; without it the picture alone is the input.
        attention: Whether there is BSA. Without both modules it is the paper's "BladeNet-".
        residual: Share of the blurred picture that is added to what the deblurring network says; 1 lets it
            predict the difference alone.
    """

    def __init__(
        self,
        base: int = PAPER_BASE,
        *,
        perception: bool = True,
        attention: bool = True,
        residual: float = 0.0,
    ) -> None:
        super().__init__()
        if base < 2 or base % 2:
            raise ValueError(f"BladeNet needs an even number of base channels, at least 2, not {base}")
        self.base = base
        self.perception = perception
        self.attention = attention
        self.residual = residual
        self.lbp = UNet(3, 1, base) if perception else None
        self.main = UNet(4 if perception else 3, 3, base, attention=attention)

    def forward(self, image: Tensor) -> BladeOutput:
        """Return the sharp picture, the blur's logit and the mean attention.

        Args:
            image: Blurred RGB (N, 3, H, W) in 0..1, H and W multiples of 16.

        Raises:
            ImageError: `image` has another shape.
        """
        if image.ndim != 4 or image.shape[1] != 3 or image.shape[2] % MULTIPLE or image.shape[3] % MULTIPLE:
            raise ImageError(
                f"BladeNet takes (N, 3, H, W), H and W multiples of {MULTIPLE}, not {tuple(image.shape)}"
            )
        logit: Tensor | None = None
        seen = image
        if self.lbp is not None:
            logit, _ = self.lbp(image)
            seen = torch.cat([image, torch.sigmoid(logit)], dim=1)
        picture, maps = self.main(seen)
        if self.residual:
            picture = picture + self.residual * image
        return BladeOutput(picture, logit, _mean_at_full_size(maps, image.shape[-2:]) if maps else None)


def _mean_at_full_size(maps: list[Tensor], size: torch.Size) -> Tensor:
    """Return the mean of attention maps of several scales, enlarged bilinearly (the inner term of Eq. 4)."""
    grown = [F.interpolate(part, size=size, mode="bilinear", align_corners=False) for part in maps]
    return torch.stack(grown).mean(dim=0)


def blade_size(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any] | None:
    """Return the keywords that names and shapes of a state dict tell; None where it is another network's."""
    stem, head = shapes.get("main.first.0.weight"), shapes.get("main.head.weight")
    if stem is None or head is None or len(stem) != 4 or stem[0] < 2 or stem[0] % 2:
        return None
    perception, attention = "lbp.head.weight" in shapes, "main.ups.1.bsa.conv.weight" in shapes
    return {"base": stem[0], "perception": perception, "attention": attention}

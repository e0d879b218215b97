"""MIMO-UNet and MIMO-UNet+: one U-net that takes and gives the picture at three scales.

"Rethinking Coarse-to-Fine Approach in Single Image Deblurring", Cho et al., ICCV 2021, Fig. 2-4; LBAG is made
from it. The names of the parameters and the order of concatenations are those of the public checkpoints
(chosj95/MIMO-UNet).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.errors import ImageError
from models.networks.layers import AFF, FAM, SCM, ConvUnit, ResStage, halve

__all__ = ["MULTIPLE", "MIMOBackbone", "MIMOUNet", "mimo_size"]

MULTIPLE = 4
"""Height and width of the input must be multiples of this (two halvings)."""

RELEASED_BASE = 32
RELEASED_NUM_RES = 8
BLOCK = re.compile(r"Encoder\.0\.layers\.(\d+)\.main\.0\.main\.0\.weight")
STEM = "feat_extract.0.main.0.weight"
HEAD = "feat_extract.5.main.0.weight"


class MIMOBackbone(nn.Module):
    """All that MIMO-UNet and LBAG share: everything but what is made of the output channels.

    Args:
        base: Channels at full scale; 2 and 4 times as many at scales 1/2 and 1/4.
        num_res: Residual blocks a stage (three contracting, three expansive).
        outputs: Channels of each of the three output convolutions.
        drop: Probability with which training drops whole channels of the skip connections.
    """

    def __init__(self, base: int, num_res: int, outputs: int, drop: float) -> None:
        super().__init__()
        if base < 2 or num_res < 1:
            raise ValueError(f"it needs base >= 2 and num_res >= 1, not {base} and {num_res}")
        self.base = base
        self.num_res = num_res
        self.Encoder = nn.ModuleList(ResStage(base * width, num_res) for width in (1, 2, 4))
        self.feat_extract = nn.ModuleList(
            [
                ConvUnit(3, base, 3),
                ConvUnit(base, base * 2, 3, stride=2),
                ConvUnit(base * 2, base * 4, 3, stride=2),
                ConvUnit(base * 4, base * 2, 4, stride=2, upward=True),
                ConvUnit(base * 2, base, 4, stride=2, upward=True),
                ConvUnit(base, outputs, 3, relu=False),
            ]
        )
        self.Decoder = nn.ModuleList(ResStage(base * width, num_res) for width in (4, 2, 1))
        self.Convs = nn.ModuleList([ConvUnit(base * 4, base * 2, 1), ConvUnit(base * 2, base, 1)])
        self.ConvsOut = nn.ModuleList(
            [ConvUnit(base * 4, outputs, 3, relu=False), ConvUnit(base * 2, outputs, 3, relu=False)]
        )
        self.AFFs = nn.ModuleList([AFF(base, 0), AFF(base, 1)])
        self.FAM1 = FAM(base * 4)
        self.SCM1 = SCM(base * 4)
        self.FAM2 = FAM(base * 2)
        self.SCM2 = SCM(base * 2)
        self.drop1 = nn.Dropout2d(drop)
        self.drop2 = nn.Dropout2d(drop)

    def latents(self, image: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return at scales 1/4, 1/2 and 1, in this order, the output convolution's map and the image.

        Features are computed in the type of the weights; the images have the type of `image`.

        Args:
            image: Blurred RGB (N, 3, H, W) in 0..1, H and W multiples of 4.

        Raises:
            ImageError: `image` has another shape.
        """
        if image.ndim != 4 or image.shape[1] != 3 or image.shape[2] % MULTIPLE or image.shape[3] % MULTIPLE:
            raise ImageError(
                f"the network takes (N, 3, H, W), H and W multiples of {MULTIPLE}, not {tuple(image.shape)}"
            )
        image_2 = halve(image)
        image_4 = halve(image_2)
        dtype = next(self.parameters()).dtype

        # Contracting steps: each reduced image joins the features of its scale.
        full = self.Encoder[0](self.feat_extract[0](image.to(dtype)))
        half = self.Encoder[1](self.FAM2(self.feat_extract[1](full), self.SCM2(image_2.to(dtype))))
        z = self.Encoder[2](self.FAM1(self.feat_extract[2](half), self.SCM1(image_4.to(dtype))))

        # Skip connections see all three scales. Both read the encoder's maps, none the other's result.
        skip_2 = self.drop2(self.AFFs[1](full, half, z))
        skip_1 = self.drop1(self.AFFs[0](full, half, z))
        del full, half

        # Expansive steps, an output after each.
        z = self.Decoder[0](z)
        coarse = self.ConvsOut[0](z)
        z = self.Decoder[1](self.Convs[0](torch.cat([self.feat_extract[3](z), skip_2], dim=1)))
        del skip_2
        middle = self.ConvsOut[1](z)
        z = self.Decoder[2](self.Convs[1](torch.cat([self.feat_extract[4](z), skip_1], dim=1)))
        del skip_1
        return [(coarse, image_4), (middle, image_2), (self.feat_extract[5](z), image)]


class MIMOUNet(MIMOBackbone):
    """Predicts a sharp image at three scales: MIMO-UNet with 8 residual blocks a stage, MIMO-UNet+ with 20.

    Args:
        base: Channels at full scale. Released: 32.
        num_res: Residual blocks a stage. Released: 8 and 20.
        drop: Probability with which training drops whole channels of the skip connections. Released: 0 for
            MIMO-UNet, 0.1 for MIMO-UNet+.
    """

    def __init__(
        self, base: int = RELEASED_BASE, num_res: int = RELEASED_NUM_RES, *, drop: float = 0.0
    ) -> None:
        super().__init__(base, num_res, 3, drop)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the sharp images at scales 1/4, 1/2 and 1, in this order, not clipped.

        Args:
            image: Blurred RGB (N, 3, H, W) in 0..1, H and W multiples of 4.

        Raises:
            ImageError: `image` has another shape.
        """
        coarse, middle, fine = (latent.to(small.dtype) + small for latent, small in self.latents(image))
        return coarse, middle, fine


def mimo_size(shapes: Mapping[str, tuple[int, ...]], outputs: int) -> dict[str, int] | None:
    """Return base and num_res of the network of this family that a state dict speaks of.

    Args:
        shapes: Name and shape of every tensor.
        outputs: Channels of the output convolutions: 3 for MIMO-UNet, 4 for LBAG.

    Returns:
        None where the first or last convolution, by which the size is told, is missing or another network's.
    """
    stem, head = shapes.get(STEM, ()), shapes.get(HEAD, ())
    blocks = {int(found.group(1)) for name in shapes if (found := BLOCK.fullmatch(name))}
    if len(stem) != 4 or stem[0] < 2 or len(head) != 4 or head[0] != outputs or not blocks:
        return None
    return {"base": stem[0], "num_res": len(blocks)}

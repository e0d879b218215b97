"""LBAG: the Local Blur-Aware Gated network.

"Real-World Deep Local Motion Deblurring", Li et al., AAAI 2023, section 4, Fig. 4-5; from MIMO-UNet,
"Rethinking Coarse-to-Fine Approach in Single Image Deblurring", Cho et al., ICCV 2021. The names of the
parameters and the order of concatenations are those of the public checkpoints.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.errors import ImageError
from models.networks.layers import AFF, FAM, SCM, ConvUnit, GateBlock, ResStage, Scale, halve

__all__ = ["LBAG", "MULTIPLE", "RELEASED_GATE_MIN", "receptive_radius_px", "seeded_lbag"]

MULTIPLE = 4
"""Height and width of the input must be multiples of this (two halvings)."""

RELEASED_BASE = 32
RELEASED_NUM_RES = 20
RELEASED_GATE_MIN = 0.1


class LBAG(nn.Module):
    """Predicts a sharp image and a local blur mask at three scales.

    Args:
        base: Channels at full scale; 2 and 4 times as many at scales 1/2 and 1/4. Released: 32.
        num_res: Residual blocks a stage (three contracting, three expansive). Released: 20.
        gate_min: Lower clamp of the gate, see `GateBlock`. Released: 0.1.
        drop: Probability with which training drops whole channels of the skip connections. Released: 0.1.
    """

    def __init__(
        self,
        base: int = RELEASED_BASE,
        num_res: int = RELEASED_NUM_RES,
        *,
        gate_min: float = RELEASED_GATE_MIN,
        drop: float = 0.1,
    ) -> None:
        super().__init__()
        if base < 2 or num_res < 1:
            raise ValueError(f"LBAG needs base >= 2 and num_res >= 1, not {base} and {num_res}")
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
                ConvUnit(base, 4, 3, relu=False),
            ]
        )
        self.Decoder = nn.ModuleList(ResStage(base * width, num_res) for width in (4, 2, 1))
        self.Convs = nn.ModuleList([ConvUnit(base * 4, base * 2, 1), ConvUnit(base * 2, base, 1)])
        self.ConvsOut = nn.ModuleList(
            [ConvUnit(base * 4, 4, 3, relu=False), ConvUnit(base * 2, 4, 3, relu=False)]
        )
        self.AFFs = nn.ModuleList([AFF(base, 0), AFF(base, 1)])
        self.FAM1 = FAM(base * 4)
        self.SCM1 = SCM(base * 4)
        self.FAM2 = FAM(base * 2)
        self.SCM2 = SCM(base * 2)
        self.drop1 = nn.Dropout2d(drop)
        self.drop2 = nn.Dropout2d(drop)
        self.gate = GateBlock(gate_min)

    def forward(self, image: Tensor) -> tuple[Scale, Scale, Scale]:
        """Return sharp image, gate and mask at scales 1/4, 1/2 and 1, in this order.

        Features are computed in the type of the weights; the returned images have the type of `image`.

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

        # Expansive steps, a gate block after each.
        z = self.Decoder[0](z)
        coarse: Scale = self.gate(self.ConvsOut[0](z), image_4)
        z = self.Decoder[1](self.Convs[0](torch.cat([self.feat_extract[3](z), skip_2], dim=1)))
        del skip_2
        middle: Scale = self.gate(self.ConvsOut[1](z), image_2)
        z = self.Decoder[2](self.Convs[1](torch.cat([self.feat_extract[4](z), skip_1], dim=1)))
        del skip_1
        fine: Scale = self.gate(self.feat_extract[5](z), image)
        return coarse, middle, fine


def receptive_radius_px(num_res: int) -> int:
    """Return how far, in pixels of the input, a pixel can influence the output (a multiple of 4).

    On the longest way every 3x3 convolution adds its scale: 2 num_res of them in each of the stages at scales
    1, 1/2, 1/4, 1/4, 1/2, 1 give 28 num_res. The convolutions between the stages give 17, and up to 7 more
    come from the coarser grids, whose points a pixel may fall between.
    """
    return 28 * num_res + 24


def seeded_lbag(base: int, num_res: int, seed: int = 0) -> LBAG:
    """Return an untrained network, random but the same at every call; torch's own dice are not moved."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LBAG(base, num_res)

"""LBAG: the Local Blur-Aware Gated network.

"Real-World Deep Local Motion Deblurring", Li et al., AAAI 2023, section 4, Fig. 4-5; from MIMO-UNet,
"Rethinking Coarse-to-Fine Approach in Single Image Deblurring", Cho et al., ICCV 2021. The names of the
parameters and the order of concatenations are those of the public checkpoints.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.networks.layers import GateBlock, Scale
from models.networks.mimo_unet import MULTIPLE, MIMOBackbone

__all__ = ["LBAG", "MULTIPLE", "RELEASED_GATE_MIN", "receptive_radius_px", "seeded_lbag"]

RELEASED_BASE = 32
RELEASED_NUM_RES = 20
RELEASED_GATE_MIN = 0.1


class LBAG(MIMOBackbone):
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
        super().__init__(base, num_res, 4, drop)
        if not 0 <= gate_min <= 1:
            raise ValueError(f"the gate is clamped between 0 and 1, not at {gate_min}")
        self.gate = GateBlock(gate_min)

    @property
    def gate_min(self) -> float:
        """Lower clamp of the gate."""
        return self.gate.gate_min

    def forward(self, image: Tensor) -> tuple[Scale, Scale, Scale]:
        """Return sharp image, gate and mask at scales 1/4, 1/2 and 1, in this order.

        Features are computed in the type of the weights; the returned images have the type of `image`.

        Args:
            image: Blurred RGB (N, 3, H, W) in 0..1, H and W multiples of 4.

        Raises:
            ImageError: `image` has another shape.
        """
        coarse, middle, fine = (self.gate(latent, small) for latent, small in self.latents(image))
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

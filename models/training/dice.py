"""The losses of BladeNet: blur perception (Eq. 1), DICE on the attention (Eq. 4), and their sum (Eq. 5).

"LODE: Deep Local Deblurring and A New Benchmark", Wang et al., 2021, sections 4.2-4.4; DICE as in its source,
"V-Net", Milletari et al., 3DV 2016, section 3. Sections 4.2-4.3 give LBP the cross entropy and BSA the DICE
loss, section B.2 the other way round when it tells how they were trained; section 4 is followed, where the
equations are.
All sums are made in float32, also under autocast.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from models.networks.blade_net import BladeOutput

__all__ = ["ATTENTION_WEIGHT", "PERCEPTION_WEIGHT", "blade_loss", "dice_loss"]

PERCEPTION_WEIGHT = 0.25
ATTENTION_WEIGHT = 0.01
"""Weights of the terms of Eq. 5 beside the mean square error, whose weight is 1 (section 5.2)."""

_SMOOTH = 1.0
"""Added above and below, in pixels: V-Net has none, but a patch without blur would divide zero by zero."""


def dice_loss(prediction: Tensor, mask: Tensor, *, smooth: float = _SMOOTH) -> Tensor:
    """Return 1 - D, D = (2 sum p g + s) / (sum p^2 + sum g^2 + s), the mean over the images of a batch.

    Args:
        prediction: p, (N, 1, H, W) in 0..1.
        mask: g, the same shape, 0 or 1.
        smooth: s; 0 gives V-Net's formula, which is not defined where both are empty.

    Returns:
        A scalar in 0..1: 0 for p = g.
    """
    p, g = prediction.float().flatten(1), mask.float().flatten(1)
    overlap = 2 * (p * g).sum(dim=1) + smooth
    total = p.square().sum(dim=1) + g.square().sum(dim=1) + smooth
    return (1 - overlap / total).mean()


def blade_loss(
    output: BladeOutput,
    sharp: Tensor,
    mask: Tensor | None,
    *,
    perception: float = PERCEPTION_WEIGHT,
    attention: float = ATTENTION_WEIGHT,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return Eq. 5 and its parts, `mse`, `perception` and `attention`, before their weights.

    Args:
        output: What the network said.
        sharp: The sharp picture (N, 3, H, W).
        mask: Where the picture is locally blurred (N, 1, H, W), 0 or 1; None where nobody knows (REDS,
            GOPRO): then the mean square error stands alone, as in the first half of the paper's epochs.
        perception: Weight of the cross entropy of LBP.
        attention: Weight of the DICE loss of the attention.
    """
    total = F.mse_loss(output.sharp.float(), sharp.float())
    parts = {"mse": total}
    if mask is None:
        return total, parts
    if output.blur_logit is not None:
        parts["perception"] = F.binary_cross_entropy_with_logits(output.blur_logit.float(), mask.float())
        total = total + perception * parts["perception"]
    if output.attention is not None:
        parts["attention"] = dice_loss(output.attention, mask)
        total = total + attention * parts["attention"]
    return total, parts

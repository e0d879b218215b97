"""What LBAG's training lowers: mask error, absolute error, SSIM and frequencies, at every scale.

"Real-World Deep Local Motion Deblurring", Li et al., AAAI 2023, Eq. 8, and section D of its appendix
(Eq. 2-6). Where the paper and the released code differ, `LossWeights.reading` says which is meant:

==================  ==========================================  ========================================
                    paper                                       released
==================  ==========================================  ========================================
weight of the mask  0.01                                        0.1
mask compared       the sigmoid                                 the gate, clamped from below
mask shifted        yes                                         no
area of a shift     where truth and prediction overlap          everywhere, the rim filled by reflection
frequencies         sum over the spectrum / number of elements  mean over the half spectrum of `rfft2`
their shift         one for all scales (Eq. 6)                  one for each scale
==================  ==========================================  ========================================

In both the minimum over shifts is taken for each picture and each term; the truth's pyramid is bilinear, the
mask's nearest. The paper does not say at which scales Eq. 3-5 are taken; all are, as in the released code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor

from models.errors import ImageError
from models.networks.layers import Scale
from models.training.frequency import (
    spectral_distance,
    spectral_distance_of_shifts,
    spectral_distance_shifted,
)
from models.training.shift import SHIFTS, area_of, areas_of, pick, reflect, shifted
from models.training.ssim import WINDOW, negative_ssim, negative_ssim_of_shifts

__all__ = ["LossWeights", "Reading", "local_loss"]

Reading = Literal["paper", "released"]
_MASK_WEIGHT: Final = {"paper": 0.01, "released": 0.1}


class LossWeights(BaseModel):
    """Weights of the terms (Eq. 8); what is not given is that of the reading.

    Attributes:
        reading: Of the paper or of the released code, see the table above.
        mae: Weight of the mean absolute error, lambda_2.
        ssim: Weight of the negative SSIM, lambda_3.
        msfr: Weight of the frequency reconstruction, lambda_4.
        mask: Weight of the mask's squared error, lambda_1.
        shift_px: 1 for the shift-invariant operation, 0 to compare in place.
        scales: Weights of the scales from coarse to fine. A network with fewer scales uses the last ones.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reading: Reading = "paper"
    mae: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    ssim: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    msfr: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    mask: float = Field(default=0.01, ge=0, allow_inf_nan=False)
    shift_px: Literal[0, 1] = 1
    scales: tuple[float, ...] = Field(default=(1.0, 1.0, 1.0), min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _of_reading(cls, given: Any) -> Any:
        if isinstance(given, dict) and "mask" not in given:
            weight = _MASK_WEIGHT.get(str(given.get("reading", "paper")))
            return given if weight is None else {**given, "mask": weight}
        return given

    @classmethod
    def preset(cls, reading: Reading) -> LossWeights:
        """Return the weights of the paper or of the released code."""
        return cls(reading=reading)


def local_loss(
    scales: Sequence[Scale | Tensor], sharp: Tensor, mask: Tensor | None, weights: LossWeights
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the total to be lowered and its parts.

    Computed in float32 (float64 for such pictures), whatever autocast says. Where shifts are searched, nine
    values are found without gradients and only the least is differentiated.

    Args:
        scales: What a network says, coarse to fine: `Scale`, or pictures (N, 3, h, w) of one without masks.
        sharp: Truth (N, 3, H, W) in 0..1, of the size of the finest scale.
        mask: True mask (N, 1, H, W), blurred where above 0; None where nobody knows it.
        weights: Weights and reading.

    Returns:
        The total, a scalar, and the parts "mae", "ssim", "msfr", "mask": sums over the scales before the
        weights of the terms, means over the batch, detached. Terms of weight 0 and a mask that nobody knows
        are left out.

    Raises:
        ImageError: Sizes that do not belong together, or pictures too small for SSIM.
    """
    predictions = [one.sharp if isinstance(one, Scale) else one for one in scales]
    _check(predictions, sharp, mask, weights)
    level_weights = weights.scales[-len(predictions) :]
    with torch.autocast(sharp.device.type, enabled=False):
        parts: dict[str, Tensor] = {}
        levels = [_Level(x, sharp, weights, w) for x, w in zip(predictions, level_weights, strict=True) if w]
        if weights.mae:
            parts["mae"] = _sum([level.weight * level.mae() for level in levels])
        if weights.ssim:
            parts["ssim"] = _sum([level.weight * level.ssim() for level in levels])
        if weights.msfr:
            parts["msfr"] = _msfr(levels, weights)
        if weights.mask and mask is not None:
            masked = [
                (one, w) for one, w in zip(scales, level_weights, strict=True) if isinstance(one, Scale)
            ]
            if masked:
                parts["mask"] = _sum([w * _mask_error(one, mask, weights) for one, w in masked if w])
        total = _sum([getattr(weights, name) * value for name, value in parts.items()])
    return total, {name: value.detach() for name, value in parts.items()}


def _sum(values: list[Tensor]) -> Tensor:
    return torch.stack(values).sum(dim=0)


def _check(predictions: list[Tensor], sharp: Tensor, mask: Tensor | None, weights: LossWeights) -> None:
    if not predictions or len(predictions) > len(weights.scales):
        raise ImageError(
            f"{len(predictions)} scales of a network for {len(weights.scales)} weights of scales"
        )
    if not any(weights.scales[-len(predictions) :]) or not (weights.mae or weights.ssim or weights.msfr):
        raise ImageError(
            "the weights leave no loss on the pictures", hint="set one of mae, ssim, msfr above 0"
        )
    if sharp.ndim != 4 or predictions[-1].shape != sharp.shape:
        raise ImageError(f"a prediction {tuple(predictions[-1].shape)} for a truth {tuple(sharp.shape)}")
    if any(one.shape[:2] != sharp.shape[:2] for one in predictions):
        raise ImageError("the scales of a network differ in their number of pictures or channels")
    if mask is not None and mask.shape != (sharp.shape[0], 1, *sharp.shape[2:]):
        raise ImageError(f"a mask {tuple(mask.shape)} for a truth {tuple(sharp.shape)}")


class _Level:
    """Prediction and truth at one scale; the framed truth is made once for all terms."""

    def __init__(self, prediction: Tensor, sharp: Tensor, weights: LossWeights, weight: float) -> None:
        dtype = torch.float64 if prediction.dtype == torch.float64 else torch.float32
        self.x = prediction.to(dtype)
        truth = sharp.to(dtype)
        if prediction.shape != sharp.shape:
            truth = F.interpolate(truth, size=prediction.shape[-2:], mode="bilinear", align_corners=False)
        self.weight = weight
        self.truth = truth
        self.shifts = weights.shift_px == 1
        self.overlap = weights.reading == "paper"
        self.framed = reflect(truth) if self.shifts else truth
        self.found = self.x.detach()

    def mae(self) -> Tensor:
        """Return the mean absolute error, mean over the batch (Eq. 4)."""
        if not self.shifts:
            return (self.x - self.truth).abs().mean()
        choice = absolute_error_of_shifts(self.found, self.framed, overlap=self.overlap).argmin(dim=0)
        error = (self.x - pick(self.framed, choice)).abs()
        if not self.overlap:
            return error.mean()
        return _weighted_mean(error, areas_of(choice, *error.shape[-2:])).mean()

    def ssim(self) -> Tensor:
        """Return -SSIM, mean over the batch (Eq. 5)."""
        if not self.shifts:
            return negative_ssim(self.x, self.truth).mean()
        choice = negative_ssim_of_shifts(self.found, self.framed, overlap=self.overlap).argmin(dim=0)
        area = areas_of(choice, *self.x.shape[-2:], window=WINDOW) if self.overlap else None
        return negative_ssim(self.x, pick(self.framed, choice), area).mean()


def _msfr(levels: list[_Level], weights: LossWeights) -> Tensor:
    """Return the distance of the spectra, sum over scales, mean over the batch (Eq. 6)."""
    whole = overlap = weights.reading == "paper"
    if not weights.shift_px:
        return _sum([one.weight * spectral_distance(one.x, one.truth, whole=whole).mean() for one in levels])
    found = [
        one.weight * spectral_distance_of_shifts(one.found, one.framed, overlap=overlap, whole=whole)
        for one in levels
    ]
    if weights.reading == "paper":
        found = [torch.stack(found).sum(dim=0)] * len(levels)
    return _sum(
        [
            one.weight
            * spectral_distance_shifted(
                one.x, one.framed, values.argmin(dim=0), overlap=overlap, whole=whole
            ).mean()
            for one, values in zip(levels, found, strict=True)
        ]
    )


def _mask_error(scale: Scale, mask: Tensor, weights: LossWeights) -> Tensor:
    """Return the mask's squared error at one scale, mean over the batch (Eq. 3)."""
    predicted = scale.mask if weights.reading == "paper" else scale.gate
    dtype = torch.float64 if predicted.dtype == torch.float64 else torch.float32
    predicted = predicted.to(dtype)
    truth = F.interpolate((mask > 0).to(dtype), size=predicted.shape[-2:], mode="nearest")
    if weights.reading == "released" or not weights.shift_px:
        return F.mse_loss(predicted, truth)
    framed = reflect(truth)
    with torch.no_grad():
        height, width = predicted.shape[-2:]
        errors = [
            area_of(shift, height, width, overlap=True)
            .cut((predicted - shifted(framed, shift)).square())
            .mean(dim=(1, 2, 3))
            for shift in SHIFTS
        ]
        choice = torch.stack(errors).argmin(dim=0)
    squares = (predicted - pick(framed, choice)).square()
    return _weighted_mean(squares, areas_of(choice, height, width)).mean()


def _weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Return for each picture the mean of (N, C, H, W) where `weight` (N, 1, H, W) is set, (N,)."""
    count = weight.sum(dim=(1, 2, 3)) * values.shape[1]
    return (values * weight).sum(dim=(1, 2, 3)) / count


@torch.no_grad()
def absolute_error_of_shifts(x: Tensor, framed: Tensor, *, overlap: bool) -> Tensor:
    """Return the mean absolute error (9, N) for the truth shifted by each of SHIFTS, without gradients."""
    values = []
    for shift in SHIFTS:
        area = area_of(shift, *x.shape[-2:], overlap=overlap)
        difference = area.cut(x) - area.cut(shifted(framed, shift))
        total = torch.linalg.vector_norm(difference, ord=1, dim=(1, 2, 3))
        values.append(total / difference[0].numel())
    return torch.stack(values)

"""Multi-scale frequency reconstruction (Cho et al. 2021; appendix of Li et al. 2023, Eq. 6).

The 1-norm of the difference of the spectra is the sum of the moduli of complex differences. The paper divides
the sum over the whole spectrum by t_k, the number of elements; the released code takes the mean over the half
spectrum that a real transform gives, so that the inner columns count once and not twice. A Fourier transform
is linear, so the difference is transformed, not each picture; the gradient is one inverse transform.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from models.training.shift import SHIFTS, area_of, pick, shifted

__all__ = ["spectral_distance", "spectral_distance_of_shifts", "spectral_distance_shifted"]


def _twice(width: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return how often each column of a half spectrum stands in the whole one: (width // 2 + 1,)."""
    times = torch.full((width // 2 + 1,), 2.0, dtype=dtype, device=device)
    times[0] = 1
    if width % 2 == 0:
        times[-1] = 1
    return times


def _moduli(spectrum: Tensor) -> Tensor:
    moduli: Tensor = torch.linalg.vector_norm(torch.view_as_real(spectrum), dim=-1)
    return moduli


def _mean(moduli: Tensor, width: int, whole: bool) -> Tensor:
    """Return the mean modulus of each image, (N,)."""
    columns = moduli.sum(dim=(1, 2))
    count = moduli.shape[1] * moduli.shape[2]
    if not whole:
        return columns.sum(dim=1) / (count * moduli.shape[3])
    return (columns * _twice(width, moduli.dtype, moduli.device)).sum(dim=1) / (count * width)


class _SpectralDistance(torch.autograd.Function):
    """Value for each image, with the gradient for the difference made at once."""

    @staticmethod
    def forward(ctx: Any, difference: Tensor, whole: bool) -> Tensor:
        spectrum = torch.fft.rfft2(difference)
        moduli = _moduli(spectrum)
        _, channels, height, width = difference.shape
        value = _mean(moduli, width, whole)
        if ctx.needs_input_grad[0]:
            # An unscaled inverse transform is the adjoint over the whole spectrum; |0| has no slope.
            share = moduli.clamp_min_(torch.finfo(moduli.dtype).tiny).reciprocal_()
            if whole:
                share.div_(channels * height * width)
            else:
                share.div_(_twice(width, share.dtype, share.device).mul_(channels * height * moduli.shape[3]))
            ctx.save_for_backward(torch.fft.irfft2(spectrum.mul_(share), s=(height, width), norm="forward"))
        return value

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, None]:
        if not ctx.needs_input_grad[0]:
            return None, None
        (gradient,) = ctx.saved_tensors
        return upstream[0][:, None, None, None] * gradient, None


def spectral_distance(x: Tensor, y: Tensor, *, whole: bool) -> Tensor:
    """Return the mean modulus of rfft2(x) - rfft2(y) of each image, (N,).

    Args:
        x: Prediction (N, C, H, W), float32 or float64.
        y: Truth of the same shape and type.
        whole: Mean over the whole spectrum (Eq. 6 with t_k = C H W); else over the half (released code).
    """
    difference = (x - y).contiguous()
    value: Tensor = _SpectralDistance.apply(difference, whole)  # type: ignore[no-untyped-call]
    return value


@torch.no_grad()
def spectral_distance_of_shifts(x: Tensor, framed: Tensor, *, overlap: bool, whole: bool) -> Tensor:
    """Return the distance (9, N) for the truth shifted by each of SHIFTS, without gradients.

    Where all shifts have one size, the rows of the truth are transformed once for each of three columns.

    Args:
        x: Prediction (N, C, H, W).
        framed: Truth with its frame (N, C, H + 2, W + 2).
        overlap: Judge the overlapping area only, see `shift.area_of`.
        whole: See `spectral_distance`.
    """
    height, width = x.shape[-2:]
    x, framed = x.contiguous(), framed.contiguous()
    values = torch.empty(len(SHIFTS), x.shape[0], dtype=x.dtype, device=x.device)
    if overlap:
        for at, shift in enumerate(SHIFTS):
            area = area_of(shift, height, width, overlap=True)
            difference = area.cut(x) - area.cut(shifted(framed, shift))
            values[at] = _mean(_moduli(torch.fft.rfft2(difference)), difference.shape[-1], whole)
        return values
    spectrum = torch.fft.rfft2(x)
    for dx in (-1, 0, 1):
        rows = torch.fft.rfft(framed[..., 1 + dx : 1 + dx + width])
        for dy in (-1, 0, 1):
            truth = torch.fft.fft(rows[..., 1 + dy : 1 + dy + height, :], dim=-2)
            values[SHIFTS.index((dy, dx))] = _mean(_moduli(truth.sub_(spectrum)), width, whole)
    return values


def spectral_distance_shifted(
    x: Tensor, framed: Tensor, choice: Tensor, *, overlap: bool, whole: bool
) -> Tensor:
    """Return the distance (N,) with the truth of each image shifted as chosen; see `spectral_distance`.

    Args:
        x: Prediction (N, C, H, W).
        framed: Truth with its frame (N, C, H + 2, W + 2).
        choice: (N,) int64, indices into SHIFTS.
        overlap: Judge the overlapping area only: images of one shift go together, for their size differs.
        whole: See `spectral_distance`.
    """
    if not overlap:
        return spectral_distance(x, pick(framed, choice), whole=whole)
    value = x.new_zeros(x.shape[0])
    for at in sorted(set(choice.tolist())):
        area = area_of(SHIFTS[at], x.shape[-2], x.shape[-1], overlap=True)
        which = (choice == at).nonzero().squeeze(1)
        truth = area.cut(shifted(framed, SHIFTS[at]))
        value = value.index_add(0, which, spectral_distance(area.cut(x)[which], truth[which], whole=whole))
    return value

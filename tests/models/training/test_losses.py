"""The losses against scikit-image, numpy's Fourier transform, brute force over the shifts, and autograd."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from models.errors import ImageError
from models.networks.layers import Scale
from models.networks.lbag import seeded_lbag
from models.training import shift as shift_module
from models.training import ssim as ssim_module
from models.training.losses import LossWeights, Reading, local_loss
from models.training.shift import SHIFTS, pick, reflect
from models.training.ssim import negative_ssim

READINGS: tuple[Reading, ...] = ("paper", "released")


def pictures(seed: int, *shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def smooth(seed: int, count: int, height: int, width: int) -> torch.Tensor:
    """Pictures with structure at the size of SSIM's window."""
    coarse = pictures(seed, count, 3, height // 3 + 2, width // 3 + 2)
    return F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False).clamp(0, 1)


def three_scales(seed: int, count: int, height: int, width: int) -> list[Scale]:
    scales = []
    for index, factor in enumerate((4, 2, 1)):
        h, w = height // factor, width // factor
        mask = pictures(seed + 10 + index, count, 1, h, w)
        scales.append(Scale(smooth(seed + index, count, h, w), mask.clamp_min(0.1), mask))
    return scales


def overlap(a: np.ndarray, b: np.ndarray, dy: int, dx: int) -> tuple[np.ndarray, np.ndarray]:
    """a moved by (dy, dx) against b where both are seen: a[y, x] meets b[y + dy, x + dx]."""
    h, w = a.shape[-2:]
    ys, xs = slice(max(0, -dy), h - max(0, dy)), slice(max(0, -dx), w - max(0, dx))
    yt, xt = slice(max(0, dy), h - max(0, -dy)), slice(max(0, dx), w - max(0, -dx))
    return a[..., ys, xs], b[..., yt, xt]


def mirrored(a: np.ndarray, b: np.ndarray, dy: int, dx: int) -> tuple[np.ndarray, np.ndarray]:
    """a against b read (dy, dx) further on, what lies outside filled by reflection."""
    h, w = a.shape[-2:]
    framed = np.pad(b, [(0, 0)] * (b.ndim - 2) + [(1, 1), (1, 1)], mode="reflect")
    return a, framed[..., 1 + dy : 1 + dy + h, 1 + dx : 1 + dx + w]


def naive_ssim(a: np.ndarray, b: np.ndarray) -> float:
    _, values = structural_similarity(
        a, b, channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0,
        full=True,
    )  # fmt: skip
    return -float(values[:, 5:-5, 5:-5].mean())


def naive_fft(a: np.ndarray, b: np.ndarray, reading: str) -> float:
    if reading == "paper":
        return float(np.abs(np.fft.fft2(a) - np.fft.fft2(b)).sum() / a.size)
    return float(np.abs(np.fft.rfft2(a) - np.fft.rfft2(b)).mean())


def naive(
    scales: list[Scale], sharp: torch.Tensor, mask: torch.Tensor | None, weights: LossWeights
) -> dict[str, float]:
    """Eq. 2-6 of the appendix and the released trainer, one picture, one scale and one shift at a time."""
    pair = overlap if weights.reading == "paper" else mirrored
    shifts = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)] if weights.shift_px else [(0, 0)]
    parts = {"mae": 0.0, "ssim": 0.0, "msfr": 0.0, "mask": 0.0}
    for n in range(sharp.shape[0]):
        spectra = np.zeros((len(scales), len(shifts)))
        for level, (scale, level_weight) in enumerate(zip(scales, weights.scales, strict=True)):
            size = scale.sharp.shape[-2:]
            truth = F.interpolate(sharp, size=size, mode="bilinear", align_corners=False)[n].numpy()
            x = scale.sharp[n].numpy()
            pairs = [pair(x, truth, *shift) for shift in shifts]
            parts["mae"] += level_weight * min(float(np.abs(a - b).mean()) for a, b in pairs)
            parts["ssim"] += level_weight * min(naive_ssim(a, b) for a, b in pairs)
            spectra[level] = [level_weight * naive_fft(a, b, weights.reading) for a, b in pairs]
            if mask is None:
                continue
            m = F.interpolate((mask > 0).double(), size=size, mode="nearest")[n].numpy()
            if weights.reading == "released":
                parts["mask"] += level_weight * float(((scale.gate[n].numpy() - m) ** 2).mean())
            else:
                moved = [overlap(scale.mask[n].numpy(), m, *shift) for shift in shifts]
                parts["mask"] += level_weight * min(float(((a - b) ** 2).mean()) for a, b in moved)
        parts["msfr"] += (
            float(spectra.sum(axis=0).min())
            if weights.reading == "paper"
            else float(spectra.min(axis=1).sum())
        )
    if mask is None:
        del parts["mask"]
    return {name: value / sharp.shape[0] for name, value in parts.items()}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("shift_px", [0, 1])
@settings(max_examples=4, deadline=None)
@given(
    seed=st.integers(0, 1000),
    count=st.integers(1, 3),
    height=st.sampled_from([48, 52, 60]),
    width=st.sampled_from([48, 56]),
)
def test_every_part_is_that_of_the_equations(
    reading: Reading, shift_px: int, seed: int, count: int, height: int, width: int
) -> None:
    weights = LossWeights(reading=reading, shift_px=1 if shift_px else 0, scales=(0.5, 2.0, 1.0))
    scales = three_scales(seed, count, height, width)
    sharp = (smooth(seed + 2, count, height, width).roll((1, -1), (2, 3)) + 0.02).clamp(0, 1)
    mask = (smooth(seed + 5, count, height, width)[:, :1] > 0.6) * 255
    total, parts = local_loss(scales, sharp, mask, weights)
    expected = naive(scales, sharp, mask, weights)
    assert {name: value.item() for name, value in parts.items()} == pytest.approx(expected, abs=1e-9)
    assert total.item() == pytest.approx(sum(getattr(weights, k) * v for k, v in expected.items()), abs=1e-9)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("shift_px", [0, 1])
def test_the_gradient_is_that_of_the_value(reading: Reading, shift_px: int) -> None:
    weights = LossWeights(reading=reading, shift_px=1 if shift_px else 0, mask=0.3, scales=(1.0, 0.5))
    sharp, mask = smooth(1, 2, 26, 25), smooth(2, 2, 26, 25)[:, :1] > 0.5
    x_2, m_2 = smooth(3, 2, 13, 12), pictures(4, 2, 1, 13, 12)
    x, m = sharp.roll(1, 3) + 0.05 * pictures(5, 2, 3, 26, 25), pictures(6, 2, 1, 26, 25)

    def loss(*maps: torch.Tensor) -> torch.Tensor:
        a, b, c, d = maps
        return local_loss(
            [Scale(a, b.clamp_min(0.1), b), Scale(c, d.clamp_min(0.1), d)], sharp, mask, weights
        )[0]

    assert torch.autograd.gradcheck(
        loss, [t.requires_grad_() for t in (x_2, m_2, x, m)], fast_mode=True, eps=1e-7, atol=1e-6
    )


def test_ssim_has_the_gradient_of_its_equation() -> None:
    x, y = pictures(1, 2, 1, 12, 13).requires_grad_(), pictures(2, 2, 1, 12, 13)
    weight = (pictures(3, 2, 1, 2, 3) > 0.3).double()
    weight[:, :, 0, 0] = 1
    assert torch.autograd.gradcheck(lambda a: negative_ssim(a, y), x)
    assert torch.autograd.gradcheck(lambda a: negative_ssim(a, y, weight), x)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("shift", SHIFTS)
def test_a_prediction_that_is_off_by_a_pixel_costs_nothing(reading: Reading, shift: tuple[int, int]) -> None:
    big = smooth(3, 2, 60, 60)
    dy, dx = shift
    x, sharp = big[..., 4:52, 4:52], big[..., 4 + dy : 52 + dy, 4 + dx : 52 + dx]
    _, invariant = local_loss([x], sharp, None, LossWeights(reading=reading))
    if reading == "paper":
        assert invariant["mae"].item() == pytest.approx(0, abs=1e-12)
        assert invariant["ssim"].item() == pytest.approx(-1, abs=1e-12)
        assert invariant["msfr"].item() == pytest.approx(0, abs=1e-9)
    if shift != (0, 0):
        _, fixed = local_loss([x], sharp, None, LossWeights(reading=reading, shift_px=0))
        assert invariant["mae"].item() < 0.2 * fixed["mae"].item()


def test_each_picture_gets_its_own_shift() -> None:
    truth = pictures(1, 9, 2, 7, 6)
    picked = pick(reflect(truth), torch.arange(9))
    for n, (dy, dx) in enumerate(SHIFTS):
        _, expected = mirrored(truth[n].numpy(), truth[n].numpy(), dy, dx)
        np.testing.assert_array_equal(picked[n].numpy(), expected)


def test_equal_pictures_have_no_gradient_and_no_nan() -> None:
    x = smooth(1, 1, 48, 48).float().requires_grad_()
    total, parts = local_loss([x], x.detach().clone(), None, LossWeights())
    total.backward()
    assert parts["msfr"].item() == pytest.approx(0, abs=1e-6)
    assert x.grad is not None
    assert float(x.grad.abs().max()) < 1e-6


def test_black_pictures_give_finite_gradients() -> None:
    x = torch.zeros(1, 3, 48, 48).requires_grad_()
    total, _ = local_loss([x], torch.zeros(1, 3, 48, 48), None, LossWeights())
    total.backward()
    assert x.grad is not None
    assert bool(torch.isfinite(x.grad).all())


@pytest.mark.parametrize("reading", READINGS)
def test_autocast_does_not_round_the_loss(reading: Reading) -> None:
    scales = [Scale(*(t.float() for t in one)) for one in three_scales(1, 2, 48, 48)]
    sharp, mask = smooth(7, 2, 48, 48).float(), torch.ones(2, 1, 48, 48)
    plain, _ = local_loss(scales, sharp, mask, LossWeights(reading=reading))
    with torch.autocast("cpu", torch.bfloat16):
        cast, _ = local_loss(scales, sharp, mask, LossWeights(reading=reading))
    assert cast.dtype == torch.float32
    assert cast.item() == plain.item()


def test_the_order_of_memory_does_not_matter() -> None:
    x, y = smooth(1, 2, 48, 48), smooth(2, 2, 48, 48)
    plain, _ = local_loss([x], y, None, LossWeights())
    last, _ = local_loss([x.to(memory_format=torch.channels_last)], y, None, LossWeights())
    assert last.item() == pytest.approx(plain.item(), abs=1e-12)


def test_lower_loss_means_a_step_of_the_network_helped() -> None:
    network = seeded_lbag(4, 1)
    network.eval()
    blurred, sharp = smooth(1, 2, 48, 48).float(), smooth(2, 2, 48, 48).float()
    mask = torch.ones(2, 1, 48, 48)
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    values = []
    for _ in range(4):
        optimiser.zero_grad()
        total, parts = local_loss(network(blurred), sharp, mask, LossWeights(reading="released"))
        total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        values.append(total.item())
    assert set(parts) == {"mae", "ssim", "msfr", "mask"}
    assert not any(part.requires_grad for part in parts.values())
    assert values[-1] < values[0]


def test_weights_follow_the_reading() -> None:
    assert LossWeights.preset("paper") == LossWeights()
    assert LossWeights.preset("paper").mask == 0.01
    assert LossWeights.preset("released").mask == 0.1
    assert LossWeights(reading="released", mask=0.5).mask == 0.5
    assert LossWeights(reading="released").msfr == 0.1


@pytest.mark.parametrize(
    "wrong",
    [{"mae": -1}, {"ssim": math.nan}, {"shift_px": 2}, {"reading": "mine"}, {"other": 1}, {"scales": []}],
)
def test_wrong_weights_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LossWeights.model_validate(wrong)


def test_sizes_that_do_not_belong_together_are_refused() -> None:
    x = torch.rand(1, 3, 48, 48)
    with pytest.raises(ImageError, match="truth"):
        local_loss([x], torch.rand(1, 3, 48, 44), None, LossWeights())
    with pytest.raises(ImageError, match="mask"):
        local_loss([x], x, torch.rand(1, 1, 24, 24), LossWeights())
    with pytest.raises(ImageError, match="scales"):
        local_loss([x] * 4, x, None, LossWeights())
    with pytest.raises(ImageError, match="window"):
        local_loss([x[..., :8]], x[..., :8], None, LossWeights())
    with pytest.raises(ImageError, match="no loss"):
        local_loss([x], x, None, LossWeights(mae=0, ssim=0, msfr=0))


def test_a_validation_without_gradients_does_not_spoil_the_training_after_it() -> None:
    x, y = smooth(1, 1, 48, 48).float(), smooth(2, 1, 48, 48).float()
    ssim_module._kernels.cache_clear()
    shift_module._offsets.cache_clear()
    with torch.inference_mode():
        seen, _ = local_loss([x], y, None, LossWeights())
    wanted = x.clone().requires_grad_()
    total, _ = local_loss([wanted], y, None, LossWeights())
    total.backward()  # type: ignore[no-untyped-call]
    assert total.item() == seen.item()
    assert wanted.grad is not None

"""Figures on held-out pairs against scikit-image and counting, and the running mean against its recursion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor, nn

from models.networks.layers import Scale
from models.training.ema import RunningMean
from models.training.pairs import TrainingPair
from models.training.validation import validate

CPU = torch.device("cpu")


class Brighter(nn.Module):
    """Adds 0.1 to the left half and claims that blur is there."""

    def forward(self, image: Tensor) -> tuple[Scale]:
        mask = torch.zeros_like(image[:, :1])
        mask[..., : image.shape[3] // 2] = 0.9
        return (Scale(image + 0.1 * (mask > 0.5), mask, mask),)


def pair(height: int = 30, width: int = 38, dtype: Any = np.uint8, seed: int = 0) -> TrainingPair:
    rng = np.random.default_rng(seed)
    white = np.iinfo(dtype).max
    sharp = rng.integers(0, white, (height, width, 3)).astype(dtype)
    blurred = rng.integers(0, white, (height, width, 3)).astype(dtype)
    mask = np.zeros((height, width), np.uint8)
    mask[5:20, 10:30] = 255
    return TrainingPair(f"p{seed}", blurred, sharp, mask)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_psnr_inside_and_outside_the_mask_is_that_of_scikit_image(dtype: Any) -> None:
    one = pair(dtype=dtype)
    assert one.mask is not None
    found = validate(Brighter(), [one], CPU, masks=True).figures.pairs[0]
    white = np.iinfo(dtype).max
    sharp, blurred = one.sharp / white, one.blurred / white
    result = blurred.copy()
    padded_half = 40 // 2  # 38 px are padded to a multiple of 4
    result[:, :padded_half] = np.clip(result[:, :padded_half] + 0.1, 0, 1)
    inside = one.mask > 0
    for value, picture, where in (
        (found.psnr_in, blurred, inside),
        (found.psnr_out, result, inside),
        (found.background_in, blurred, ~inside),
        (found.background_out, result, ~inside),
    ):
        expected = peak_signal_noise_ratio(sharp[where], picture[where], data_range=1)
        assert value == pytest.approx(expected, abs=1e-4)
    assert found.psnr_in is not None
    assert found.psnr_out is not None
    assert found.gain == pytest.approx(found.psnr_out - found.psnr_in)
    said = np.zeros_like(inside)
    said[:, :padded_half] = True
    assert found.mask_iou == pytest.approx((said & inside).sum() / (said | inside).sum())


def test_without_a_true_mask_the_whole_picture_counts_and_no_background() -> None:
    one = pair()
    bare = TrainingPair("bare", one.blurred, one.sharp, None)
    found = validate(Brighter(), [bare], CPU, masks=True).figures.pairs[0]
    expected = peak_signal_noise_ratio(one.sharp / 255, one.blurred / 255, data_range=1)
    assert found.psnr_in == pytest.approx(expected, abs=1e-4)
    assert (found.background_in, found.background_out, found.mask_iou) == (None, None, None)


def test_means_leave_out_what_a_pair_does_not_have_and_sizes_may_differ() -> None:
    still = TrainingPair("still", pair().blurred, pair().sharp, np.zeros((30, 38), np.uint8))
    looked = validate(Brighter(), [pair(), still, pair(24, 20, seed=3)], CPU, masks=True, pictures=2)
    pairs = looked.figures.pairs
    assert [item.name for item in pairs] == ["p0", "still", "p3"]
    assert pairs[1].gain is None
    assert looked.figures.mean["gain"] == pytest.approx(np.mean([pairs[0].gain or 0, pairs[2].gain or 0]))
    assert looked.sheet is not None
    assert looked.sheet.shape == (2 * 34, 4 * 38, 3)
    np.testing.assert_array_equal(looked.sheet[:30, :38], pair().blurred)
    np.testing.assert_array_equal(looked.sheet[:30, 76:114], pair().sharp)


def test_the_running_mean_is_the_geometric_one_and_follows_fast_at_first() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 2.0)
    mean = RunningMean(network, 0.9)
    expected = 2.0
    for step in range(1, 120):
        with torch.no_grad():
            network.weight.fill_(float(step))
        mean.update(network, step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
        assert float(mean.mean["weight"]) == pytest.approx(expected, rel=1e-5)
    none = RunningMean(network, 0.0)
    none.update(network, 5)
    assert torch.equal(none.mean["weight"], network.weight)

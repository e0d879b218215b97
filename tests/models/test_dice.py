"""The losses of BladeNet against their formulas in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.networks.blade_net import BladeNet, BladeOutput
from models.training.dice import blade_loss, dice_loss


def maps(seed: int, count: int = 2, side: int = 5) -> tuple[np.ndarray, np.ndarray]:
    dice = np.random.default_rng(seed)
    shape = (count, 1, side, side)
    return dice.random(shape), (dice.random(shape) < 0.4).astype(np.float64)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), smooth=st.sampled_from([0.5, 1.0, 3.0]))
def test_dice_is_one_minus_twice_the_overlap_over_the_squares(seed: int, smooth: float) -> None:
    p, g = maps(seed)
    expected = np.mean(
        [1 - (2 * (a * b).sum() + smooth) / ((a**2).sum() + (b**2).sum() + smooth) for a, b in zip(p, g)]  # noqa: B905 - two per picture
    )
    found = dice_loss(torch.from_numpy(p), torch.from_numpy(g), smooth=smooth)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_without_smoothing_dice_on_masks_is_the_set_overlap() -> None:
    p, g = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    p[..., :2, :] = 1  # 8 pixels
    g[..., 1, :] = 1  # 4 pixels, all inside
    assert dice_loss(p, g, smooth=0).item() == pytest.approx(1 - 2 * 4 / 12)


def test_the_same_mask_costs_nothing_and_an_empty_patch_is_no_division_by_zero() -> None:
    mask = torch.ones(1, 1, 3, 3)
    assert dice_loss(mask, mask).item() == pytest.approx(0)
    empty = torch.zeros(1, 1, 3, 3, requires_grad=True)
    loss = dice_loss(empty, torch.zeros(1, 1, 3, 3))
    loss.backward()
    assert loss.item() == pytest.approx(0)
    assert empty.grad is not None
    assert torch.isfinite(empty.grad).all()


def test_the_gradient_of_dice_is_that_of_v_net() -> None:
    p, g = (torch.from_numpy(part[:1]) for part in maps(3))
    p.requires_grad_()
    dice_loss(p, g, smooth=0).backward()
    a, b = p.detach().double(), g.double()
    squares, overlap = (a**2).sum() + (b**2).sum(), (a * b).sum()
    expected = -2 * (b * squares - 2 * a * overlap) / squares**2  # of 1 - D; V-Net, section 3
    assert p.grad is not None
    torch.testing.assert_close(p.grad.double(), expected, rtol=1e-4, atol=1e-6)


def test_the_whole_loss_is_the_weighted_sum_of_equation_5() -> None:
    dice = np.random.default_rng(0)
    sharp, truth = dice.random((2, 3, 4, 4)), dice.random((2, 3, 4, 4))
    logit, attention = dice.normal(size=(2, 1, 4, 4)), dice.random((2, 1, 4, 4))
    mask = (dice.random((2, 1, 4, 4)) < 0.5).astype(np.float64)
    output = BladeOutput(*(torch.from_numpy(part) for part in (sharp, logit, attention)))
    total, parts = blade_loss(output, torch.from_numpy(truth), torch.from_numpy(mask))
    probability = 1 / (1 + np.exp(-logit))
    entropy = -(mask * np.log(probability) + (1 - mask) * np.log(1 - probability)).mean()
    overlaps = [
        1 - (2 * (attention[i] * mask[i]).sum() + 1) / ((attention[i] ** 2).sum() + mask[i].sum() + 1)
        for i in range(2)
    ]
    square = ((sharp - truth) ** 2).mean()
    assert parts["mse"].item() == pytest.approx(square, rel=1e-5)
    assert parts["perception"].item() == pytest.approx(entropy, rel=1e-5)
    assert total.item() == pytest.approx(square + 0.25 * entropy + 0.01 * np.mean(overlaps), rel=1e-5)


def test_where_nobody_knows_the_mask_the_square_error_stands_alone() -> None:
    output = BladeNet(2).eval()(torch.rand(1, 3, 16, 16))
    total, parts = blade_loss(output, torch.zeros(1, 3, 16, 16), None)
    assert list(parts) == ["mse"]
    assert total.item() == pytest.approx(output.sharp.square().mean().item())


def test_a_few_steps_lower_every_part_of_the_loss() -> None:
    torch.manual_seed(0)
    model = BladeNet(4).train()
    dice = torch.Generator().manual_seed(1)
    image = torch.rand(2, 3, 32, 32, generator=dice)
    mask = torch.zeros(2, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    curve = []
    for _ in range(25):
        total, parts = blade_loss(model(image), image, mask, attention=0.25)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        curve.append({name: value.item() for name, value in parts.items()})
    assert all(curve[-1][name] < 0.8 * curve[0][name] for name in ("mse", "perception", "attention"))

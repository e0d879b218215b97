"""The network against the paper's figures and equations, recomputed independently from its state dict."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ImageError
from models.networks.layers import AFF, FAM, SCM, GateBlock, halve
from models.networks.lbag import LBAG, receptive_radius_px, seeded_lbag
from tests.models import reference_lbag as reference


def picture(height: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=12, deadline=None)
@given(
    base=st.sampled_from([4, 6, 8, 16]),
    num_res=st.integers(1, 3),
    height=st.integers(1, 10),
    width=st.integers(1, 10),
    seed=st.integers(0, 99),
)
def test_all_three_scales_equal_the_network_drawn_in_the_paper(
    base: int, num_res: int, height: int, width: int, seed: int
) -> None:
    model = reference.lively_network(base, num_res, seed)
    image = picture(4 * height, 4 * width, seed)
    with torch.inference_mode():
        scales = model(image)
        expected = reference.reference_lbag(model.state_dict(), image)
    for scale, (sharp, gate) in zip(scales, expected, strict=True):
        torch.testing.assert_close(scale.sharp, sharp, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(scale.gate, gate, rtol=1e-4, atol=1e-4)


def test_the_released_size_has_16_1_million_parameters_under_the_published_names_in_their_order() -> None:
    with torch.device("meta"):
        model = LBAG(32, 20)
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    assert list(shapes.items()) == list(reference.published_shapes().items())
    assert sum(value.numel() for value in model.parameters()) == 16_109_670


def test_a_gate_block_adds_the_gated_residual_to_the_image() -> None:
    latent = torch.tensor([0.0, 0.2, -0.4, 1.0]).reshape(1, 4, 1, 1)
    image = torch.full((1, 3, 1, 1), 0.5)
    scale = GateBlock(0.1)(latent, image)
    torch.testing.assert_close(scale.sharp.flatten(), torch.tensor([0.6, 0.3, 1.0]))
    assert scale.mask.item() == pytest.approx(0.5)


def test_the_gate_is_clamped_from_below_while_the_mask_is_not() -> None:
    latent = torch.tensor([-9.0, 1.0, 1.0, 1.0]).reshape(1, 4, 1, 1)
    scale = GateBlock(0.1)(latent, torch.zeros(1, 3, 1, 1))
    assert scale.gate.item() == pytest.approx(0.1)
    assert scale.mask.item() == pytest.approx(1.2339e-4, rel=1e-3)
    torch.testing.assert_close(scale.sharp, torch.full((1, 3, 1, 1), 0.1))


def test_without_a_clamp_the_gate_is_the_mask_of_the_paper() -> None:
    latent = torch.linspace(-12, 12, 40).reshape(1, 4, 1, 10)
    scale = GateBlock(0.0)(latent, torch.zeros(1, 3, 1, 10))
    assert torch.equal(scale.gate, scale.mask)


def test_a_network_in_bfloat16_does_not_round_the_picture_itself() -> None:
    latent = torch.zeros(1, 4, 8, 8, dtype=torch.bfloat16)
    image = picture(8, 8)
    assert torch.equal(GateBlock(0.1)(latent, image).sharp, image)


def test_an_scm_puts_the_image_first_and_its_features_behind() -> None:
    module = SCM(16)
    image = picture(9, 7)
    names = {f"SCM.{name}": value for name, value in module.state_dict().items()}
    torch.testing.assert_close(module(image), reference.scm(names, "SCM", image))


def test_a_fam_filters_the_product_and_adds_the_features() -> None:
    module = FAM(6)
    features, shallow = torch.randn(2, 1, 6, 5, 8)
    names = {f"FAM.{name}": value for name, value in module.state_dict().items()}
    torch.testing.assert_close(module(features, shallow), reference.fam(names, "FAM", features, shallow))


@pytest.mark.parametrize("level", [0, 1])
def test_an_aff_equals_resampling_concatenation_and_two_convolutions(level: int) -> None:
    module = AFF(5, level)
    full, half, quarter = torch.randn(2, 5, 8, 12), torch.randn(2, 10, 4, 6), torch.randn(2, 20, 2, 3)
    names = {f"AFF.{name}": value for name, value in module.state_dict().items()}
    factors = (1, 2, 4) if level == 0 else (0.5, 1, 2)
    maps = [reference.resized(x, f) for x, f in zip((full, half, quarter), factors, strict=True)]
    torch.testing.assert_close(module(full, half, quarter), reference.aff(names, "AFF", *maps))


def test_halving_is_nearest_interpolation() -> None:
    image = picture(12, 20)
    assert torch.equal(halve(image), torch.nn.functional.interpolate(image, scale_factor=0.5))


def test_gradients_reach_every_parameter() -> None:
    model = reference.lively_network(4, 1).train()
    scales = model(picture(16, 16))
    sum(scale.sharp.square().mean() + scale.mask.mean() for scale in scales).backward()
    silent = [name for name, value in model.named_parameters() if value.grad is None or not value.grad.any()]
    assert silent == []


def test_training_drops_whole_channels_of_the_skips_and_evaluation_none() -> None:
    model = LBAG(8, 1, drop=0.5)
    image = picture(16, 16)
    with torch.inference_mode():
        trained = [model.train()(image)[2].sharp for _ in range(2)]
        evaluated = [model.eval()(image)[2].sharp for _ in range(2)]
    assert not torch.equal(*trained)
    assert torch.equal(*evaluated)


@pytest.mark.parametrize("shape", [(1, 3, 10, 8), (1, 3, 8, 9), (1, 4, 8, 8), (3, 8, 8)])
def test_a_wrong_shape_is_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="multiples of 4"):
        seeded_lbag(4, 1)(torch.zeros(shape))


def test_no_pixel_has_influence_beyond_the_receptive_radius_and_some_near_it() -> None:
    model = reference.lively_network(4, 1).double()
    radius = receptive_radius_px(1)
    side = 4 * ((2 * radius + 40) // 4)
    reached = 0
    for phase in range(4):
        image = picture(side, side).double().requires_grad_()
        centre = side // 2 + phase
        model(image)[2].sharp[0, :, centre, centre].sum().backward()
        assert image.grad is not None
        touched = image.grad[0].abs().sum(0).nonzero()
        reached = max(reached, int((touched - centre).abs().max()))
    assert radius - 8 <= reached <= radius


def test_the_seeded_network_is_the_same_every_time_and_leaves_the_dice_alone() -> None:
    torch.manual_seed(11)
    before = torch.get_rng_state()
    first, second = seeded_lbag(4, 1), seeded_lbag(4, 1)
    assert torch.equal(torch.get_rng_state(), before)
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)

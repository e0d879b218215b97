"""BladeNet against its paper's equations and structure, recomputed independently from its state dict."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ImageError
from models.networks.blade_net import BladeNet, SpatialAttention
from tests.models import reference_blade as reference


def picture(height: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def lively_network(base: int = 4, *, residual: float = 0.0) -> BladeNet:
    model = BladeNet(base, residual=residual)
    model.load_state_dict(reference.lively_state(base), strict=True)
    return model.eval()


def test_the_papers_size_has_40_8_million_parameters() -> None:
    with torch.device("meta"):
        model = BladeNet()
    assert round(sum(value.numel() for value in model.parameters()) / 1e6, 1) == 40.8


@pytest.mark.parametrize("base", [4, 64])
def test_names_and_shapes_follow_the_table_of_the_stages(base: int) -> None:
    with torch.device("meta"):
        model = BladeNet(base)
    assert {name: tuple(value.shape) for name, value in model.state_dict().items()} == (
        reference.rule_of_shapes(base)
    )


@settings(max_examples=8, deadline=None)
@given(
    base=st.sampled_from([2, 4, 6]),
    height=st.integers(1, 4),
    width=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_picture_blur_and_attention_equal_the_network_of_the_paper(
    base: int, height: int, width: int, seed: int
) -> None:
    state = reference.lively_state(base, seed)
    model = BladeNet(base)
    model.load_state_dict(state, strict=True)
    image = picture(16 * height, 16 * width, seed)
    with torch.inference_mode():
        output = model.eval()(image)
        sharp, logit, attention = reference.reference_blade(state, image)
    torch.testing.assert_close(output.sharp, sharp, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(output.blur_logit, logit, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(output.attention, attention, rtol=1e-3, atol=1e-4)


def test_attention_weighs_every_channel_of_a_pixel_by_one_sigmoid() -> None:
    module = SpatialAttention(2)
    with torch.no_grad():
        module.conv.weight.copy_(torch.tensor([1.0, -2.0]).reshape(1, 2, 1, 1))
        module.conv.bias.fill_(0.5)
    features = torch.tensor([[3.0, 0.0], [1.0, -0.25]]).T.reshape(1, 2, 1, 2)  # pixels (3, 0) and (1, -0.25)
    weighed, attention = module(features)
    expected = torch.sigmoid(torch.tensor([3.5, 2.0]))
    torch.testing.assert_close(attention.flatten(), expected)
    torch.testing.assert_close(weighed[0, :, 0, 0], expected[0] * torch.tensor([3.0, 0.0]))
    torch.testing.assert_close(weighed[0, :, 0, 1], expected[1] * torch.tensor([1.0, -0.25]))


def test_the_deblurring_network_reads_the_blurs_probability_as_fourth_channel() -> None:
    model, image = lively_network(), picture(32, 32)
    assert model.lbp is not None
    with torch.inference_mode():
        model.lbp.head.weight.zero_()
        model.lbp.head.bias.fill_(1.0)  # the same probability everywhere: sigmoid(1)
        known = torch.cat([image, torch.full((1, 1, 32, 32), 1 / (1 + torch.exp(torch.tensor(-1.0))))], dim=1)
        direct, _ = model.main(known)
        output = model(image)
    torch.testing.assert_close(output.sharp, direct)
    assert output.mask is not None
    torch.testing.assert_close(output.mask, known[:, 3:])


def test_a_residual_network_adds_its_share_of_the_blurred_picture() -> None:
    image = picture(16, 32)
    with torch.inference_mode():
        plain, added = lively_network()(image).sharp, lively_network(residual=0.5)(image).sharp
    torch.testing.assert_close(added - plain, image / 2, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("perception", "attention"), [(False, False), (True, False), (False, True)])
def test_the_ablations_of_the_paper_lack_the_part_they_leave_out(perception: bool, attention: bool) -> None:
    model = BladeNet(4, perception=perception, attention=attention).eval()
    with torch.inference_mode():
        output = model(picture(16, 16))
    assert (output.blur_logit is not None, output.attention is not None) == (perception, attention)
    assert (output.mask is not None) == (perception or attention)


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 4, 16, 16), (1, 3, 24, 16), (1, 3, 16, 40)])
def test_other_shapes_are_refused_in_one_line(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="multiples of 16"):
        BladeNet(2)(torch.zeros(shape))


@pytest.mark.parametrize("base", [0, 1, 3])
def test_a_base_that_cannot_be_halved_is_refused(base: int) -> None:
    with pytest.raises(ValueError, match="even number"):
        BladeNet(base)

"""The blur kernel space: published names, and G and F recomputed from the tables of the supplement."""

from __future__ import annotations

import pytest
import torch

from models.errors import ImageError
from models.networks.kernel_space import KernelCode, KernelSpace
from models.networks.kernel_space_priors import CodePrior, PicturePrior, UniformKernelPrior
from tests.models import reference_kernel_space as reference


def picture(height: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def small_network(*, variational: bool = False, seed: int = 0) -> KernelSpace:
    model = KernelSpace(4, front=2, back=3, variational=variational)
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    model.load_state_dict(reference.lively_state(shapes, seed))
    return model.eval()


@pytest.mark.parametrize(("variational", "millions"), [(False, 49.2), (True, 115.3)], ids=["woVAE", "wVAE"])
def test_a_state_of_the_published_names_and_shapes_loads_strictly(variational: bool, millions: float) -> None:
    shapes = reference.published_shapes(variational=variational)
    with torch.device("meta"):
        model = KernelSpace(variational=variational)
        published = {name: torch.empty(shape) for name, shape in shapes.items()}
    model.load_state_dict(published, strict=True, assign=True)
    assert list(model.state_dict()) == list(shapes)
    assert round(sum(value.numel() for value in model.parameters()) / 1e6, 1) == millions


@pytest.mark.parametrize("variational", [False, True])
def test_g_reads_what_the_tables_of_the_supplement_read(variational: bool) -> None:
    model = small_network(variational=variational)
    sharp, blurred = picture(256, 384), picture(256, 384, 1)
    with torch.inference_mode():
        code = model(sharp, blurred)
        expected = reference.reference_code(model.state_dict(), sharp, blurred, 2)
    assert code.mean.shape == (1, 32, 2, 3)
    torch.testing.assert_close(code.mean, expected[:, :32], rtol=1e-4, atol=1e-5)
    if variational:
        torch.testing.assert_close(code.spread, expected[:, 32:], rtol=1e-4, atol=1e-5)
    else:
        assert code.spread is None


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_f_blurs_as_the_tables_of_the_supplement_blur(seed: int) -> None:
    model, sharp = small_network(seed=seed), picture(256, 128, seed)
    kernel = torch.randn(1, 32, 2, 1, generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        blurred = model.blur(sharp, kernel)
        expected = reference.reference_blur(model.state_dict(), sharp, kernel, 2, 3)
    assert (blurred - sharp).std() > 0.05
    torch.testing.assert_close(blurred, expected, rtol=1e-4, atol=1e-4)


def test_another_code_gives_another_blur_but_negative_values_of_a_code_do_nothing() -> None:
    model, sharp = small_network(), picture(128, 128)
    kernel = torch.randn(1, 32, 1, 1, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        one, two = model.blur(sharp, kernel), model.blur(sharp, -kernel)
        positive = model.blur(sharp, kernel.clamp(min=0))
    assert (one - two).abs().max() > 1e-3
    assert torch.equal(one, positive)


def test_a_sampled_code_has_the_stated_mean_and_spread() -> None:
    mean, spread = torch.full((1, 1, 100, 100), 2.0), torch.full((1, 1, 100, 100), 0.5)
    drawn = KernelCode(mean, spread).sample(torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(2.0, abs=0.02)
    assert drawn.std().item() == pytest.approx(0.5, abs=0.02)
    assert torch.equal(KernelCode(mean, None).sample(), mean)


def test_wrong_sizes_are_refused_in_one_line() -> None:
    model = small_network()
    with pytest.raises(ImageError, match="multiples of 128"):
        model.blur(picture(100, 128), torch.zeros(1, 32, 1, 1))
    with pytest.raises(ImageError, match=r"\(1, 32, 1, 2\)"):
        model.blur(picture(128, 256), torch.zeros(1, 32, 1, 1))
    with pytest.raises(ImageError, match="at least 256 px"):
        model(picture(128, 256), picture(128, 256))
    with pytest.raises(ImageError, match="one size"):
        model(picture(256, 256), picture(256, 384))
    with pytest.raises(ValueError, match="width 0"):
        KernelSpace(0)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (37, 50)])
def test_the_pictures_prior_gives_a_picture_of_any_size(height: int, width: int) -> None:
    torch.manual_seed(0)
    prior = PicturePrior(levels=3, width=8, skip=4)
    found = prior(torch.rand(1, prior.noise_channels, height, width))
    assert found.shape == (1, 3, height, width)
    assert found.min() >= 0
    assert found.max() <= 1
    assert found.std() > 0


def test_the_codes_prior_has_the_shape_of_gs_code() -> None:
    assert CodePrior(4, blocks=2)(torch.rand(1, 4, 64, 96)).shape == (1, 32, 2, 3)


def test_a_uniform_kernel_is_positive_and_sums_to_one() -> None:
    prior = UniformKernelPrior(5, noise_values=7, hidden=11)
    kernel = prior(torch.rand(1, 7))
    assert kernel.shape == (5, 5)
    assert (kernel > 0).all()
    assert kernel.sum().item() == pytest.approx(1)
    with pytest.raises(ValueError, match="odd side"):
        UniformKernelPrior(4)

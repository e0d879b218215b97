"""Blur by one kernel and by a code, against scipy and against the network itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from models.blur_operators import EncodedBlur, UniformBlur, decode_srgb, encode_srgb
from models.networks.kernel_space import KernelSpace
from processing import isp


def test_light_is_decoded_and_encoded_as_by_the_pipeline() -> None:
    codes = np.linspace(0, 1, 3000, dtype=np.float32).reshape(10, 100, 3)
    linear = decode_srgb(torch.from_numpy(codes))
    np.testing.assert_allclose(linear.numpy(), isp.decode_srgb(codes), atol=1e-6)
    np.testing.assert_allclose(encode_srgb(linear).numpy(), codes, atol=1e-6)


def test_black_has_a_finite_gradient() -> None:
    light = torch.zeros(3, requires_grad=True)
    encode_srgb(light).sum().backward()
    assert light.grad is not None
    assert torch.equal(light.grad, torch.full((3,), 12.92))


@settings(max_examples=15, deadline=None)
@given(
    side=st.sampled_from([1, 3, 5]),
    rows=st.integers(5, 9),
    columns=st.integers(5, 9),
    seed=st.integers(0, 99),
)
def test_one_kernel_weighs_the_linear_light_where_it_fits(
    side: int, rows: int, columns: int, seed: int
) -> None:
    dice = np.random.default_rng(seed)
    picture = dice.random((1, 3, rows, columns), dtype=np.float32)
    kernel = dice.random((side, side), dtype=np.float32)
    kernel /= kernel.sum()
    found = UniformBlur(side).blur(torch.from_numpy(picture), torch.from_numpy(kernel)).numpy()
    margin = side // 2
    linear = isp.decode_srgb(np.ascontiguousarray(picture[0].transpose(1, 2, 0)))
    blurred = ndimage.correlate(linear.astype(np.float64), kernel[:, :, None], mode="constant")
    inner = blurred[margin : rows - margin, margin : columns - margin].astype(np.float32)
    expected = isp.encode_srgb(np.ascontiguousarray(inner))
    np.testing.assert_allclose(found[0].transpose(1, 2, 0), expected, atol=2e-6)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (2, 3), (4, 1)])
def test_the_offset_is_where_a_kernel_puts_a_point(row: int, column: int) -> None:
    operator, kernel, light = UniformBlur(5), torch.zeros(5, 5), torch.zeros(1, 3, 13, 13)
    kernel[row, column] = 1
    light[..., 6, 6] = 1
    blurred = operator.blur(light, kernel)[0, 0]  # the middle of the picture is at (4, 4) here
    down, right = operator.offset_px(kernel)
    assert blurred[4 + down, 4 + right] == pytest.approx(1)


def test_a_code_blurs_as_the_network_does_and_gradients_reach_picture_and_code_but_no_weights() -> None:
    torch.manual_seed(0)
    space = KernelSpace(4, front=1, back=1)
    operator = EncodedBlur(space)
    picture = torch.rand(1, 3, 128, 128, requires_grad=True)
    code = torch.rand(1, 32, 1, 1, requires_grad=True)
    blurred = operator.blur(picture, code)
    torch.testing.assert_close(blurred, space.blur(picture, code))
    blurred.square().mean().backward()
    assert picture.grad is not None
    assert code.grad is not None
    assert all(value.grad is None for value in space.parameters())
    assert operator.offset_px(code) == (0, 0)


@pytest.mark.parametrize("size", [(256, 256), (256, 384)])
def test_a_codes_prior_fits_the_size_of_the_picture(size: tuple[int, int]) -> None:
    space = KernelSpace(4, front=1, back=1)
    prior, noise = EncodedBlur(space).prior(*size)
    code = prior(torch.rand(noise))
    assert code.shape == (1, 32, size[0] // 128, size[1] // 128)

"""The search for picture and kernel: what it lowers, what it finds, and how it is steered."""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models import room
from models.blur_operators import EncodedBlur, UniformBlur
from models.errors import Cancelled, EngineError, ImageError
from models.kernel_deblur import (
    UNIFORM_SEARCH,
    KernelDeblurSettings,
    data_term,
    gradient_prior,
    kernel_deblur,
)
from models.networks.kernel_space import KernelSpace

Picture = npt.NDArray[np.float32]
QUICK = KernelDeblurSettings(
    steps=4, warm_up=2, picture_rate=5e-3, kernel_rate=3e-3, gradient_weight=2e-3, levels=2, width=8
)


def boxes(side: int) -> Picture:
    """A picture of a dozen boxes, each of one colour."""
    dice = np.random.default_rng(0)
    picture = np.full((side, side, 3), 0.5, np.float32)
    for _ in range(12):
        (top, left), (height, width) = dice.integers(0, side, 2), dice.integers(4, side // 2, 2)
        picture[top : top + height, left : left + width] = dice.random(3)
    return picture


def moved(sharp: Picture, length_px: int, operator: UniformBlur) -> Picture:
    """The picture as it moves to the right by a length, without the margin."""
    kernel = torch.zeros(operator.side, operator.side)
    first = (operator.side - length_px) // 2
    kernel[operator.margin_px, first : first + length_px] = 1 / length_px
    planes = torch.from_numpy(sharp).permute(2, 0, 1)[None]
    return operator.blur(planes, kernel)[0].permute(1, 2, 0).numpy()


def psnr(one: Picture, two: Picture) -> float:
    return float(-10 * np.log10(np.mean((one - two) ** 2)))


def test_a_blurred_picture_is_explained_and_comes_closer_to_the_truth() -> None:
    operator = UniformBlur(9)
    sharp = boxes(40)
    blurred, truth = moved(sharp, 7, operator), sharp[4:-4, 4:-4]
    wish = KernelDeblurSettings(
        steps=100,
        warm_up=20,
        picture_rate=1.5e-2,
        kernel_rate=3e-3,
        gradient_weight=5e-3,
        levels=2,
        width=16,
        seed=2,
    )
    result = kernel_deblur(blurred, operator, wish)
    assert result.curve[-1] < 0.1 * result.curve[0]
    assert psnr(result.sharp, truth) > psnr(blurred, truth) + 3  # 5.2 dB more where this was written
    along = result.kernel[operator.margin_px].sum()
    assert along > 0.7  # the kernel lies in its middle row, where the movement was


def test_with_a_kernel_space_the_data_term_falls() -> None:
    # Without trained weights nothing is deblurred; what can be seen is that the search follows its data term.
    torch.manual_seed(0)
    operator = EncodedBlur(KernelSpace(2, front=1, back=1))
    result = kernel_deblur(
        boxes(70), operator, KernelDeblurSettings(steps=8, warm_up=2, picture_rate=1e-2, levels=3, width=8)
    )
    assert result.sharp.shape == (70, 70, 3)
    assert result.kernel.shape == (1, 16, 2, 2)
    assert result.curve[-1] < 0.8 * result.curve[0]


def test_the_data_term_is_one_minus_ssim_plus_charbonniers_distance() -> None:
    a, b = 0.3, 0.7
    one, two = torch.full((1, 3, 12, 15), a), torch.full((1, 3, 12, 15), b)
    ssim = (2 * a * b + 0.01**2) / (a**2 + b**2 + 0.01**2)  # of two constants
    expected = ((a - b) ** 2 + 1e-6) ** 0.5 - 1e-3 + 1 - ssim
    assert data_term(one, two).item() == pytest.approx(expected, rel=1e-3)
    assert data_term(one, one).item() == pytest.approx(0, abs=1e-6)


def test_the_gradient_prior_of_a_ramp_is_a_power_of_its_slope() -> None:
    ramp = torch.arange(9.0).expand(1, 3, 7, 9) * 0.01
    assert gradient_prior(ramp, 0.66).item() == pytest.approx((8 * 3 * 0.01) ** 0.66, rel=1e-3)
    turned = gradient_prior(ramp.transpose(2, 3), 0.66)
    assert turned.item() == pytest.approx((8 * 3 * 0.01) ** 0.66, rel=1e-3)
    assert gradient_prior(torch.ones(1, 3, 5, 5), 1.0).item() == pytest.approx(1e-3, rel=1e-3)


@settings(max_examples=6, deadline=None)
@given(height=st.integers(11, 30), width=st.integers(11, 30), side=st.sampled_from([1, 5, 15]))
def test_every_size_from_the_window_of_ssim_up_is_taken(height: int, width: int, side: int) -> None:
    picture = np.random.default_rng(3).integers(0, 65535, (height, width, 3)).astype(np.uint16)
    result = kernel_deblur(picture, UniformBlur(side), QUICK)
    assert result.sharp.shape == picture.shape
    assert result.sharp.dtype == np.float32
    assert 0 <= result.sharp.min() <= result.sharp.max() <= 1
    assert result.kernel.sum() == pytest.approx(1, abs=1e-5)
    assert len(result.curve) == QUICK.steps


def test_a_seed_gives_one_result_and_leaves_torchs_dice_alone() -> None:
    picture = boxes(20)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    results = [
        kernel_deblur(
            picture, UniformBlur(3), KernelDeblurSettings(steps=2, warm_up=1, levels=1, width=8, seed=seed)
        )
        for seed in (7, 7, 8)
    ]
    assert torch.equal(torch.rand(3), expected)
    assert np.array_equal(results[0].sharp, results[1].sharp)
    assert not np.array_equal(results[0].sharp, results[2].sharp)


def test_progress_is_told_after_each_step_and_ends_at_one() -> None:
    told: list[tuple[float, float]] = []
    kernel_deblur(
        boxes(20), UniformBlur(3), QUICK, progress=lambda done, distance: told.append((done, distance))
    )
    assert [done for done, _ in told] == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    assert all(distance > 0 for _, distance in told)


def test_a_search_stops_after_the_step_in_which_it_was_cancelled() -> None:
    cancel, told = threading.Event(), list[float]()

    def watch(done: float, _: float) -> None:
        told.append(done)
        if len(told) == 3:
            cancel.set()

    with pytest.raises(Cancelled):
        kernel_deblur(boxes(20), UniformBlur(3), QUICK, cancel=cancel, progress=watch)
    assert len(told) == 3


@pytest.mark.parametrize("shape", [(10, 40, 3), (40, 10, 3), (20, 20), (20, 20, 4)])
def test_what_is_no_picture_or_too_small_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError):
        kernel_deblur(np.zeros(shape, np.float32), UniformBlur(3), QUICK)


def test_a_picture_too_large_for_the_memory_is_refused_before_anything_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "free_memory_bytes", lambda: 8 << 30)
    with pytest.raises(ImageError, match=r"takes 1\d\.\d GB of memory for \d+x\d+ pixels, 8\.6 GB are free"):
        kernel_deblur(np.zeros((1436, 2152, 3), np.uint8), UniformBlur(15), UNIFORM_SEARCH)


def test_a_search_that_runs_off_to_infinity_ends_with_its_step() -> None:
    space = KernelSpace(2, front=1, back=1)
    space.get_parameter("recon_trunk.0.conv1.bias").data.fill_(3e38)
    with pytest.raises(EngineError, match="astray at step 3"):
        kernel_deblur(boxes(70), EncodedBlur(space), QUICK)

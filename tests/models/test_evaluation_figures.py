"""The figures of one picture, against closed forms and against `processing.quality` called directly."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.evaluation.figures import FIGURES, INFINITE, judge, nested, to_8bit
from processing.quality.metrics import psnr, ssim
from processing.quality.metrics_local import READINGS, local_metrics
from tests.processing.scenes import kodak

SIZE = (48, 64)


def box(top: int, bottom: int, left: int, right: int) -> npt.NDArray[np.uint8]:
    mask = np.zeros(SIZE, np.uint8)
    mask[top:bottom, left:right] = 255
    return mask


def test_constant_errors_give_the_closed_forms() -> None:
    mask = box(8, 24, 16, 48)  # 512 of 3072 pixels
    sharp = np.full((*SIZE, 3), 100, np.uint8)
    other = np.where(mask[..., None] > 0, 110, 102).astype(np.uint8).repeat(3, axis=2)
    values = judge(sharp, other, mask, None, align=False).values
    inside, outside = 20 * math.log10(255 / 10), 20 * math.log10(255 / 2)
    everywhere = 10 * math.log10(255**2 / ((512 * 100 + 2560 * 4) / 3072))
    assert values["whole.psnr_db"] == pytest.approx(everywhere, abs=1e-9)
    assert values["blur.background_psnr_db"] == pytest.approx(outside, abs=1e-9)
    for reading in READINGS:  # where all errors are equal, so are both readings
        assert values[f"{reading}.psnr_w_db"] == pytest.approx(inside, abs=1e-9)


def test_every_figure_is_that_of_the_metrics_command() -> None:
    sharp = kodak("13")[:96, :128].copy()
    rng = np.random.default_rng(1)
    other = np.clip(sharp + rng.normal(0, 6, sharp.shape), 0, 255).astype(np.uint8)
    mask = np.zeros(sharp.shape[:2], np.uint8)
    mask[30:70, 40:90] = 255
    values = judge(sharp, other, mask, None).values
    local = local_metrics(sharp, other, mask)
    for reading in READINGS:
        for name, value in local[reading].items():
            assert values[f"{reading}.{name}"] == value
    assert values["whole.psnr_db"] == psnr(sharp, other)
    assert values["whole.ssim"] == ssim(sharp, other)


def test_an_empty_mask_leaves_figures_undefined_with_their_reason() -> None:
    sharp = kodak("13")[:48, :64].copy()
    found = np.ones(SIZE, np.float32)
    judged = judge(sharp, 255 - sharp, box(0, 0, 0, 0), found, align=False)
    masked = {f.key for f in FIGURES if f.name in ("mask_iou", "psnr_w_db", "ssim_w")}
    assert set(judged.undefined) == masked
    assert all("empty" in reason for reason in judged.undefined.values())
    assert judged.values["blur.background_psnr_db"] == judged.values["whole.psnr_db"]  # all of it is outside


def test_without_masks_and_without_a_predicted_one_it_is_said() -> None:
    sharp = kodak("13")[:48, :64].copy()
    assert "no blur masks" in judge(sharp, sharp, None, None, align=False).undefined["blur.mask_iou"]
    whole = judge(sharp, 255 - sharp, np.full(SIZE, 255, np.uint8), None, align=False).undefined
    assert "whole picture" in whole["blur.background_psnr_db"]
    assert "no mask is predicted" in whole["blur.mask_iou"]


def test_equal_pictures_are_infinite_and_not_a_number() -> None:
    sharp = kodak("13")[:48, :64].copy()
    judged = judge(sharp, sharp.copy(), box(8, 24, 16, 48), None, align=False)
    assert judged.undefined["whole.psnr_db"] == INFINITE
    assert judged.undefined["released.psnr_w_db"] == INFINITE
    assert judged.values["whole.ssim"] == pytest.approx(1.0)


def test_pictures_that_cannot_be_aligned_say_so_four_times() -> None:
    sharp = kodak("13")[:48, :64].copy()
    judged = judge(sharp, np.zeros_like(sharp), None, None)
    reasons = {
        judged.undefined[f"{reading}.{name}"] for reading in READINGS for name in ("psnr_a_db", "ssim_a")
    }
    assert reasons == {"a black image cannot be aligned"}


@settings(max_examples=40, deadline=None)
@given(
    true=arrays.arrays(np.bool_, (12, 13)).filter(lambda mask: bool(mask.any())),
    found=arrays.arrays(np.float32, (12, 13), elements=st.floats(0, 1, width=32)),
)
def test_overlap_is_intersection_over_union_of_sets(
    true: npt.NDArray[np.bool_], found: npt.NDArray[np.float32]
) -> None:
    grey = np.full((12, 13, 3), 9, np.uint8)
    judged = judge(grey, grey + np.uint8(1), true.astype(np.uint8) * 255, found, align=False)
    ours = {place for place in np.ndindex(true.shape) if found[place] >= 0.5}
    theirs = {place for place in np.ndindex(true.shape) if true[place]}
    assert judged.values["blur.mask_iou"] == pytest.approx(len(ours & theirs) / len(ours | theirs))


def test_rounding_to_8_bit_is_to_the_nearest() -> None:
    codes = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1).repeat(3, 2)
    nearest = np.floor(codes.astype(np.float64) / 257 + 0.5)
    assert np.array_equal(to_8bit(codes), nearest)
    floats = np.linspace(-0.1, 1.1, 300, dtype=np.float32)
    assert np.abs(to_8bit(floats) - np.clip(floats, 0, 1) * 255).max() <= 0.5001


def test_nesting_keeps_the_order_of_the_tables() -> None:
    flat = {figure.key: place for place, figure in enumerate(FIGURES)}
    parts = nested(dict(reversed(flat.items())))
    assert list(parts) == ["whole", "released", "paper", "blur"]
    assert [value for part in parts.values() for value in part.values()] == list(flat.values())

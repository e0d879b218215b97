"""Pairs of the virtual rig: aligned, S the temporal middle of B, the mask where the objects were."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.errors import SynthesisError
from models.synth.made import Made
from models.synth.rig_pairs import RigPairs
from rig.virtual.backgrounds import UnknownBackground

PAIRS = RigPairs(seed=11, count=3, backgrounds=("mural",), width_px=600, height_px=500, still_share=0.0)


@pytest.fixture(scope="module")
def made() -> list[Made]:
    return [one for one in PAIRS.make() if one is not None]


def test_outside_the_mask_the_two_cameras_agree_and_inside_they_do_not(made: list[Made]) -> None:
    assert len(made) == 3
    for one in made:
        pair = one.pair
        assert pair.mask is not None
        assert pair.blurred.shape == pair.sharp.shape == (*pair.mask.shape, 3)
        assert all(side % 4 == 0 for side in pair.mask.shape)
        error = (pair.blurred.astype(float) - pair.sharp) ** 2
        still, moved = error[pair.mask == 0].mean(), error[pair.mask > 0].mean()
        assert 10 * np.log10(255**2 / still) > 35  # what two sensors' noise leaves
        assert moved > 10 * still
        assert one.record["world"]["residual_px"] < 0.05


def test_the_sharp_picture_is_the_middle_of_the_blur(made: list[Made]) -> None:
    """Blur the sharp object along its own way: centred, it meets B; moved along the way, it does not."""
    for one in made:
        pair, length = one.pair, one.record["blur_b_px"]
        angle = np.radians(one.record["angle_deg"])
        direction = np.array([np.cos(angle), np.sin(angle)])
        mask = cv2.erode(pair.mask, np.ones((31, 31), np.uint8)) > 0  # far from the edges to the background
        if mask.sum() < 300:
            continue
        sharp = pair.sharp.astype(np.float32)
        errors = []
        for offset in (-0.25 * length, 0.0, 0.25 * length):
            steps = offset + np.linspace(-0.5, 0.5, 41) * length
            total = np.zeros_like(sharp)
            for step in steps:
                shift = np.float32([[1, 0, step * direction[0]], [0, 1, step * direction[1]]])
                total += cv2.warpAffine(sharp, shift, sharp.shape[1::-1])
            errors.append(np.abs(total / 41 - pair.blurred)[mask].mean())
        assert errors[1] < min(errors[0], errors[2])
        return
    pytest.fail("no object was large enough to look at")


def test_pairs_are_made_again_bit_by_bit_and_those_at_hand_are_skipped(made: list[Made]) -> None:
    again = list(PAIRS.make(lambda name: name != made[2].pair.name))
    assert again[:2] == [None, None]
    assert again[2] is not None
    np.testing.assert_array_equal(again[2].pair.blurred, made[2].pair.blurred)
    np.testing.assert_array_equal(again[2].pair.sharp, made[2].pair.sharp)
    assert again[2].record == made[2].record


def test_objects_that_stand_still_are_not_in_the_mask() -> None:
    pairs = RigPairs(
        seed=11, count=1, backgrounds=("garden",), width_px=600, height_px=500, still_share=1.0, bits=16
    )
    [one] = pairs.make()
    assert one is not None
    assert one.record["objects"]
    assert one.pair.mask is not None
    assert not one.pair.mask.any()
    assert one.pair.sharp.dtype == np.uint16


def test_wishes_that_cannot_be_met_are_refused_at_once() -> None:
    with pytest.raises(UnknownBackground):
        RigPairs(seed=0, count=1, backgrounds=("moon",))
    with pytest.raises(SynthesisError, match="blur from"):
        RigPairs(seed=0, count=1, backgrounds=("mural",), blur_px=(9, 3))

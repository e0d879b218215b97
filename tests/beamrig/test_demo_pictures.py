"""The pictures of the demo's report."""

from __future__ import annotations

import numpy as np

from beamrig.demo.pictures import around, largest_part


def test_a_speck_far_away_does_not_widen_the_picture_of_the_mover() -> None:
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 10:30] = 255
    mask[5, 70] = 255
    assert around(largest_part(mask), 4, mask.shape) == (slice(16, 43), slice(6, 33))
    assert around(largest_part(mask * 0), 4, mask.shape) == (slice(None), slice(None))

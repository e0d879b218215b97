"""Tiles cover a picture once, read their halo, and keep within the given bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.errors import EngineError
from models.tiles import LEAST_CORE_PX, plan_tiles

sides = st.integers(1, 300).map(lambda n: 4 * n)


@given(height=sides, width=sides, halo=st.integers(0, 60), limit=st.integers(20_000, 400_000))
def test_tiles_write_every_pixel_once_and_never_read_more_than_allowed(
    height: int, width: int, halo: int, limit: int
) -> None:
    assume((LEAST_CORE_PX + 2 * (halo + 3)) ** 2 <= limit)
    written = np.zeros((height, width), int)
    for tile in plan_tiles(height, width, halo_px=halo, max_pixels=limit):
        y0, y1, x0, x1 = tile.core
        top, bottom, left, right = tile.read
        written[y0:y1, x0:x1] += 1
        assert (bottom - top) * (right - left) <= limit
        assert all(edge % 4 == 0 for edge in (*tile.core, *tile.read))
        assert top <= max(y0 - halo, 0)
        assert left <= max(x0 - halo, 0)
        assert bottom >= min(y1 + halo, height)
        assert right >= min(x1 + halo, width)
    assert (written == 1).all()


def test_a_picture_within_the_bound_is_one_tile() -> None:
    (tile,) = plan_tiles(400, 500, halo_px=100, max_pixels=200_000)
    assert tile.core == tile.read == (0, 400, 0, 500)


def test_a_bound_below_the_smallest_tile_is_refused() -> None:
    with pytest.raises(EngineError, match="halo of 100 px"):
        plan_tiles(4000, 4000, halo_px=100, max_pixels=50_000)

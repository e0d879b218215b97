"""Sums that do not depend on how many threads share them out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from processing.products import WHOLE, whole_products

BLUR = """
import numpy as np
from processing.blur.model import BlurModel
from processing.blur.motion_axis import TurnedViews
rng = np.random.default_rng(4)
def view(): return rng.random((400, 500), dtype=np.float32)
inside = np.zeros((400, 500), bool)
inside[90:320, 80:420] = True
item = TurnedViews(view(), view(), view() / 99, view() / 99, inside, ~inside, 30.0, 15.0)
for block in BlurModel.for_motion(30.0, 15.0).collect(item):
    print(len(block.products), block.pixels, block.products.tobytes().hex())
"""


def test_products_of_whole_numbers_are_those_of_python() -> None:
    rng = np.random.default_rng(3)
    values = rng.integers(-int(WHOLE), int(WHOLE), (300, 130), endpoint=True)
    exact = values.T.astype(object) @ values.astype(object)
    assert np.array_equal(whole_products(values.astype(np.float64)), exact.astype(np.float64))
    with pytest.raises(ValueError, match="exact"):
        whole_products(np.ones((2**15 + 1, 1)))


def test_the_sums_of_the_blur_do_not_depend_on_threads() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", BLUR],
            env={**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for threads in ("1", "4")
    ]
    count, pixels = (int(word) for word in said[0].split()[:2])
    assert count > 100
    assert pixels > 8192  # large enough for the library below to use threads
    assert said[0] == said[1]

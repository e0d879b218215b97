"""The weights that ship: they sharpen what moved, leave the rest, and keep the promise of tiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import rig.virtual
from models.deblur import DeblurEngine
from models.synth.local_blur import LocalBlurSource
from models.training.pairs import TrainingPair
from models.weights import default_weights
from tests.models.test_moved import PROMISE

PHOTOS = Path(rig.virtual.__file__).parent / "assets"
LEAST_GAIN_DB = 0.2
LEAST_BACKGROUND_DB = 45.0
Image = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def weights() -> Path:
    found = default_weights()
    if found is None:
        pytest.skip("this package has no weights")
    return found


@pytest.fixture(scope="module")
def pairs() -> list[TrainingPair]:
    """Six small pairs with blurs as long as the small network was taught."""
    source = LocalBlurSource(
        PHOTOS, seed=5, count=6, side_px=192, blur_px=(6.0, 12.0), split="all", noise=0.002, still_share=0.0
    )
    return [source[index] for index in range(len(source))]


@pytest.fixture(scope="module")
def scene(pairs: list[TrainingPair]) -> tuple[Image, Image]:
    """B and S of 576 x 384 in which two of six fields hold a mover; the others show S twice."""
    blurred, sharp = np.zeros((384, 576, 3), np.uint8), np.zeros((384, 576, 3), np.uint8)
    for index, pair in enumerate(pairs):
        row, column = divmod(index, 3)
        field = (slice(192 * row, 192 * row + 192), slice(192 * column, 192 * column + 192))
        sharp[field] = pair.sharp
        blurred[field] = pair.blurred if index in (0, 4) else pair.sharp
    return (blurred / 255).astype(np.float32), (sharp / 255).astype(np.float32)


def test_they_sharpen_the_movers_and_leave_the_background(weights: Path, pairs: list[TrainingPair]) -> None:
    engine = DeblurEngine(weights, "cpu", "fp32")
    before, after, outside = [], [], []
    for pair in pairs:
        assert pair.mask is not None
        inside = pair.mask > 0
        blurred, sharp = pair.blurred / 255.0, pair.sharp / 255.0
        result = engine.run(pair.blurred).sharp
        before.append((blurred - sharp)[inside])
        after.append((result - sharp)[inside])
        outside.append((result - blurred)[~inside])
    gain_db = _psnr(after) - _psnr(before)
    assert gain_db > LEAST_GAIN_DB, f"{gain_db:.2f} dB inside the masks"
    assert _psnr(outside) > LEAST_BACKGROUND_DB, f"background at {_psnr(outside):.1f} dB"


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_tiles_equal_the_whole_and_the_rest_stays(
    weights: Path, scene: tuple[Image, Image], precision: str
) -> None:
    blurred, sharp = scene
    engine = DeblurEngine(weights, "cpu", precision)
    whole = engine.run(blurred)
    moved = engine.run(blurred, reference=sharp, only_moved=True)
    assert moved.route == "moved"
    written = moved.mask > 0
    assert 0.1 < written.mean() < 0.9
    if moved.info.moving is not None and moved.info.moving.precision != precision:
        whole = DeblurEngine(weights, "cpu", moved.info.moving.precision).run(blurred)
    assert np.abs(moved.sharp - whole.sharp)[written].max() <= PROMISE
    np.testing.assert_array_equal(moved.sharp[~written], blurred[~written])


def _psnr(differences: list[npt.NDArray[np.floating]]) -> float:
    """Return the PSNR of differences of all pairs together, dB."""
    return -10 * float(np.log10(np.mean(np.concatenate(differences) ** 2)))

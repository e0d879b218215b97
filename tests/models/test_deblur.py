"""The engine: any size and depth, tiles without seams, reduced precision in tolerance, stop at any time."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.checkpoints import load_lbag, save_safetensors
from models.choice import choose
from models.deblur import DeblurEngine
from models.errors import Cancelled, CheckpointError, EngineError, ImageError
from models.networks.layers import GateBlock
from tests.models import reference_lbag as reference

Image = npt.NDArray[np.float32]
SMALL_LIMIT = 288 * 200 * 200
"""Bytes that force tiles of about 200x200 pixels on a network of 8 channels in float32."""


@pytest.fixture(scope="module")
def engine(tiny_weights: Path) -> DeblurEngine:
    return DeblurEngine(tiny_weights, "cpu", "fp32")


def expected_of(weights: Path, image: Image) -> tuple[Image, Image]:
    """Sharp picture and mask by the independent network, on the picture padded by hand."""
    height, width = image.shape[:2]
    padded = np.pad(image, ((0, -height % 4), (0, -width % 4), (0, 0)), mode="reflect")
    planes = torch.from_numpy(padded).permute(2, 0, 1)[None]
    sharp, mask = reference.reference_lbag(dict(load_lbag(weights)[0].state_dict()), planes, gate_min=0.0)[2]
    gated, _ = reference.reference_lbag(dict(load_lbag(weights)[0].state_dict()), planes)[2]
    assert not torch.equal(sharp, gated), "the test must see the clamp of the gate"
    return (
        gated[0].permute(1, 2, 0).numpy()[:height, :width].clip(0, 1),
        mask[0, 0].numpy()[:height, :width],
    )


def test_sharp_picture_and_mask_are_those_of_the_network(
    engine: DeblurEngine, tiny_weights: Path, picture: Image
) -> None:
    result = engine.run(picture)
    sharp, mask = expected_of(tiny_weights, picture)
    np.testing.assert_allclose(result.sharp, sharp, atol=1e-4)
    np.testing.assert_allclose(result.mask, mask, atol=1e-4)
    assert result.sharp.dtype == result.mask.dtype == np.float32
    assert (result.tiles, result.scale) == (1, 1.0)


@settings(max_examples=25, deadline=None)
@given(height=st.integers(1, 13), width=st.integers(1, 13))
def test_every_size_from_one_pixel_up_keeps_its_size(engine: DeblurEngine, height: int, width: int) -> None:
    result = engine.run(np.full((height, width, 3), 0.4, np.float32))
    assert result.sharp.shape == (height, width, 3)
    assert result.mask.shape == (height, width)
    assert np.isfinite(result.sharp).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_whole_numbers_mean_the_same_picture_as_fractions(engine: DeblurEngine, dtype: Any) -> None:
    white = np.iinfo(dtype).max
    codes = np.random.default_rng(1).integers(0, white, (24, 36, 3), endpoint=True).astype(dtype)
    as_fraction = (codes / white).astype(np.float32)
    np.testing.assert_allclose(engine.run(codes).sharp, engine.run(as_fraction).sharp, atol=1e-5)


def test_the_picture_given_is_not_changed_and_may_be_read_only(engine: DeblurEngine, picture: Image) -> None:
    before = picture.copy()
    picture.setflags(write=False)
    engine.run(picture)
    engine.preview(picture, 64)
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (np.zeros((8, 8), np.float32), "H, W, 3"),
        (np.zeros((8, 8, 4), np.float32), "H, W, 3"),
        (np.zeros((0, 8, 3), np.float32), "H, W, 3"),
        (np.zeros((8, 8, 3), np.int32), "int32"),
        (np.full((8, 8, 3), np.nan, np.float32), "not finite"),
        (np.full((8, 8, 3), 200.0, np.float32), "from 0 to 1"),
    ],
)
def test_what_is_no_picture_is_refused(engine: DeblurEngine, bad: npt.NDArray[Any], said: str) -> None:
    with pytest.raises(ImageError, match=said):
        engine.run(bad)


def test_tiles_with_the_exact_halo_change_nothing(tiny_weights: Path) -> None:
    image = np.random.default_rng(2).random((301, 399, 3), dtype=np.float32)
    whole = DeblurEngine(tiny_weights, "cpu", "fp32").run(image)
    tiled = DeblurEngine(tiny_weights, "cpu", "fp32", memory_limit_bytes=SMALL_LIMIT).run(image)
    assert tiled.tiles > 4
    np.testing.assert_allclose(tiled.sharp, whole.sharp, atol=1e-5)
    np.testing.assert_allclose(tiled.mask, whole.mask, atol=1e-5)


def test_tiles_without_a_halo_would_show(tiny_weights: Path) -> None:
    image = np.random.default_rng(2).random((301, 399, 3), dtype=np.float32)
    whole = DeblurEngine(tiny_weights, "cpu", "fp32").run(image)
    bare = DeblurEngine(tiny_weights, "cpu", "fp32", memory_limit_bytes=SMALL_LIMIT, halo_px=0).run(image)
    assert np.abs(bare.sharp - whole.sharp).max() > 1 / 255


def test_a_deep_network_deviates_by_less_than_a_grey_level_with_the_capped_halo(tmp_path: Path) -> None:
    path = tmp_path / "deep.safetensors"
    save_safetensors(path, reference.lively_network(4, 8), trained=True, recipe={})
    image = np.random.default_rng(3).random((64, 1200, 3), dtype=np.float32)
    whole = DeblurEngine(path, "cpu", "fp32").run(image)
    tiled = DeblurEngine(path, "cpu", "fp32", memory_limit_bytes=160 * 64 * 700).run(image)
    assert tiled.tiles > 1
    assert np.abs(tiled.sharp - whole.sharp).max() < 1 / 255
    assert np.abs(tiled.mask - whole.mask).max() < 1 / 255


def test_a_memory_limit_below_the_smallest_tile_is_refused(tiny_weights: Path, picture: Image) -> None:
    starved = DeblurEngine(tiny_weights, "cpu", "fp32", memory_limit_bytes=10_000)
    with pytest.raises(EngineError, match="memory limit"):
        starved.run(picture)


def test_bfloat16_stays_within_its_tolerance(
    tiny_weights: Path, engine: DeblurEngine, picture: Image
) -> None:
    rounded = DeblurEngine(tiny_weights, "cpu", "bf16").run(picture)
    exact = engine.run(picture)
    assert rounded.info.precision == "bf16"
    assert np.sqrt(np.mean((rounded.sharp - exact.sharp) ** 2)) < 1.5 / 255
    assert np.abs(rounded.mask - exact.mask).max() < 0.05
    assert not np.array_equal(rounded.sharp, exact.sharp)


def test_the_automatic_choice_says_what_it_measured(tiny_weights: Path) -> None:
    info = DeblurEngine(tiny_weights, "cpu").describe()
    assert info.precision in ("fp32", "bf16")
    assert "bf16" in info.reason


def test_weights_that_bfloat16_would_spoil_run_in_float32() -> None:
    model = reference.lively_network(8, 1)
    with torch.no_grad():
        model.get_parameter("feat_extract.5.main.0.weight")[1:] *= 30
    backend = choose(model, "cpu").backend
    assert backend.precision == "fp32"
    assert "deviates" in backend.reason


@pytest.mark.parametrize(
    ("device", "precision", "said"),
    [("cpu", "fp16", "CUDA"), ("tpu", "auto", "unknown"), ("cpu", "int8", "unknown")],
)
def test_what_cannot_be_done_is_refused(device: str, precision: str, said: str) -> None:
    with pytest.raises(EngineError, match=said):
        DeblurEngine(None, device, precision)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_cuda_on_a_machine_without_it_is_refused_with_the_way_out() -> None:
    with pytest.raises(EngineError) as caught:
        DeblurEngine(None, "cuda")
    assert "--device cpu" in caught.value.hint


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", ["auto", "bf16", "fp16"])
def test_a_cuda_device_gives_the_same_picture(
    tiny_weights: Path, engine: DeblurEngine, picture: Image, precision: str
) -> None:
    result = DeblurEngine(tiny_weights, "cuda", precision).run(picture)
    assert result.info.device == "cuda"
    assert np.abs(result.sharp - engine.run(picture).sharp).mean() < 1.5 / 255


def test_without_weights_the_engine_says_that_it_is_untrained() -> None:
    info = DeblurEngine(None, "cpu", "fp32").describe()
    assert not info.trained
    assert info.weights is None
    assert "shows the way, not a result" in info.note


def test_weights_saved_before_any_training_count_as_untrained(tmp_path: Path) -> None:
    path = tmp_path / "start.safetensors"
    save_safetensors(path, reference.lively_network(4, 1), trained=False, recipe={}, note="a start")
    info = DeblurEngine(path, "cpu", "fp32").describe()
    assert not info.trained
    assert "not a result" in info.note
    assert "a start" in info.note


def test_trained_weights_are_described_with_their_size(engine: DeblurEngine, tiny_weights: Path) -> None:
    info = engine.describe()
    assert info.trained
    assert info.weights == str(tiny_weights)
    assert info.architecture.startswith("LBAG with 8 base channels and 1 residual")
    assert info.parameters == sum(value.numel() for value in load_lbag(tiny_weights)[0].parameters())


def test_missing_weights_are_not_replaced_by_random_ones(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no weights"):
        DeblurEngine(tmp_path / "nowhere.ckpt")


def test_progress_rises_from_the_first_block_to_the_end(tiny_weights: Path) -> None:
    engine = DeblurEngine(tiny_weights, "cpu", "fp32", memory_limit_bytes=SMALL_LIMIT)
    told: list[float] = []
    result = engine.run(np.zeros((301, 399, 3), np.float32), progress=told.append)
    assert told == pytest.approx([(i + 1) / (6 * result.tiles) for i in range(6 * result.tiles)])


def test_a_run_stops_in_its_middle_and_the_engine_stays_usable(engine: DeblurEngine, picture: Image) -> None:
    stop = threading.Event()
    told: list[float] = []

    def stop_at_half(done: float) -> None:
        told.append(done)
        if done >= 0.5:
            stop.set()

    with pytest.raises(Cancelled):
        engine.run(picture, stop, stop_at_half)
    assert max(told) < 0.7
    seen = len(told)
    engine.run(picture)
    assert len(told) == seen


def test_a_run_that_was_stopped_before_it_began_does_nothing(engine: DeblurEngine, picture: Image) -> None:
    stop = threading.Event()
    stop.set()
    told: list[float] = []
    with pytest.raises(Cancelled):
        engine.run(picture, stop, told.append)
    assert told == []


def test_two_threads_share_an_engine_and_get_their_own_pictures(engine: DeblurEngine, picture: Image) -> None:
    expected = {flip: engine.run(picture[::-1] if flip else picture).sharp for flip in (False, True)}
    results: dict[bool, Image] = {}

    def work(flip: bool) -> None:
        results[flip] = engine.run(picture[::-1] if flip else picture).sharp

    threads = [threading.Thread(target=work, args=(flip,)) for flip in (False, True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for flip, sharp in expected.items():
        np.testing.assert_allclose(results[flip], sharp, atol=1e-6)


def test_a_preview_has_the_size_of_the_picture_and_saw_a_smaller_one(engine: DeblurEngine) -> None:
    image = np.random.default_rng(4).random((330, 1201, 3), dtype=np.float32)
    preview = engine.preview(image)
    assert preview.sharp.shape == (330, 1201, 3)
    assert preview.mask.shape == (330, 1201)
    assert preview.scale == pytest.approx(300 / 1201)
    assert preview.sharp.min() >= 0
    assert preview.sharp.max() <= 1


def test_a_preview_keeps_the_detail_that_the_reduced_picture_lost(tmp_path: Path) -> None:
    model = reference.lively_network(4, 1)
    with torch.no_grad():
        for value in model.feat_extract[5].parameters():
            value.zero_()  # no residual: the network changes nothing
    path = tmp_path / "still.safetensors"
    save_safetensors(path, model, trained=True, recipe={})
    image = np.random.default_rng(6).random((300, 500, 3), dtype=np.float32)
    preview = DeblurEngine(path, "cpu", "fp32").preview(image, 100)
    assert preview.scale == pytest.approx(0.2)
    np.testing.assert_allclose(preview.sharp, image, atol=1e-6)
    np.testing.assert_allclose(preview.mask, 0.5, atol=1e-6)


def test_a_preview_of_a_small_picture_is_the_full_answer(engine: DeblurEngine, picture: Image) -> None:
    preview = engine.preview(picture)
    assert preview.scale == 1.0
    np.testing.assert_allclose(preview.sharp, engine.run(picture).sharp, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 900, 3), (700, 2, 3)])
def test_previews_of_odd_shapes_work(engine: DeblurEngine, shape: tuple[int, int, int]) -> None:
    assert engine.preview(np.full(shape, 0.3, np.float32)).sharp.shape == shape


def test_the_released_clamp_is_what_the_engine_runs() -> None:
    gates = [module for module in load_gates() if isinstance(module, GateBlock)]
    assert [gate.gate_min for gate in gates] == [0.1]


def load_gates() -> list[torch.nn.Module]:
    return list(reference.lively_network(4, 1).modules())

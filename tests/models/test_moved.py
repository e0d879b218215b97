"""Only where something moved: what is found, what is run, that it equals the whole, that the rest stays."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.checkpoints import save_safetensors
from models.deblur import DeblurEngine
from models.errors import ImageError
from models.moved import CELL_PX, cells_of_difference, cells_of_mask
from models.rectangles import CostModel, plan_moved
from tests.models.reference_lbag import lively_network

Image = npt.NDArray[np.float32]
PROMISE = 1 / 255


def pair(
    height: int, width: int, box: tuple[int, int, int, int], noise: float, seed: int
) -> tuple[Image, Image]:
    """B with a smeared texture in a box and S with it sharp, both with noise of their own."""
    dice = np.random.default_rng(seed)
    scene = cv2.resize(dice.random((height // 8 + 1, width // 8 + 1, 3), dtype=np.float32), (width, height))
    scene = 0.2 + 0.6 * scene
    y0, y1, x0, x1 = box
    texture = dice.random((y1 - y0, x1 - x0, 3), dtype=np.float32)
    sharp, blurred = scene.copy(), scene.copy()
    sharp[y0:y1, x0:x1] = texture
    blurred[y0:y1, x0:x1] = cv2.blur(texture, (9, 1))
    return (
        (blurred + noise * dice.standard_normal(scene.shape)).clip(0, 1).astype(np.float32),
        (sharp + noise * dice.standard_normal(scene.shape)).clip(0, 1).astype(np.float32),
    )


def pixels(cells: npt.NDArray[np.bool_], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    return np.kron(cells, np.ones((CELL_PX, CELL_PX), np.bool_))[: shape[0], : shape[1]]


@settings(max_examples=20, deadline=None)
@given(
    height=st.integers(100, 200),
    width=st.integers(100, 260),
    noise=st.sampled_from([0.0, 0.01, 0.03]),
    seed=st.integers(0, 99),
)
def test_a_moved_object_is_found_and_little_else(height: int, width: int, noise: float, seed: int) -> None:
    dice = np.random.default_rng(seed)
    y0, x0 = int(dice.integers(0, height - 24)), int(dice.integers(0, width - 24))
    box = (y0, y0 + 24, x0, x0 + 24)
    blurred, sharp = pair(height, width, box, noise, seed)
    found = pixels(cells_of_difference(blurred, sharp), blurred.shape)
    assert found[y0 : y0 + 24, x0 : x0 + 24].mean() > 0.9
    around = np.zeros_like(found)
    around[max(y0 - 24, 0) : y0 + 48, max(x0 - 24, 0) : x0 + 48] = True
    assert (found & ~around).mean() < 0.03


def test_noise_alone_is_no_movement() -> None:
    dice = np.random.default_rng(0)
    scene = np.full((240, 320, 3), 0.5, np.float32)
    noisy = [scene + 0.02 * dice.standard_normal(scene.shape).astype(np.float32) for _ in range(2)]
    assert not cells_of_difference(noisy[0], noisy[1]).any()


def detailed_pair(box: tuple[int, int, int, int]) -> tuple[Image, Image]:
    """B and S of 300 x 400 with noise, hard edges everywhere, and a smeared texture in a box."""
    blurred, sharp = pair(300, 400, box, 0.0, 1)
    stripes = np.float32(0.15) * ((np.arange(400) // 10) % 2)[None, :, None].astype(np.float32)
    dice = np.random.default_rng(8)
    frames = [
        (image + stripes + 0.004 * dice.standard_normal(image.shape)).clip(0, 1) for image in (blurred, sharp)
    ]
    return frames[0].astype(np.float32), frames[1].astype(np.float32)


def found_and_false(blurred: Image, sharp: Image, box: tuple[int, int, int, int]) -> tuple[float, float]:
    """Part of a box that is found, and part of what is further than 24 px from it that is found, too."""
    found = pixels(cells_of_difference(blurred, sharp), blurred.shape)
    y0, y1, x0, x1 = box
    far = np.ones_like(found)
    far[max(y0 - 24, 0) : y1 + 24, max(x0 - 24, 0) : x1 + 24] = False
    return float(found[y0:y1, x0:x1].mean()), float(found[far].mean())


@pytest.mark.parametrize("gain", [0.88, 1.0, 1.08])
@pytest.mark.parametrize("noise", [0.0, 0.015])
def test_a_step_of_brightness_and_a_noisier_reference_are_no_movement(gain: float, noise: float) -> None:
    box = (100, 148, 150, 210)
    blurred, sharp = detailed_pair(box)
    dice = np.random.default_rng(9)
    sharp = (gain * sharp + noise * dice.standard_normal(sharp.shape)).clip(0, 1).astype(np.float32)
    found, false = found_and_false(blurred, sharp, box)
    assert found > 0.9
    assert false < 0.01


def test_highlights_that_one_frame_clips_are_no_movement() -> None:
    box = (100, 148, 150, 210)
    blurred, sharp = detailed_pair(box)
    for image in (blurred, sharp):
        image[20:80, 20:380] = 1.1  # what the cameras saw before they clipped
    found, false = found_and_false(blurred.clip(0, 1), (0.9 * sharp).clip(0, 1), box)
    assert found > 0.9
    assert false < 0.02


def test_edges_a_third_of_a_pixel_apart_are_no_movement() -> None:
    box = (100, 148, 150, 210)
    blurred, sharp = detailed_pair(box)
    step = np.float32([[1, 0, 0.3], [0, 1, 0.1]])
    apart = cv2.warpAffine(sharp, step, (400, 300), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    found, false = found_and_false(blurred, apart.clip(0, 1).astype(np.float32), box)
    assert found > 0.9
    assert false < 0.1


def test_an_open_gate_marks_its_place_at_any_size() -> None:
    mask = np.zeros((45, 60), np.float32)
    mask[10:20, 30:40] = 1
    found = pixels(cells_of_mask(mask, (180, 240)), (180, 240))
    assert found[40:80, 120:160].all()
    assert found.mean() < 0.1


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 30),
    columns=st.integers(1, 30),
    share=st.floats(0.01, 0.6),
    halo=st.integers(0, 12).map(lambda n: 4 * n),
    fixed=st.sampled_from([0.0, 1e-3, 1e-2]),
    seed=st.integers(0, 999),
)
def test_tiles_cover_what_moved_lie_on_the_grid_and_never_cost_more_than_the_whole(
    rows: int, columns: int, share: float, halo: int, fixed: float, seed: int
) -> None:
    cells = np.random.default_rng(seed).random((rows, columns)) < share
    assume(cells.any())
    height, width = rows * CELL_PX - 4, columns * CELL_PX
    cost = CostModel(height, width, halo, (fixed, 1e-6), (fixed, 1e-6))
    tiles = plan_moved(cells, cost)
    if tiles is None:
        return
    covered = np.zeros((height, width), np.bool_)
    spent = 0.0
    for tile in tiles:
        y0, y1, x0, x1 = tile.core
        top, bottom, left, right = tile.read
        covered[y0:y1, x0:x1] = True
        assert all(edge % 4 == 0 for edge in (*tile.core, *tile.read))
        assert top == max(y0 - halo, 0)
        assert bottom == min(y1 + halo, height)
        assert left == max(x0 - halo, 0)
        assert right == min(x1 + halo, width)
        spent += fixed + 1e-6 * (bottom - top) * (right - left)
    assert covered[pixels(cells, (height, width))].all()
    assert spent < fixed + 1e-6 * height * width


def test_two_far_objects_are_two_tiles_and_two_near_ones_are_one() -> None:
    cells = np.zeros((60, 90), np.bool_)
    cells[5:10, 5:10] = cells[50:55, 80:85] = True
    cost = CostModel(480, 720, 24, (0.0, 1e-6), (0.0, 1e-6))
    assert len(plan_moved(cells, cost) or []) == 2
    cells[:] = False
    cells[5:10, 5:10] = cells[5:10, 12:17] = True
    assert len(plan_moved(cells, cost) or []) == 1


def test_where_all_of_it_moved_the_whole_picture_is_run() -> None:
    assert plan_moved(np.ones((20, 30), np.bool_), CostModel(160, 240, 16, (0.0, 1e-6), (0.0, 1e-6))) is None


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> DeblurEngine:
    path = tmp_path_factory.mktemp("lively") / "lively.safetensors"
    save_safetensors(path, lively_network(8, 2), trained=True, recipe={})
    return DeblurEngine(path, "cpu", "fp32")


@pytest.mark.parametrize(
    "box", [(100, 150, 200, 260), (0, 40, 0, 60), (260, 301, 339, 399), (120, 128, 0, 399)]
)
def test_what_is_written_equals_the_whole_and_the_rest_is_untouched(
    lively: DeblurEngine, box: tuple[int, int, int, int]
) -> None:
    blurred, sharp = pair(301, 399, box, 0.01, 3)
    whole = lively.run(blurred)
    moved = lively.run(blurred, reference=sharp, only_moved=True)
    assert moved.route == "moved"
    assert whole.route == "whole"
    assert moved.share < 0.5
    written = moved.mask > 0
    assert written.mean() == pytest.approx(moved.share, abs=0.01)
    assert written[box[0] : box[1], box[2] : box[3]].mean() > 0.9
    assert np.abs(moved.sharp - whole.sharp)[written].max() <= PROMISE
    assert np.abs(moved.mask - whole.mask)[written].max() <= PROMISE
    np.testing.assert_array_equal(moved.sharp[~written], blurred[~written])
    assert np.abs(whole.sharp - blurred)[~written].max() > 5 * PROMISE  # else leaving it would be no news


def test_a_halo_that_is_too_short_would_break_the_promise(tmp_path: Path) -> None:
    path = tmp_path / "lively.safetensors"
    save_safetensors(path, lively_network(8, 2), trained=True, recipe={})
    blurred, sharp = pair(301, 399, (100, 150, 200, 260), 0.01, 3)
    short = DeblurEngine(path, "cpu", "fp32", halo_px=4)
    moved = short.run(blurred, reference=sharp, only_moved=True)
    written = moved.mask > 0
    assert np.abs(moved.sharp - short.run(blurred).sharp)[written].max() > PROMISE


def test_reduced_precision_keeps_the_promise_too(tmp_path: Path) -> None:
    model = lively_network(8, 2)
    path = tmp_path / "lively.safetensors"
    save_safetensors(path, model, trained=True, recipe={})
    engine = DeblurEngine(path, "cpu", "bf16")
    info = engine.prepare()
    assert info.moving is not None
    assert info.moving.precision == "fp32"  # this network's roundings are far larger than a grey level
    blurred, sharp = pair(301, 399, (100, 150, 200, 260), 0.01, 3)
    moved = engine.run(blurred, reference=sharp, only_moved=True)
    exact = DeblurEngine(path, "cpu", "fp32").run(blurred)
    written = moved.mask > 0
    assert written.any()
    assert np.abs(moved.sharp - exact.sharp)[written].max() <= PROMISE


def test_two_equal_frames_cost_nothing_and_change_nothing(lively: DeblurEngine, picture: Image) -> None:
    told: list[float] = []
    result = lively.run(picture, None, told.append, reference=picture, only_moved=True)
    assert (result.route, result.tiles, result.share) == ("moved", 0, 0.0)
    np.testing.assert_array_equal(result.sharp, picture)
    assert not result.mask.any()


def test_whole_numbers_outside_come_back_exactly(lively: DeblurEngine) -> None:
    blurred, sharp = pair(200, 240, (80, 110, 100, 130), 0.0, 5)
    codes, reference = (np.rint(image * 255).astype(np.uint8) for image in (blurred, sharp))
    result = lively.run(codes, reference=reference, only_moved=True)
    outside = result.mask == 0
    assert outside.any()
    np.testing.assert_array_equal(np.rint(result.sharp * 255).astype(np.uint8)[outside], codes[outside])


def test_without_a_reference_the_gate_is_asked(tmp_path: Path) -> None:
    model = lively_network(8, 1)
    for name in ("feat_extract.5", "ConvsOut.0", "ConvsOut.1"):  # the gate opens nowhere
        model.get_parameter(f"{name}.main.0.bias").data[0] -= 1000
    path = tmp_path / "shut.safetensors"
    save_safetensors(path, model, trained=True, recipe={})
    image = np.random.default_rng(4).random((330, 501, 3), dtype=np.float32)
    shut = DeblurEngine(path, "cpu", "fp32").run(image, only_moved=True)
    assert (shut.route, shut.tiles) == ("moved", 0)


def test_what_either_the_reference_or_the_gate_finds_is_run(lively: DeblurEngine) -> None:
    blurred, sharp = pair(400, 600, (20, 60, 20, 80), 0.0, 7)
    by_reference = lively.run(blurred, reference=sharp, only_moved=True)
    by_gate = lively.run(blurred, only_moved=True)
    by_both = lively.run(blurred, reference=sharp, only_moved=True, ask_gate=True)
    assert by_reference.route == "moved"
    assert by_both.share >= max(by_reference.share, by_gate.share)
    assert not ((by_reference.mask > 0) & ~(by_both.mask > 0)).any()
    assert not ((by_gate.mask > 0) & ~(by_both.mask > 0)).any()


def test_tiles_in_another_precision_keep_to_the_memory_that_they_take(tmp_path: Path) -> None:
    path = tmp_path / "lively.safetensors"
    save_safetensors(path, lively_network(8, 2), trained=True, recipe={})
    blurred, sharp = pair(600, 800, (200, 300, 300, 450), 0.01, 3)
    # The tile reads some 50 000 pixels. A pixel takes 160 bytes in bf16, but 288 in fp32, in which it runs.
    assert DeblurEngine(path, "cpu", "bf16").run(blurred, reference=sharp, only_moved=True).route == "moved"
    scarce = DeblurEngine(path, "cpu", "bf16", memory_limit_bytes=160 * 60_000)
    assert scarce.run(blurred, reference=sharp, only_moved=True).route == "tiles"


def test_a_coarse_answer_with_a_reference_runs_only_where_something_moved(lively: DeblurEngine) -> None:
    blurred, sharp = pair(800, 1200, (300, 420, 500, 700), 0.0, 6)
    blurred = np.rint(blurred * 255).astype(np.uint8)
    sharp = np.rint(sharp * 255).astype(np.uint8)
    lively.prepare()
    coarse = lively.preview(blurred, reference=sharp)
    assert (coarse.scale, coarse.route) == (0.25, "moved")
    assert coarse.share < 0.5
    np.testing.assert_array_equal(coarse.sharp[:100], (blurred[:100] / np.float32(255)).astype(np.float32))
    assert np.abs(coarse.sharp[320:400, 520:680] - blurred[320:400, 520:680] / 255).max() > 0.05


def test_a_reference_of_another_size_is_refused(lively: DeblurEngine, picture: Image) -> None:
    with pytest.raises(ImageError, match="reference has 133 x 91"):
        lively.run(picture, reference=picture[:, 1:], only_moved=True)
    with pytest.raises(ImageError, match="reference has 133 x 91"):
        lively.preview(picture, reference=picture[:, 1:])

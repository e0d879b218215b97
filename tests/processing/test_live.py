"""The live chain: what the operator sees is the full pipeline's picture at half the size."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from processing.calibration.frame_format import FrameFormat
from processing.errors import ImageMismatch
from processing.half import half_size
from processing.isp import decode_srgb, encode_srgb, to_8bit
from processing.live import LiveCamera, LiveChain
from processing.pipeline import ScenePipeline
from processing.quality.metrics import psnr
from rig.session import Session

FRAME = FrameFormat(64, 48, "RGGB", 64.0, 4064.0)


@pytest.fixture(scope="module")
def pipeline(recorded: Session) -> ScenePipeline:
    return ScenePipeline.from_session(recorded, "s01")


def half(picture: np.ndarray, box: tuple[int, int, int, int], part: tuple[int, int, int, int]) -> np.ndarray:
    """The full pipeline's picture of `box`, cut to `part` and made small by means of light."""
    y0, y1, x0, x1 = (edge - box[0] if i < 2 else edge - box[2] for i, edge in enumerate(part))
    light = decode_srgb(np.ascontiguousarray(picture[y0:y1, x0:x1]))
    size = ((x1 - x0) // 2, (y1 - y0) // 2)
    return to_8bit(encode_srgb(cv2.resize(light, size, interpolation=cv2.INTER_AREA)))


@pytest.mark.parametrize("kind", ["static", "action"])
def test_both_live_pictures_are_the_developed_ones_at_half_size(
    recorded: Session, pipeline: ScenePipeline, kind: str
) -> None:
    raw = recorded.pairs("s01", kind)[0].load()
    full, chain = pipeline.develop(raw.b, raw.s), LiveChain.calibrated(pipeline.calibration)
    assert chain.box is not None
    live = chain(raw.b.pixels, raw.s.pixels)
    for mine, developed in zip(live, (full.b, full.s), strict=True):
        reference = half(developed, full.box, chain.box)
        assert mine.shape == reference.shape
        # pixel-sharp photographs, noise of 10.5 ke-: B is sampled a second time by its warp
        assert psnr(mine, reference) > (30 if mine is live[0] else 35)
        assert psnr(*(cv2.GaussianBlur(one, (0, 0), 1.5) for one in (mine, reference))) > 42
        assert np.abs(mine.mean(axis=(0, 1)) - reference.mean(axis=(0, 1))).max() < 1.5  # of 255


def test_alignment_and_correction_make_the_still_pair_agree(
    recorded: Session, pipeline: ScenePipeline
) -> None:
    raw = recorded.pairs("s01", "static")[0].load()
    c = pipeline.calibration
    aligned = LiveChain.calibrated(c)(raw.b.pixels, raw.s.pixels)
    plain = LiveChain.plain(c.frames["B"], c.frames["S"], c.balance)(raw.b.pixels, raw.s.pixels)
    plain = tuple(one[: aligned[0].shape[0], : aligned[0].shape[1]] for one in plain)
    assert psnr(*aligned) > psnr(*plain) + 4
    assert psnr(*(cv2.GaussianBlur(one, (0, 0), 1.5) for one in aligned)) > 42


def test_the_number_of_threads_changes_nothing(recorded: Session, pipeline: ScenePipeline) -> None:
    raw = recorded.pairs("s01", "action")[0].load()
    chain = LiveChain.calibrated(pipeline.calibration)
    one, two = (chain(raw.b.pixels, raw.s.pixels, threads=n) for n in (1, 2))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("cfa", ["RGGB", "BGGR", "GRBG", "GBRG"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_without_calibration_black_is_black_and_white_white_and_colours_are_in_place(
    cfa: str, dtype: type
) -> None:
    top = np.iinfo(dtype).max if dtype is np.uint8 else 4095
    frame = replace(FRAME, cfa=cfa, black_level=4.0, white_level=float(top))
    pixels = np.full(frame.shape, 4, dtype)
    red = cfa.index("R")
    pixels[red // 2 :: 2, red % 2 :: 2] = top
    picture = LiveCamera(frame)(pixels)
    assert picture.shape == (24, 32, 3)
    assert (picture == (255, 0, 0)).all()


@pytest.mark.parametrize("cfa", ["RGGB", "GRBG", "GBRG", "BGGR"])
def test_a_frame_done_in_bands_shows_no_seams(cfa: str) -> None:
    frame = FrameFormat(64, 202, cfa, 64.0, 4064.0)
    codes = np.random.default_rng(3).integers(64, 4064, frame.shape).astype(np.uint16)
    at_once = half_size((codes.astype(np.float32) - np.float32(64)) * np.float32(1 / 4000), cfa)
    np.testing.assert_array_equal(LiveCamera(frame).linear(codes), np.minimum(at_once, 1))


def test_the_curve_is_srgbs_to_the_nearest_step() -> None:
    codes = np.repeat(np.repeat(np.arange(64, 4064, 100, dtype=np.uint16), 8)[None], 16, axis=0)
    frame = replace(FRAME, width=codes.shape[1], height=codes.shape[0])
    middle = LiveCamera(frame)(codes)[4, 2::4]
    light = (codes[0, ::8] - 64.0) / 4000
    expected = to_8bit(encode_srgb(np.repeat(light[None, :, None], 3, axis=2).astype(np.float32)))[0]
    assert np.abs(middle.astype(int) - expected).max() <= 1


def test_odd_frames_and_frames_of_another_size() -> None:
    odd = replace(FRAME, width=65, height=49)
    pixels = np.full((49, 65), 2064, np.uint16)
    assert LiveCamera(odd)(pixels).shape == (24, 32, 3)
    with pytest.raises(ImageMismatch, match="64x48"):
        LiveCamera(FRAME)(pixels)

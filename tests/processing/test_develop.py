"""Developing any camera's RAW file: levels, filter order, orientation, colours; LibRaw beside."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import rawpy
from skimage.color import deltaE_ciede2000

from processing.chart.colour_difference import ciede2000, lab_from_linear
from processing.errors import CalibrationError
from processing.isp import decode_srgb, encode_srgb
from processing.raw.develop import Wishes, develop_file, with_chart
from rig import dng_tags as t
from tests.processing.raw_files import foreign_dng, noise, own_dng

DATA = Path(__file__).parents[1] / "data"
CHART, STREET = DATA / "colorchart_crop.dng", DATA / "gopro_crop.dng"
PLAIN = Wishes(balance=(1.0, 1.0, 1.0), matrix="none")
ORDERS = {"RGGB": (0, 1, 1, 2), "BGGR": (2, 1, 1, 0), "GRBG": (1, 0, 2, 1), "GBRG": (1, 2, 0, 1)}


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(1 / np.mean((a.astype(np.float64) - b) ** 2)))


def by_libraw(path: Path, algorithm: rawpy.DemosaicAlgorithm = rawpy.DemosaicAlgorithm.AHD) -> np.ndarray:
    """LibRaw's linear rendering with the camera's white balance and matrix, sensor white = 1."""
    with rawpy.imread(str(path)) as raw:
        picture = raw.postprocess(
            use_camera_wb=True, no_auto_bright=True, adjust_maximum_thr=0, output_bps=16, gamma=(1, 1),
            demosaic_algorithm=algorithm,
        )  # fmt: skip
    return picture.astype(np.float32) / 65535


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("top", "left"), [(0, 0), (1, 0), (0, 1), (3, 5)])
def test_a_coloured_surface_has_its_colour_in_any_order_and_behind_any_margin(
    tmp_path: Path, order: str, top: int, left: int
) -> None:
    height, width = 41, 48  # an odd number of rows, and of columns behind an odd margin
    letters = np.array(list(order)).reshape(2, 2)  # of the visible area
    code = {"R": 64 + 2000, "G": 64 + 1000, "B": 64 + 500}
    rows, columns = np.mgrid[0 : height + top + 2, 0 : width + left + 4]
    colours = letters[(rows - top) % 2, (columns - left) % 2]
    pixels = np.vectorize(code.__getitem__)(colours).astype(np.uint16)
    pixels[:top], pixels[:, :left], pixels[top + height :] = 64, 64, 4000
    path = foreign_dng(
        tmp_path / "f.dng", pixels, t.integers(t.CFA_PATTERN, t.BYTE, *ORDERS[order]),
        t.integers(t.ACTIVE_AREA, t.LONG, top, left, top + height, left + width),
    )  # fmt: skip
    rgb = decode_srgb(develop_file(path, PLAIN).rgb)
    # LibRaw begins on an even row and column, one pixel further in behind an odd margin
    assert rgb.shape == (height - top % 2, width - left % 2, 3)
    expected = np.array([2000, 1000, 500]) / (4000 - 64)
    np.testing.assert_allclose(rgb, np.broadcast_to(expected, rgb.shape), rtol=2e-3)


@pytest.mark.parametrize(("top", "left"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_four_black_levels_are_taken_off_each_from_its_own_pixels(
    tmp_path: Path, top: int, left: int
) -> None:
    black = np.array([[60, 64], [70, 90]])
    rows, columns = np.mgrid[0:40, 0:48]
    pixels = (black[(rows - top) % 2, (columns - left) % 2] + 1000).astype(np.uint16)
    path = foreign_dng(
        tmp_path / "f.dng",
        pixels,
        t.rationals(t.BLACK_LEVEL, [60.0, 64.0, 70.0, 90.0]),
        t.integers(t.ACTIVE_AREA, t.LONG, top, left, 40, 48),
    )
    rgb = decode_srgb(develop_file(path, PLAIN).rgb)
    expected = np.mean(1000 / (4000 - black))
    np.testing.assert_allclose(rgb, expected, rtol=0.01)
    assert np.ptp(rgb[..., 1]) < 0.01 * expected


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_picture_is_turned_as_libraw_turns_it(tmp_path: Path, orientation: int) -> None:
    slope = np.add.outer(np.arange(48) * 20, np.arange(64) * 40).astype(np.uint16) + 100
    path = foreign_dng(tmp_path / "f.dng", slope, t.integers(t.ORIENTATION, t.SHORT, orientation))
    ours, theirs = decode_srgb(develop_file(path).rgb), by_libraw(path)
    assert ours.shape == theirs.shape
    assert psnr(np.clip(ours, 0, 1)[8:-8, 8:-8], theirs[8:-8, 8:-8]) > 40


@pytest.mark.parametrize("path", [CHART, STREET], ids=["chart", "street"])
def test_a_real_picture_agrees_with_libraws_own_rendering(path: Path) -> None:
    ours, theirs = develop_file(path).rgb, by_libraw(path)
    assert psnr(ours, encode_srgb(theirs)) > 34  # two ways to demosaic
    smooth = [cv2.GaussianBlur(picture, (0, 0), 4) for picture in (decode_srgb(ours), theirs)]
    assert psnr(*smooth) > 55  # one colour and one brightness


def test_our_own_file_gives_the_same_picture_whether_we_or_libraw_read_it(tmp_path: Path) -> None:
    colours = {"as_shot_neutral": (0.5, 1.0, 0.625)}
    own = own_dng(tmp_path / "own.dng", noise(), "GBRG", **colours)
    content = own.read_bytes()
    (tmp_path / "foreign.dng").write_bytes(content.replace(b"beamrig\0", b"editor5\0"))
    ours, theirs = develop_file(own), develop_file(tmp_path / "foreign.dng")
    assert (ours.raw.reader, theirs.raw.reader) == ("beamrig", "LibRaw")
    np.testing.assert_allclose(ours.rgb, theirs.rgb, atol=1e-4)


def test_what_the_sensor_clipped_is_white_under_any_balance(tmp_path: Path) -> None:
    path = foreign_dng(tmp_path / "f.dng", np.full((32, 32), 4000, np.uint16))
    for balance in ((2.0, 1.0, 1.6), (0.4, 1.0, 0.7)):
        np.testing.assert_allclose(develop_file(path, Wishes(balance=balance)).rgb, 1, atol=1e-3)


def test_the_files_own_white_balance_makes_its_neutral_grey(tmp_path: Path) -> None:
    pixels = np.full((32, 48), 64 + 800, np.uint16)  # green; neutral is 0.5, 1, 0.625
    pixels[0::2, 0::2], pixels[1::2, 1::2] = 64 + 400, 64 + 500
    rgb = develop_file(foreign_dng(tmp_path / "f.dng", pixels)).rgb
    assert np.ptp(rgb, axis=2).max() < 2e-3


def test_exposure_is_in_ev_and_auto_keeps_the_light_below_white() -> None:
    plain, brighter = (decode_srgb(develop_file(STREET, Wishes(exposure_ev=ev)).rgb) for ev in (0.0, 1.0))
    inside = (brighter.max(axis=2) < 0.99) & (plain.min(axis=2) > 0.01)
    np.testing.assert_allclose(brighter[inside], 2 * plain[inside], rtol=1e-2)
    auto = develop_file(CHART, Wishes(exposure_ev=None))
    assert auto.exposure_ev > 0
    assert 0.005 < np.mean(auto.rgb.max(axis=2) >= 1 - 1e-6) < 0.02


def test_half_size_is_the_full_size_made_small() -> None:
    full, half = develop_file(STREET), develop_file(STREET, Wishes(half=True))
    small = cv2.resize(decode_srgb(full.rgb), half.rgb.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert psnr(encode_srgb(small), half.rgb) > 33


@pytest.mark.parametrize("cfa", ORDERS)
def test_half_size_has_all_colours_in_the_same_place(tmp_path: Path, cfa: str) -> None:
    y, x = np.mgrid[0:48, 0:64]
    slope = (500 + 15 * y + 25 * x).astype(np.uint16)  # grey: every pixel's code is its place
    half = decode_srgb(
        develop_file(
            own_dng(tmp_path / "f.dng", slope, cfa), Wishes("best", True, (1.0, 1.0, 1.0), "none")
        ).rgb
    )
    place = (500 + 15 * (y[::2, ::2] + 0.5) + 25 * (x[::2, ::2] + 0.5) - 64) / (4000 - 64)
    np.testing.assert_allclose(half[3:-3, 3:-3], place[3:-3, 3:-3, None] * np.ones(3), atol=2e-4)


def test_the_real_colour_chart_is_found_and_calibrated() -> None:
    chart = develop_file(CHART, with_chart(Wishes())).chart
    assert chart is not None
    first, last = chart.centres[[0, 23]]  # read off the picture: its box begins at (620, 550)
    np.testing.assert_allclose([first, last], [[713 - 620, 623 - 550], [1257 - 620, 923 - 550]], atol=6)
    assert chart.before.mean() > 7
    assert chart.after.mean() < 3
    assert chart.after.max() < 6.5
    np.testing.assert_allclose(chart.matrix.sum(axis=1), 1)
    greys = chart.patches[19:22] * chart.gains  # the darker ones are coloured by flare
    assert (greys.max(axis=1) / greys.min(axis=1) < 1.05).all()


def test_a_picture_without_chart_cannot_be_calibrated_to_one() -> None:
    with pytest.raises(CalibrationError, match=r"gopro_crop.dng: no colour chart"):
        develop_file(STREET, with_chart(Wishes()))


def test_colour_differences_are_those_of_an_independent_implementation() -> None:
    first, second = np.random.default_rng(0).random((2, 500, 3))
    lab = [lab_from_linear(colours) for colours in (first, second)]
    lab.append(np.array([[50.0, 0, 0]] * 500))  # a grey: hue is not defined
    for a, b in ((lab[0], lab[1]), (lab[0], lab[2])):
        np.testing.assert_allclose(ciede2000(a, b), deltaE_ciede2000(a, b), atol=1e-9)


def test_the_paper_profile_balances_after_demosaicing() -> None:
    best, paper = develop_file(STREET).rgb, develop_file(STREET, Wishes("paper")).rgb
    assert not np.array_equal(best, paper)
    assert psnr(cv2.GaussianBlur(best, (0, 0), 4), cv2.GaussianBlur(paper, (0, 0), 4)) > 40

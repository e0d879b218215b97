"""The transmittance of the path to B, against frames that were made with a known one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from processing.checks.stillness import change_between
from processing.errors import ProcessingError
from processing.survey.tau import measure_tau, tau_of_filter
from rig.records import RawPair
from tests.processing.sensor import BLACK_DN, SHAPE, T_B_US, T_S_US, board, mosaic, photo, raw

TAU = (0.119, 0.124, 0.131)


def _pair(rng: np.random.Generator, light: np.ndarray, *, cast: float = 0.1, scale: float = 0.5) -> RawPair:
    """B sees the light through TAU and a cast that is 1 at the centre."""
    y, x = np.meshgrid(np.linspace(-1, 1, SHAPE[0]), np.linspace(-1, 1, SHAPE[1]), indexing="ij")
    plate = (1 + cast * x - cast / 2 * y * y)[..., None] * np.array(TAU) * (T_B_US / T_S_US)
    return RawPair(raw(mosaic(light * plate), rng, "B", scale=scale), raw(light, rng, "S", scale=scale))


def test_it_is_within_half_a_percent_in_every_colour() -> None:
    rng = np.random.default_rng(1)
    found = measure_tau([_pair(rng, photo()) for _ in range(3)], 0.125)
    assert [found.tau[name] for name in "RGB"] == pytest.approx(TAU, rel=0.005)
    assert found.overall == pytest.approx((TAU[0] + 2 * TAU[1] + TAU[2]) / 4, rel=0.003)
    assert abs(found.overall / 0.1245 - 1) < 4 * found.overall_error / found.overall
    assert (found.pairs, found.fits_label) == (3, True)


def test_clipped_parts_are_left_out() -> None:
    rng = np.random.default_rng(2)
    light = photo()
    light[:, :200] = 4.0
    found = measure_tau([_pair(rng, light)])
    assert [found.tau[name] for name in "RGB"] == pytest.approx(TAU, rel=0.01)


def test_an_object_that_moves_in_between_is_left_out() -> None:
    rng = np.random.default_rng(3)
    light = photo()
    light[150:350, 200:420] = 0.05
    b, s = _pair(rng, light).b, _pair(rng, photo()).s
    still = ~change_between(s, _pair(rng, light).s).blocks
    found = measure_tau([RawPair(b, s)], still=still)
    assert [found.tau[name] for name in "RGB"] == pytest.approx(TAU, rel=0.01)


def test_a_black_level_from_dark_frames_takes_the_place_of_the_cameras_word() -> None:
    rng = np.random.default_rng(4)
    made = _pair(rng, board(), scale=0.1)
    wrong = RawPair(replace(made.b, black_level=BLACK_DN - 30), made.s)
    black = {"B": float(BLACK_DN), "S": float(BLACK_DN)}
    assert measure_tau([wrong]).overall > 1.03 * 0.1245
    assert measure_tau([wrong], black_dn=black).overall == pytest.approx(0.1245, rel=0.005)


def test_gain_and_exposure_of_each_frame_are_taken_from_the_frame() -> None:
    made = _pair(np.random.default_rng(5), board())
    twice = RawPair(replace(made.b, gain_db=20 * np.log10(2)), replace(made.s, exposure_us=T_S_US / 2))
    assert measure_tau([twice]).overall == pytest.approx(measure_tau([made]).overall / 4, rel=1e-3)


def test_another_filter_than_labelled_is_told() -> None:
    found = measure_tau([_pair(np.random.default_rng(6), photo())], 0.25)
    assert not found.fits_label
    assert found.off_label == pytest.approx(0.1245 / 0.25 - 1, abs=0.01)
    assert "does not fit" in found.text()


def test_a_take_without_filter_separates_it_from_plate_and_sensors() -> None:
    rng = np.random.default_rng(7)
    with_filter = measure_tau([_pair(rng, board())])
    bare = measure_tau([_without_filter(rng)])
    assert tau_of_filter(with_filter, bare) == pytest.approx(0.12, rel=0.005)


def _without_filter(rng: np.random.Generator) -> RawPair:
    """Without the filter of 0.12 B gets TAU / 0.12, so it is exposed as short as S."""
    plate = np.array(TAU) / 0.12
    return RawPair(
        raw(mosaic(board() * plate), rng, "B", scale=0.5, exposure_us=T_S_US),
        raw(board(), rng, "S", scale=0.5),
    )


@pytest.mark.parametrize("pairs", [0, 1])
def test_without_a_pair_or_in_the_dark_there_is_no_answer(pairs: int) -> None:
    rng = np.random.default_rng(8)
    with pytest.raises(ProcessingError):
        measure_tau([_pair(rng, photo(), scale=0.0)] * pairs)


@pytest.mark.parametrize("shift", [(3, 0), (-2, 3), (0, -3)])
def test_cameras_a_few_pixels_apart_do_not_tilt_it(shift: tuple[int, int]) -> None:
    rng = np.random.default_rng(9)
    y, x = np.meshgrid(np.linspace(0, 1, SHAPE[0]), np.linspace(0, 1, SHAPE[1]), indexing="ij")
    light = photo() * (0.2 + x * y)[..., None].astype(np.float32)  # dark in one corner, bright in another
    aside = np.roll(light, shift, axis=(0, 1))
    plate = np.array(TAU) * (T_B_US / T_S_US)
    found = measure_tau(
        [RawPair(raw(mosaic(aside * plate), rng, "B", scale=0.5), raw(light, rng, "S", scale=0.5))]
    )
    assert [found.tau[name] for name in "RGB"] == pytest.approx(TAU, rel=0.01)


def test_a_frame_that_is_not_whole_blocks_has_its_centre_where_it_has_it() -> None:
    rng = np.random.default_rng(10)
    made = _pair(rng, board(), cast=0.2)
    height, width = (n - 30 for n in SHAPE)  # the half block at the far edges is lost, the cast runs on
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    plate = (1 + 0.3 * x + 0.2 * y)[..., None] * np.array(TAU) * (T_B_US / T_S_US)
    light = board()[:height, :width]
    cut = RawPair(raw(mosaic(light * plate), rng, "B", scale=0.5), raw(light, rng, "S", scale=0.5))
    assert measure_tau([cut]).overall == pytest.approx(measure_tau([made]).overall, rel=0.002)

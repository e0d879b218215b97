"""Menon's demosaicing against the reference formulation, and what must hold for any input."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.demosaic import menon
from processing.errors import ImageMismatch
from tests.processing.scenes import kodak, mosaic

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the reference imports a deprecated name of SciPy
    from colour_demosaicing import demosaicing_CFA_Bayer_Menon2007 as reference

ORDERS = ["RGGB", "GRBG", "GBRG", "BGGR"]
BORDER = 8


@pytest.mark.parametrize("cfa", ORDERS)
@pytest.mark.parametrize("refine", [True, False])
def test_equals_the_reference_inside_the_border(cfa: str, refine: bool) -> None:
    codes = mosaic(kodak("08"), cfa)
    ours = menon(codes.astype(np.float32), cfa, refine=refine)
    theirs = reference(codes.astype(np.float64), cfa, refining_step=refine)
    inner = slice(BORDER, -BORDER)
    np.testing.assert_allclose(ours[inner, inner], theirs[inner, inner], atol=1e-3)


@given(
    seed=st.integers(0, 2**31),
    cfa=st.sampled_from(ORDERS),
    refine=st.booleans(),
    rows=st.integers(8, 45),
    columns=st.integers(8, 40),
    white=st.sampled_from([1, 3, 15, 255, 4095, 16383]),
)
@settings(max_examples=60, deadline=None)
def test_decides_as_the_reference_on_integers_of_any_size(
    seed: int, cfa: str, refine: bool, rows: int, columns: int, white: int
) -> None:
    """Few grey levels make ties; a tie decided the other way would be off by a quarter at least."""
    codes = np.random.default_rng(seed).integers(0, white + 1, (2 * rows, 2 * columns))
    ours = menon(codes.astype(np.float32), cfa, refine=refine)
    theirs = reference(codes.astype(np.float64), cfa, refining_step=refine)
    inner = slice(BORDER, -BORDER)
    np.testing.assert_allclose(ours[inner, inner], theirs[inner, inner], atol=1e-6 * white + 1e-6)


@pytest.mark.parametrize("cfa", ORDERS)
def test_tiles_leave_no_seams(cfa: str) -> None:
    codes = np.random.default_rng(5).integers(0, 4096, (300, 1000)).astype(np.float32)
    whole = menon(codes, cfa)
    np.testing.assert_allclose(whole[8:-8, 8:-8], reference(codes, cfa)[8:-8, 8:-8], atol=4e-3)
    part = menon(np.ascontiguousarray(codes[66:, 30:]), cfa)
    np.testing.assert_array_equal(part[16:, 16:], whole[82:, 46:])


def test_a_result_may_be_written_into_given_memory() -> None:
    codes = mosaic(kodak("03")).astype(np.float32)
    memory = np.empty((*codes.shape, 3), np.float32)
    assert menon(codes, out=memory) is memory
    np.testing.assert_array_equal(memory, menon(codes))
    for unfit in (
        memory[:-2],
        memory.astype(np.float64),
        np.empty((256, 800, 3), np.float32)[:, ::2][:, :384],
    ):
        with pytest.raises(ImageMismatch, match="fit"):
            menon(codes, out=unfit)


@pytest.mark.parametrize("cfa", ORDERS)
def test_measured_colours_are_kept(cfa: str) -> None:
    picture = kodak("19").astype(np.float32)
    restored = menon(mosaic(picture, cfa), cfa)
    np.testing.assert_array_equal(mosaic(restored, cfa), mosaic(picture, cfa))


def test_one_colour_stays_one_colour_up_to_the_border() -> None:
    picture = np.broadcast_to(np.array([100, 200, 50], np.float32), (64, 80, 3))
    np.testing.assert_array_equal(menon(mosaic(picture)), picture)


def test_threads_do_not_change_the_result() -> None:
    codes = mosaic(kodak("03")).astype(np.float32)
    np.testing.assert_array_equal(menon(codes, threads=1), menon(codes, threads=3))


@pytest.mark.parametrize(("shape", "cfa"), [((63, 64), "RGGB"), ((64, 8), "RGGB"), ((64, 64), "RGBG")])
def test_impossible_mosaics_are_refused(shape: tuple[int, int], cfa: str) -> None:
    with pytest.raises(ImageMismatch):
        menon(np.zeros(shape, np.float32), cfa)

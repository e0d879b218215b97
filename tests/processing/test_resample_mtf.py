"""What the two kernels do to sinusoids, to ramps and to constants, between pixels.

The expected responses are those of the kernels' closed forms, on a page of measured facts made before this
code: |H| half-way between pixels at 0.25, 0.35, 0.40 and 0.45 cycles a pixel.
"""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from processing.alignment.resample import Kernel, aligner
from processing.alignment.resample_sinc import sinc_table
from processing.errors import ProcessingError
from tests.processing.scenes import kodak

HALF_WAY = {"bs3": (0.972, 0.837, 0.661, 0.375), "cmtf_like": (0.990, 1.003, 0.901, 0.558)}
FREQUENCIES = (0.25, 0.35, 0.40, 0.45)
WIDTH, HEIGHT, EDGE = 400, 24, 40
KERNELS = get_args(Kernel)


def _response(kernel: Kernel, frequency: float, phase: float, *, along_x: bool = True) -> complex:
    """Measure H at a frequency: what a complex wave, sampled `phase` px further, has become."""
    at = np.arange(WIDTH, dtype=np.float64)
    wave = np.exp(2j * np.pi * frequency * at)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    moved = []
    for part in (wave.real, wave.imag):
        image = np.tile(part.astype(np.float32), (HEIGHT, 1))
        if along_x:
            moved.append(aligner(x + np.float32(phase), y, kernel)(image)[HEIGHT // 2])
        else:
            upright = np.ascontiguousarray(image.T)
            moved.append(aligner(y.T.copy(), x.T + np.float32(phase), kernel)(upright)[:, HEIGHT // 2])
    inner = slice(EDGE, WIDTH - EDGE)
    found = moved[0].astype(np.float64) + 1j * moved[1].astype(np.float64)
    ideal = np.exp(2j * np.pi * frequency * (at + phase))
    return complex(np.mean(found[inner] / ideal[inner]))


@pytest.mark.parametrize("along_x", [True, False])
@pytest.mark.parametrize("kernel", KERNELS)
def test_half_way_between_pixels_detail_keeps_the_contrast_its_kernel_promises(
    kernel: Kernel, along_x: bool
) -> None:
    found = [abs(_response(kernel, f, 0.5, along_x=along_x)) for f in FREQUENCIES]
    np.testing.assert_allclose(found, HALF_WAY[kernel], atol=1.5e-3)


@pytest.mark.parametrize(("kernel", "least", "most"), [("bs3", 0.837, 1.0), ("cmtf_like", 0.999, 1.003)])
def test_the_contrast_over_all_phases(kernel: Kernel, least: float, most: float) -> None:
    found = [abs(_response(kernel, 0.35, phase)) for phase in np.linspace(0, 1, 17)]
    assert min(found) == pytest.approx(least, abs=1.5e-3)
    assert max(found) == pytest.approx(most, abs=1.5e-3)


@pytest.mark.parametrize("kernel", KERNELS)
def test_detail_moves_by_what_was_asked(kernel: Kernel) -> None:
    """The phase of H as a shift: cubic convolution would be off by up to 0.02 px."""
    shifts = [
        np.angle(_response(kernel, frequency, phase)) / (2 * np.pi * frequency)
        for phase in (0.13, 0.5, 0.71)
        for frequency in (0.05, 0.1, 0.2)
    ]
    np.testing.assert_allclose(shifts, 0, atol=3e-3)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_ramp_and_a_constant_come_out_as_they_are(kernel: Kernel) -> None:
    y, x = np.mgrid[:60, :90].astype(np.float32)
    rng = np.random.default_rng(0)
    at_x, at_y = (part + rng.uniform(-1, 1, part.shape).astype(np.float32) for part in (x, y))
    warp = aligner(at_x, at_y, kernel)
    np.testing.assert_allclose(warp(np.full_like(x, 0.7)), 0.7, rtol=2e-6)
    inner = (slice(20, -20), slice(20, -20))
    ramp = 0.01 * x - 0.02 * y
    np.testing.assert_allclose(warp(ramp)[inner], (0.01 * at_x - 0.02 * at_y)[inner], atol=2e-6)


def test_every_phase_of_the_table_has_its_moments() -> None:
    table = sinc_table().astype(np.float64)
    phase, index = np.arange(257) / 256, np.arange(-4, 6)
    np.testing.assert_allclose(table.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(table @ index, phase, atol=1e-6)
    np.testing.assert_allclose(table[0], index == 0, atol=1e-12)
    np.testing.assert_allclose(table[::-1, ::-1], table, atol=1e-7)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_number_of_threads_changes_no_bit(kernel: Kernel) -> None:
    image = kodak("08").astype(np.float32) / 255
    y, x = np.mgrid[:256, :384].astype(np.float32)
    warp = aligner(x + 0.3 + 0.01 * y, y - 7.6, kernel)
    np.testing.assert_array_equal(warp(image, threads=1), warp(image, threads=5))


@pytest.mark.parametrize("kernel", KERNELS)
def test_outside_the_image_is_its_mirror(kernel: Kernel) -> None:
    image = kodak("19")[..., 1].astype(np.float32) / 255
    wide = np.pad(image, 64, mode="reflect")
    y, x = np.mgrid[:256, :384].astype(np.float32)
    at_x, at_y = x - 30.4, y + 21.7
    np.testing.assert_allclose(
        aligner(at_x, at_y, kernel)(image), aligner(at_x + 64, at_y + 64, kernel)(wide), atol=1e-4
    )


def test_a_sinc_refuses_what_it_cannot_take() -> None:
    y, x = np.mgrid[:8, :8].astype(np.float32)
    with pytest.raises(ProcessingError):
        aligner(x, y, "cmtf_like")(np.zeros((8, 8, 4), np.float32))

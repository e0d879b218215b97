"""Registration of the static pair against a known rotation, perspective and barrel distortion."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.ndimage import map_coordinates, spline_filter

from processing.alignment.flow import PolynomialFlow, register, residual, valid_box
from processing.alignment.flow_cells import cell_sums
from processing.alignment.resample import warp
from processing.errors import ImageMismatch, RegistrationFailed
from tests.processing.scenes import TrueRig, filled, kodak, linear, noisy

RIG = TrueRig()
Y, X = np.mgrid[: RIG.shape[0], : RIG.shape[1]].astype(np.float64)


def _views(gain: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)) -> tuple[np.ndarray, np.ndarray]:
    """Root-encoded luminance of S and of B, B displaced further by `shift` and brighter by `gain`."""
    scene = linear(filled(kodak("13"), RIG.shape[0] + 80, RIG.shape[1] + 80)).mean(axis=2).astype(np.float64)
    spline = spline_filter(scene, 3)
    at_x, at_y = RIG.b_from_s(X, Y)
    at_x, at_y = at_x + shift[0], at_y + shift[1]
    of_s = map_coordinates(spline, [at_y + 40, at_x + 40], order=3, prefilter=False)
    of_b = scene[40:-40, 40:-40]
    rng = np.random.default_rng(2)
    of_s, of_b = noisy(of_s, rng), noisy(np.clip(of_b * gain, 0, 1), rng)
    return np.sqrt(np.maximum(of_s, 0)), np.sqrt(np.maximum(of_b, 0))


def _errors(flow: object, shift: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    wanted_x, wanted_y = RIG.b_from_s(X, Y)
    found_x, found_y = flow.map(X, Y)  # type: ignore[attr-defined]
    error = np.hypot(found_x - wanted_x - shift[0], found_y - wanted_y - shift[1])
    return error[16:-16, 16:-16]


def test_a_known_warp_is_found_to_a_fiftieth_of_a_pixel() -> None:
    error = _errors(register(*_views()))
    assert error.mean() < 0.02
    assert error.max() < 0.1


def test_a_brightness_difference_does_not_pull_the_images() -> None:
    assert _errors(register(*_views(gain=0.9))).mean() < 0.02


def test_a_large_offset_is_found_by_the_pyramid() -> None:
    assert _errors(register(*_views(shift=(30.0, -22.0))), shift=(30.0, -22.0)).mean() < 0.03


def test_the_grid_is_the_map_of_every_pixel() -> None:
    flow = register(*_views())
    grid_x, grid_y = flow.grid()
    map_x, map_y = flow.map(X, Y)
    np.testing.assert_allclose(grid_x, map_x, atol=2e-4)
    np.testing.assert_allclose(grid_y, map_y, atol=2e-4)


def test_the_residual_sees_what_is_left() -> None:
    of_s, of_b = _views()
    good = register(of_s, of_b)
    off = PolynomialFlow(good.shape, good.x.copy(), good.y.copy())
    off.x[0, 0] += 0.4
    box = (slice(16, -16), slice(16, -16))
    aligned, wrong = (np.ascontiguousarray(warp(of_b, *flow.grid())[box]) for flow in (good, off))
    of_s = np.ascontiguousarray(of_s[box])
    assert residual(of_s, aligned).p95_px < 0.1
    left = residual(of_s, wrong)
    assert left.mean_px == pytest.approx(0.4, abs=0.05)
    assert left.map.shape == (480 // 128, 608 // 128, 2)
    assert np.isfinite(left.map[..., 0]).sum() == left.cells
    # B was fetched 0.4 px too far to the right, so that what it shows lies 0.4 px left of where S has it.
    np.testing.assert_allclose(np.nanmedian(left.map, axis=(0, 1)), (-0.4, 0.0), atol=0.03)


def test_pixels_that_are_not_to_be_used_count_for_nothing() -> None:
    of_s, of_b = _views()
    inside = np.ones(of_s.shape, np.bool_)
    inside[:, 200:330] = False
    spoilt = of_b.copy()
    spoilt[:, 206:324] = 0.9  # further from the rest than the smoothing reaches
    clean, masked = (cell_sums(of_s, image, inside) for image in (of_b, spoilt))
    for unknown in (0, 1, 3):  # gain counts from the mean brightness, which is that of all pixels
        np.testing.assert_allclose(masked.projections[unknown], clean.projections[unknown], atol=1e-4)
    used = masked.products[3, 3] > 0
    assert not used[(masked.x > 208) & (masked.x < 322)].any()
    assert used[(masked.x < 192) | (masked.x > 340)].all()


def test_the_common_box_lies_inside_both_frames() -> None:
    flow = register(*_views(shift=(19.0, -14.0)))
    y0, y1, x0, x1 = valid_box(flow, margin_px=8)
    map_x, map_y = (part[y0:y1, x0:x1] for part in flow.grid())
    assert map_x.min() > 8
    assert map_y.min() > 8
    assert map_x.max() < RIG.shape[1] - 9
    assert map_y.max() < RIG.shape[0] - 9
    assert (y1 - y0) * (x1 - x0) > 0.85 * RIG.shape[0] * RIG.shape[1]


def test_views_without_texture_are_refused() -> None:
    flat = np.full((256, 256), 0.5, np.float32)
    with pytest.raises(RegistrationFailed):
        register(flat, flat)
    with pytest.raises(RegistrationFailed):
        residual(flat[:8, :8], flat[:8, :8])


def test_noise_is_no_texture() -> None:
    rng = np.random.default_rng(5)
    views = [rng.normal(0.5, 0.02, (400, 500)).astype(np.float32) for _ in range(2)]
    with pytest.raises(RegistrationFailed, match="texture"):
        register(*views)


def test_views_of_different_scenes_are_refused() -> None:
    views = [filled(kodak(name), 512, 640).mean(axis=2).astype(np.float32) / 255 for name in ("13", "19")]
    with pytest.raises(RegistrationFailed):
        register(*views)


def test_a_mover_in_one_view_does_not_pull_the_map() -> None:
    of_s, of_b = _views()
    of_b[150:290, 220:400] = kodak("03")[40:180, 60:240].mean(axis=2) / 255  # 8 % of the frame
    assert _errors(register(of_s, of_b)).mean() < 0.02


def test_a_camera_slightly_out_of_focus_does_not_pull_the_map() -> None:
    of_s, of_b = _views()
    assert _errors(register(of_s, cv2.GaussianBlur(of_b, (0, 0), 0.8))).mean() < 0.02


def test_views_of_different_size_are_refused() -> None:
    with pytest.raises(ImageMismatch):
        register(np.zeros((64, 64), np.float32), np.zeros((64, 66), np.float32))

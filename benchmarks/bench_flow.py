"""Registration of the static pair against per-pixel variational flows (OpenCV's DIS), and ECC beside them.

2152 x 1436 px, a picture with a photograph's spectrum, a known rotation, perspective, barrel distortion and
shift (rendered by SciPy's splines of order 5 in float64), 3 % difference in brightness, noise of a full well
of 10.5 ke-; once as luminance, once through the mosaic and Menon's demosaicing. The references get the same
two images in 8 bits, as they ask for; their settings are in their lines. Runs take turns; the ratio is that
of medians, of wall time and of processor time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np
from scipy.ndimage import map_coordinates, spline_filter

from processing.alignment.flow import register
from processing.isp import encode_srgb, to_8bit, to_linear

HEIGHT, WIDTH = 1436, 2152
BORDER = 16
EDGE = 32
FULL_WELL_E, READ_NOISE_E = 10_500.0, 2.4
TARGET = 20
OURS_PER_TURN = 5

Flow = tuple[np.ndarray, np.ndarray]
Y, X = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)


def texture(rng: np.random.Generator) -> np.ndarray:
    """Return linear light with the spectrum of a photograph (amplitude falling as 1/f), seen by a lens."""
    shape = (HEIGHT + 2 * EDGE, WIDTH + 2 * EDGE)
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    spectrum = np.fft.rfft2(rng.standard_normal(shape)) / np.maximum(np.hypot(fx, fy), 1 / 400)
    spectrum *= np.exp(-2 * (np.pi * 0.6) ** 2 * (fx**2 + fy**2))
    picture = np.fft.irfft2(spectrum, shape)
    return np.asarray(np.clip(0.4 + 0.13 * picture / picture.std(), 0.02, 1))


def true_map() -> Flow:
    """Return where S's pixels lie in B: rotation, perspective, barrel distortion and shift."""
    u, v = (X - WIDTH / 2) / (WIDTH / 2), (Y - HEIGHT / 2) / (WIDTH / 2)
    depth = 1 + 2e-4 * u - 1.5e-4 * v
    swell = 1 + 6e-4 * (u * u + v * v)
    bu, bv = (u * 1.0005 - 8e-4 * v) / depth * swell, (v * 0.9997 + 9e-4 * u) / depth * swell
    return bu * WIDTH / 2 + WIDTH / 2 + 1.9, bv * WIDTH / 2 + HEIGHT / 2 - 1.3


def seen(light: np.ndarray, rng: np.random.Generator, *, mosaic: bool) -> np.ndarray:
    """Return a camera's encoded luminance of grey light: plain, or through mosaic and demosaicing."""
    channel = np.array([[0, 1], [1, 2]])[np.ix_(np.arange(HEIGHT) % 2, np.arange(WIDTH) % 2)]
    level = np.array([0.5, 1.0, 0.6])[channel] if mosaic else 1.0  # of R, G, B on the sensor
    electrons = rng.poisson(light * level * FULL_WELL_E) + rng.normal(0, READ_NOISE_E, light.shape)
    balanced = (electrons / FULL_WELL_E / level).astype(np.float32)
    if mosaic:
        rgb = to_linear(balanced, "RGGB", (1.0, 1.0, 1.0), np.eye(3), balanced=True, encode=True)
    else:
        rgb = encode_srgb(np.repeat(np.maximum(balanced, 0)[..., None], 3, axis=2))
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.float32)


def dis(of_s: np.ndarray, of_b: np.ndarray) -> np.ndarray:
    """Return DIS's flow, medium preset (its own 5 variational iterations), finest scale 0."""
    estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    estimator.setFinestScale(0)
    return np.asarray(estimator.calc(to_8bit(of_s), to_8bit(of_b), np.zeros((HEIGHT, WIDTH, 2), np.float32)))


def dis_refined(of_s: np.ndarray, of_b: np.ndarray) -> np.ndarray:
    """Return the same flow refined further: the most accurate of OpenCV's."""
    refinement = cv2.VariationalRefinement.create()
    refinement.setAlpha(200)
    refinement.setFixedPointIterations(10)
    refinement.setSorIterations(20)
    return np.asarray(refinement.calc(to_8bit(of_s), to_8bit(of_b), dis(of_s, of_b)))


def ecc(of_s: np.ndarray, of_b: np.ndarray) -> Flow:
    """Return a homography found by enhanced correlation on images of half the size."""
    half_s, half_b = (cv2.pyrDown(image) for image in (of_s, of_b))
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 60, 1e-7)
    start = np.eye(3, dtype=np.float32)
    _, found = cv2.findTransformECC(half_s, half_b, start, cv2.MOTION_HOMOGRAPHY, criteria, None, 5)
    there = found.astype(np.float64) @ np.stack([X / 2, Y / 2, np.ones_like(X)]).reshape(3, -1)
    return 2 * (there[0] / there[2]).reshape(X.shape), 2 * (there[1] / there[2]).reshape(X.shape)


def dense(work: Callable[..., np.ndarray]) -> Callable[..., Flow]:
    """Turn a displacement field into a map."""

    def mapped(of_s: np.ndarray, of_b: np.ndarray) -> Flow:
        field = work(of_s, of_b)
        return X + field[..., 0], Y + field[..., 1]

    return mapped


WAYS: dict[str, Callable[..., Flow]] = {
    "ours: direct polynomial, degree 3": lambda s, b: register(s, b).grid(),
    "DIS medium (var 5), finest scale 0": dense(dis),
    "+ refinement alpha 200 fp 10 sor 20": dense(dis_refined),
    "ECC homography, half size": ecc,
}


def main() -> None:
    """Print wall and processor time, error and ratio of each way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=3, help="times that all ways take turns")
    turns = parser.parse_args().turns
    scene, truth = texture(np.random.default_rng(1)), true_map()
    at = [truth[1] + EDGE, truth[0] + EDGE]
    of_s = map_coordinates(spline_filter(scene, 5), at, order=5, prefilter=False)
    of_b = scene[EDGE:-EDGE, EDGE:-EDGE] * 0.97
    print(f"{WIDTH} x {HEIGHT} px, full well {FULL_WELL_E:.0f} e-, {cv2.getNumThreads()} threads of OpenCV")
    for mosaic in (False, True):
        rng = np.random.default_rng(3)
        pair = [seen(np.clip(light, 0, 1), rng, mosaic=mosaic) for light in (of_s, of_b)]
        print("\nthrough mosaic and Menon:" if mosaic else "luminance:")
        measure(pair, truth, turns)


def measure(pair: list[np.ndarray], truth: Flow, turns: int) -> None:
    """Run every way on a pair and print its line."""
    wall: dict[str, list[float]] = {name: [] for name in WAYS}
    used: dict[str, list[float]] = {name: [] for name in WAYS}
    errors = {}
    for _ in range(turns):
        for number, (name, way) in enumerate(WAYS.items()):
            for _ in range(1 if number else OURS_PER_TURN):
                start, cpu = time.perf_counter(), time.process_time()
                found = way(*pair)
                wall[name].append(time.perf_counter() - start)
                used[name].append(time.process_time() - cpu)
            error = np.hypot(found[0] - truth[0], found[1] - truth[1])[BORDER:-BORDER, BORDER:-BORDER]
            errors[name] = error[::4, ::4]
    ours = next(iter(WAYS))
    for name in WAYS:
        times, cpus = float(np.median(wall[name])), float(np.median(used[name]))
        ratio, of_cpu = times / np.median(wall[ours]), cpus / np.median(used[ours])
        mean, p95 = errors[name].mean(), np.percentile(errors[name], 95)
        line = f"{name:36s} {times:6.3f} s wall {cpus:6.3f} s cpu   mean {mean:.4f}, p95 {p95:.4f} px"
        print(line + (f"   {ratio:5.1f} x ours ({of_cpu:.1f} x cpu)" if name != ours else ""))
    slower = np.median(wall["DIS medium (var 5), finest scale 0"]) / np.median(wall[ours])
    print(f"against the faster of the two flows: {slower:.1f} x (to reach: {TARGET})")


if __name__ == "__main__":
    main()

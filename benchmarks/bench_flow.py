"""Registration of the static pair: direct polynomial fit against OpenCV's DIS flow and ECC homography."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from processing.flow import register
from processing.isp import to_8bit
from processing.resample import warp

HEIGHT, WIDTH = 2048, 2448
BORDER = 16


def texture(rng: np.random.Generator) -> np.ndarray:
    """Return noise with the spectrum of a photograph (amplitude falling as 1/f), in [0, 1]."""
    shape = (HEIGHT + 64, WIDTH + 64)
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    spectrum = np.fft.rfft2(rng.standard_normal(shape)) / np.maximum(np.hypot(fx, fy), 1 / 400)
    spectrum *= np.exp(-2 * (np.pi * 0.6) ** 2 * (fx**2 + fy**2))
    picture = np.fft.irfft2(spectrum, shape)
    return np.clip(0.5 + 0.15 * picture / picture.std(), 0, 1).astype(np.float32)


def true_map() -> tuple[np.ndarray, np.ndarray]:
    """Return where S's pixels lie in B: rotation, perspective, barrel distortion and shift."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    u, v = (x - WIDTH / 2) / (WIDTH / 2), (y - HEIGHT / 2) / (WIDTH / 2)
    depth = 1 + 2e-4 * u - 1.5e-4 * v
    swell = 1 + 6e-4 * (u * u + v * v)
    bu, bv = (u * 1.0005 - 8e-4 * v) / depth * swell, (v * 0.9997 + 9e-4 * u) / depth * swell
    return bu * WIDTH / 2 + WIDTH / 2 + 1.9, bv * WIDTH / 2 + HEIGHT / 2 - 1.3


def main() -> None:
    """Print wall time and error of each way."""
    rng = np.random.default_rng(1)
    scene = texture(rng)
    at_x, at_y = true_map()
    of_s = warp(scene, at_x + 32, at_y + 32)
    of_b = np.ascontiguousarray(scene[32:-32, 32:-32]) * np.float32(1.03)
    noise = [rng.normal(0, 0.012, of_s.shape).astype(np.float32) for _ in range(2)]
    of_s, of_b = of_s + noise[0], of_b + noise[1]
    bytes_s, bytes_b = to_8bit(of_s), to_8bit(of_b)

    def dis() -> tuple[np.ndarray, np.ndarray]:
        estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        estimator.setFinestScale(0)
        field = estimator.calc(bytes_s, bytes_b, np.zeros((HEIGHT, WIDTH, 2), np.float32))
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        return x + field[..., 0], y + field[..., 1]

    def ecc() -> tuple[np.ndarray, np.ndarray]:
        half_s, half_b = (cv2.pyrDown(image) for image in (of_s, of_b))
        criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 60, 1e-7)
        start = np.eye(3, dtype=np.float32)
        _, found = cv2.findTransformECC(half_s, half_b, start, cv2.MOTION_HOMOGRAPHY, criteria, None, 5)
        y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
        points = np.stack([x / 2, y / 2, np.ones_like(x)]).reshape(3, -1)
        there = found.astype(np.float64) @ points
        return 2 * (there[0] / there[2]).reshape(x.shape), 2 * (there[1] / there[2]).reshape(x.shape)

    ways: list[tuple[str, Callable[[], Any]]] = [
        ("direct polynomial, degree 3", lambda: register(of_s, of_b).grid()),
        ("DIS medium, finest scale 0", dis),
        ("ECC homography, half size", ecc),
    ]
    ours = None
    for name, work in ways:
        start = time.perf_counter()
        found_x, found_y = work()
        took = time.perf_counter() - start
        ours = ours or took
        error = np.hypot(found_x - at_x, found_y - at_y)[BORDER:-BORDER, BORDER:-BORDER]
        p95 = float(np.percentile(error[::4, ::4], 95))
        print(
            f"{name:28s} {took:6.2f} s  {took / ours:5.2f} x ours   mean {error.mean():.4f}, p95 {p95:.4f} px"
        )


if __name__ == "__main__":
    main()

"""Which degree must the colour constants' polynomial have (Eq. 5)? Against the virtual rig's true cast.

    python benchmarks/cast_degree.py [--seeds N] [--width PX]

Frames of even light with the true cast of each seed's cameras, photon and read noise of a 10.5 ke- sensor and
0.5 % fixed pattern noise; the cast that is left after the correction is compared with the truth, not with the
noisy frames.
"""

from __future__ import annotations

import argparse

import numpy as np

from processing.colour import ColourConstants, fit_colour_constants, phase_offsets
from rig.virtual.parameters import NEUTRAL_RAW, draw_parameters
from rig.virtual.truth import Truth

LEVEL = 0.7
DEGREES = (3, 4, 5, 6)
FRAMES = (1, 4, 16)


def true_cast(truth: Truth, camera: str, shape: tuple[int, int]) -> np.ndarray:
    """Return the (H, W) cast on the mosaic."""
    cast = np.empty(shape, np.float32)
    for phase, (row, column) in phase_offsets("RGGB").items():
        x, y = np.meshgrid(np.arange(column, shape[1], 2), np.arange(row, shape[0], 2))
        cast[row::2, column::2] = truth.cast(camera, "RGB".index(phase[0]), x, y)
    return cast


def lightbox_mean(truth: Truth, camera: str, cast: np.ndarray, frames: int, seed: int) -> np.ndarray:
    """Return the mean of frames of even light, DN above black."""
    rng = np.random.default_rng(seed)
    sensor = truth.camera(camera)
    light = cast * LEVEL * sensor.full_well_e
    for phase, (row, column) in phase_offsets("RGGB").items():
        light[row::2, column::2] *= NEUTRAL_RAW["RGB".index(phase[0])]
    light *= 1 + sensor.prnu * rng.standard_normal(cast.shape)
    read = rng.normal(0, sensor.read_noise_e / np.sqrt(frames), cast.shape)
    return ((rng.poisson(light * frames) / frames + read) * sensor.gain_dn_per_e).astype(np.float32)


def left_percent(constants: ColourConstants, cast: np.ndarray) -> tuple[float, float]:
    """Return rms and largest deviation of the corrected true cast from its mean, in percent."""
    corrected = constants.gain_map() * cast
    squares, largest = [], []
    for row, column in phase_offsets(constants.cfa).values():
        off = 100 * (corrected[row::2, column::2] / corrected[row::2, column::2].mean() - 1)
        squares.append(float(np.mean(off**2)))
        largest.append(float(np.abs(off).max()))
    return float(np.sqrt(np.mean(squares))), max(largest)


def measure(seeds: int, width: int, frames: tuple[int, ...] = FRAMES) -> dict[tuple[int, int], np.ndarray]:
    """Return (frames, degree) -> (N, 2) of rms and largest deviation in percent, over seeds and cameras."""
    found: dict[tuple[int, int], list[tuple[float, float]]] = {}
    height = width * 2048 // 2448 // 2 * 2
    for seed in range(seeds):
        truth = Truth(draw_parameters(seed=seed, width=width, height=height), {})
        for camera in ("B", "S"):
            cast = true_cast(truth, camera, (height, width))
            for count in frames:
                mean = lightbox_mean(truth, camera, cast, count, seed)
                for degree in DEGREES:
                    left = left_percent(fit_colour_constants(mean, "RGGB", degree=degree), cast)
                    found.setdefault((count, degree), []).append(left)
    return {key: np.array(values) for key, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--width", type=int, default=2448, help="of the frames; 528 or more")
    wishes = parser.parse_args()
    print("frames degree   left rms %  (worst)   largest %  (worst)")
    for (frames, degree), values in measure(wishes.seeds, wishes.width).items():
        mean, worst = values.mean(axis=0), values.max(axis=0)
        print(f"{frames:6d} {degree:6d}   {mean[0]:10.4f} {worst[0]:8.4f}   {mean[1]:9.3f} {worst[1]:8.3f}")


if __name__ == "__main__":
    main()

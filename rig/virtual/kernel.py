"""The C kernel of the virtual sensors (``sensor/sensor.c``), through ctypes, which releases the GIL."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rig.errors import BeamrigError
from rig.native import open_library

LIBRARY = Path(__file__).with_name("beamrig_sensor.so")

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U16 = NDArray[np.uint16]


class WorldError(BeamrigError):
    """The virtual world cannot do what it was asked."""


@cache
def _library() -> ctypes.CDLL:
    library = open_library(LIBRARY, WorldError)
    for name in ("br_bayer_sample", "br_compose", "br_expose"):
        getattr(library, name).restype = None
    return library


@cache
def _normal_table() -> F32:
    """4096 quantiles of a normal law with variance 1/2: the sum of two draws is the unit normal."""
    law = NormalDist()
    table = np.array([law.inv_cdf((i + 0.5) / 4096) for i in range(4096)])
    return np.asarray(table * np.sqrt(0.5 / np.mean(table**2)), np.float32)


def _pointer(array: NDArray[Any] | None, dtype: type, size: int) -> ctypes.c_void_p:
    if array is None:
        return ctypes.c_void_p(None)
    if array.dtype != dtype or not array.flags.c_contiguous or array.size < size:
        raise WorldError(
            f"the kernel needs {size} contiguous {dtype.__name__}, not {array.size} {array.dtype}"
        )
    return ctypes.c_void_p(array.ctypes.data)


def _ints(*values: int) -> list[ctypes.c_int64]:
    return [ctypes.c_int64(value) for value in values]


def _doubles(*values: float) -> list[ctypes.c_double]:
    return [ctypes.c_double(value) for value in values]


def bayer_sample(
    planes: F32, out: F32, *, scale: float, offset: tuple[float, float], shift: tuple[F32, F32] | None
) -> None:
    """Sample spline planes at every pixel of an RGGB sensor, each pixel its own channel.

    Args:
        planes: (3, h, w) float32 cubic B-spline coefficients of R, G, B.
        out: (H, W) float32, receives the samples, clamped at 0.
        scale: Source pixels per sensor pixel.
        offset: (x, y) added to the sensor position before scaling, px of the sensor.
        shift: Misregistration (dx, dy), each (H, W) float32 px, or None.
    """
    height, width = out.shape
    _, source_h, source_w = planes.shape
    dx, dy = shift if shift is not None else (None, None)
    _library().br_bayer_sample(
        _pointer(planes, np.float32, 3 * source_h * source_w),
        *_ints(source_h, source_w),
        _pointer(dx, np.float32, out.size),
        _pointer(dy, np.float32, out.size),
        *_ints(0, height, width),
        *_doubles(scale, *offset),
        _pointer(out, np.float32, out.size),
    )


def compose(
    rate: F32 | None,
    gain: F32 | None,
    *,
    box: tuple[int, int, int, int],
    width: int,
    shift: tuple[F32, F32] | None,
    cumulative: F64,
    direction: tuple[float, float],
    across: float,
    pieces: F64,
    alpha: F32 | None = None,
) -> None:
    """Lay a moving object over ``rate`` in place: the exact mean over the straight pieces of its motion.

    Args:
        rate: (H, W) float32 rates that receive the object, or None.
        gain: (H, W) float32 rate of a pixel for unit radiance, or None together with ``rate``.
        box: x0, y0, w, h of the pixels to visit.
        width: Row length W of the sensor.
        shift: Misregistration (dx, dy), each (H, W) float32, or None.
        cumulative: (nv, nu, 4) float64 running sums along u of spline coefficients (RGB x alpha; alpha).
        direction: Cosine and sine of the path's angle in the ideal grid.
        across: Position of the sprite's row 0 across the path, px.
        pieces: (3, n) float64: start < end of sprite column 0 along the path, px; share of the exposure.
        alpha: (h, w) float32, receives the mean opacity, or None.
    """
    x0, y0, w, h = box
    nv, nu, _ = cumulative.shape
    _, count = pieces.shape
    dx, dy = shift if shift is not None else (None, None)
    needed = (y0 + h) * width
    _library().br_compose(
        _pointer(rate, np.float32, needed),
        _pointer(gain, np.float32, needed),
        *_ints(width, x0, y0, w, h),
        _pointer(dx, np.float32, needed),
        _pointer(dy, np.float32, needed),
        _pointer(cumulative, np.float64, 4 * nv * nu),
        *_ints(nu, nv),
        *_doubles(*direction, across),
        *(_pointer(np.ascontiguousarray(row), np.float64, count) for row in pieces),
        *_ints(count),
        _pointer(alpha, np.float32, w * h),
    )


def expose(
    rate: F32,
    out: U16,
    *,
    origin: tuple[int, int],
    exposure_s: float,
    dark_e: float,
    read_noise_e: float,
    full_well_e: float,
    gain_dn_per_e: float,
    black_level_dn: float,
    max_code: int,
    key: int,
) -> None:
    """Turn rates into codes: photon, dark and read noise, full well, gain, black level, rounding.

    Args:
        rate: (H, W) float32 electrons per second of the whole sensor.
        out: (h, w) uint16 that receives the region whose first pixel is ``origin``.
        origin: x0, y0 of the region.
        exposure_s: Exposure time times illumination.
        dark_e: Mean dark electrons of the exposure.
        read_noise_e: Standard deviation of the read noise, e-.
        full_well_e: Clipping level, e-.
        gain_dn_per_e: Codes per electron, amplifier gain included.
        black_level_dn: Code of zero electrons.
        max_code: Largest code.
        key: 64-bit noise key: the same key gives the same noise, pixel by pixel of the sensor.
    """
    h, w = out.shape
    sensor_h, sensor_w = rate.shape
    x0, y0 = origin
    if x0 < 0 or y0 < 0 or x0 + w > sensor_w or y0 + h > sensor_h:
        raise WorldError(f"region {w}x{h} at ({x0}, {y0}) leaves the sensor of {sensor_w}x{sensor_h}")
    _library().br_expose(
        _pointer(rate, np.float32, rate.size),
        *_ints(sensor_w, x0, y0, w, h),
        *_doubles(exposure_s, dark_e, read_noise_e, full_well_e, gain_dn_per_e, black_level_dn),
        *_ints(max_code),
        ctypes.c_uint64(key & 0xFFFFFFFFFFFFFFFF),
        _pointer(_normal_table(), np.float32, 4096),
        _pointer(out, np.uint16, h * w),
    )


def noise_key(seed: int, camera: str, counter: int) -> int:
    """Return the noise key of the ``counter``-th frame that ``camera`` has rendered since the world began.

    A splitmix64 step over seed, camera and counter: documented so that a frame can be made again.
    """
    mask = 0xFFFFFFFFFFFFFFFF
    value = (
        seed * 0x9E3779B97F4A7C15 + ord(camera) * 0xD1B54A32D192ED03 + counter * 0x8CB92BA72F3D8DD7
    ) & mask
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & mask
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
    return value ^ (value >> 31)

"""What registration, resampling, colour and masks do per pixel, in C, called through ctypes.

ctypes releases Python's lock during a call, so threads share the work out; each cell and each pixel is worked
out alone, so that how they share it does not change the result.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.errors import ProcessingError
from rig.native import open_library

LIBRARY: Final = Path(__file__).parents[1] / "beamrig_geometry.so"
CELL_TYPE: Final = np.dtype(
    [
        *(("row", np.int32), ("column", np.int32), ("gain", np.float32), ("offset", np.float32)),
        *(("x", np.float64, 4), ("y", np.float64, 4)),
    ]
)
"""A cell as ``geometry.h`` has it: its first pixel in S, its brightness difference, its corners in B."""
SUMS: Final = 14
SINC_TAPS: Final = 10
SINC_PHASES: Final = 256
CURVE_STEPS: Final = 32768

Float = NDArray[np.float32]


@cache
def _library() -> ctypes.CDLL:
    library = open_library(LIBRARY, ProcessingError)
    array, size, real = ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_float
    library.br_cell_differences.argtypes = [array, array, size, size, real, array, size, array]
    library.br_cell_sums.argtypes = [array, size, real, real, array, size, array, real, array]
    library.br_sinc.argtypes = [array, size, size, ctypes.c_int, array, array, array, size, array]
    library.br_spline.argtypes = [array, size, size, ctypes.c_int, array, array, size, size, array]
    library.br_finish.argtypes = [array, size, size, size, array, array, array, array]
    library.br_encode.argtypes = [array, size, array]
    library.br_distance.argtypes = [array, array, array, size, array, array, real, array]
    library.br_confidence.argtypes = [*[array] * 4, size, real, real, array, real, real, array]
    every = ("cell_differences", "cell_sums", "sinc", "spline", "finish", "encode", "distance", "confidence")
    for name in every:
        getattr(library, f"br_{name}").restype = None
    return library


def cell_differences(
    sharp: Float, coefficients: Float, level: float, cells: NDArray[np.void], *, threads: int = 2
) -> Float:
    """Return S - B, (N, 256), of N cells.

    Args:
        sharp: (H, W) image S.
        coefficients: (H, W) cubic B-spline coefficients of B.
        level: brightness about which the cells' gain counts.
        cells: (N,) of `CELL_TYPE`.
        threads: to share the cells out to.
    """
    _check(sharp, coefficients)
    _check_cells(cells, sharp.shape)
    height, width = sharp.shape
    if min(height, width) < 4:
        raise ProcessingError(f"an image of {width} x {height} px is too small to be compared")
    differences = np.empty((len(cells), 256), np.float32)
    function = _library().br_cell_differences

    def work(first: int, count: int) -> None:
        function(
            sharp.ctypes.data, coefficients.ctypes.data, height, width, level,
            cells[first:].ctypes.data, count, differences[first:].ctypes.data,
        )  # fmt: skip

    _share(work, len(cells), threads)
    return differences


def cell_products(
    sharp: Float,
    scale: float,
    level: float,
    cells: NDArray[np.void],
    differences: Float,
    limit: float,
    *,
    threads: int = 2,
) -> NDArray[np.float64]:
    """Return the weighted products summed over N cells: (N, 14) in the order of ``geometry.h``.

    Args:
        sharp: (H, W) image S; around every cell two more pixels of it are needed.
        scale: by which its derivatives are multiplied.
        level: brightness about which the gain counts.
        cells: (N,) of `CELL_TYPE`.
        differences: what `cell_differences` gave.
        limit: from where on a difference counts less (Huber).
        threads: to share the cells out to.
    """
    _check(sharp)
    _check_cells(cells, sharp.shape, border=2)
    if differences.shape != (len(cells), 256) or differences.dtype != np.float32:
        raise ProcessingError("differences do not belong to these cells")
    differences = np.ascontiguousarray(differences)
    sums = np.empty((len(cells), SUMS))
    function = _library().br_cell_sums
    width = sharp.shape[1]

    def work(first: int, count: int) -> None:
        function(
            sharp.ctypes.data, width, scale, level, cells[first:].ctypes.data, count,
            differences[first:].ctypes.data, limit, sums[first:].ctypes.data,
        )  # fmt: skip

    _share(work, len(cells), threads)
    return sums


def sinc(image: Float, table: Float, x: Float, y: Float, out: Float) -> None:
    """Sample an (H, W) or (H, W, 3) image at (h, w) positions into `out`; one thread, mirrored outside.

    Args:
        image: float32, contiguous.
        table: (257, 10) taps of each phase.
        x: (h, w) columns, contiguous float32.
        y: (h, w) rows, the same.
        out: (h, w) or (h, w, 3) contiguous float32.
    """
    for array in (image, table, x, y, out):
        if array.dtype != np.float32 or not array.flags.c_contiguous:
            raise ProcessingError("images are resampled as contiguous float32 only")
    channels = image.shape[2] if image.ndim == 3 else 1
    fits = (
        x.shape == y.shape and out.size == x.size * channels and table.shape == (SINC_PHASES + 1, SINC_TAPS)
    )
    if channels not in (1, 3) or not fits or not image.size:
        raise ProcessingError(f"{image.shape} cannot be resampled at {x.shape} into {out.shape}")
    _library().br_sinc(
        image.ctypes.data, image.shape[0], image.shape[1], channels, table.ctypes.data,
        x.ctypes.data, y.ctypes.data, x.size, out.ctypes.data,
    )  # fmt: skip


def spline(planes: Float, x: Float, y: Float, out: Float) -> None:
    """Sample an image at (h, w) positions into `out`; one thread, mirrored outside.

    Args:
        planes: (1 or 3, H, W) contiguous float32, cubic B-spline coefficients of each channel.
        x: (h, w) columns, contiguous float32.
        y: (h, w) rows, the same.
        out: (h, w) or (h, w, 3) contiguous float32.
    """
    for array in (planes, x, y, out):
        if array.dtype != np.float32 or not array.flags.c_contiguous:
            raise ProcessingError("images are resampled as contiguous float32 only")
    fits = planes.ndim == 3 and planes.size and x.ndim == 2 and x.shape == y.shape
    if not fits or len(planes) not in (1, 3) or out.size != x.size * len(planes):
        raise ProcessingError(f"{planes.shape} cannot be resampled at {x.shape} into {out.shape}")
    channels, height, width = planes.shape
    _library().br_spline(
        planes.ctypes.data, height, width, channels, x.ctypes.data, y.ctypes.data, *x.shape, out.ctypes.data
    )


def finish(
    pixels: Float, gains: Float, *, pedestal: float | None, matrix: Float | None, curve: Float | None
) -> None:
    """Do to (h, w, 3) pixels in place what follows demosaicing; one thread.

    Args:
        pixels: float32, the pixels of a row side by side.
        gains: (3,) float32, applied before values are cut at 1.
        pedestal: taken off the squares of the values, which were roots; None where they were not.
        matrix: (3, 3) float32 colour map, or None.
        curve: `CURVE_STEPS` + 2 values of the transfer curve at even steps from 0 to 1, or None.
    """
    height, width, channels = pixels.shape
    row, pixel, value = pixels.strides
    if pixels.dtype != np.float32 or channels != 3 or row % 4 or (pixel, value) != (12, 4):
        raise ProcessingError("colour is worked on in float32 pixels side by side only")
    for array, count in ((gains, 3), (matrix, 9), (curve, CURVE_STEPS + 2)):
        if array is not None and (
            array.dtype != np.float32 or array.size != count or not array.flags.c_contiguous
        ):
            raise ProcessingError("gains, colour map or curve are of another shape")
    lift = None if pedestal is None else ctypes.byref(ctypes.c_float(pedestal))
    _library().br_finish(
        pixels.ctypes.data, height, width, row // 4, gains.ctypes.data, lift,
        None if matrix is None else matrix.ctypes.data, None if curve is None else curve.ctypes.data,
    )  # fmt: skip


def encode(values: Float, curve: Float) -> None:
    """Apply a transfer curve, see `finish`, to contiguous float32 values in place."""
    for array in (values, curve):
        if array.dtype != np.float32 or not array.flags.c_contiguous:
            raise ProcessingError("light is encoded as contiguous float32 only")
    if curve.size != CURVE_STEPS + 2:
        raise ProcessingError(f"a curve of {curve.size} values, not {CURVE_STEPS + 2}")
    _library().br_encode(values.ctypes.data, values.size, curve.ctypes.data)


def distance(
    image: NDArray[np.uint8],
    mean: NDArray[np.uint16],
    inverse: NDArray[np.uint16],
    scale: Float,
    offset: Float,
    unit: float,
    out: Float,
) -> None:
    """Work out how many sigma pixels are off a background, into `out`; one thread.

    Args:
        image: (h, w, 3) uint8.
        mean: (h, w, 3) uint16, the background in steps of its own.
        inverse: (h, w, 3) uint16, one over its noise, in steps of `unit`.
        scale: (3,) float32, grey levels a step of `mean`.
        offset: (3,) float32, grey levels added to it.
        unit: see `inverse`.
        out: (h, w) float32, the largest of the three channels.
    """
    for steps in (mean, inverse):
        if steps.dtype != np.uint16 or steps.shape != image.shape or not steps.flags.c_contiguous:
            raise ProcessingError(f"a background of {mean.shape} does not fit an image of {image.shape}")
    for numbers, shape in ((out, image.shape[:2]), (scale, (3,)), (offset, (3,))):
        if numbers.dtype != np.float32 or numbers.shape != shape or not numbers.flags.c_contiguous:
            raise ProcessingError("distances are worked out in contiguous float32 only")
    if image.dtype != np.uint8 or image.shape[2:] != (3,) or not image.flags.c_contiguous:
        raise ProcessingError("a background is compared with contiguous RGB images of 8 bits only")
    _library().br_distance(
        image.ctypes.data, mean.ctypes.data, inverse.ctypes.data, out.size, scale.ctypes.data,
        offset.ctypes.data, unit, out.ctypes.data,
    )  # fmt: skip


def confidence(
    distances: tuple[Float, Float],
    around: tuple[Float, Float],
    share: float,
    least_sigmas: float,
    table: NDArray[np.uint8],
    steps: int,
) -> NDArray[np.uint8]:
    """Look up how sure a mask is of every pixel: (h, w) uint8; one thread.

    Args:
        distances: (h, w) contiguous float32 of camera B and of camera S, in sigma.
        around: the largest of them near each pixel.
        share: of `around` that a distance is divided by, where it is more than `least_sigmas`.
        least_sigmas: see `share`.
        table: confidence of every score; the larger one of the cameras' counts.
        steps: entries of the table from one score to the next whole one.
    """
    _check(*distances, *around)
    if table.dtype != np.uint8 or not table.flags.c_contiguous or not table.size:
        raise ProcessingError("confidences come from a table of 8-bit values")
    out = np.empty(distances[0].shape, np.uint8)
    (b, s), (near_b, near_s) = distances, around
    _library().br_confidence(
        b.ctypes.data, near_b.ctypes.data, s.ctypes.data, near_s.ctypes.data, out.size, share, least_sigmas,
        table.ctypes.data, steps, table.size - 1, out.ctypes.data,
    )  # fmt: skip
    return out


def _check(*images: Float) -> None:
    for image in images:
        if image.dtype != np.float32 or not image.flags.c_contiguous or image.shape != images[0].shape:
            raise ProcessingError("images are compared as contiguous float32 of one size only")


def _check_cells(cells: NDArray[np.void], shape: tuple[int, ...], border: int = 0) -> None:
    if not cells.flags.c_contiguous or cells.dtype != CELL_TYPE:
        raise ProcessingError("cells are a contiguous table of their own type")
    for name, side in (("row", shape[0]), ("column", shape[1])):
        if len(cells) and (cells[name].min() < border or cells[name].max() > side - 16 - border):
            raise ProcessingError("a cell lies outside its image")


def _share(work: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call `work(first, count)` for parts of `count` things in so many threads."""
    if not count:
        return
    if threads <= 1 or count < 2 * threads:
        work(0, count)
        return
    edges = [count * part // threads for part in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda i: work(edges[i], edges[i + 1] - edges[i]), range(threads)))

"""Where something moved: the cells of a picture that the network has to look at.

Local blur covers about an eighth of a frame. With the sharp frame S of the pair (aligned, of the same
brightness) the moving object is where B and S differ by more than their noise; without it the network itself
is asked, at reduced size, by its gate.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.pictures import FloatImage

__all__ = ["CELL_PX", "Cells", "cells_of_difference", "cells_of_mask"]

CELL_PX = 8
"""Side of a cell in pixels, a multiple of 4: every border of a tile lies on the network's coarsest grid."""

NOISE_FACTOR = 6.0
LEAST_THRESHOLD = 2.0 / 255
"""A difference below this cannot be seen, however quiet the cameras are."""
FINE_PX = 4
SAMPLE_STEP, FIT_STEPS, LEAST_SAMPLES = 4, 6, 64
DARK, BRIGHT, NEARLY_WHITE = 0.02, 0.97, 0.99
FLAT_VARIANCE, MOST_GAIN = 1e-3, 1.25
EDGE_QUANTILE, LEAST_SLOPE = 0.85, 0.02
LEAST_SHIFT, MOST_SHIFT, SHIFT_FACTOR = 0.05, 0.4, 2.5
"""Pixels of the picture at half size. Noise alone looks like a small shift; more is no fraction of a pixel;
edges along the shift do not show it."""
GATE_OPEN = 0.25
SKIRT_CELLS = 1
"""The faint ends of a blur lie beyond what differs clearly."""

Cells = npt.NDArray[np.bool_]
"""(rows, columns) of cells of `CELL_PX` pixels; the picture's border may cut the last row and column."""


def cells_of_difference(blurred: FloatImage, reference: FloatImage) -> Cells:
    """Return the cells where two frames of one moment differ by more than their noise.

    Both are averaged over 2x2 pixels, which takes most of what the registration leaves at edges, and the
    magnitude of their difference again, so that fine texture on a moving object is not averaged away. What a
    step of brightness between the frames, a highlight that only one of them clips, and edges that lie a
    fraction of a pixel apart explain of the difference is taken away first. The level of noise is the median
    over the picture and its spread the median absolute deviation, so an object that covers less than half of
    the picture does not raise them.

    Args:
        blurred: B, (H, W, 3) in 0..1, sRGB-encoded.
        reference: S of the pair, aligned to B and about of its brightness, same shape.
    """
    small_b, small_s = (_shrunk(image, FINE_PX // 2) for image in (blurred, reference))
    small_b, small_s = _of_one_brightness(small_b, small_s)
    apart = _shrunk(_unexplained(small_b, small_s), 2)
    middle = float(np.median(apart))
    spread = 1.4826 * float(np.median(np.abs(apart - middle)))
    threshold = max(middle + NOISE_FACTOR * spread, LEAST_THRESHOLD)
    return _with_skirt(_cells_where(apart > threshold, FINE_PX, blurred.shape[:2]))


def _of_one_brightness(blurred: FloatImage, reference: FloatImage) -> tuple[FloatImage, FloatImage]:
    """Return both frames with the reference brought to the other's brightness, and both clipped alike.

    A gain and an offset for each channel, by least squares over that half of the pixels which they fit best
    (least trimmed squares, a few steps of its usual iteration from no change at all).
    """
    gains, offsets = np.ones(3, np.float32), np.zeros(3, np.float32)
    for channel in range(3):
        x = reference[::SAMPLE_STEP, ::SAMPLE_STEP, channel].ravel()
        y = blurred[::SAMPLE_STEP, ::SAMPLE_STEP, channel].ravel()
        shown = (x > DARK) & (x < BRIGHT) & (y > DARK) & (y < BRIGHT)
        x, y = x[shown], y[shown]
        if x.size < LEAST_SAMPLES:
            continue
        gain, offset = 1.0, 0.0
        for _ in range(FIT_STEPS):
            apart = np.abs(y - (gain * x + offset))
            best = apart <= np.median(apart)
            mean_x, mean_y = float(x[best].mean()), float(y[best].mean())
            spread = float(((x[best] - mean_x) ** 2).mean())
            slope = float(((x[best] - mean_x) * (y[best] - mean_y)).mean())
            # A picture of one grey says nothing of the gain: then it stays near 1.
            gain = (slope + FLAT_VARIANCE) / (spread + FLAT_VARIANCE)
            gain = min(max(gain, 1 / MOST_GAIN), MOST_GAIN)
            offset = mean_y - gain * mean_x
        gains[channel], offsets[channel] = gain, offset
    white = np.minimum(1.0, gains + offsets) * NEARLY_WHITE
    # OpenCV goes over rows of three channels; numpy over three numbers at a time, five times as long.
    scalars: list[Any] = [(*map(float, each), 0.0) for each in (white, gains, offsets)]
    top, gain_of, offset_of = scalars
    matched = cv2.add(cv2.multiply(reference, gain_of), offset_of)
    return _floats(cv2.min(blurred, top)), _floats(cv2.min(matched, top))


def _unexplained(blurred: FloatImage, reference: FloatImage) -> FloatImage:
    """Return the largest difference of the channels, less what edges a little apart explain, (h, w).

    How far apart they are is measured: the median, over the strongest edges that both frames show, of
    difference by slope. Where something moves the edges of B are soft, and little is explained there.
    """
    red, green, blue = cv2.split(cv2.absdiff(blurred, reference))
    apart = _floats(cv2.max(cv2.max(red, green), blue))
    slopes = [_slope(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)) for image in (blurred, reference)]
    slope: FloatImage = np.minimum(*slopes)
    few = slope[::2, ::2]
    edges = few > max(float(np.quantile(few, EDGE_QUANTILE)), LEAST_SLOPE)
    if int(edges.sum()) < LEAST_SAMPLES:
        return apart
    quiet = float(np.median(apart[::2, ::2]))
    shift = float(np.median((apart[::2, ::2][edges] - quiet) / few[edges])) - LEAST_SHIFT
    if shift <= 0:
        return apart
    left: FloatImage = np.maximum(apart - SHIFT_FACTOR * min(shift, MOST_SHIFT) * slope, 0)
    return left


def _floats(image: npt.NDArray[Any]) -> FloatImage:
    return np.asarray(image, np.float32)


def _slope(grey: npt.NDArray[Any]) -> FloatImage:
    """Return the larger of the two central differences of a map, a pixel."""
    across = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1, scale=0.5))
    down = np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1, scale=0.5))
    steeper: FloatImage = np.maximum(across, down)
    return steeper


def cells_of_mask(mask: FloatImage, shape: tuple[int, int]) -> Cells:
    """Return the cells where a blur mask is open.

    Args:
        mask: (h, w) in 0..1, of the picture at any size.
        shape: (H, W) of the picture itself.
    """
    fine = (-(-shape[0] // FINE_PX), -(-shape[1] // FINE_PX))
    sized = cv2.resize(mask, (fine[1], fine[0]), interpolation=cv2.INTER_LINEAR)
    return _with_skirt(_cells_where(np.asarray(sized) > GATE_OPEN, FINE_PX, shape))


def _shrunk(image: FloatImage, factor: int) -> FloatImage:
    """Return averages over squares of pixels; at the bottom and right the border fills the last ones."""
    bottom, right = -image.shape[0] % factor, -image.shape[1] % factor
    if bottom or right:
        image = cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    size = (image.shape[1] // factor, image.shape[0] // factor)
    small: npt.NDArray[Any] = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    return small.astype(np.float32, copy=False)


def _cells_where(fine: npt.NDArray[np.bool_], step_px: int, shape: tuple[int, int]) -> Cells:
    """Return the cells that hold a marked point of a finer grid.

    Single points are no object: of each marked point a neighbour must be marked too.
    """
    points = fine.astype(np.uint8)
    company = cv2.boxFilter(points, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    marked = points & (np.asarray(company) >= 2)
    rows, columns = -(-shape[0] // CELL_PX), -(-shape[1] // CELL_PX)
    per_cell = CELL_PX // step_px
    padded = np.zeros((rows * per_cell, columns * per_cell), np.uint8)
    padded[: fine.shape[0], : fine.shape[1]] = marked[: padded.shape[0], : padded.shape[1]]
    cells: Cells = padded.reshape(rows, per_cell, columns, per_cell).max(axis=(1, 3)) > 0
    return cells


def _with_skirt(cells: Cells) -> Cells:
    side = 2 * SKIRT_CELLS + 1
    grown = cv2.dilate(cells.astype(np.uint8), np.ones((side, side), np.uint8))
    return np.asarray(grown) > 0

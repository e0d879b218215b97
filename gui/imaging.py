"""What the live view computes from RAW codes: histogram, clipped pixels, focus number, a picture to look at.

All judgements (histogram, clipping, focus) use the RAW codes as they came; only the picture is scaled, white
balanced and gamma-encoded, and it is for viewing only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

RawCodes = NDArray[np.uint8] | NDArray[np.uint16]
"""RAW codes of one frame, (H, W), unpacked and LSB aligned."""

MAX_BINS = 4096
DEMOSAIC = {
    "RGGB": cv2.COLOR_BayerRGGB2BGRA,
    "BGGR": cv2.COLOR_BayerBGGR2BGRA,
    "GRBG": cv2.COLOR_BayerGRBG2BGRA,
    "GBRG": cv2.COLOR_BayerGBRG2BGRA,
}
"""OpenCV's bilinear demosaicing for each colour filter array."""
FOCUS_WINDOW = 512
"""Side of the centre window of the focus number, in Bayer cells."""


@dataclass(frozen=True)
class RawFormat:
    """How the codes of a camera are to be read, from its profile.

    Attributes:
        cfa: Colour filter array of the upper left 2x2 pixels in reading order, as "RGGB".
        levels: Number of codes, 2 to the number of significant bits.
        black_dn: Code without light.
        white_dn: Code from which a pixel counts as clipped.
    """

    cfa: str = "RGGB"
    levels: int = 4096
    black_dn: float = 0.0
    white_dn: float = 4095.0


@dataclass(frozen=True)
class Histogram:
    """Counts of RAW codes for each colour of the filter array.

    Attributes:
        counts: For "R", "G" and "B" (both greens together) an int64 array (bins,).
        bin_width_dn: Codes in one bin.
        clipped: Share of the pixels of each colour at or above the white level, 0 to 1.
    """

    counts: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    bin_width_dn: int = 1
    clipped: dict[str, float] = field(default_factory=dict)


def planes(raw: RawCodes, cfa: str) -> list[tuple[str, RawCodes]]:
    """Return the four sub-grids of a Bayer frame as (colour, view (H/2, W/2)), no copies."""
    height, width = raw.shape[0] // 2 * 2, raw.shape[1] // 2 * 2
    even = raw[:height, :width]
    return [(cfa[2 * row + col], even[row::2, col::2]) for row in (0, 1) for col in (0, 1)]


def raw_histogram(raw: RawCodes, fmt: RawFormat) -> Histogram:
    """Count the RAW codes of every pixel, colour by colour.

    Args:
        raw: RAW codes (H, W).
        fmt: How to read them.

    Returns:
        Exact counts up to 4096 bins; more codes than that share a bin.
    """
    bins = min(fmt.levels, MAX_BINS)
    width = fmt.levels // bins
    counts = {name: np.zeros(bins, dtype=np.int64) for name in ("R", "G", "B")}
    clipped, total = dict.fromkeys(counts, 0), dict.fromkeys(counts, 0)
    for name, plane in planes(raw, fmt.cfa):
        # float32 counts are exact: a plane has fewer than 2**24 pixels
        solid: RawCodes = plane.copy()
        found = cv2.calcHist([solid], [0], None, [bins], [0, float(fmt.levels)]).ravel().astype(np.int64)
        counts[name] += found
        if width == 1:
            clipped[name] += int(found[int(np.ceil(fmt.white_dn)) :].sum())
        else:
            clipped[name] += int(np.count_nonzero(solid >= fmt.white_dn))
        total[name] += plane.size
    shares = {name: clipped[name] / total[name] if total[name] else 0.0 for name in counts}
    return Histogram(counts, width, shares)


def clipped_cells(raw: RawCodes, fmt: RawFormat, step: int = 1) -> NDArray[np.bool_]:
    """Mark the blocks of the view that hold a clipped pixel.

    Args:
        raw: RAW codes (H, W).
        fmt: How to read them; a code at or above ``white_dn`` is clipped.
        step: Bayer cells a side of a block.

    Returns:
        (H // (2 step), W // (2 step)), True where any pixel of the block is clipped: none is lost by scaling.
    """
    side = 2 * step
    rows, cols = raw.shape[0] // side, raw.shape[1] // side
    over = np.asarray(raw[: rows * side, : cols * side] >= fmt.white_dn)
    by_rows = np.any(over.reshape(rows, side, cols * side), axis=1)
    return np.asarray(np.any(np.reshape(by_rows, (rows, cols, side)), axis=2), dtype=np.bool_)


def grey_world(raw: RawCodes, fmt: RawFormat) -> tuple[float, float]:
    """Return gains for red and blue that make the mean of the frame grey, within 0.25 to 4."""
    means: dict[str, list[float]] = {"R": [], "G": [], "B": []}
    for name, plane in planes(raw[::8, ::8] if min(raw.shape) < 16 else _every_cell(raw, 8), fmt.cfa):
        means[name].append(max(float(plane.mean()) - fmt.black_dn, 1.0))
    green = sum(means["G"]) / max(len(means["G"]), 1)
    red, blue = means["R"][0], means["B"][0]
    return float(np.clip(green / red, 0.25, 4.0)), float(np.clip(green / blue, 0.25, 4.0))


def _every_cell(raw: RawCodes, step: int) -> RawCodes:
    """Keep one 2x2 cell of `step` x `step`."""
    rows, cols = raw.shape[0] // (2 * step), raw.shape[1] // (2 * step)
    side = 2 * step
    cells = raw[: rows * side, : cols * side].reshape(rows, side, cols, side)[:, :2, :, :2]
    small: RawCodes = cells.reshape(rows * 2, cols * 2)
    return small


def view_lut(fmt: RawFormat, gain: float) -> NDArray[np.uint8]:
    """Return the table from RAW code to 8-bit display value: black off, gain, sRGB (IEC 61966-2-1)."""
    linear = (np.arange(fmt.levels, dtype=np.float64) - fmt.black_dn) / max(fmt.white_dn - fmt.black_dn, 1.0)
    linear = np.clip(linear * gain, 0.0, 1.0)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(linear, 1 / 2.4) - 0.055)
    table: NDArray[np.uint8] = np.rint(encoded * 255).astype(np.uint8)
    return table


def view_picture(
    raw: RawCodes, fmt: RawFormat, step: int, gains: tuple[float, float, float]
) -> NDArray[np.uint8]:
    """Make a small colour picture of a Bayer frame by taking every `step`-th cell.

    Args:
        raw: RAW codes (H, W).
        fmt: How to read them.
        step: 1 gives half the size of the frame, 2 a quarter, 4 an eighth.
        gains: Display gains of red, green and blue.

    Returns:
        (H // (2 step), W // (2 step), 4) in the byte order blue, green, red, 255 that QImage's RGB32 has.
    """
    side = 2 * step
    rows, cols = raw.shape[0] // side, raw.shape[1] // side
    result = np.full((rows, cols, 4), 255, dtype=np.uint8)
    place = {"B": 0, "G": 1, "R": 2}
    gain = {"R": gains[0], "G": gains[1], "B": gains[2]}
    seen: set[str] = set()
    top = np.uint16(fmt.levels - 1)
    for index, name in enumerate(fmt.cfa):
        if name in seen:  # the second green: one is enough for viewing
            continue
        seen.add(name)
        plane = raw[index // 2 :: side, index % 2 :: side][:rows, :cols]
        codes = np.minimum(plane, top) if fmt.levels < np.iinfo(raw.dtype).max + 1 else plane
        result[..., place[name]] = view_lut(fmt, gain[name])[codes]
    return result


@dataclass(frozen=True)
class Region:
    """A rectangle of the sensor in pixels; its corner lies on a whole Bayer cell."""

    left: int
    top: int
    width: int
    height: int

    def crop(self, raw: RawCodes) -> RawCodes:
        """Return the codes of the region, (height, width), no copy."""
        found: RawCodes = raw[self.top : self.top + self.height, self.left : self.left + self.width]
        return found


def region_around(
    left: float, top: float, width: float, height: float, size: tuple[int, int], margin_px: int
) -> Region | None:
    """Return the region that holds a rectangle and a margin, on whole Bayer cells, within the sensor.

    Args:
        left: Left edge of the rectangle, in sensor pixels.
        top: Upper edge.
        width: Its width.
        height: Its height.
        size: (width, height) of the sensor in pixels.
        margin_px: What is added on each side.

    Returns:
        None when the rectangle lies outside the sensor.
    """
    x0, y0 = max(int(left) - margin_px, 0) // 2 * 2, max(int(top) - margin_px, 0) // 2 * 2
    x1 = min(-(-int(left + width + margin_px + 1) // 2) * 2, size[0] // 2 * 2)
    y1 = min(-(-int(top + height + margin_px + 1) // 2) * 2, size[1] // 2 * 2)
    return Region(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


def detail_picture(raw: RawCodes, fmt: RawFormat, gains: tuple[float, float, float]) -> NDArray[np.uint8]:
    """Make a picture with one pixel a sensor pixel: display values first, then bilinear demosaicing.

    Args:
        raw: RAW codes (H, W) from a whole Bayer cell on; H and W even.
        fmt: How to read them.
        gains: Display gains of red, green and blue.

    Returns:
        (H, W, 4) in the byte order blue, green, red, 255.
    """
    gain = {"R": gains[0], "G": gains[1], "B": gains[2]}
    tables = {name: view_lut(fmt, gain[name]) for name in gain}
    codes = np.minimum(raw, fmt.levels - 1) if fmt.levels <= np.iinfo(raw.dtype).max else raw
    mosaic = np.empty(raw.shape, dtype=np.uint8)
    for index, name in enumerate(fmt.cfa):
        row, col = divmod(index, 2)
        mosaic[row::2, col::2] = tables[name][codes[row::2, col::2]]
    if min(mosaic.shape) < 4:  # too small for OpenCV's neighbourhood: each pixel shows its own value
        return np.dstack([mosaic, mosaic, mosaic, np.full_like(mosaic, 255)])
    picture: NDArray[np.uint8] = np.asarray(cv2.cvtColor(mosaic, DEMOSAIC[fmt.cfa]), dtype=np.uint8)
    return picture


def focus_number(raw: RawCodes, fmt: RawFormat) -> float:
    """Return a sharpness number of the middle of the frame, for turning a focus ring to its maximum.

    It is 1000 times the mean squared second difference of the green codes over their squared mean, free of
    exposure; noise adds to it, so it compares settings of one scene, not scenes.
    """
    green = raw[0::2, 1::2] if fmt.cfa[1] == "G" else raw[0::2, 0::2]
    rows, cols = green.shape
    top, left = max((rows - FOCUS_WINDOW) // 2, 0), max((cols - FOCUS_WINDOW) // 2, 0)
    window = green[top : top + FOCUS_WINDOW, left : left + FOCUS_WINDOW].astype(np.float32) - fmt.black_dn
    if min(window.shape) < 3:
        return 0.0
    bend_x = window[:, 2:] - 2 * window[:, 1:-1] + window[:, :-2]
    bend_y = window[2:, :] - 2 * window[1:-1, :] + window[:-2, :]
    level = max(float(window.mean()), 1.0)
    return 1000.0 * float(np.mean(bend_x**2) + np.mean(bend_y**2)) / level**2

"""Demosaicing with directional filtering and a posteriori decision (Menon, Andriani, Calvagno 2007).

The Bayer mosaic is split into its four half-resolution phase planes R, Gr, Gb, B, so that no masks and no
full-size intermediate images are needed. In this form, with (i, j) the index of a 2x2 cell, the directional
estimate of the colour difference at a red pixel is ``R/2 + (R[j-1] + R[j+1])/4 - (Gr[j-1] + Gr[j])/2``.
The frame is worked on in tiles that fit the processor's cache, on a pool of threads.

All weights but the 1/3 of the refining step are exact in binary, so integer input gives the same decisions
as a double precision reference. Pre-scaled input (codes / 255, say) would flip ties.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.errors import ImageMismatch
from processing.threads import share

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]
Scalar = TypeVar("Scalar", bound=np.generic)

HALO_CELLS: Final = 7
"""Cells of surroundings that a result depends on, rounded up to one cell a step."""
_TILE_CELLS: Final = (64, 408)

_RED_AT: Final = {"RGGB": (0, 0), "GRBG": (0, 1), "GBRG": (1, 0), "BGGR": (1, 1)}
_HALF: Final = np.float32(0.5)
_QUARTER: Final = np.float32(0.25)
_THREE: Final = np.float32(3.0)
_THIRD: Final = np.float32(1.0 / 3.0)


def red_position(cfa: str) -> tuple[int, int]:
    """Return (row, column) of the red pixel in the 2x2 cell of a CFA order such as "RGGB".

    Raises:
        ImageMismatch: for anything but the four Bayer orders.
    """
    try:
        return _RED_AT[cfa]
    except KeyError:
        raise ImageMismatch(
            f"unknown colour filter order {cfa!r}", hint=f"allowed: {', '.join(_RED_AT)}"
        ) from None


def menon(
    bayer: NDArray[np.float32],
    cfa: str = "RGGB",
    *,
    refine: bool = True,
    threads: int = 2,
    out: Plane | None = None,
    before: Callable[[Plane], Plane] | None = None,
    after: Callable[[Plane], None] | None = None,
) -> Plane:
    """Interpolate the two missing colours of every pixel.

    Args:
        bayer: (H, W) float32 mosaic, H and W even and >= 16, in digital numbers (any scale that keeps the
            values exact; black already subtracted).
        cfa: order of the colours in the top left 2x2 cell: RGGB, GRBG, GBRG or BGGR.
        refine: also do the paper's refining step (section IV of Menon 2007).
        threads: size of the thread pool.
        out: (H, W, 3) float32, contiguous, to write into; new memory (60 MB a frame of 5 MP) costs time.
        before: what is done to every value of the mosaic first: given a part of it, returns a new array.
        after: what is done to every pixel in the end: given an (h, w, 3) part, works in place. Both see parts
            that still lie in the processor's cache, and no second frame is held in memory.

    Returns:
        (H, W, 3) float32 RGB in the unit of the input. Equal to the reference formulation except in the
        outermost 8 pixels, where the border handling differs (mirrored here).

    Raises:
        ImageMismatch: for an unknown order, a frame that is too small or of odd size, or an unfit `out`.
    """
    row, column = red_position(cfa)
    height, width = bayer.shape
    if height % 2 or width % 2 or height < 16 or width < 16:
        raise ImageMismatch(
            f"a mosaic of {width}x{height} cannot be demosaiced", hint="even width and height, 16 or more"
        )
    if out is None:
        out = np.empty((height, width, 3), np.float32)
    elif out.shape != (height, width, 3) or out.dtype != np.float32 or not out.flags.c_contiguous:
        raise ImageMismatch(f"a result of {width}x{height} does not fit the memory given for it")
    mosaic, result = np.ascontiguousarray(bayer, dtype=np.float32), out

    def work(corner: tuple[int, int]) -> None:
        # Tiles begin on a red pixel: with the orders that begin otherwise, one pixel outside the frame.
        top, left = corner
        bottom = min(top + 2 * _TILE_CELLS[0], height + row)
        right = min(left + 2 * _TILE_CELLS[1], width + column)
        part = _with_halo(mosaic, top, bottom, left, right)
        tile = _Tile.split(part if before is None else before(part))
        inside = (slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width)))
        if (bottom - top, right - left) == (
            inside[0].stop - inside[0].start,
            inside[1].stop - inside[1].start,
        ):
            tile.interpolate(result[inside], refine=refine)
        else:
            whole = np.empty((bottom - top, right - left, 3), np.float32)
            tile.interpolate(whole, refine=refine)
            result[inside] = whole[
                inside[0].start - top : inside[0].stop - top, inside[1].start - left : inside[1].stop - left
            ]
        if after is not None:
            after(result[inside])

    corners = [
        (top, left)
        for top in range(-row, height, 2 * _TILE_CELLS[0])
        for left in range(-column, width, 2 * _TILE_CELLS[1])
    ]
    share(work, corners, threads)
    return out


def _with_halo(mosaic: Plane, top: int, bottom: int, left: int, right: int) -> Plane:
    """Cut out a tile with its surroundings; beyond the frame it is mirrored about the edge pixel.

    Mirroring about a pixel keeps the Bayer order.
    """
    height, width = mosaic.shape
    halo = 2 * HALO_CELLS
    top, bottom, left, right = top - halo, bottom + halo, left - halo, right + halo
    part = mosaic[max(top, 0) : bottom, max(left, 0) : right]
    beyond = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    return np.asarray(cv2.copyMakeBorder(part, *beyond, cv2.BORDER_REFLECT_101)) if any(beyond) else part


def _at(plane: NDArray[Scalar], cut: int, di: int = 0, dj: int = 0) -> NDArray[Scalar]:
    """View a plane without `cut` cells at each side, seen from (di, dj) cells away."""
    height, width = plane.shape
    return plane[cut + di : height - cut + di, cut + dj : width - cut + dj]


def _mean(a: Plane, b: Plane) -> Plane:
    out: Plane = a + b
    out *= _HALF
    return out


def _choose(first: Mask, one: Plane, other: Plane) -> Plane:
    """Return `one` where `first` is true, else `other`, whose memory it takes; faster than np.where."""
    cv2.copyTo(one, first.view(np.uint8), other)
    return other


class _Differences(NamedTuple):
    """Colour differences R-G and B-G at one kind of green pixel."""

    rg: Plane
    bg: Plane

    def cut(self, cells: int) -> _Differences:
        return _Differences(_at(self.rg, cells), _at(self.bg, cells))

    def red_minus_blue(self) -> Plane:
        return self.rg - self.bg


def _at_greens(rg: Plane, bg: Plane) -> tuple[_Differences, _Differences]:
    """Spread R-G (at red) and B-G (at blue) to the greens of red rows and of blue rows; cuts one cell."""
    in_red_rows = _Differences(_mean(_at(rg, 1), _at(rg, 1, 0, 1)), _mean(_at(bg, 1, -1, 0), _at(bg, 1)))
    in_blue_rows = _Differences(_mean(_at(rg, 1), _at(rg, 1, 1, 0)), _mean(_at(bg, 1, 0, -1), _at(bg, 1)))
    return in_red_rows, in_blue_rows


def _around(at_gr: Plane, at_gb: Plane, horizontal: Mask, *, blue: bool) -> Plane:
    """Sum over the two green neighbours of a red (or blue) pixel along its direction; cuts one cell."""
    if blue:
        along_h = _at(at_gb, 1) + _at(at_gb, 1, 0, 1)
        along_v = _at(at_gr, 1) + _at(at_gr, 1, 1, 0)
    else:
        along_h = _at(at_gr, 1, 0, -1) + _at(at_gr, 1)
        along_v = _at(at_gb, 1, -1, 0) + _at(at_gb, 1)
    return _choose(horizontal, along_h, along_v)


def _directional(own: Plane, green: Plane, axis: int, *, blue: bool) -> Plane:
    """Colour difference own-green along one axis; cuts one cell."""
    di, dj = (1, 0) if axis == 0 else (0, 1)
    greens = _at(green, 1) + (_at(green, 1, di, dj) if blue else _at(green, 1, -di, -dj))
    out: Plane = _at(own, 1, -di, -dj) + _at(own, 1, di, dj)
    out *= _HALF
    out += _at(own, 1)
    out -= greens
    out *= _HALF
    return out


def _activity(red: Plane, blue: Plane, axis: int) -> tuple[Plane, Plane]:
    """Classifier d of Menon's Eq. 9-10 along one axis at red and at blue pixels; cuts two cells.

    The differences two pixels apart are summed over a 5x5 window (weights 3 on the pixel's own line, 1 on
    the others); at odd distance the window meets the other colour.
    """
    if axis == 0:
        at_red, at_blue = _activity(red.T, blue.T, 1)
        return at_red.T, at_blue.T
    steps = []
    for plane in (red, blue):
        step = plane[:, :-1] - plane[:, 1:]
        steps.append(np.abs(step, out=step))
    lines = [step[:, 2:-1] + step[:, 1:-2] for step in steps]  # two cells cut in x only
    own = []
    for line in lines:
        total = line[1:-3] + line[3:-1]
        total += _THREE * line[2:-2]
        own.append(total)
    own[0] += steps[1][1:-3, 1:-2]
    own[0] += steps[1][2:-2, 1:-2]
    own[1] += steps[0][2:-2, 2:-1]
    own[1] += steps[0][3:-1, 2:-1]
    return own[0], own[1]


@dataclass
class _Tile:
    """The four phase planes of a part of a frame, with HALO_CELLS of surroundings on every side."""

    red: Plane
    green_r: Plane
    green_b: Plane
    blue: Plane

    @classmethod
    def split(cls, mosaic: Plane) -> _Tile:
        rows, columns = mosaic.shape
        cells = mosaic.reshape(rows // 2, 2, columns // 2, 2)
        planes = [plane for i in (0, 1) for plane in cv2.split(cells[:, i])]
        return cls(*(np.asarray(plane, np.float32) for plane in planes))

    def interpolate(self, out: Plane, *, refine: bool) -> None:
        """Write the RGB of the inner cells into `out` (2 rows a cell)."""
        rg_h = _directional(self.red, self.green_r, 1, blue=False)  # margin 6 cells
        rg_v = _directional(self.red, self.green_b, 0, blue=False)
        bg_h = _directional(self.blue, self.green_b, 1, blue=True)
        bg_v = _directional(self.blue, self.green_r, 0, blue=True)
        d_h, d_v = _activity(rg_h, bg_h, 1), _activity(rg_v, bg_v, 0)  # margin 4
        m_red, m_blue = d_v[0] >= d_h[0], d_v[1] >= d_h[1]
        rg = _choose(m_red, _at(rg_h, 2), _at(rg_v, 2))
        bg = _choose(m_blue, _at(bg_h, 2), _at(bg_v, 2))
        gr, gb = _at_greens(rg, bg)  # margin 3
        rb_gr, rb_gb = gr.red_minus_blue(), gb.red_minus_blue()
        m_red, m_blue = _at(m_red, 2), _at(m_blue, 2)  # margin 2
        rb_red, rb_blue = (
            _around(rb_gr, rb_gb, m_red, blue=False), _around(rb_gr, rb_gb, m_blue, blue=True),
        )  # fmt: skip
        rb_red *= _HALF
        rb_blue *= _HALF
        if refine:
            rg = _third(_around(gr.rg, gb.rg, m_red, blue=False), _at(rg, 2))  # margin 2
            bg = _third(_around(gr.bg, gb.bg, m_blue, blue=True), _at(bg, 2))
            gr, gb = _at_greens(rg, bg)  # margin 1
            rb_gr, rb_gb = gr.red_minus_blue(), gb.red_minus_blue()
            m_red, m_blue = _at(m_red, 2), _at(m_blue, 2)  # margin 0
            rb_red = _third(_around(rb_gr, rb_gb, m_red, blue=False), _at(rb_red, 2))
            rb_blue = _third(_around(rb_gr, rb_gb, m_blue, blue=True), _at(rb_blue, 2))
            rg, bg, gr, gb = _at(rg, 2), _at(bg, 2), gr.cut(1), gb.cut(1)
        else:
            rb_red, rb_blue = _at(rb_red, 2), _at(rb_blue, 2)
            rg, bg, gr, gb = _at(rg, 4), _at(bg, 4), gr.cut(3), gb.cut(3)
        red, green_r, green_b, blue = (
            _at(p, HALO_CELLS) for p in (self.red, self.green_r, self.green_b, self.blue)
        )
        at_red = (red, red - rg, red - rb_red)
        at_green_r = (green_r + gr.rg, green_r, green_r + gr.bg)
        at_green_b = (green_b + gb.rg, green_b, green_b + gb.bg)
        at_blue = (blue + rb_blue, blue - bg, blue)
        pixels = out.reshape(len(red), 2, red.shape[1], 6)  # two neighbours are one element
        cv2.merge([*at_red, *at_green_r], pixels[:, 0])
        cv2.merge([*at_green_b, *at_blue], pixels[:, 1])


def _third(sum_of_two: Plane, own: Plane) -> Plane:
    sum_of_two += own
    sum_of_two *= _THIRD
    return sum_of_two

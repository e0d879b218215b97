"""Demosaicing with directional filtering and a posteriori decision (Menon, Andriani, Calvagno 2007).

The Bayer mosaic is split into its four half-resolution phase planes R, Gr, Gb, B, so that no masks and no
full-size intermediate images are needed. In this form, with (i, j) the index of a 2x2 cell, the directional
estimate of the colour difference at a red pixel is ``R/2 + (R[j-1] + R[j+1])/4 - (Gr[j-1] + Gr[j])/2``.
The frame is worked on in bands of rows that fit the processor's cache, on a pool of threads.

All weights but the 1/3 of the refining step are exact in binary, so integer input gives the same decisions
as a double precision reference. Pre-scaled input (codes / 255, say) would flip ties.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from processing.errors import ImageMismatch

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]
Scalar = TypeVar("Scalar", bound=np.generic)

HALO_CELLS: Final = 7
"""Cells of surroundings that a result depends on, rounded up to one cell a step."""

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


def menon(bayer: NDArray[np.float32], cfa: str = "RGGB", *, refine: bool = True, threads: int = 2) -> Plane:
    """Interpolate the two missing colours of every pixel.

    Args:
        bayer: (H, W) float32 mosaic, H and W even and >= 16, in digital numbers (any scale that keeps the
            values exact; black already subtracted).
        cfa: order of the colours in the top left 2x2 cell: RGGB, GRBG, GBRG or BGGR.
        refine: also do the paper's refining step (section IV of Menon 2007).
        threads: size of the thread pool.

    Returns:
        (H, W, 3) float32 RGB in the unit of the input. Equal to the reference formulation except in the
        outermost 8 pixels, where the border handling differs (mirrored here).

    Raises:
        ImageMismatch: for an unknown order, or a frame that is too small or of odd size.
    """
    row, column = red_position(cfa)
    height, width = bayer.shape
    if height % 2 or width % 2 or height < 16 or width < 16:
        raise ImageMismatch(
            f"a mosaic of {width}x{height} cannot be demosaiced", hint="even width and height, 16 or more"
        )
    # Mirroring about the edge pixel keeps the Bayer order; one more pixel makes every order start with red.
    pad = 2 * HALO_CELLS
    padded = np.pad(
        np.ascontiguousarray(bayer, dtype=np.float32),
        ((pad + row, pad + row), (pad + column, pad + column)),
        mode="reflect",
    )
    out = np.empty((height + 2 * row, width + 2 * column, 3), np.float32)
    cells = len(out) // 2
    band = 32
    jobs = [(start, min(start + band, cells)) for start in range(0, cells, band)]

    def work(job: tuple[int, int]) -> None:
        start, stop = job
        part = padded[2 * start : 2 * (stop + 2 * HALO_CELLS)]
        _Band.split(part).interpolate(out[2 * start : 2 * stop], refine=refine)

    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        list(pool.map(work, jobs))
    return out[row : row + height, column : column + width]


def _at(plane: NDArray[Scalar], cut: int, di: int = 0, dj: int = 0) -> NDArray[Scalar]:
    """View a plane without `cut` cells at each side, seen from (di, dj) cells away."""
    height, width = plane.shape
    return plane[cut + di : height - cut + di, cut + dj : width - cut + dj]


def _mean(a: Plane, b: Plane) -> Plane:
    return (a + b) * _HALF


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
    return np.where(horizontal, along_h, along_v)


def _directional(own: Plane, green: Plane, axis: int, *, blue: bool) -> Plane:
    """Colour difference own-green along one axis; cuts one cell."""
    di, dj = (1, 0) if axis == 0 else (0, 1)
    greens = _at(green, 1) + (_at(green, 1, di, dj) if blue else _at(green, 1, -di, -dj))
    sides = _at(own, 1, -di, -dj) + _at(own, 1, di, dj)
    out: Plane = _HALF * _at(own, 1) + _QUARTER * sides - _HALF * greens
    return out


def _activity(red: Plane, blue: Plane, axis: int) -> tuple[Plane, Plane]:
    """Classifier d of Menon's Eq. 9-10 along one axis at red and at blue pixels; cuts two cells.

    The differences two pixels apart are summed over a 5x5 window (weights 3 on the pixel's own line, 1 on
    the others); at odd distance the window meets the other colour.
    """
    if axis == 0:
        at_red, at_blue = _activity(red.T, blue.T, 1)
        return at_red.T, at_blue.T
    steps = [np.abs(plane[:, :-1] - plane[:, 1:]) for plane in (red, blue)]
    lines = [step[:, 1:] + step[:, :-1] for step in steps]  # one cell cut in x only
    own = [_THREE * line[2:-2] + line[1:-3] + line[3:-1] for line in lines]
    cross_at_red = steps[1][1:-3] + steps[1][2:-2]
    cross_at_blue = steps[0][2:-2] + steps[0][3:-1]
    return own[0][:, 1:-1] + cross_at_red[:, 1:-2], own[1][:, 1:-1] + cross_at_blue[:, 2:-1]


@dataclass
class _Band:
    """The four phase planes of a band of rows, with HALO_CELLS of surroundings on every side."""

    red: Plane
    green_r: Plane
    green_b: Plane
    blue: Plane

    @classmethod
    def split(cls, mosaic: Plane) -> _Band:
        planes = (mosaic[i::2, j::2] for i in (0, 1) for j in (0, 1))
        return cls(*(np.ascontiguousarray(plane) for plane in planes))

    def interpolate(self, out: Plane, *, refine: bool) -> None:
        """Write the RGB of the band's inner cells into `out` (2 rows a cell)."""
        rg_h = _directional(self.red, self.green_r, 1, blue=False)  # margin 6 cells
        rg_v = _directional(self.red, self.green_b, 0, blue=False)
        bg_h = _directional(self.blue, self.green_b, 1, blue=True)
        bg_v = _directional(self.blue, self.green_r, 0, blue=True)
        d_h, d_v = _activity(rg_h, bg_h, 1), _activity(rg_v, bg_v, 0)  # margin 4
        m_red, m_blue = d_v[0] >= d_h[0], d_v[1] >= d_h[1]
        rg = np.where(m_red, _at(rg_h, 2), _at(rg_v, 2))
        bg = np.where(m_blue, _at(bg_h, 2), _at(bg_v, 2))
        gr, gb = _at_greens(rg, bg)  # margin 3
        rb_gr, rb_gb = gr.red_minus_blue(), gb.red_minus_blue()
        m_red, m_blue = _at(m_red, 2), _at(m_blue, 2)  # margin 2
        rb_red = _HALF * _around(rb_gr, rb_gb, m_red, blue=False)
        rb_blue = _HALF * _around(rb_gr, rb_gb, m_blue, blue=True)
        if refine:
            rg = _THIRD * (_at(rg, 2) + _around(gr.rg, gb.rg, m_red, blue=False))  # margin 2
            bg = _THIRD * (_at(bg, 2) + _around(gr.bg, gb.bg, m_blue, blue=True))
            gr, gb = _at_greens(rg, bg)  # margin 1
            rb_gr, rb_gb = gr.red_minus_blue(), gb.red_minus_blue()
            sides = _around(rb_gr, rb_gb, _at(m_red, 2), blue=False)  # margin 0
            rb_red = _THIRD * (_at(rb_red, 2) + sides)
            rb_blue = _THIRD * (_at(rb_blue, 2) + _around(rb_gr, rb_gb, _at(m_blue, 2), blue=True))
            rg, bg, gr, gb = _at(rg, 2), _at(bg, 2), gr.cut(1), gb.cut(1)
        else:
            rb_red, rb_blue = _at(rb_red, 2), _at(rb_blue, 2)
            rg, bg, gr, gb = _at(rg, 4), _at(bg, 4), gr.cut(3), gb.cut(3)
        red, green_r, green_b, blue = (
            _at(p, HALO_CELLS) for p in (self.red, self.green_r, self.green_b, self.blue)
        )
        out[0::2, 0::2, 0], out[0::2, 0::2, 1], out[0::2, 0::2, 2] = red, red - rg, red - rb_red
        out[0::2, 1::2, 0], out[0::2, 1::2, 1], out[0::2, 1::2, 2] = green_r + gr.rg, green_r, green_r + gr.bg
        out[1::2, 0::2, 0], out[1::2, 0::2, 1], out[1::2, 0::2, 2] = green_b + gb.rg, green_b, green_b + gb.bg
        out[1::2, 1::2, 0], out[1::2, 1::2, 1], out[1::2, 1::2, 2] = blue + rb_blue, blue - bg, blue

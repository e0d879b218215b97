"""Colour correction of the beam splitter's location-dependent cast on Bayer RAW (paper Eq. 3-5).

Three things differ from the printed text, for the reasons given in docs and tests: black is subtracted
before anything is multiplied; the gain is centre / patch (the text has it the other way round, which would
double the cast); and every colour, here every one of the four Bayer phases, has its own constants.
Coordinates are normalised to [-1, 1]: in raw pixel numbers the cubic fit is ill-conditioned (6e10, not 14).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing.demosaic import red_position
from processing.errors import CalibrationError, ImageMismatch
from processing.products import transposed_product

PHASES: Final = ("R", "Gr", "Gb", "B")
DEFAULT_PATCHES: Final = (33, 27)
"""Patches across and down; odd, so that one of them is the centre."""

_HIGHEST_DEGREE: Final = 8


def phase_offsets(cfa: str) -> dict[str, tuple[int, int]]:
    """Return (row, column) of R, Gr, Gb and B in the 2x2 cell of a CFA order such as "RGGB"."""
    row, column = red_position(cfa)
    return {"R": (row, column), "Gr": (row, 1 - column), "Gb": (1 - row, column), "B": (1 - row, 1 - column)}


def exponents(degree: int) -> list[tuple[int, int]]:
    """Return the (x, y) exponents of Eq. 5: x^3, x^2 y, ..., x, y, 1 for degree 3 (10 terms)."""
    return [(total - j, j) for total in range(degree, -1, -1) for j in range(total + 1)]


def subtract_black(pixels: NDArray[np.uint16], black_level_dn: float) -> NDArray[np.float32]:
    """Return codes minus black as float32 DN; noise below black stays negative, so means stay unbiased."""
    return np.subtract(pixels, np.float32(black_level_dn), dtype=np.float32)


@dataclass(frozen=True)
class ColourConstants:
    """Colour constants a_0..a_9 of one camera (Eq. 4-5), one set a Bayer phase.

    Attributes:
        width, height: frame size in pixels for which they hold.
        cfa: colour order of the frame.
        degree: of the polynomial, 3 in the paper.
        constants: phase name -> coefficients in the order of `exponents(degree)`, over coordinates
            normalised by x_n = (x - (width - 1)/2) / (width/2), y alike.
        residual_rms: root mean square of fitted minus measured gain over all patches and phases, as a ratio.
    """

    width: int
    height: int
    cfa: str
    degree: int
    constants: dict[str, tuple[float, ...]]
    residual_rms: float

    def gain_map(self) -> NDArray[np.float32]:
        """Return the correction alpha (Eq. 5) of every pixel: (H, W) float32, about 1 at the centre."""
        out = np.empty((self.height, self.width), np.float32)
        for phase, (row, column) in phase_offsets(self.cfa).items():
            x = _normalise(np.arange(column, self.width, 2), self.width)
            y = _normalise(np.arange(row, self.height, 2), self.height)
            table = np.zeros((self.degree + 1, self.degree + 1))
            for value, (i, j) in zip(self.constants[phase], exponents(self.degree), strict=True):
                table[j, i] = value
            powers_x = x ** np.arange(self.degree + 1)[:, None]
            powers_y = y ** np.arange(self.degree + 1)[:, None]
            out[row::2, column::2] = transposed_product(powers_y, table @ powers_x)
        return out

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a calibration file."""
        return {
            "width": self.width,
            "height": self.height,
            "cfa": self.cfa,
            "degree": self.degree,
            "exponents_xy": exponents(self.degree),
            "normalisation": "x_n = (x - (width - 1)/2) / (width/2), y_n alike",
            "constants": {phase: list(values) for phase, values in self.constants.items()},
            "residual_rms": self.residual_rms,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ColourConstants:
        """Read what `to_dict` wrote.

        Raises:
            CalibrationError: if a field is missing, or has the wrong number of constants.
        """
        try:
            degree = int(data["degree"])
            if not 1 <= degree <= _HIGHEST_DEGREE:
                raise ValueError(f"degree {degree}")
            constants = {phase: tuple(float(v) for v in data["constants"][phase]) for phase in PHASES}
            result = cls(
                int(data["width"]),
                int(data["height"]),
                str(data["cfa"]),
                degree,
                constants,
                float(data["residual_rms"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CalibrationError(f"damaged colour constants: {error!r}", hint="calibrate again") from error
        if any(len(values) != len(exponents(degree)) for values in constants.values()):
            raise CalibrationError(f"colour constants do not match degree {degree}", hint="calibrate again")
        return result


def _normalise(index: NDArray[Any], size: int) -> NDArray[np.float64]:
    return (index - (size - 1) / 2) / (size / 2)


def fit_colour_constants(
    mosaic: NDArray[np.float32],
    cfa: str,
    *,
    degree: int = 3,
    patches: tuple[int, int] = DEFAULT_PATCHES,
    rejection_mad: float = 6.0,
) -> ColourConstants:
    """Fit the colour constants of one camera to an evenly lit frame (Eq. 3-5).

    The frame is divided into patches; the gain of a patch is the mean of the centre patch over its own mean.
    Patches far off the fit (dust, the edge of the lightbox) are left out of a second fit.

    Args:
        mosaic: (H, W) float32 DN, black subtracted, best the mean of several lightbox frames.
        cfa: colour order.
        degree: 3 as in the paper, or 4.
        patches: (across, down), both odd.
        rejection_mad: patches further off than this many median absolute deviations are left out.

    Returns:
        The constants with their residual.

    Raises:
        ImageMismatch: if the frame is dark or too small for the patches.
    """
    height, width = mosaic.shape
    across, down = patches
    if width < 8 * across or height < 8 * down or not across % 2 or not down % 2:
        raise ImageMismatch(f"{width}x{height} pixels do not hold {across}x{down} patches of 8 pixels")
    constants: dict[str, tuple[float, ...]] = {}
    squares: list[float] = []
    for phase, (row, column) in phase_offsets(cfa).items():
        means, x, y = patch_means(mosaic[row::2, column::2], patches)
        centre = float(means[down // 2, across // 2])
        if centre <= 0 or float(means.min()) <= 0.02 * centre:
            raise ImageMismatch(
                "the frame is too dark for a colour calibration", hint="light it evenly to half range"
            )
        x = _normalise(2 * x + column, width)
        y = _normalise(2 * y + row, height)
        grid_y, grid_x = np.meshgrid(y, x, indexing="ij")
        design = np.stack([grid_x.ravel() ** i * grid_y.ravel() ** j for i, j in exponents(degree)], axis=1)
        gains = (centre / means).ravel().astype(np.float64)
        keep = np.ones(len(gains), bool)
        for _ in range(2):
            solution = np.linalg.lstsq(design[keep], gains[keep], rcond=None)[0]
            off = np.abs(design @ solution - gains)
            keep = off <= rejection_mad * max(float(np.median(off)), 1e-6)
        # The gain is 1 at the centre by definition; noise of the one centre patch must not scale the frame.
        solution /= solution[-1]
        constants[phase] = tuple(float(v) for v in solution)
        squares.append(float(np.mean(off[keep] ** 2)))
    return ColourConstants(width, height, cfa, degree, constants, float(np.sqrt(np.mean(squares))))


def patch_means(
    plane: NDArray[np.float32], patches: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return patch means (down, across) of a phase plane and the patch centres in plane pixels (x, y)."""
    across, down = patches
    edges_x = np.linspace(0, plane.shape[1], across + 1).round().astype(int)
    edges_y = np.linspace(0, plane.shape[0], down + 1).round().astype(int)
    sums = np.add.reduceat(plane, edges_y[:-1], axis=0, dtype=np.float64)
    sums = np.add.reduceat(sums, edges_x[:-1], axis=1)
    counts = np.diff(edges_y)[:, None] * np.diff(edges_x)[None, :]
    return sums / counts, (edges_x[:-1] + edges_x[1:] - 1) / 2, (edges_y[:-1] + edges_y[1:] - 1) / 2


def gains_on_mosaic(shape: tuple[int, int], cfa: str, gains_rgb: Sequence[float]) -> NDArray[np.float32]:
    """Return an (H, W) float32 map holding the gain of each pixel's own colour."""
    out = np.empty(shape, np.float32)
    for phase, (row, column) in phase_offsets(cfa).items():
        out[row::2, column::2] = gains_rgb["RGB".index(phase[0])]
    return out

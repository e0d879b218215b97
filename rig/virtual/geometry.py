"""Where things are: thin lens, misregistration of B against S, casts as cubic polynomials. No OpenCV here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]


def cubic_terms(x: F64, y: F64) -> list[F64]:
    """Return x^3, x^2 y, x y^2, y^3, x^2, xy, y^2, x, y, 1: the order of Eq. 5 of the ReLoBlur paper."""
    return [x**3, x**2 * y, x * y**2, y**3, x**2, x * y, y**2, x, y, np.ones_like(x)]


@dataclass(frozen=True)
class Grid:
    """A sensor's pixel grid: pixel centres at integers, (0, 0) the first pixel."""

    width: int
    height: int

    @property
    def centre(self) -> tuple[float, float]:
        """Return the coordinates of the grid's centre, px."""
        return (self.width - 1) / 2, (self.height - 1) / 2

    def normalised(self, x: ArrayLike, y: ArrayLike) -> tuple[F64, F64]:
        """Return coordinates in -1..1 over width and over height."""
        cx, cy = self.centre
        return (np.asarray(x, float) - cx) / (self.width / 2), (np.asarray(y, float) - cy) / (self.height / 2)


@dataclass(frozen=True)
class Misregistration:
    """Homography and radial distortion between B's grid and S's (the ideal) grid.

    With p = (x - centre) / (width / 2) in B: q = A p / (1 + g.p) + t + radial |p|^2 p, and S = q back in px.
    ``linear`` is A - 1.
    """

    grid: Grid
    linear: tuple[float, float, float, float]
    shift: tuple[float, float]
    perspective: tuple[float, float]
    radial: float

    def scaled(self, factor: float) -> Misregistration:
        """Return the same kind of misregistration, ``factor`` times as strong."""
        a, b, c, d = (factor * v for v in self.linear)
        tx, ty = (factor * v for v in self.shift)
        gx, gy = (factor * v for v in self.perspective)
        return Misregistration(self.grid, (a, b, c, d), (tx, ty), (gx, gy), factor * self.radial)

    def displacement(self, x: ArrayLike, y: ArrayLike) -> tuple[F64, F64]:
        """Return (xs - xb, ys - yb) in px at B's pixel (x, y)."""
        cx, cy = self.grid.centre
        half = self.grid.width / 2
        u, v = (np.asarray(x, float) - cx) / half, (np.asarray(y, float) - cy) / half
        a, b, c, d = self.linear
        depth = 1 + self.perspective[0] * u + self.perspective[1] * v
        swell = self.radial * (u * u + v * v)
        return (
            half * ((u * (1 + a) + b * v) / depth + self.shift[0] + swell * u - u),
            half * ((v * (1 + d) + c * u) / depth + self.shift[1] + swell * v - v),
        )

    def s_from_b(self, x: ArrayLike, y: ArrayLike) -> tuple[F64, F64]:
        """Return the S pixel that sees what B's pixel (x, y) sees."""
        dx, dy = self.displacement(x, y)
        return np.asarray(x, float) + dx, np.asarray(y, float) + dy

    def b_from_s(self, x: ArrayLike, y: ArrayLike) -> tuple[F64, F64]:
        """Return where in B's grid the scene point seen at S's pixel (x, y) lies.

        The map moves points by some px with a slope below 1 %, so the fixed point is reached to 1e-12 px.
        """
        xs, ys = np.asarray(x, float), np.asarray(y, float)
        xb, yb = xs, ys
        for _ in range(10):
            dx, dy = self.displacement(xb, yb)
            xb, yb = xs - dx, ys - dy
        return xb, yb

    def largest(self) -> float:
        """Return the largest displacement over the frame, px."""
        x, y = np.meshgrid(np.linspace(0, self.grid.width - 1, 25), np.linspace(0, self.grid.height - 1, 21))
        return float(np.hypot(*self.displacement(x, y)).max())

    @classmethod
    def drawn(cls, grid: Grid, rng: np.random.Generator, largest_px: float) -> Misregistration:
        """Draw a plausible misalignment of two cameras whose largest displacement is ``largest_px``."""
        half = grid.width / 2
        angle, zoom, shear = rng.uniform([0.5e-3, 3e-4, -2e-4], [0.9e-3, 7e-4, 2e-4]) * rng.choice([-1, 1], 3)
        tx, ty = rng.uniform(0.6, 1.3, 2) * rng.choice([-1, 1], 2) / half
        gx, gy = rng.uniform(-3e-4, 3e-4, 2)
        raw = cls(
            grid, (zoom, shear - angle, angle, zoom), (tx, ty), (gx, gy), float(rng.uniform(3e-4, 7e-4))
        )
        for _ in range(4):
            raw = raw.scaled(largest_px / raw.largest())
        return raw

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers."""
        return {
            "width": self.grid.width,
            "height": self.grid.height,
            "linear": [float(v) for v in self.linear],
            "shift": [float(v) for v in self.shift],
            "perspective": [float(v) for v in self.perspective],
            "radial": float(self.radial),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Misregistration:
        """Read what `to_dict` gave."""
        a, b, c, d = data["linear"]
        return cls(
            Grid(data["width"], data["height"]),
            (a, b, c, d),
            (data["shift"][0], data["shift"][1]),
            (data["perspective"][0], data["perspective"][1]),
            data["radial"],
        )


def cast_coefficients(rng: np.random.Generator, side: int, largest: float) -> tuple[tuple[float, ...], ...]:
    """Draw a camera's location-dependent cast: (3, 10) coefficients of `cubic_terms`, 1 at the centre.

    A beam splitter's ratio runs with the angle of incidence: a tilt along x, opposite at its two ends
    (``side`` +1 or -1) and different for each colour; lens and filter add a fall-off and a little of third
    order.
    ``largest`` is the largest deviation from 1 over frame and channels.
    """
    x, y = np.meshgrid(np.linspace(-1, 1, 33), np.linspace(-1, 1, 27))
    terms = np.stack(cubic_terms(x, y))
    fall_off = rng.uniform(0.05, 0.07)
    coefficients = np.zeros((3, 10))
    for channel, tint in enumerate(rng.permutation([-0.4, 0.1, 0.5])):
        coefficients[channel, :4] = rng.uniform(-0.015, 0.015, 4)
        coefficients[channel, 4:7] = [-fall_off, rng.uniform(-0.01, 0.01), -fall_off * 0.7]
        coefficients[channel, 7:9] = [
            side * 0.05 * (1 + tint),
            rng.uniform(-0.01, 0.01) + 0.012 * side * tint,
        ]
    deviation = np.abs(np.tensordot(coefficients, terms, 1)).max()
    coefficients *= largest / deviation
    coefficients[:, 9] = 1.0
    return tuple(tuple(float(v) for v in row) for row in coefficients)

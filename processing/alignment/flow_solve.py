"""Fitting a smooth map and a smooth brightness difference to the sums over cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processing.alignment.flow_cells import Array, Cells
from processing.alignment.flow_model import normalise
from processing.errors import RegistrationFailed
from processing.products import product_with_transposed


@dataclass(frozen=True)
class Fit:
    """What explains the differences between two images.

    Attributes:
        x, y: (degree + 1, degree + 1) polynomial tables of a displacement in px; see `PolynomialFlow`.
        gain, offset: (3,) coefficients of 1, x_n, y_n of S - B's brightness.
    """

    x: Array
    y: Array
    gain: Array
    offset: Array

    @classmethod
    def nothing(cls, degree: int) -> Fit:
        """Return the fit of two images that agree."""
        table = np.zeros((degree + 1, degree + 1))
        return cls(table, table, np.zeros(3), np.zeros(3))

    def __add__(self, other: Fit) -> Fit:
        """Return both one after the other."""
        return Fit(self.x + other.x, self.y + other.y, self.gain + other.gain, self.offset + other.offset)

    def light(self, x: Array, y: Array, shape: tuple[int, int]) -> tuple[Array, Array]:
        """Return (gain, offset) at px (x, y) of an image of (H, W)."""
        basis = polynomials(x, y, shape, 1)
        return basis @ self.gain, basis @ self.offset

    def explained(self, cells: Cells, shape: tuple[int, int]) -> Array:
        """Return (4, N): displacement, gain and offset in each cell."""
        basis = polynomials(cells.x, cells.y, shape, len(self.x) - 1)
        motion = [basis @ np.array([t[j, i] for i, j in terms(len(t) - 1)]) for t in (self.x, self.y)]
        return np.stack([*motion, *self.light(cells.x, cells.y, shape)])

    @property
    def size_px(self) -> float:
        """Upper bound of the displacement in px."""
        return float(np.hypot(np.abs(self.x).sum(), np.abs(self.y).sum()))


def terms(degree: int) -> list[tuple[int, int]]:
    """Return (i, j): exponents of x and y of all polynomial terms up to a degree, 1 first."""
    return [(total - j, j) for total in range(degree + 1) for j in range(total + 1)]


def polynomials(x: Array, y: Array, shape: tuple[int, int], degree: int) -> Array:
    """Return (N, terms): the polynomial terms at N points (x, y) px of an image of (H, W)."""
    xn, yn = normalise(x, shape[1]), normalise(y, shape[0])
    return np.stack([xn**i * yn**j for i, j in terms(degree)], axis=1)


def _polynomial_equations(
    cells: Cells, shape: tuple[int, int], bases: list[list[tuple[int, int]]]
) -> tuple[Array, Array]:
    """Return (system, right side) for polynomial unknowns, from moments of the cells: one product."""
    most = 2 * max(max(i, j) for basis in bases for i, j in basis) + 1
    xn, yn = normalise(cells.x, shape[1]), normalise(cells.y, shape[0])
    pairs = [(i, j) for i in range(most) for j in range(most - i)]
    powers_x, powers_y = (np.vander(v, most, increasing=True).T for v in (xn, yn))
    monomials = np.stack([powers_x[i] * powers_y[j] for i, j in pairs])
    upper = np.triu_indices(4)
    sums = product_with_transposed(monomials, np.concatenate([cells.products[upper], cells.projections]))
    moments = np.zeros((most, most, 5, 4))
    rows, columns = np.array(pairs).T
    for n, (a, b) in enumerate(zip(*upper, strict=True)):
        moments[rows, columns, a, b] = moments[rows, columns, b, a] = sums[:, n]
    moments[rows, columns, 4] = sums[:, 10:]
    unknowns = [(a, i, j) for a, basis in enumerate(bases) for i, j in basis]
    local, of_x, of_y = np.array(unknowns).T
    system = moments[of_x[:, None] + of_x, of_y[:, None] + of_y, local[:, None], local]
    return system, moments[of_x, of_y, 4, local]


def fit(cells: Cells, shape: tuple[int, int], degree: int) -> Fit:
    """Solve for displacement, gain and offset together.

    Raises:
        RegistrationFailed: if the cells hold too little texture.
    """
    motion, light = terms(degree), terms(1)
    if len(cells.x) < len(motion):
        raise no_texture()
    system, right = _polynomial_equations(cells, shape, [motion, motion, light, light])
    scale = np.sqrt(np.maximum(np.diag(system), 1e-12))
    system = system / scale[:, None] / scale[None, :] + 1e-9 * np.eye(len(system))
    try:
        solution = np.linalg.solve(system, right / scale) / scale
    except np.linalg.LinAlgError as error:
        raise no_texture() from error
    count = len(motion)
    x, y = (table(part, degree) for part in (solution[:count], solution[count : 2 * count]))
    return Fit(x, y, solution[2 * count : 2 * count + 3], solution[2 * count + 3 :])


def table(values: NDArray[np.float64], degree: int) -> Array:
    """Return coefficients in the order of `terms` as a `PolynomialFlow` has them."""
    out = np.zeros((degree + 1, degree + 1))
    for value, (i, j) in zip(values, terms(degree), strict=True):
        out[j, i] = value
    return out


def no_texture() -> RegistrationFailed:
    """Return the error to raise where there is nothing to register on."""
    return RegistrationFailed(
        "the static pair holds too little texture to register it",
        hint="record a static take of a textured scene",
    )

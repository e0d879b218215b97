"""A local correction of the polynomial map, only where the images themselves ask for it.

The gate: 128-px cells are solved for the shift that the polynomial left. Where one exceeds 0.03 px by more
than three of its own standard errors, control points of a cubic B-spline around it are set free; on a map
that is a polynomial none is, since a spline would only add noise. Free control points, the polynomial and the
brightness are then solved together from the sums over cells; little bending is preferred.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.alignment.flow_cells import Array, Cells, cell_shifts
from processing.alignment.flow_levels import Level
from processing.alignment.flow_model import PolynomialFlow
from processing.alignment.flow_solve import Fit, polynomials, table
from processing.alignment.flow_spline import SplineFlow, spline_weights
from processing.errors import RegistrationFailed

CONTROL_PX: Final = 128
GATE_PX: Final = 0.03
GATE_ERRORS: Final = 3.0
BEND_PX: Final = 0.3
"""How much the displacement may bend from one control point to the next, as a standard deviation."""
FREE_PX: Final = 3.0
"""The same of the control points themselves, which keeps them apart from the polynomial."""
STEPS: Final = (3, 2)
"""On the level of half size and on the finest."""
_LIGHT: Final = 3

Index = NDArray[np.intp]


def needed(left: Cells, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which control points of (rows + 3, columns + 3) a local correction needs; none if there is none.

    Args:
        left: sums over cells with all taken off that is known.
        shape: (H, W) of the image in px.
    """
    shifts, errors = cell_shifts(left, shape, CONTROL_PX)
    excess = np.hypot(shifts[..., 0], shifts[..., 1]) - GATE_ERRORS * errors
    rows, columns = _intervals(shape)
    free = np.zeros((rows + 3, columns + 3), np.uint8)
    for row, column in np.argwhere(excess > GATE_PX):
        # Cells are cut from the upper left corner, knots share the side: next to each other by half a cell.
        top, side = (min(row, rows - 1), min(column, columns - 1))
        free[top : top + 4, side : side + 4] = 1
    return np.asarray(cv2.dilate(free, np.ones((3, 3), np.uint8)) > 0, np.bool_)


def correct(levels: list[Level], total: Fit, free: NDArray[np.bool_], shape: tuple[int, int]) -> SplineFlow:
    """Fit polynomial, brightness and the free control points together.

    Args:
        levels: the level of half size and the finest one.
        total: the fit without local correction.
        free: what `needed` gave.
        shape: (H, W) of the image in px.

    Raises:
        RegistrationFailed: if the correction does not settle.
    """
    x, y = np.zeros(free.shape), np.zeros(free.shape)
    for level, steps in zip(levels, STEPS, strict=True):
        for _ in range(steps):
            flow = SplineFlow(PolynomialFlow(shape, total.x, total.y), x, y)
            cells = level.compare(flow, *total.light(level.x, level.y, shape))
            step, step_x, step_y = _Unknowns(cells, shape, free, len(total.x) - 1).solve(x, y)
            total, x, y = total + step, x + step_x, y + step_y
    if not (np.isfinite(x).all() and np.isfinite(y).all() and np.abs([x, y]).max() < CONTROL_PX / 4):
        raise RegistrationFailed(
            "the static pair differs by more than a smooth map",
            hint="check that nothing stands close in front of the cameras and that both see the same scene",
        )
    return SplineFlow(PolynomialFlow(shape, total.x, total.y), x, y)


def _intervals(shape: tuple[int, int]) -> tuple[int, int]:
    rows, columns = (max(1, round(side / CONTROL_PX)) for side in shape)
    return rows, columns


@dataclass(frozen=True)
class _Unknowns:
    """The normal equations of everything at once; each cell reaches few of the unknowns."""

    cells: Cells
    shape: tuple[int, int]
    free: NDArray[np.bool_]
    degree: int

    def solve(self, x: Array, y: Array) -> tuple[Fit, Array, Array]:
        """Return what to add to the fit and to the control points, which stand at x and y now."""
        index, weights, motion = self._reach()
        light = polynomials(self.cells.x, self.cells.y, self.shape, 1)
        here = np.broadcast_to(np.arange(_LIGHT), light.shape)
        count = 2 * motion + 2 * _LIGHT
        reach = [(index, weights), (index + motion, weights)]
        reach += [(here + 2 * motion, light), (here + 2 * motion + _LIGHT, light)]
        system, right = np.zeros((count, count)), np.zeros(count)
        for a, (row, of_row) in enumerate(reach):
            right += np.bincount(row.ravel(), (of_row * self.cells.projections[a][:, None]).ravel(), count)
            for b, (column, of_column) in enumerate(reach):
                places = row[:, :, None] * count + column[:, None, :]
                values = (of_row * self.cells.products[a, b][:, None])[:, :, None] * of_column[:, None, :]
                system += np.bincount(places.ravel(), values.ravel(), count**2).reshape(count, count)
        stiff = self._stiffness()
        points = np.flatnonzero(self.free.ravel())
        first = motion - len(points)
        for part, table_now in enumerate((x, y)):
            own = part * motion + first + np.arange(len(points))
            system[np.ix_(own, own)] += stiff
            right[own] -= stiff @ table_now.ravel()[points]
        found = _solve(system, right)
        tables = np.zeros((2, self.free.size))
        for part in range(2):
            tables[part, points] = found[part * motion + first : (part + 1) * motion]
        of_x, of_y = (table(found[part * motion :][:first], self.degree) for part in range(2))
        step = Fit(of_x, of_y, found[2 * motion : 2 * motion + _LIGHT], found[2 * motion + _LIGHT :])
        return step, tables[0].reshape(self.free.shape), tables[1].reshape(self.free.shape)

    def _reach(self) -> tuple[Index, Array, int]:
        """Return (N, K) which unknowns of one axis a cell's displacement hangs on, by how much; how many."""
        smooth = polynomials(self.cells.x, self.cells.y, self.shape, self.degree)
        count, terms = smooth.shape
        rows, columns = (side - 3 for side in self.free.shape)
        column, of_x = spline_weights(self.cells.x, self.shape[1], columns)
        row, of_y = spline_weights(self.cells.y, self.shape[0], rows)
        step = np.arange(4)
        places = (row[:, None, None] + step[:, None]) * (columns + 3) + column[:, None, None] + step
        number = np.full(self.free.size, 0)
        number[self.free.ravel()] = terms + np.arange(self.free.sum())
        known = self.free.ravel()[places]
        local = np.where(known, of_y[:, :, None] * of_x[:, None, :], 0.0)
        index = np.concatenate(
            [np.broadcast_to(np.arange(terms), (count, terms)), number[places].reshape(count, 16)], axis=1
        )
        weights = np.concatenate([smooth, local.reshape(count, 16)], axis=1)
        return index.astype(np.intp), weights, terms + int(self.free.sum())

    def _stiffness(self) -> Array:
        """Return the (free, free) matrix of the bending and of the size of one axis's control points."""
        rows, columns = self.free.shape
        points = np.flatnonzero(self.free.ravel())
        unit = np.eye(self.free.size)[points].reshape(-1, rows, columns)
        bends = [np.diff(unit, 2, axis=2), np.diff(unit, 2, axis=1)]
        bends.append(np.sqrt(2) * np.diff(np.diff(unit, axis=1), axis=2))
        flat = np.concatenate([bend.reshape(len(points), -1) for bend in bends], axis=1)
        bending = np.einsum("ik,jk->ij", flat, flat)
        return np.asarray(
            self.cells.noise * (bending / BEND_PX**2 + np.eye(len(points)) / FREE_PX**2), np.float64
        )


def _solve(system: Array, right: Array) -> Array:
    """Solve a symmetric positive system by Cholesky's way, one column after the other.

    LAPACK's way depends, in the last bits, on the number of threads.
    """
    scale = np.sqrt(np.maximum(np.diag(system), 1e-30))
    rest = system / scale[:, None] / scale[None, :] + 1e-10 * np.eye(len(system))
    lower = np.zeros_like(rest)
    half = right / scale
    for k in range(len(rest)):
        column = rest[k:, k] / np.sqrt(max(rest[k, k], 1e-12))
        lower[k:, k] = column
        half[k] /= column[0]
        half[k + 1 :] -= half[k] * column[1:]
        rest[k + 1 :, k + 1 :] -= column[1:, None] * column[1:]
    for k in range(len(rest) - 1, -1, -1):
        half[k] /= lower[k, k]
        half[:k] -= half[k] * lower[k, :k]
    return np.asarray(half / scale, np.float64)

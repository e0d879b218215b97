"""The colour map that makes the patches of a chart look right: white kept, CIEDE2000 smallest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing.chart.colour_difference import ciede2000, lab_from_linear
from processing.errors import CalibrationError

Array = NDArray[np.float64]

_STEPS: Final = 60
_DELTA: Final = 1e-5
GREY: Final = slice(18, 24)
"""The chart's grey patches, white first."""


@dataclass(frozen=True, eq=False)
class PatchFit:
    """How well a colour map reproduces a chart.

    Attributes:
        measured: (24, 3) linear white-balanced camera RGB of the patches, scaled to the reference's greys.
        reference: (24, 3) linear sRGB of the same patches.
        corners: (24, 4, 2) corners (x, y) of the measured squares in pixels of S's frame.
        before, after: (24,) CIEDE2000 without and with the map.
        left_out: (24,) CIEDE2000 of each patch by the map that the other 23 give.
    """

    measured: Array
    reference: Array
    corners: Array
    before: Array
    after: Array
    left_out: Array

    def figures(self) -> dict[str, float]:
        """Return mean and largest CIEDE2000 before, after, and of patches that were left out of the fit."""
        return {
            f"delta_e_{name}_{kind}": float(function(values))
            for name, values in (("before", self.before), ("after", self.after), ("left_out", self.left_out))
            for kind, function in (("mean", np.mean), ("max", np.max))
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        tables = {name: getattr(self, name).tolist() for name in _TABLES}
        return {**self.figures(), **tables}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PatchFit:
        """Read what `to_dict` wrote.

        Raises:
            CalibrationError: if something is missing or of a wrong shape.
        """
        try:
            tables = {
                name: np.asarray(data[name], np.float64).reshape(shape) for name, shape in _TABLES.items()
            }
        except (KeyError, TypeError, ValueError) as error:
            raise CalibrationError(
                f"damaged fit of a colour chart: {error!r}", hint="calibrate again"
            ) from error
        return cls(**tables)


_TABLES: Final[dict[str, tuple[int, ...]]] = {
    "measured": (24, 3),
    "reference": (24, 3),
    "corners": (24, 4, 2),
    "before": (24,),
    "after": (24,),
    "left_out": (24,),
}


def least_squares(camera: Array, target: Array) -> Array:
    """Fit the (3, 3) matrix with rows adding to 1 that takes camera to target colours best (least squares).

    Args:
        camera: (N, 3) linear balanced camera RGB of patches.
        target: (N, 3) linear sRGB of the same patches.
    """
    rows = []
    for channel in range(3):
        # With the row's sum fixed to 1, two coefficients remain, on differences to the channel itself.
        others = [i for i in range(3) if i != channel]
        own = camera[:, channel]
        differences = camera[:, others] - own[:, None]
        solution = np.linalg.lstsq(differences, target[:, channel] - own, rcond=None)[0]
        row = np.zeros(3)
        row[others] = solution
        row[channel] = 1 - solution.sum()
        rows.append(row)
    return np.array(rows)


def scaled_to_greys(camera: Array, target: Array) -> Array:
    """Scale the camera's patches by one factor, so that the grey ones are as bright as the target's."""
    factor = np.sum(target[GREY] * camera[GREY]) / max(float(np.sum(camera[GREY] ** 2)), 1e-12)
    return np.asarray(camera * factor, np.float64)


def fit_delta_e(camera: Array, target: Array) -> tuple[Array, float]:
    """Fit the (3, 3) matrix with rows adding to 1 whose CIEDE2000 has the smallest mean square.

    Levenberg-Marquardt on six coefficients and one brightness, from the least-squares matrix on; nothing in
    it is random.

    Args:
        camera: (N, 3) linear balanced camera RGB of patches, about as bright as the target.
        target: (N, 3) linear sRGB of the same patches.

    Returns:
        The matrix, and the brightness factor that was fitted with it.
    """
    wanted = lab_from_linear(target)

    def off(vector: Array) -> Array:
        return ciede2000(lab_from_linear(vector[6] * camera @ _matrix(vector).T), wanted)

    vector = np.append(_coefficients(least_squares(camera, target)), 1.0)
    residuals, damping = off(vector), 1e-3
    for _ in range(_STEPS):
        jacobian = np.stack(
            [(off(vector + step) - residuals) / _DELTA for step in _DELTA * np.eye(7)], axis=1
        )
        normal, right = jacobian.T @ jacobian, jacobian.T @ residuals
        change = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-9), right)
        trial = off(vector - change)
        if np.sum(trial**2) < np.sum(residuals**2):
            gained = 1 - float(np.sum(trial**2) / max(float(np.sum(residuals**2)), 1e-300))
            vector, residuals, damping = vector - change, trial, damping / 4
            if gained < 1e-7:
                break
        else:
            damping *= 8
            if damping > 1e8:
                break
    return _matrix(vector), float(vector[6])


def judge(camera: Array, target: Array, matrix: Array, scale: float, corners: Array) -> PatchFit:
    """Measure how well a matrix reproduces the patches, and how well the method does on patches unseen."""
    left_out = np.empty(len(camera))
    for index in range(len(camera)):
        others = np.arange(len(camera)) != index
        fitted = fit_delta_e(camera[others], target[others])
        left_out[index] = _difference(camera, target, *fitted)[index]
    before, after = _difference(camera, target, np.eye(3)), _difference(camera, target, matrix, scale)
    return PatchFit(camera, target, corners, before, after, left_out)


def _difference(camera: Array, target: Array, matrix: Array, scale: float = 1.0) -> Array:
    """Return CIEDE2000 of the mapped patches."""
    return ciede2000(lab_from_linear(scale * camera @ matrix.T), lab_from_linear(target))


def _coefficients(matrix: Array) -> Array:
    return np.array([matrix[row, column] for row in range(3) for column in range(3) if row != column])


def _matrix(vector: Array) -> Array:
    matrix = np.zeros((3, 3))
    matrix[~np.eye(3, dtype=bool)] = vector[:6]
    np.fill_diagonal(matrix, 1 - matrix.sum(axis=1))
    return matrix

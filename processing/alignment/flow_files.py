"""Maps and their residuals as plain values, for calibration files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processing.alignment.flow_model import Array, DenseFlow, Flow, PolynomialFlow
from processing.alignment.flow_residual import Residual
from processing.alignment.flow_spline import SplineFlow
from processing.errors import CalibrationError

_DIGITS = 4
"""Decimals of a displacement in px that are stored where there are many of them."""


def flow_to_dict(flow: Flow) -> dict[str, Any]:
    """Return a flow as plain values; a dense one every 8 pixels only, from which it is interpolated.

    Raises:
        CalibrationError: if it is of a kind that is not known here.
    """
    if isinstance(flow, PolynomialFlow):
        return {
            "kind": "polynomial",
            "shape": list(flow.shape),
            "x": flow.x.tolist(),
            "y": flow.y.tolist(),
            "meaning": "displacement in px at entry [j][i] for x_n^i y_n^j, x_n = (x - (W-1)/2) / (W/2)",
        }
    if isinstance(flow, SplineFlow):
        return {
            "kind": "spline",
            "shape": list(flow.shape),
            "base": flow_to_dict(flow.base),
            "x": flow.x.tolist(),
            "y": flow.y.tolist(),
            "meaning": "displacement in px added to the base: cubic B-spline, n + 3 control points on a side "
            "of N px, parameter (x + 0.5) n / N",
        }
    if isinstance(flow, DenseFlow):
        return {
            "kind": "dense",
            "shape": list(flow.shape),
            "step": flow.step,
            "u": np.round(flow.u.astype(np.float64), _DIGITS).tolist(),
            "v": np.round(flow.v.astype(np.float64), _DIGITS).tolist(),
        }
    raise CalibrationError(f"a flow of type {type(flow).__name__} cannot be stored")


def flow_from_dict(data: Mapping[str, Any]) -> Flow:
    """Read what `flow_to_dict` wrote.

    Raises:
        CalibrationError: if it is of an unknown kind or its tables have a wrong shape.
        KeyError, TypeError, ValueError: if it is something else altogether.
    """
    if data["kind"] == "polynomial":
        return _polynomial(data)
    if data["kind"] == "spline":
        x, y = (np.asarray(data[axis], np.float64) for axis in ("x", "y"))
        if x.ndim != 2 or x.shape != y.shape or min(x.shape) < 4:
            raise CalibrationError("the flow's spline coefficients have a wrong shape")
        return SplineFlow(_polynomial(data["base"]), x, y)
    if data["kind"] == "dense":
        u, v = (np.asarray(data[axis], np.float32) for axis in ("u", "v"))
        if u.ndim != 2 or u.shape != v.shape:
            raise CalibrationError("the dense flow's tables have a wrong shape")
        return DenseFlow(_shape(data), u, v, int(data["step"]))
    raise CalibrationError(f"unknown kind of flow {data['kind']!r}")


def residual_to_dict(residual: Residual) -> dict[str, Any]:
    """Return a residual as plain values; cells without texture are null."""

    def plain(cell: NDArray[np.float32]) -> list[float] | None:
        if np.isnan(cell).any():
            return None
        return [round(float(value), _DIGITS) for value in cell]

    return {
        "mean_px": residual.mean_px,
        "p95_px": residual.p95_px,
        "rounded_px": residual.rounded_px,
        "cells": residual.cells,
        "cell_px": residual.cell_px,
        "map": [[plain(cell) for cell in row] for row in residual.map],
    }


def residual_from_dict(data: Mapping[str, Any]) -> Residual:
    """Read what `residual_to_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError: if it is something else.
    """
    nothing = [np.nan, np.nan]
    cells = [[nothing if cell is None else cell for cell in row] for row in data["map"]]
    table = np.asarray(cells, np.float32)
    if table.ndim != 3 or table.shape[2] != 2:
        raise ValueError("the map of residual displacements has a wrong shape")
    return Residual(
        float(data["mean_px"]), float(data["p95_px"]), int(data["cells"]), table, int(data["cell_px"])
    )


def _polynomial(data: Mapping[str, Any]) -> PolynomialFlow:
    x, y = (np.asarray(data[axis], np.float64) for axis in ("x", "y"))
    if x.ndim != 2 or x.shape != y.shape or x.shape[0] != x.shape[1]:
        raise CalibrationError("the flow's coefficients have a wrong shape")
    return PolynomialFlow(_shape(data), _table(x), _table(y))


def _table(values: Array) -> Array:
    return np.ascontiguousarray(values)


def _shape(data: Mapping[str, Any]) -> tuple[int, int]:
    height, width = (int(v) for v in data["shape"])
    return height, width

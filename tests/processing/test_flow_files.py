"""Maps and residuals on their way through a calibration file."""

from __future__ import annotations

import json

import numpy as np
import pytest

from processing.alignment.flow import DenseFlow, Flow, PolynomialFlow, Residual, SplineFlow
from processing.alignment.flow_files import flow_from_dict, flow_to_dict, residual_from_dict, residual_to_dict
from processing.errors import CalibrationError

SHAPE = (120, 160)
RNG = np.random.default_rng(4)
BASE = PolynomialFlow(SHAPE, RNG.normal(0, 2, (4, 4)), RNG.normal(0, 2, (4, 4)))
FLOWS: dict[str, Flow] = {
    "polynomial": BASE,
    "spline": SplineFlow(BASE, RNG.normal(0, 0.3, (5, 6)), RNG.normal(0, 0.3, (5, 6))),
    "dense": DenseFlow(
        SHAPE, *(RNG.normal(0, 2, (15, 20)).astype(np.float32).round(4) for _ in range(2)), step=8
    ),
}


def _through_json(data: object) -> dict[str, object]:
    again: dict[str, object] = json.loads(json.dumps(data, allow_nan=False))
    return again


@pytest.mark.parametrize("kind", FLOWS)
def test_a_flow_is_the_same_bit_by_bit_after_its_file(kind: str) -> None:
    again = flow_from_dict(_through_json(flow_to_dict(FLOWS[kind])))
    for before, after in zip(FLOWS[kind].grid(), again.grid(), strict=True):
        np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("kind", FLOWS)
def test_the_grid_of_every_kind_is_the_map_of_every_pixel(kind: str) -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float64)
    for grid, mapped in zip(FLOWS[kind].grid(), FLOWS[kind].map(x, y), strict=True):
        np.testing.assert_allclose(grid, mapped, atol=2e-4)


def test_a_residual_keeps_its_map_and_its_empty_cells() -> None:
    table = RNG.normal(0, 0.02, (3, 4, 2)).astype(np.float32)
    table[1, 2] = np.nan
    left = Residual(1.4, 2.6, 11, table)
    data = residual_to_dict(left)
    assert data["rounded_px"] == 1
    again = residual_from_dict(_through_json(data))
    np.testing.assert_allclose(again.map, table, atol=6e-5)
    assert np.isnan(again.map[1, 2]).all()
    assert (again.mean_px, again.p95_px, again.cells, again.cell_px) == (1.4, 2.6, 11, 128)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "guess"},
        {"x": [[0.0, 1.0]]},
        {"kind": "spline", "base": flow_to_dict(BASE), "x": [[0.0]], "y": [[0.0]]},
        {"kind": "dense", "u": [[0.0]], "v": [0.0], "step": 8},
    ],
)
def test_a_damaged_flow_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(CalibrationError):
        flow_from_dict({**flow_to_dict(BASE), **change})

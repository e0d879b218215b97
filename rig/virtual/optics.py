"""Between scene and electrons: per-pixel gain of a camera, and where a moving object lies in its frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rig.virtual import scene
from rig.virtual.frames import RenderedObject
from rig.virtual.geometry import Grid
from rig.virtual.kernel import F32, F64
from rig.virtual.parameters import CameraTruth, WorldParameters

SHORTEST_WAY_PX = 1e-3
"""A standing object is drawn as if it moved by this much: far below any pixel, and no division by zero."""


def cast_rows(coefficients: tuple[float, ...], x: F64, y: F64) -> F64:
    """Return the (len(y), len(x)) cast on the grid of 1-D normalised y (rows) and x (columns)."""
    xxx, xxy, xyy, yyy, xx, xy, yy, lx, ly, one = coefficients
    by_power = np.stack(
        [((yyy * y + yy) * y + ly) * y + one, (xyy * y + xy) * y + lx, xxy * y + xx, xxx + 0 * y], 1
    )
    return by_power @ np.stack([x**0, x, x**2, x**3])


def gain_field(parameters: WorldParameters, camera: CameraTruth, with_prnu: bool = True) -> F32:
    """Return (H, W) float32: electrons per second of each Bayer pixel for radiance 1 in its RAW channel.

    Splitter, filter, photo-response, cast and (``with_prnu``) the pixels' own response, at illumination 1.
    """
    grid = parameters.grid
    x, y = grid.normalised(np.arange(grid.width), np.arange(grid.height))
    level = parameters.white_e_per_s * camera.share * camera.tau
    field = np.empty((grid.height, grid.width), np.float32)
    for row in (0, 1):
        for column in (0, 1):
            channel = row + column
            cast = cast_rows(camera.cast[channel], x[column::2], y[row::2])
            field[row::2, column::2] = cast * (level * camera.response[channel])
    if with_prnu and camera.prnu > 0:
        rng = np.random.default_rng([parameters.seed, ord(camera.name)])
        field *= 1 + np.float32(camera.prnu) * rng.standard_normal(field.shape, np.float32)
    return field


def shift_maps(
    parameters: WorldParameters, camera: CameraTruth, knock: tuple[float, float] = (0.0, 0.0)
) -> tuple[F32, F32] | None:
    """Return (dx, dy), each (H, W) float32 px, from the camera's grid to the ideal one; None: they are one.

    Args:
        parameters: the world's fixed numbers.
        camera: B, with its misregistration, or S, whose grid is the ideal one until it is knocked.
        knock: how far the camera looks to the side, (x, y) in px.
    """
    grid = parameters.grid
    if camera.name == "S":
        if knock == (0.0, 0.0):
            return None
        still = np.zeros((grid.height, grid.width), np.float32)
        return still + np.float32(knock[0]), still + np.float32(knock[1])
    dx = np.empty((grid.height, grid.width), np.float32)
    dy = np.empty_like(dx)
    x = np.arange(grid.width)[None, :]
    for top in range(0, grid.height, 256):
        rows = np.arange(top, min(top + 256, grid.height))[:, None]
        dx[top : top + 256], dy[top : top + 256] = parameters.misregistration.displacement(x, rows)
    if knock != (0.0, 0.0):
        dx += np.float32(knock[0])
        dy += np.float32(knock[1])
    return dx, dy


def along_and_across(
    grid: Grid, item: RenderedObject, per_metre: float, origin: tuple[float, float]
) -> tuple[F64, float, tuple[float, float]]:
    """Return where a sprite goes, for `kernel.compose`.

    Args:
        grid: The ideal grid; the optical axis pierces its centre.
        item: The object and the straight pieces of its way.
        per_metre: Pixels per metre in the object plane.
        origin: Sample (0, 0) of the sprite against its centre, px.

    Returns:
        (3, n) start and end of column 0 along the path and share of time; position across; direction.
    """
    cosine, sine = np.cos(np.radians(item.angle_deg)), np.sin(np.radians(item.angle_deg))
    cx, cy = grid.centre
    x, y = cx + item.centre_m[0] * per_metre, cy + item.centre_m[1] * per_metre
    along, across = x * cosine + y * sine + origin[0], y * cosine - x * sine + origin[1]
    pieces = []
    for start, end, share in item.pieces:
        low, high = along + min(start, end) * per_metre, along + max(start, end) * per_metre
        if high - low < SHORTEST_WAY_PX:
            middle = (low + high) / 2
            low, high = middle - SHORTEST_WAY_PX / 2, middle + SHORTEST_WAY_PX / 2
        pieces.append((low, high, share))
    return np.array(pieces).T.copy(), float(across), (float(cosine), float(sine))


def covering_box(
    grid: Grid,
    shape: tuple[int, int],
    pieces: F64,
    across: float,
    direction: tuple[float, float],
    margin: int = -8,
) -> tuple[int, int, int, int] | None:
    """Return x0, y0, w, h of the pixels that a sprite of ``shape`` (nv, nu) may touch, or None.

    A sprite has 16 px of nothing around it: 8 are left for the misregistration and the soft edge.
    """
    low, high = float(pieces[0].min()), float(pieces[1].max()) + shape[1]
    u = np.array([low, high, low, high])
    v = np.array([across, across, across + shape[0], across + shape[0]])
    x, y = u * direction[0] - v * direction[1], u * direction[1] + v * direction[0]
    x0, x1 = max(0, int(x.min()) - margin), min(grid.width, int(x.max()) + 2 + margin)
    y0, y1 = max(0, int(y.min()) - margin), min(grid.height, int(y.max()) + 2 + margin)
    return (x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


@dataclass(frozen=True)
class Placed:
    """An object's sprite and where it goes in the ideal grid, as `kernel.compose` takes it.

    Attributes:
        box: (x0, y0, w, h) of the pixels that it may touch.
        way: Keyword arguments for `kernel.compose`: sprite, direction, position across, pieces along.
    """

    box: tuple[int, int, int, int]
    way: dict[str, Any]


def placed_objects(
    parameters: WorldParameters, objects: Sequence[RenderedObject], distance_m: float
) -> Iterator[Placed]:
    """Yield the objects that are inside the frame, the hindmost first."""
    per_metre = parameters.pixels_per_metre(distance_m)
    for item in objects:
        sprite = scene.sprite(*item.size_m, per_metre, item.angle_deg, item.tile)
        pieces, across, direction = along_and_across(parameters.grid, item, per_metre, sprite.origin)
        nv, nu, _ = sprite.cumulative.shape
        box = covering_box(parameters.grid, (nv, nu), pieces, across, direction)
        if box is not None:
            way = {
                "cumulative": sprite.cumulative,
                "direction": direction,
                "across": across,
                "pieces": pieces,
            }
            yield Placed(box, way)

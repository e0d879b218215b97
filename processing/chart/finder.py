"""Finding the classic 24-patch colour chart in a picture: bright quadrilaterals on a regular 6x4 lattice.

OpenCV has a detector (`cv2.mcc`), which does not serve as a finder nor as a second opinion. Measured with
5.0.0: on the real chart of `tests/data`, at one to three times its size, it finds none in 48 calls; a drawn
chart at 1.5 times its size was found in 12 of 12 calls of one process and in none of 94 of nine others; at
twice its size it is found, but the place jumps by 1.7 px between calls, with `cv2.setRNGSeed` before each.
It repeats itself only with a seed and one thread, which are settings of the whole process and not of the
call. Asking it for the best chart after it found none ends the program (SIGSEGV). No calibration may depend
on that; where it finds a chart, a test compares it with this finder.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

COLUMNS: Final = 6
ROWS: Final = 4
WORKING_SIDE_PX: Final = 1200
FEWEST_PATCHES: Final = 12
_WINDOWS: Final = (51, 101, 201)


def chart_candidates(shown: NDArray[np.uint8]) -> Iterator[tuple[Array, float]]:
    """Yield where the 24 patches may be: centres (24, 2) as (x, y) in the chart's order, and a half-width.

    The lattice tells neither which end is up nor which row is missing; the caller takes the candidate whose
    colours fit.

    Args:
        shown: (H, W, 3) uint8 picture.
    """
    scale = min(1.0, WORKING_SIDE_PX / max(shown.shape[:2]))
    value = cv2.resize(shown, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).max(axis=2)
    for window in _WINDOWS:
        places = _lattice(_quadrilaterals(np.asarray(value, np.uint8), window))
        if len(places) >= FEWEST_PATCHES:
            yield from _placements(places, scale)


def _quadrilaterals(value: NDArray[np.uint8], window: int) -> Array:
    """Return (N, 4, 2) corners of convex quadrilaterals that are brighter than their surroundings."""
    smooth = cv2.medianBlur(value, 5)
    bright = cv2.adaptiveThreshold(smooth, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, window, -2)
    opened = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    contours, _ = cv2.findContours(opened, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        area = cv2.contourArea(contour)
        if not 2e-4 * value.size < area < 0.04 * value.size:
            continue
        corners = cv2.approxPolyDP(contour, 0.06 * cv2.arcLength(contour, True), True)
        if len(corners) == 4 and cv2.isContourConvex(corners):
            points = np.asarray(corners, np.float64).reshape(4, 2)
            sides = np.hypot(*(points - np.roll(points, 1, axis=0)).T)
            if sides.max() < 1.7 * sides.min() and cv2.contourArea(corners) > 0.85 * area:
                found.append(points)
    return np.array(found).reshape(-1, 4, 2)


def _lattice(quads: Array) -> dict[tuple[int, int], Array]:
    """Return the largest set of equal quadrilaterals on a lattice: (column, row) -> centre."""
    if len(quads) < FEWEST_PATCHES:
        return {}
    sides = np.sqrt([cv2.contourArea(quad.astype(np.float32)) for quad in quads])
    centres = quads.mean(axis=1)
    best: dict[tuple[int, int], Array] = {}
    for seed in range(len(quads)):
        equal = np.abs(sides / sides[seed] - 1) < 0.25
        across = quads[seed][1] - quads[seed][0]
        if abs(across[0]) < abs(across[1]):
            across = quads[seed][2] - quads[seed][1]
        across = across / np.hypot(*across) * np.sign(across[0])
        down = np.array([-across[1], across[0]])
        offsets = centres[equal] - centres[seed]
        along, over = offsets @ across, offsets @ down
        pitch = _pitch(along, over, float(sides[seed]))
        if pitch is None:
            continue
        found = _spread(centres[equal], centres[seed], across * pitch, down * pitch)
        columns, rows = np.ptp(np.array(list(found)), axis=0) + 1
        if len(found) > len(best) and max(columns, rows) <= COLUMNS and min(columns, rows) <= ROWS:
            best = found
    return best


def _pitch(along: Array, over: Array, side: float) -> float | None:
    """Return the distance to the next patch on the seed's own row or column."""
    on_row = np.abs(along[(np.abs(over) < 0.3 * side) & (np.abs(along) > 0.8 * side)])
    on_column = np.abs(over[(np.abs(along) < 0.3 * side) & (np.abs(over) > 0.8 * side)])
    near = np.concatenate([on_row, on_column])
    return float(near.min()) if len(near) and near.min() < 2 * side else None


def _spread(centres: Array, start: Array, across: Array, down: Array) -> dict[tuple[int, int], Array]:
    """Walk from patch to neighbouring patch and number them."""
    found = {(0, 0): start}
    open_places = [(0, 0)]
    while open_places:
        column, row = open_places.pop(0)
        for dc, dr in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            place = (column + dc, row + dr)
            if place in found:
                continue
            expected = found[column, row] + dc * across + dr * down
            distance = np.hypot(*(centres - expected).T)
            if distance.min() < 0.25 * np.hypot(*across):
                found[place] = centres[int(np.argmin(distance))]
                open_places.append(place)
    return found


def _placements(places: dict[tuple[int, int], Array], scale: float) -> Iterator[tuple[Array, float]]:
    """Yield every way in which the numbered patches can lie in a 6x4 chart, turned by quarters."""
    index = np.array(list(places), np.float64)
    centres = (np.array(list(places.values())) + 0.5) / scale - 0.5
    for columns, rows in ((COLUMNS, ROWS), (ROWS, COLUMNS)):
        span = np.ptp(index, axis=0)
        for dc in range(columns - int(span[0])):
            for dr in range(rows - int(span[1])):
                placed = index - index.min(axis=0) + np.array([dc, dr])
                homography, _ = cv2.findHomography(placed, centres, 0)
                grid = np.array([[(c, r) for c in range(columns)] for r in range(rows)], np.float64)
                at = cv2.perspectiveTransform(grid.reshape(1, -1, 2), homography).reshape(rows, columns, 2)
                half = 0.22 * float(np.hypot(*(at[0, 1] - at[0, 0])))
                turned = np.asarray(at if columns == COLUMNS else np.rot90(at), np.float64)
                yield turned.reshape(-1, 2), half
                yield turned[::-1, ::-1].reshape(-1, 2), half

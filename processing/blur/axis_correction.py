"""The axis of motion of one pair, set right by what it leaves across.

The outline of the object gives the axis: its middle in B lies ahead of that in S. On a slant that is off by
some degrees, for an outline found by a threshold is not quite the same in both; the blur of S, a few
pixels, is then found too short by as much as half. Inside the object the texture says more: with lengths
that are roughly right, B * box(n_S) and S * box(n_B) differ by a shift across the axis, and that shift is
the middle's way off the axis. At full size 2 degrees become 0.1, for small objects 5 become 1.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.blur.motion_axis import Float, MovingObject

Axis = tuple[float, float]

SMOOTH: Final = 1.5
"""Sigma of the smoothing: below it is noise, and texture that a rough length does not explain."""
LEAST_LEAD_PX: Final = 1.5
"""Way from the middle in S to that in B below which nothing is told: both exposures have one middle."""
LEAST_INSIDE_PX: Final = 2000
LARGEST_TURN: Final = 0.15
"""Tangent of the largest correction; what is further off is no small shift any more."""


def corrected_axis(item: MovingObject, b: Float, s: Float, axis: Axis, lengths: tuple[float, float]) -> Axis:
    """Turn an axis so that B and S, each blurred as the other is, lie on each other across it.

    Args:
        item: the moving object.
        b: (h, w) float32 linear image of B.
        s: the same of S.
        axis: unit vector (x, y), roughly.
        lengths: rough (n_B, n_S) in px.

    Returns:
        The better axis; the same one where nothing can be told.
    """
    if item.towards(axis) < 0:
        axis = (-axis[0], -axis[1])
    lead = item.towards(axis)
    if lead < LEAST_LEAD_PX:
        return axis
    ys, xs = np.nonzero(item.in_s)
    along, across = xs * axis[0] + ys * axis[1], ys * axis[0] - xs * axis[1]
    u = np.arange(np.floor(along.min()), np.ceil(along.max()) + 1)
    v = np.arange(np.floor(across.min()), np.ceil(across.max()) + 1)
    at = (
        (u[None, :] * axis[0] - v[:, None] * axis[1]).astype(np.float32),
        (u[None, :] * axis[1] + v[:, None] * axis[0]).astype(np.float32),
    )
    view_b, view_s = (
        np.asarray(cv2.remap(image, *at, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)
        for image in (b, s)
    )
    inside = np.asarray(cv2.remap(item.in_s, *at, cv2.INTER_NEAREST), np.uint8)
    reach = int(np.ceil(lead + max(lengths) / 2)) + 4
    inside = np.asarray(cv2.erode(inside, np.ones((13, 2 * reach + 1), np.uint8), borderValue=0), np.uint8)
    inside[:, :reach] = inside[:, -reach:] = 0
    if int(np.count_nonzero(inside)) < LEAST_INSIDE_PX:
        return axis
    both = [
        cv2.GaussianBlur(cv2.filter2D(view, cv2.CV_32F, kernel[None, :]), (0, 0), SMOOTH)
        for view, kernel in ((view_b, _box(lengths[1], 0.0)), (view_s, _box(lengths[0], lead)))
    ]
    slope = np.gradient(both[1], axis=0)[inside > 0]
    left = (both[0] - both[1])[inside > 0]
    # Summed by numpy and not as a product of matrices, whose order depends on the number of threads.
    shift = -float(np.sum(left * slope, dtype=np.float64))
    shift /= max(float(np.sum(slope * slope, dtype=np.float64)), 1e-12)
    turn = shift / lead
    if abs(turn) > LARGEST_TURN:
        return axis
    x, y = axis[0] - turn * axis[1], axis[1] + turn * axis[0]
    length = float(np.hypot(x, y))
    return (x / length, y / length)


def _box(length: float, middle: float) -> NDArray[np.float32]:
    """Return the kernel, for a correlation, that averages over a length and moves by `middle`."""
    reach = int(np.ceil(abs(middle) + length / 2)) + 1
    edges = np.arange(-reach, reach + 2) - 0.5
    # A pixel's share of the box from -middle - length / 2 to -middle + length / 2.
    inside = np.clip(edges, -middle - length / 2, -middle + length / 2)
    share = np.diff(inside) / max(length, 1e-6)
    return np.asarray(share / share.sum(), np.float32)

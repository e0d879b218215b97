"""Outlines of made-up objects, for photographs that nobody labelled."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["draw_silhouette"]

U8 = npt.NDArray[np.uint8]
_FINE = 16
"""Points are drawn in sixteenths of a pixel."""


def draw_silhouette(side_px: int, rng: np.random.Generator) -> U8:
    """Return a (side_px, side_px) uint8 picture, 1 inside a random outline: blob, polygon, or figure."""
    inside = np.zeros((side_px, side_px), np.uint8)
    kind = rng.choice(3, p=(0.45, 0.25, 0.3))
    middle = np.array([side_px / 2, side_px / 2])
    if kind == 0:
        _fill(inside, middle + _blob(rng) * side_px * 0.48)
    elif kind == 1:
        _fill(inside, middle + _polygon(rng) * side_px * 0.48)
    else:
        _figure(inside, rng)
    if not inside.any():
        cv2.circle(inside, (side_px // 2, side_px // 2), max(1, side_px // 3), 1, -1)
    return inside


def _blob(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return (96, 2) points about the origin: a circle whose radius swings in a few harmonics."""
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    radius = np.ones_like(angle)
    for order in range(2, 8):
        radius += rng.normal(0, 0.22 / order**0.7) * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
    radius = np.clip(radius, 0.25, None)
    points = np.stack([radius * np.cos(angle), rng.uniform(0.5, 1) * radius * np.sin(angle)], axis=1)
    return np.asarray(points / np.abs(points).max())


def _polygon(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return 3 to 7 corners about the origin: hard straight edges, as boxes, signs and cars have."""
    count = int(rng.integers(3, 8))
    angle = np.sort(
        rng.uniform(0, 2 * np.pi) + (np.arange(count) + rng.uniform(-0.3, 0.3, count)) * 2 * np.pi / count
    )
    radius = rng.uniform(0.7, 1.0, count)
    return np.stack([radius * np.cos(angle), rng.uniform(0.5, 1) * radius * np.sin(angle)], axis=1)


def _figure(inside: U8, rng: np.random.Generator) -> None:
    """Draw a body with limbs: thin parts and gaps between them, as people, animals and plants have."""
    side = inside.shape[0]
    body = side * np.array([rng.uniform(0.42, 0.58), rng.uniform(0.4, 0.55)])
    axes = side * np.array([rng.uniform(0.1, 0.22), rng.uniform(0.18, 0.3)])
    _ellipse(inside, body, axes, float(rng.uniform(-30, 30)))
    _ellipse(
        inside, body - (0, axes[1] * rng.uniform(1.1, 1.4)), np.full(2, side * rng.uniform(0.07, 0.13)), 0.0
    )
    for _ in range(int(rng.integers(2, 6))):
        joint = body + axes * rng.uniform(-0.7, 0.7, 2)
        knee = joint + side * rng.normal(0, 0.14, 2)
        foot = knee + side * rng.normal(0, 0.14, 2)
        thick = max(2, round(side * rng.uniform(0.03, 0.09)))
        points = np.rint(np.stack([joint, knee, foot]) * _FINE).astype(np.int32)
        cv2.polylines(inside, [points], False, 1, thick, cv2.LINE_8, 4)


def _ellipse(
    inside: U8, centre: npt.NDArray[np.float64], axes: npt.NDArray[np.float64], angle: float
) -> None:
    at, size = np.rint(centre * _FINE).astype(int), np.rint(axes * _FINE).astype(int)
    cv2.ellipse(
        inside, (int(at[0]), int(at[1])), (int(size[0]), int(size[1])), angle, 0, 360, 1, -1, cv2.LINE_8, 4
    )


def _fill(inside: U8, points: npt.NDArray[np.float64]) -> None:
    cv2.fillPoly(inside, [np.rint(points * _FINE).astype(np.int32)], 1, cv2.LINE_8, 4)

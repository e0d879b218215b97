"""Was the rig bumped? The displacement of each camera's background against the static take.

Each camera is compared with itself, so neither the resampling nor the cast between the cameras matters. The
linearised registration equation is summed over cells (see `flow_cells`); gain and offset are eliminated cell
by cell, and what is left is fitted by an affine displacement, which is what a knock at a tripod, a plate or a
lens makes. What B moves more than S breaks the alignment of the pair; what both move alike breaks the masks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.alignment.flow_cells import cell_sums
from processing.alignment.resample import warp
from processing.checks.view import F32, Mask
from rig.capture.findings import Finding, Level

SPLIT_WARN_PX: Final = 0.06
"""B against S, mean: three times the 0.02 px that the alignment is to reach, ten times this check's error."""

SPLIT_STOP_PX: Final = 0.5
"""Half a pixel doubles every fine edge: the pair is of no use until the scene is registered anew."""

SPLIT_SOME_PX: Final = 0.2
"""B against S: from here on the edges of the background look like something that moves in one camera only."""

RIG_WARN_PX: Final = 0.25
"""Both cameras, mean: from here on edges of the background begin to show in the masks."""

RIG_STOP_PX: Final = 2.0
"""The static take shows another picture than the action take: masks and background figures are void."""

COVERED: Final = 0.5
"""A mask that covers more of the frame tells of a moved rig, not of an object; then all is looked at."""

WIDE: Final = 500
"""Views at least so wide are halved once more: a knock moves all, and 80,000 samples tell 0.005 px."""

NEAR: Final = 0.1
"""Samples up to which one linear step is good to 10 %; a larger displacement is refined."""

STEPS: Final = 4
_LEAST_CELLS: Final = 12
_BRIGHT: Final = 64.0

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Bump:
    """Displacement of a picture against the static one.

    Attributes:
        terms: (2, 3) pixels of x and y: constant, and growth over half the width and half the height.
        error_px: standard error of its mean.
        settled: False where no displacement brings the two pictures together.
    """

    terms: Array
    error_px: float
    settled: bool = True

    def lengths(self) -> Array:
        """Return the displacement's length on a grid over the frame, in pixels."""
        y, x = np.meshgrid(np.linspace(-0.9, 0.9, 10), np.linspace(-0.9, 0.9, 12), indexing="ij")
        basis = np.stack([np.ones(x.size), x.ravel(), y.ravel()])
        return np.asarray(np.hypot(*(self.terms @ basis)), np.float64)

    @property
    def mean_px(self) -> float:
        """Mean length."""
        return float(self.lengths().mean())

    @property
    def p95_px(self) -> float:
        """95th percentile of the length."""
        return float(np.percentile(self.lengths(), 95))

    def minus(self, other: Bump) -> Bump:
        """Return what this picture moved more than another one."""
        both = self.settled and other.settled
        return Bump(self.terms - other.terms, float(np.hypot(self.error_px, other.error_px)), both)


def measure_bump(present: F32, static: F32, step: int, still: Mask | None = None) -> Bump | None:
    """Measure how far the background moved; None where it holds too little texture.

    Args:
        present: (h, w) float32 roots of brightness.
        static: the same of the static scene.
        step: pixels of the frame along a sample.
        still: (h, w) bool, where no object moves.
    """
    if still is None or float(still.mean()) < 1 - COVERED:
        still = np.ones(present.shape, np.bool_)
    if present.shape[1] >= WIDE:
        shape = (present.shape[1] // 2, present.shape[0] // 2)
        present, static = (
            np.asarray(cv2.resize(part, shape, interpolation=cv2.INTER_AREA), np.float32)
            for part in (present, static)
        )
        small = cv2.resize(still.astype(np.uint8), shape, interpolation=cv2.INTER_NEAREST)
        still, step = np.asarray(small > 0, np.bool_), 2 * step
    unit = np.float32(_BRIGHT / max(float(static.mean()), 1e-6))  # far above the least noise of the sums
    present, static = present * unit, static * unit
    solved = _affine(present, static, still)
    if solved is None:
        return None
    terms, error = solved
    settled = _size(terms) <= NEAR
    if not settled:
        terms = np.zeros((2, 3))
        terms[:, 0] = _coarse(present, static)  # beyond the linear range
        for _ in range(STEPS):
            map_x, map_y = _maps(terms, present.shape)
            solved = _affine(warp(present, map_x, map_y), static, still & _seen(map_x, map_y))
            if solved is None:
                return None
            change, error = solved
            terms = terms + change
            settled = _size(change) < NEAR / 4
            if settled:
                break
    return None if error > NEAR else Bump(terms * step, error * step, settled)


def _size(terms: Array) -> float:
    """Return the largest displacement of a corner, about."""
    return float(np.abs(terms).sum(axis=1).max())


def _maps(terms: Array, shape: tuple[int, ...]) -> tuple[F32, F32]:
    """Return where in the present picture each sample of the static one lies."""
    height, width = shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    xn, yn = (2 * x - width + 1) / width, (2 * y - height + 1) / height
    u, v = (row[0] + row[1] * xn + row[2] * yn for row in terms.astype(np.float32))
    return np.asarray(x + u, np.float32), np.asarray(y + v, np.float32)


def _seen(map_x: F32, map_y: F32, margin: int = 4) -> Mask:
    height, width = map_x.shape
    inside = (map_x > margin) & (map_x < width - 1 - margin)
    return np.asarray(inside & (map_y > margin) & (map_y < height - 1 - margin), np.bool_)


def _coarse(present: F32, static: F32) -> Array:
    """Return the whole displacement to about half a sample."""
    window = cv2.createHanningWindow((present.shape[1], present.shape[0]), cv2.CV_32F)
    details = [part - cv2.GaussianBlur(part, (0, 0), 4) for part in (static, present)]
    (x, y), _ = cv2.phaseCorrelate(details[0], details[1], window)
    return np.array([x, y])


def _affine(moved: F32, static: F32, inside: Mask) -> tuple[Array, float] | None:
    """Solve for the affine displacement of `moved` against `static`, in samples, and its error."""
    cells = cell_sums(static, moved, inside)
    systems, sides = cells.products.transpose(2, 0, 1), cells.projections.T
    usable = systems[:, 3, 3] > 64  # a quarter of the cell
    if np.count_nonzero(usable) < _LEAST_CELLS:
        return None
    systems, sides = systems[usable], sides[usable]
    x, y = cells.x[usable], cells.y[usable]
    lower = systems[:, 2:, 2:]
    lower = lower + 1e-9 * np.trace(lower, axis1=1, axis2=2)[:, None, None] * np.eye(2)
    cross = systems[:, :2, 2:] @ np.linalg.inv(lower)
    tensors = systems[:, :2, :2] - cross @ systems[:, 2:, :2]
    rights = sides[:, :2] - np.einsum("nij,nj->ni", cross, sides[:, 2:])
    height, width = static.shape
    basis = np.stack([np.ones_like(x), (2 * x - width + 1) / width, (2 * y - height + 1) / height], axis=1)
    system = np.einsum("nij,na,nb->iajb", tensors, basis, basis).reshape(6, 6)
    right = np.einsum("ni,na->ia", rights, basis).reshape(6)
    values = np.linalg.eigvalsh(system)
    if not values[0] > 1e-9 * values[-1] > 0:
        return None
    inverse = np.linalg.inv(system)
    error = float(np.sqrt(cells.noise * (inverse[0, 0] + inverse[3, 3])))
    return np.asarray((inverse @ right).reshape(2, 3), np.float64), error


def cameras_apart(of_b: Bump | None, of_s: Bump | None) -> bool:
    """Whether one camera moved so far that its edges would look like something that moves in it alone."""
    if of_b is None or of_s is None:
        return False
    apart = of_b.minus(of_s)
    return not apart.settled or apart.mean_px > max(SPLIT_SOME_PX, 4 * apart.error_px)


def bump_findings(of_b: Bump | None, of_s: Bump | None, figures: dict[str, float]) -> list[Finding]:
    """Judge the displacement of the background against the static take.

    Args:
        of_b: of camera B, see `measure_bump`.
        of_s: of camera S.
        figures: gets shift_B_S_* (B against S) and shift_S_*: mean, p95 and error in px.
    """
    if of_b is None or of_s is None:
        return [Finding("note", "the background has too little texture to tell whether the rig was bumped")]
    if not (of_b.settled and of_s.settled):
        text = "the background is not that of the scene's static take"
        return [Finding("stop", text, "did the rig move? take whiteboard and static again")]
    apart = of_b.minus(of_s)
    for name, bump in (("shift_B_S", apart), ("shift_S", of_s)):
        figures[f"{name}_mean_px"] = bump.mean_px
        figures[f"{name}_p95_px"] = bump.p95_px
        figures[f"{name}_error_px"] = bump.error_px
    found = []
    if apart.mean_px > max(SPLIT_WARN_PX, 4 * apart.error_px):
        level: Level = "stop" if apart.mean_px > SPLIT_STOP_PX else "warn"
        text = f"the cameras moved against each other by {apart.mean_px:.2f} px since the static take"
        hint = "tighten cameras and plate, take whiteboard and static again"
        found.append(Finding(level, text, hint, apart.mean_px))
    if of_s.mean_px > max(RIG_WARN_PX, 4 * of_s.error_px):
        level = "stop" if of_s.mean_px > RIG_STOP_PX else "warn"
        text = f"the rig was bumped: the background moved by {of_s.mean_px:.2f} px since the static take"
        found.append(Finding(level, text, "take the static pairs again", of_s.mean_px))
    return found

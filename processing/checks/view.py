"""Small views of a pair for the checks: brightness of both cameras on S's grid, in half or quarter size.

A view is the mean of whole 2x2 cells, then the square root of the light (so that noise is even everywhere), B
brought onto S's grid. It comes from the developed images, or from RAW while a take runs; the checks that
compare a pair with the scene's static pair do not see the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

SMALL: Final = 1600
"""Frames narrower than so many pixels are looked at in half size, the others in quarter size."""

SMOOTH: Final = 1.0
"""Sigma of the smoothing of differences, in samples of the view."""


@dataclass(frozen=True)
class View:
    """A pair, small.

    Attributes:
        b, s: (h, w) float32, roots of brightness, any unit, B on S's grid.
        step: pixels of the frame along the side of a sample.
        pedestal: what stands under the roots beside the light.
    """

    b: F32
    s: F32
    step: int
    pedestal: float = 0.0

    def __getitem__(self, camera: str) -> F32:
        """Return the picture of "B" or "S"."""
        return self.b if camera == "B" else self.s


@dataclass(frozen=True)
class Difference:
    """What changed in one camera against the static scene.

    Attributes:
        signed: (h, w) float32, present root minus that of the static scene at the same light, smoothed.
        noise: standard deviation of its noise.
        scale: brightness (not its root) of the present picture over the static one's.
    """

    signed: F32
    noise: float
    scale: float

    @property
    def strength(self) -> F32:
        """Size of the change over its noise, (h, w) float32."""
        return np.asarray(np.abs(self.signed) * np.float32(1 / self.noise), np.float32)


def step_for(width: int) -> int:
    """Return how many pixels of a frame of that width make a sample of its view."""
    return 4 if width >= SMALL else 2


def mean_view(views: Sequence[View]) -> View:
    """Return the mean of views of one scene."""
    count = np.float32(len(views))
    b, s = (np.asarray(sum(view[camera] for view in views) / count, np.float32) for camera in ("B", "S"))
    return View(b, s, views[0].step, views[0].pedestal)


def difference(present: View, static: View, camera: str, still: Mask | None = None) -> Difference:
    """Compare a camera's picture with that of the static scene; the light may have changed as a whole.

    Args:
        present: the pair.
        static: the static pair.
        camera: "B" or "S".
        still: (h, w) bool, where nothing is known to move; level and noise are medians, so that up to a third
            of the picture may move without it.
    """
    here = np.s_[::4, ::4]
    pedestal = np.float32(present.pedestal)
    root, static_root = present[camera], static[camera]
    now, then = (part[here] * part[here] - pedestal for part in (root, static_root))
    lit = then > max(0.2 * float(np.median(then)), 1e-6)
    if still is not None and np.count_nonzero(still[here] & lit) > 100:
        lit &= still[here]
    scale = max(float(np.median(now[lit] / then[lit])), 1e-3) if lit.any() else 1.0
    expected = static_root * static_root
    if pedestal:
        expected -= pedestal
        expected *= np.float32(scale)
        expected += pedestal
    else:
        expected *= np.float32(scale)
    change = root - np.asarray(cv2.sqrt(np.maximum(expected, np.float32(0))), np.float32)
    signed = np.asarray(cv2.GaussianBlur(change, (0, 0), SMOOTH), np.float32)
    sample = np.abs(signed[here])
    sample = sample[still[here]] if still is not None and still[here].any() else sample.ravel()
    noise = max(1.4826 * float(np.median(sample)), 1e-6 * max(float(np.median(static_root[here])), 1e-6))
    return Difference(signed, noise, scale)

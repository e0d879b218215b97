"""How an object moves while the shutter is open: translation, rotation, scaling (paper 002, section 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.errors import SynthesisError

__all__ = ["FRAMES", "Trajectory", "draw_trajectory", "samples_needed"]

F64 = npt.NDArray[np.float64]

FRAMES: Final = (7, 9, 11, 13)
"""Steps of a trajectory: an odd number from 7 to 13."""
STEP_PX: Final = 0.75
"""Between two samples no point moves further: coarser steps show as a row of ghosts, not as blur."""
_TRANSLATES, _ROTATES, _SCALES = 0.92, 0.4, 0.35
_OFF: Final = 0.01
_CORNERS: Final = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)], float)


@dataclass(frozen=True)
class Trajectory:
    """A way through an exposure of length 1.

    Attributes:
        keys: (n, 4) float64, n odd: x and y in px, angle in rad, logarithm of scale, at n even times from
            the opening to the closing of the shutter. All are 0 at the middle one: there the object is as it
            was cut out.
    """

    keys: F64

    def __post_init__(self) -> None:
        """Refuse a way that is not at home in the temporal middle."""
        if self.keys.ndim != 2 or self.keys.shape[1] != 4 or len(self.keys) % 2 == 0:
            raise SynthesisError("a trajectory has an odd number of steps of four values")
        if np.any(self.keys[len(self.keys) // 2]):
            raise SynthesisError("a trajectory is at zero in the middle of the exposure")

    def at(self, times: F64) -> F64:
        """Return (k, 4) values at times in [0, 1], straight lines between the keys."""
        steps = np.linspace(0, 1, len(self.keys))
        return np.stack([np.interp(times, steps, column) for column in self.keys.T], axis=1)

    def samples(self, count: int) -> F64:
        """Return (count, 4) values in the middles of `count` equal parts of the exposure.

        With an odd count one of them is the temporal middle, and their mean is the integral by the midpoint
        rule: a picture that moves by n px in n samples is averaged over exactly n pixels.
        """
        return self.at((np.arange(count) + 0.5) / count)

    def way_px(self, radii_px: tuple[float, float]) -> float:
        """Return the longest way of the object's centre and of the middles of its four sides."""
        points = _CORNERS * np.asarray(radii_px, float)
        turned = _placed(self.keys, points)
        steps = np.linalg.norm(np.diff(turned, axis=0), axis=2)
        return float(steps.sum(axis=0).max())


def matrices(values: F64, centre_px: tuple[float, float]) -> F64:
    """Return (k, 2, 3) affine maps from the object's own pixels: turned and scaled about its centre, shifted.

    Args:
        values: (k, 4) values of `Trajectory.at`.
        centre_px: The object's centre, x and y in its own pixels.
    """
    size = np.exp(values[:, 3])
    cosine, sine = size * np.cos(values[:, 2]), size * np.sin(values[:, 2])
    x, y = centre_px
    maps = np.empty((len(values), 2, 3))
    maps[:, 0, 0], maps[:, 0, 1] = cosine, -sine
    maps[:, 1, 0], maps[:, 1, 1] = sine, cosine
    maps[:, 0, 2] = values[:, 0] + x - cosine * x + sine * y
    maps[:, 1, 2] = values[:, 1] + y - sine * x - cosine * y
    return maps


def samples_needed(way_px: float, frames: int) -> int:
    """Return an odd number of samples: at least the trajectory's own, and none further than `STEP_PX` on."""
    count = max(frames, int(np.ceil(way_px / STEP_PX)))
    return count + 1 - count % 2


def draw_trajectory(blur_px: float, radii_px: tuple[float, float], rng: np.random.Generator) -> Trajectory:
    """Draw a trajectory whose longest way over the object is `blur_px`.

    A direction that drifts and a speed that varies a little from step to step; most objects translate, some
    also turn or come nearer, few do only that. The paper draws the order of the three afresh in each step;
    in steps this small the order changes nothing that can be seen: they are one similarity about the centre.

    Args:
        blur_px: Length of the blur.
        radii_px: Half the object's width and height.
        rng: Where the draws come from.
    """
    frames = int(rng.choice(FRAMES))
    moves = rng.random(3) < (_TRANSLATES, _ROTATES, _SCALES)
    if not moves.any():
        moves[0] = True
    radius = max(1.0, float(np.hypot(*radii_px)))
    speed = np.clip(1 + 0.15 * rng.standard_normal((frames - 1, 3)), 0.3, None)
    heading = rng.uniform(0, 2 * np.pi) + np.linspace(-0.5, 0.5, frames - 1) * rng.normal(0, 0.4)
    turn, grow = rng.normal(0, 0.5 / radius), rng.normal(0, 0.4 / radius)
    if not moves[0]:  # what turns on the spot does it in earnest
        turn, grow = np.sign(turn) / radius, 0.5 * np.sign(grow) / radius
    steps = np.zeros((frames - 1, 4))
    steps[:, 0], steps[:, 1] = (
        moves[0] * speed[:, 0] * np.cos(heading),
        moves[0] * speed[:, 0] * np.sin(heading),
    )
    steps[:, 2], steps[:, 3] = moves[1] * speed[:, 1] * turn, moves[2] * speed[:, 2] * grow
    keys = np.concatenate([np.zeros((1, 4)), np.cumsum(steps, axis=0)])
    keys -= keys[frames // 2]
    # The way grows almost in proportion to the keys: a few corrections meet the length that was asked for.
    for _ in range(4):
        keys *= blur_px / Trajectory(keys).way_px(radii_px)
    if abs(Trajectory(keys).way_px(radii_px) / blur_px - 1) > _OFF:
        keys = _shortened(keys, blur_px, radii_px)
    return Trajectory(keys)


def _shortened(keys: F64, blur_px: float, radii_px: tuple[float, float]) -> F64:
    """Return the keys times what gives the blur, by bisection: for small objects that come much nearer."""
    low, high = 0.0, 1.0
    while Trajectory(high * keys).way_px(radii_px) < blur_px:
        low, high = high, 2 * high
    for _ in range(40):
        middle = (low + high) / 2
        longer = Trajectory(middle * keys).way_px(radii_px) > blur_px
        low, high = (low, middle) if longer else (middle, high)
    return high * keys


def _placed(values: F64, points: F64) -> F64:
    """Return (k, p, 2): the points of the object (its centre at the origin) at each of the values."""
    maps = matrices(values, (0.0, 0.0))
    return np.asarray(np.einsum("kij,pj->kpi", maps[:, :, :2], points) + maps[:, None, :, 2])

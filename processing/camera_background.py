"""What the background looks like in one camera, how noisy it is, and how far an image is from it.

The static frames give the mean and the noise. The noise is the larger of two figures: what pixels of like
brightness show on the whole (by medians, so that leaves in the wind do not count), and what was seen at the
place itself (where they do). The light of a pair is first brought to that of the static frames by one factor
a channel, since lamps flicker: sRGB's curve turns a factor on light into a factor on ``value + 14``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.threads import share

Image = NDArray[np.uint8]
Plane = NDArray[np.float32]
Planes = list[Plane]

SMOOTHING_PX: Final = 1.5
NOISE_FLOOR: Final = 0.7
"""Grey levels: rounding to 8 bits before and after smoothing, and what a few static frames do not show."""
_PLACE_PX: Final = 2.5
_LIFT: Final = 0.055 * 255
"""Above its straight foot, sRGB's curve is a power of light less this many grey levels."""
_CLIPPED: Final = 254.5
_BEYOND: Final = 400.0
"""Stands for a clipped background: any change of the light leaves it clipped."""
_RIM_NOISE: Final = 0.02 * 255
"""Grey levels. Beside a clipped area the smoothed value follows changes of the light in part only."""
_GREY_LEVELS: Final = 32
_STEPS: Final = 512
_STEP: Final = 1 / 32
_MAD: Final = 1.4826
_BAND_ROWS: Final = 64


def smooth(image: Image) -> Image:
    """Return an image smoothed by 1.5 px against noise."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), SMOOTHING_PX), np.uint8)


def _smooth_planes(image: Image) -> Planes:
    smoothed = cv2.GaussianBlur(image.astype(np.float32), (0, 0), SMOOTHING_PX)
    return [np.asarray(plane, np.float32) for plane in cv2.split(smoothed)]


def light_factor(of: NDArray[np.float32] | Image, against: Plane) -> float:
    """Return the factor on ``value + 14`` by which a plane is brighter than another: a median over pixels.

    Correct while less than half of the picture has changed; 1 where too little is neither black nor clipped.

    Args:
        of: (H, W), grey levels.
        against: (H, W) float32, grey levels.
    """
    reference = against[::8, ::8].ravel()
    usable = (reference > 12) & (reference < 250)
    if np.count_nonzero(usable) < 0.02 * reference.size:
        return 1.0
    lifted = of[::8, ::8].ravel()[usable].astype(np.float32) + np.float32(_LIFT)
    return float(np.median(lifted / (reference[usable] + np.float32(_LIFT))))


def _in_light_of(plane: Plane, reference: Plane) -> Plane:
    factor = light_factor(plane, reference)
    return np.asarray((plane + np.float32(_LIFT)) / np.float32(factor) - np.float32(_LIFT), np.float32)


class CameraBackground:
    """Mean and noise of a static scene in one camera.

    Args:
        frames: (H, W, 3) uint8, sRGB-encoded, at least one.
        twin: a frame of the other camera on the same grid; tells the noise where there is one frame only.
    """

    def __init__(self, frames: Sequence[Image], twin: Image) -> None:
        stack = [_smooth_planes(frame) for frame in frames]
        other = _smooth_planes(twin) if len(stack) == 1 else []
        self._mean: Planes = []
        self._inverse_noise: Planes = []
        for channel, first in enumerate(stack[0]):
            planes = [first, *(_in_light_of(frame[channel], first) for frame in stack[1:])]
            if other:
                mean, differences = first, [_in_light_of(other[channel], first) - first]
                variance = differences[0] ** 2 / 2
            else:
                mean = np.mean(planes, axis=0, dtype=np.float32)
                differences = [b - a for a, b in pairwise(planes)]
                variance = np.sum([(p - mean) ** 2 for p in planes], axis=0) / (len(planes) - 1)
            at_place = np.asarray(cv2.GaussianBlur(variance, (0, 0), _PLACE_PX), np.float32)
            noise = np.maximum(at_place, _variance_by_level(mean, differences))
            noise *= np.float32(1 + 1 / len(planes))
            np.maximum(noise, np.float32(NOISE_FLOOR**2), out=noise)
            clipped = mean >= _CLIPPED
            noise[_rim(clipped)] += np.float32(_RIM_NOISE**2)
            self._inverse_noise.append(np.asarray(1 / np.sqrt(noise), np.float32))
            self._mean.append(np.where(clipped, np.float32(_BEYOND), mean))

    def distance(self, image: Image, *, threads: int = 2) -> Plane:
        """Return how many sigma each pixel is away from the background: (H, W) float32, largest channel.

        Where background and image are both clipped there is nothing to see, and the distance is 0.
        """
        planes = [np.asarray(plane, np.uint8) for plane in cv2.split(smooth(image))]
        factors = [light_factor(p, m) for p, m in zip(planes, self._mean, strict=True)]
        out = np.empty(image.shape[:2], np.float32)

        def work(top: int) -> None:
            rows = slice(top, top + _BAND_ROWS)
            for channel, plane in enumerate(planes):
                factor = factors[channel]
                expected = self._mean[channel][rows] * np.float32(factor)
                expected += np.float32(_LIFT * (factor - 1))
                np.minimum(expected, np.float32(255), out=expected)
                np.subtract(plane[rows], expected, out=expected)
                np.abs(expected, out=expected)
                expected *= self._inverse_noise[channel][rows]
                if channel == 0:
                    out[rows] = expected
                else:
                    np.maximum(out[rows], expected, out=out[rows])

        share(work, range(0, len(out), _BAND_ROWS), threads)
        return out


def _rim(clipped: NDArray[np.bool_]) -> NDArray[np.bool_]:
    around = cv2.dilate(clipped.astype(np.uint8), np.ones((9, 9), np.uint8))
    return np.asarray((around > 0) & ~clipped, np.bool_)


def _variance_by_level(mean: Plane, differences: Planes) -> Plane:
    """Return the variance of one frame at pixels of like brightness, from the median absolute difference."""
    level = np.clip(mean * np.float32(_GREY_LEVELS / 256), 0, _GREY_LEVELS - 1).astype(np.int32)
    sample = level[::2, ::2]
    counts = np.zeros(_GREY_LEVELS * _STEPS, np.int64)
    for difference in differences:
        step = np.minimum(np.abs(difference[::2, ::2]) * np.float32(1 / _STEP), _STEPS - 1).astype(np.int32)
        counts += np.bincount((sample * _STEPS + step).ravel(), minlength=counts.size)
    below = np.cumsum(counts.reshape(_GREY_LEVELS, _STEPS), axis=1)
    known = np.flatnonzero(below[:, -1] >= min(200, sample.size // 4))
    median = np.array([(np.searchsorted(below[k], below[k, -1] / 2) + 0.5) * _STEP for k in known])
    variance = (_MAD * median) ** 2 / 2
    table = np.interp(np.arange(_GREY_LEVELS), known, variance).astype(np.float32)
    return np.asarray(table[level])

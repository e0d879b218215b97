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

from processing import geometry
from processing.threads import share

Image = NDArray[np.uint8]
Plane = NDArray[np.float32]
Planes = list[Plane]

SMOOTHING_PX: Final = 1.5
NOISE_FLOOR: Final = 0.7
"""Grey levels: rounding to 8 bits before and after smoothing, and what a few static frames do not show."""
MEAN_STEP: Final = 1 / 128
"""Grey levels: a hundredth of the least noise."""
INVERSE_STEP: Final = 1 / 32768
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


def _smooth_plane(image: Image, channel: int) -> Plane:
    plane = cv2.extractChannel(image, channel).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), SMOOTHING_PX), np.float32)


def light_factor(of: NDArray[np.float32] | Image, against: Plane) -> float:
    """Return the factor on ``value + 14`` by which a plane is brighter than another: a median over pixels.

    Correct while less than half of the picture has changed; 1 where too little is neither black nor clipped.

    Args:
        of: (H, W), grey levels.
        against: (H, W) float32, grey levels.
    """
    return _factor(of[::8, ::8], against[::8, ::8])


def _factor(of: NDArray[np.float32] | Image, against: Plane) -> float:
    reference = against.ravel()
    usable = (reference > 12) & (reference < 250)
    if np.count_nonzero(usable) < 0.02 * reference.size:
        return 1.0
    lifted = of.ravel()[usable].astype(np.float32) + np.float32(_LIFT)
    return float(np.median(lifted / (reference[usable] + np.float32(_LIFT))))


def _bring_to_light_of(plane: Plane, reference: Plane) -> None:
    factor = light_factor(plane, reference)
    plane += np.float32(_LIFT)
    plane *= np.float32(1 / factor)
    plane -= np.float32(_LIFT)


class CameraBackground:
    """Mean and noise of a static scene in one camera.

    Args:
        model: (2, H, W, 3) uint16: the mean in steps of `MEAN_STEP`, and one over the noise in steps of
            `INVERSE_STEP`; it may lie in a file that several processes share.
    """

    def __init__(self, model: NDArray[np.uint16]) -> None:
        self.model = model
        self._sample = [
            np.ascontiguousarray(model[0, ::8, ::8, channel]) * np.float32(MEAN_STEP) for channel in range(3)
        ]

    @classmethod
    def measure(cls, frames: Sequence[Image], twin: Image) -> CameraBackground:
        """Measure the background.

        Args:
            frames: (H, W, 3) uint8, sRGB-encoded, at least one.
            twin: a frame of the other camera on the same grid; tells the noise where there is one frame only.
        """
        model = np.empty((2, *frames[0].shape), np.uint16)
        for channel in range(3):
            planes = [
                _smooth_plane(frame, channel) for frame in (*frames, *([twin] if len(frames) == 1 else []))
            ]
            for plane in planes[1:]:
                _bring_to_light_of(plane, planes[0])
            if len(frames) == 1:
                mean = planes[0]
                variance = np.asarray((planes[1] - planes[0]) ** 2 / 2, np.float32)
            else:
                mean, variance = _mean_and_variance(planes)
            at_place = np.asarray(cv2.GaussianBlur(variance, (0, 0), _PLACE_PX), np.float32)
            samples = [plane[::2, ::2] for plane in planes]
            by_level = _variance_by_level(mean[::2, ::2], [b - a for a, b in pairwise(samples)])
            noise = _noise(mean, at_place, by_level, 1 + 1 / len(frames))
            clipped = mean >= _CLIPPED
            if clipped.any():
                noise[_rim(clipped)] += np.float32(_RIM_NOISE**2)
                mean = np.where(clipped, np.float32(_BEYOND), mean)
            np.sqrt(noise, out=noise)
            np.divide(np.float32(1 / INVERSE_STEP), noise, out=noise)
            mean = mean * np.float32(1 / MEAN_STEP)
            for of, values in zip(model, (mean, noise), strict=True):
                np.copyto(of[..., channel], np.rint(values, out=values), casting="unsafe")
        return cls(model)

    def distance(self, image: Image, *, threads: int = 2) -> Plane:
        """Return how many sigma each pixel is away from the background: (H, W) float32, largest channel.

        Where background and image are both clipped there is nothing to see, and the distance is 0.
        """
        smoothed = smooth(image)
        factors = np.array([_factor(smoothed[::8, ::8, c], self._sample[c]) for c in range(3)])
        scale = np.asarray(factors * MEAN_STEP, np.float32)
        offset = np.asarray(_LIFT * (factors - 1), np.float32)
        out = np.empty(image.shape[:2], np.float32)

        def work(top: int) -> None:
            rows = slice(top, top + _BAND_ROWS)
            mean, inverse = self.model[0, rows], self.model[1, rows]
            geometry.distance(smoothed[rows], mean, inverse, scale, offset, INVERSE_STEP, out[rows])

        share(work, range(0, len(out), _BAND_ROWS), threads)
        return out


def _mean_and_variance(planes: Planes) -> tuple[Plane, Plane]:
    """Return the mean of several planes and their variance about it, at each pixel."""
    mean, variance = np.empty_like(planes[0]), np.empty_like(planes[0])
    for top in range(0, len(mean), _BAND_ROWS):
        rows = slice(top, top + _BAND_ROWS)
        mean[rows] = sum(plane[rows] for plane in planes) * np.float32(1 / len(planes))
        squares = sum((plane[rows] - mean[rows]) ** 2 for plane in planes)
        variance[rows] = squares * np.float32(1 / (len(planes) - 1))
    return mean, variance


def _rim(clipped: NDArray[np.bool_]) -> NDArray[np.bool_]:
    around = cv2.dilate(clipped.astype(np.uint8), np.ones((9, 9), np.uint8))
    return np.asarray((around > 0) & ~clipped, np.bool_)


def _level(mean: Plane) -> NDArray[np.int32]:
    return np.asarray(np.clip(mean * np.float32(_GREY_LEVELS / 256), 0, _GREY_LEVELS - 1), np.int32)


def _variance_by_level(mean: Plane, differences: Planes) -> Plane:
    """Return the variance of one frame at each of 32 brightnesses, from the median absolute difference."""
    sample = _level(mean)
    counts = np.zeros(_GREY_LEVELS * _STEPS, np.int64)
    for difference in differences:
        step = np.minimum(np.abs(difference) * np.float32(1 / _STEP), _STEPS - 1).astype(np.int32)
        counts += np.bincount((sample * _STEPS + step).ravel(), minlength=counts.size)
    below = np.cumsum(counts.reshape(_GREY_LEVELS, _STEPS), axis=1)
    known = np.flatnonzero(below[:, -1] >= min(200, sample.size // 4))
    median = np.array([(np.searchsorted(below[k], below[k, -1] / 2) + 0.5) * _STEP for k in known])
    variance = (_MAD * median) ** 2 / 2
    return np.interp(np.arange(_GREY_LEVELS), known, variance).astype(np.float32)


def _noise(mean: Plane, at_place: Plane, by_level: Plane, growth: float) -> Plane:
    """Return the variance to reckon with at each pixel."""
    noise = np.empty_like(mean)
    for top in range(0, len(mean), _BAND_ROWS):
        rows = slice(top, top + _BAND_ROWS)
        np.maximum(at_place[rows], by_level[_level(mean[rows])], out=noise[rows])
    noise *= np.float32(growth)
    return np.maximum(noise, np.float32(NOISE_FLOOR**2), out=noise)

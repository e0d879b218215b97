"""Local blur masks by background subtraction: LBFMG, Algorithm 1 of the paper's appendix.

The `paper` profile is the algorithm as printed: for every pair the background model sees the static image and
all other pairs. Moving objects then creep into the background: a pixel that an object covers twice counts as
background, and slow objects lose a third of their mask. The `best` profile shows the model the static frames
alone and freezes it, on images smoothed by 1.5 px against noise. Both then erode and dilate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.errors import ImageMismatch, TakeMissing

Image = NDArray[np.uint8]
Pair = tuple[Image, Image]

STATIC_FRAMES: Final = 5
SMOOTHING_PX: Final = 1.5
ERODE_PX: Final = 3
DILATE_PX: Final = 9
_HISTORY: Final = 500
_VARIANCE_THRESHOLD: Final = 16
_FROZEN_MIXTURES: Final = 2
"""A model of static frames alone needs one Gaussian a pixel; fewer save 300 MB a camera."""


def _subtractor(mixtures: int | None = None) -> cv2.BackgroundSubtractorMOG2:
    model = cv2.createBackgroundSubtractorMOG2(_HISTORY, _VARIANCE_THRESHOLD, detectShadows=True)
    if mixtures is not None:
        model.setNMixtures(mixtures)
    return model


def tidy(foreground: Image) -> Image:
    """Erode specks away and dilate over the object's rim (Algorithm 1, line 12): (H, W) uint8 0/255."""
    eroded = cv2.erode(foreground, cv2.getStructuringElement(cv2.MORPH_RECT, (ERODE_PX, ERODE_PX)))
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (DILATE_PX, DILATE_PX))
    return np.asarray(cv2.dilate(eroded, ellipse), np.uint8)


def _join(foreground_s: Image, foreground_b: Image) -> Image:
    # "fgmask > 1" of Algorithm 1, line 11: what the model calls shadow (127) counts as foreground too.
    return np.where((foreground_s > 1) | (foreground_b > 1), np.uint8(255), np.uint8(0))


class FrozenBackground:
    """A background known from the static frames alone (profile `best`).

    Args:
        static_pairs: (b, s) of (H, W, 3) uint8, developed static pairs; up to five are used.

    Raises:
        TakeMissing: without a static pair.
    """

    def __init__(self, static_pairs: Sequence[Pair]) -> None:
        if not static_pairs:
            raise TakeMissing("masks need a static pair", hint="capture a static take of the scene")
        self._shape = static_pairs[0][0].shape
        self._models = (_subtractor(_FROZEN_MIXTURES), _subtractor(_FROZEN_MIXTURES))
        for pair in static_pairs[:STATIC_FRAMES]:
            for model, image in zip(self._models, pair, strict=True):
                model.apply(_smooth(image))

    def mask(self, b: Image, s: Image) -> Image:
        """Return where the object is in either image of a pair: (H, W) uint8, 0 or 255.

        Raises:
            ImageMismatch: if the images are of another size than the static ones.
        """
        if b.shape != self._shape or s.shape != self._shape:
            raise ImageMismatch(f"images of {b.shape} against a background of {self._shape}")
        foregrounds = [
            np.asarray(model.apply(_smooth(image), learningRate=0), np.uint8)
            for model, image in zip(self._models, (b, s), strict=True)
        ]
        return tidy(_join(foregrounds[1], foregrounds[0]))


def _smooth(image: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), SMOOTHING_PX), np.uint8)


def literal_mask(static: Pair, others: Iterable[Pair], target: Pair) -> Image:
    """Return the mask of one pair by Algorithm 1 as printed (profile `paper`).

    Args:
        static: (B_0, S_0) as (H, W, 3) uint8.
        others: all other pairs, in order; read one after the other, for memory's sake.
        target: (B_k, S_k), the pair itself.
    """
    model_s, model_b = _subtractor(), _subtractor()
    model_b.apply(static[0])
    model_s.apply(static[1])
    for b, s in others:
        model_s.apply(s)
        model_b.apply(b)
    foreground_s = np.asarray(model_s.apply(target[1]), np.uint8)
    foreground_b = np.asarray(model_b.apply(target[0]), np.uint8)
    return tidy(_join(foreground_s, foreground_b))


def literal_masks(static: Pair, count: int, load: Callable[[int], Pair]) -> Iterator[Image]:
    """Yield the mask of every pair by Algorithm 1 as printed (profile `paper`); work grows as count squared.

    Args:
        static: (B_0, S_0) as (H, W, 3) uint8.
        count: number of pairs.
        load: returns pair k as (B_k, S_k); called again and again, so that they need not all be in memory.
    """
    for target in range(count):
        yield literal_mask(static, (load(k) for k in range(count) if k != target), load(target))


def intersection_over_union(mask: Image, truth: NDArray[np.bool_]) -> float:
    """Return the overlap of a mask (non-zero is inside) with the true footprint; 1 if both are empty."""
    inside = mask > 0
    union = int(np.count_nonzero(inside | truth))
    return 1.0 if union == 0 else int(np.count_nonzero(inside & truth)) / union

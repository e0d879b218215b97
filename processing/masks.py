"""Local blur masks by background subtraction: LBFMG, Algorithm 1 of the paper's appendix, and a better way.

The `paper` profile is the algorithm as printed: for every pair a MOG2 model sees the static image and all
other pairs. Moving objects then creep into the background: a pixel that an object covers twice counts as
background, and slow objects lose a third of their mask. It erodes and dilates in the end, by sizes that are
not printed.

The `best` profile measures the background and its noise on the static frames alone. A pixel belongs to the
mask if it is further away than 4.5 sigma, and than a share of the largest distance around it: smoothing
spreads a strong edge outwards, and that share takes it back. As in Algorithm 1, what moves in either image
counts, and shadows and reflections of the object count with it: they too are blurred in B and not in S. Where
object and background are both clipped nothing can be seen, and nothing is blurred; only gaps of a few pixels
are closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing import geometry
from processing.camera_background import CameraBackground
from processing.errors import ImageMismatch, TakeMissing

Image = NDArray[np.uint8]
Pair = tuple[Image, Image]

STATIC_FRAMES: Final = 5
SIGMAS: Final = 4.5
EDGE_SHARE: Final = 0.2
EDGE_REACH_PX: Final = 9
DECISION: Final = 128
"""Confidence from which on a pixel belongs to the mask: one half."""
_POWERS: Final = (7.5, 5.0)
"""Confidence is q^k / (1 + q^k) of the score q, which is 1 at the decision; k below and above it. Fitted so
that over many rendered scenes (quiet, noisy, flickering, swaying) the share `confidence` of pixels is the
object's; in a single scene the few pixels near the decision can be off by a third."""
_SCORE_STEPS: Final = 512

OPEN_PX: Final = 3
CLOSE_PX: Final = (13, 11)
"""Specks are eroded; gaps are closed: dilated and eroded again by one less on each side."""
ERODE_PX: Final = 3
DILATE_PX: Final = 9
_HISTORY: Final = 500
_VARIANCE_THRESHOLD: Final = 16


def _subtractor() -> cv2.BackgroundSubtractorMOG2:
    return cv2.createBackgroundSubtractorMOG2(_HISTORY, _VARIANCE_THRESHOLD, detectShadows=True)


def _square(size: int) -> Image:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_RECT, (size, size)), np.uint8)


def tidy(foreground: Image) -> Image:
    """Erode specks away and dilate over the object's rim (Algorithm 1, line 12): (H, W) uint8 0/255."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (DILATE_PX, DILATE_PX))
    return np.asarray(cv2.dilate(cv2.erode(foreground, _square(ERODE_PX)), disc), np.uint8)


def tidy_confidence(confidence: Image) -> Image:
    """Drop specks and close gaps, (H, W) uint8; a threshold before or after it gives the same mask."""
    opened = cv2.erode(confidence, _square(OPEN_PX))
    return np.asarray(cv2.erode(cv2.dilate(opened, _square(CLOSE_PX[0])), _square(CLOSE_PX[1])), np.uint8)


def _join(foreground_s: Image, foreground_b: Image) -> Image:
    # "fgmask > 1" of Algorithm 1, line 11: what the model calls shadow (127) counts as foreground too.
    return np.where((foreground_s > 1) | (foreground_b > 1), np.uint8(255), np.uint8(0))


class FrozenBackground:
    """A background known from the static frames alone (profile `best`).

    Args:
        static_pairs: (b, s) of (H, W, 3) uint8, developed static pairs; up to five are used. Two or more show
            where the background itself moves.

    Raises:
        TakeMissing: without a static pair.
    """

    def __init__(self, static_pairs: Sequence[Pair]) -> None:
        if not static_pairs:
            raise TakeMissing("masks need a static pair", hint="capture a static take of the scene")
        b, s = zip(*static_pairs[:STATIC_FRAMES], strict=True)
        self._cameras = (CameraBackground.measure(b, s[0]), CameraBackground.measure(s, b[0]))

    @classmethod
    def of(cls, b: CameraBackground, s: CameraBackground) -> FrozenBackground:
        """Return the background that was measured before, camera by camera."""
        known = cls.__new__(cls)
        known._cameras = (b, s)
        return known

    def mask(self, b: Image, s: Image, *, threads: int = 2) -> Image:
        """Return where the object is in either image of a pair: (H, W) uint8, 0 or 255.

        Raises:
            ImageMismatch: if the images are of another size than the static ones.
        """
        return self.mask_and_confidence(b, s, threads=threads)[0]

    def mask_and_confidence(self, b: Image, s: Image, *, threads: int = 2) -> tuple[Image, Image]:
        """Return the mask of a pair and how sure it is of every pixel.

        Args:
            b: (H, W, 3) uint8, developed; its light may differ from the static frames' by some percent.
            s: likewise.
            threads: size of the thread pool.

        Returns:
            mask, (H, W) uint8, 0 or 255; confidence, (H, W) uint8: 255 times the estimated probability that
            the object touched the pixel. The mask is where it is 128 or more.

        Raises:
            ImageMismatch: if the images are of another size than the static ones.
        """
        shape = self._cameras[0].model.shape[1:]
        if b.shape != shape or s.shape != shape:
            raise ImageMismatch(f"images of {b.shape} against a background of {shape}")
        distances, around = [], []
        for camera, image in zip(self._cameras, (b, s), strict=True):
            distance = camera.distance(image, threads=threads)
            distances.append(distance)
            around.append(np.asarray(cv2.dilate(distance, _square(EDGE_REACH_PX)), np.float32))
        score = geometry.confidence(
            (distances[0], distances[1]),
            (around[0], around[1]),
            EDGE_SHARE,
            SIGMAS,
            _CONFIDENCE,
            _SCORE_STEPS,
        )
        confidence = tidy_confidence(score)
        _, mask = cv2.threshold(confidence, DECISION - 1, 255, cv2.THRESH_BINARY)
        return np.asarray(mask, np.uint8), confidence


def _confidence_table() -> Image:
    score = np.arange(8 * _SCORE_STEPS) / _SCORE_STEPS
    odds = np.where(score < 1, score ** _POWERS[0], score ** _POWERS[1])
    return np.asarray(np.floor(255 * odds / (1 + odds) + 0.5), np.uint8)


_CONFIDENCE: Final = _confidence_table()


def expected_overlap(mask: Image, confidence: Image) -> float:
    """Return the intersection over union with the true footprint that the confidence lets one expect.

    Args:
        mask: (H, W), not zero inside.
        confidence: (H, W) uint8 of `FrozenBackground.mask_and_confidence`.

    Returns:
        0 to 1; 1 for an empty mask without a doubt.
    """
    inside, whole = (cv2.calcHist([confidence], [0], of, [256], [0, 256]).ravel() for of in (mask, None))
    outside = whole - inside
    chance = np.arange(256) / 255
    union = float(inside.sum() + outside @ chance)
    return 1.0 if union == 0 else float(inside @ chance) / union


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


def intersection_over_union(mask: Image, truth: NDArray[np.bool_]) -> float:
    """Return the overlap of a mask (non-zero is inside) with the true footprint; 1 if both are empty."""
    inside = mask > 0
    union = int(np.count_nonzero(inside | truth))
    return 1.0 if union == 0 else int(np.count_nonzero(inside & truth)) / union

"""Figures of a developed pair from its files: how well B and S agree outside of what moves."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.errors import ProcessingError
from processing.image_files import read_image
from processing.jobs.derived import DerivedPair

Image = NDArray[np.uint8]


def rounded_to_8bit(image: NDArray[Any]) -> Image:
    """Round an 8- or 16-bit image to 8 bits: v * 255 / 65535 to the nearest, which is v / 257.

    Raises:
        ProcessingError: if it has other values.
    """
    if image.dtype == np.uint8:
        return np.asarray(image, np.uint8)
    if image.dtype != np.uint16:
        raise ProcessingError(f"a developed image has {image.dtype} values", hint="process it again")
    return ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)


def read_8bit(pair: DerivedPair, part: str) -> Image:
    """Return a developed picture as (H, W, 3) uint8 RGB, or the mask as (H, W) uint8.

    Raises:
        ProcessingError: if the file cannot be read.
    """
    image = read_image(pair.files[part])
    if image is None:
        raise ProcessingError(f"{pair.files[part]} cannot be read", hint="delete it and process again")
    found = rounded_to_8bit(image)
    return found if found.ndim == 2 else np.ascontiguousarray(found[..., ::-1])


def mask_percent(mask: Image) -> float:
    """Return which part of its area a mask marks, in percent."""
    return 100.0 * float(np.count_nonzero(mask)) / mask.size


def background_delta_l(blurred: Image, sharp: Image, mask: Image | None) -> float:
    """Return Delta-L (appendix Eq. 1) outside of the mask, in percent; 0 where nothing is left to compare.

    Args:
        blurred: B, (H, W, 3) uint8.
        sharp: S, (H, W, 3) uint8.
        mask: (H, W) uint8, not 0 where it moves; None for a static pair.
    """
    still = None if mask is None else (mask == 0).astype(np.uint8)
    seen = blurred if still is None else cv2.bitwise_and(blurred, blurred, mask=still)
    total = float(sum(cv2.sumElems(seen)[:3]))
    return 100.0 * float(cv2.norm(sharp, blurred, cv2.NORM_L1, still)) / total if total else 0.0


def developed_figures(pair: DerivedPair) -> dict[str, float]:
    """Return background_delta_l_percent and, with a mask, mask_percent of a developed pair.

    Raises:
        ProcessingError: if a file cannot be read, or the mask does not fit its pictures.
    """
    blurred, sharp = read_8bit(pair, "B"), read_8bit(pair, "S")
    if "mask" not in pair.files:
        return {"background_delta_l_percent": background_delta_l(blurred, sharp, None)}
    mask = read_8bit(pair, "mask")
    if not mask.shape == blurred.shape[:2] == sharp.shape[:2]:
        raise ProcessingError(f"{pair.files['mask']} does not fit its pictures", hint="process again")
    return {
        "background_delta_l_percent": background_delta_l(blurred, sharp, mask),
        "mask_percent": mask_percent(mask),
    }

"""How near a mover came to S where S shows it at another moment.

Where S opens together with B, as in the paper, it shows the mover at the start of its way through B, half a
blur away from where B's own blur has its middle. Compared in place, a picture that shows the mover sharp in
the middle is punished for being sharp. Here S is moved by the whole pixels at which it fits the picture best.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.quality.metrics_local import inside_mask
from processing.quality.similarity import check_sizes

__all__ = ["REACH_PX", "best_shift", "mover_psnr"]

Image = NDArray[np.uint8]
REACH_PX: Final = 32
"""How far S may be moved along each side: half of a blur of 64 px."""


def best_shift(picture: Image, sharp: Image, mask: NDArray[Any], reach_px: int = REACH_PX) -> tuple[int, int]:
    """Return (dy, dx) at which `sharp[y + dy, x + dx]` is nearest to `picture[y, x]` inside the mask.

    Args:
        picture: (H, W, 3) uint8.
        sharp: The same size, S.
        mask: (H, W), not zero where B is blurred.
        reach_px: Largest shift along each side; the masked pixels stay inside the picture.

    Raises:
        ImageMismatch: Sizes differ.
        MetricUndefined: The mask is empty.
    """
    check_sizes(sharp, picture)
    inside = inside_mask(mask, picture)
    x, y, width, height = cv2.boundingRect(inside)
    rows, columns = picture.shape[:2]
    top, left = max(0, y - reach_px), max(0, x - reach_px)
    bottom, right = min(rows, y + height + reach_px), min(columns, x + width + reach_px)
    box = (slice(y, y + height), slice(x, x + width))
    weight = cv2.merge([inside[box].astype(np.float32)] * 3)
    distance = cv2.matchTemplate(
        sharp[top:bottom, left:right].astype(np.float32),
        picture[box].astype(np.float32),
        cv2.TM_SQDIFF,
        mask=weight,
    )
    row, column = np.unravel_index(int(np.argmin(distance)), distance.shape)
    return int(row) + top - y, int(column) + left - x


def mover_psnr(picture: Image, sharp: Image, mask: NDArray[Any]) -> tuple[float, tuple[int, int]]:
    """Return the PSNR in dB of a picture against S inside the mask, where S fits it best, and that shift.

    Args:
        picture: (H, W, 3) uint8, B or what a network made of it.
        sharp: The same size, S.
        mask: (H, W), not zero where B is blurred.

    Raises:
        ImageMismatch: Sizes differ.
        MetricUndefined: The mask is empty.
    """
    shift = best_shift(picture, sharp, mask)
    y, x = np.nonzero(mask)
    error = picture[y, x].astype(np.float64) - sharp[y + shift[0], x + shift[1]]
    square = float(np.mean(error * error))
    return (float("inf") if square == 0 else float(10 * np.log10(255.0**2 / square))), shift

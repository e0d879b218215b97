"""Photometric alignment of the blurred to the sharp image by one factor a colour (paper Eq. 6-7)."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.colour import phase_offsets
from processing.errors import ImageMismatch


def channel_means(
    mosaic: NDArray[np.float32], cfa: str, valid: NDArray[np.bool_] | None = None
) -> tuple[float, float, float]:
    """Return the mean of R, G (both greens) and B of an (H, W) mosaic in its unit.

    Args:
        mosaic: (H, W) float32, black subtracted.
        cfa: colour order.
        valid: (H/2, W/2) bool of 2x2 cells to use; all without it.
    """
    means: dict[str, list[float]] = {"R": [], "G": [], "B": []}
    for phase, (row, column) in phase_offsets(cfa).items():
        plane = mosaic[row::2, column::2]
        chosen = plane if valid is None else plane[valid]
        means[phase[0]].append(float(np.mean(chosen, dtype=np.float64)))
    return (np.mean(means["R"]).item(), np.mean(means["G"]).item(), np.mean(means["B"]).item())


def unsaturated_cells(
    mosaics: Sequence[NDArray[np.float32]], limit_dn: float, *, margin_cells: int = 4
) -> NDArray[np.bool_]:
    """Return (H/2, W/2) bool: 2x2 cells that no frame clips, nor any cell near (not aligned yet)."""
    clipped = np.zeros((mosaics[0].shape[0] // 2, mosaics[0].shape[1] // 2), np.uint8)
    for mosaic in mosaics:
        cells = np.maximum(
            np.maximum(mosaic[0::2, 0::2], mosaic[0::2, 1::2]),
            np.maximum(mosaic[1::2, 0::2], mosaic[1::2, 1::2]),
        )
        clipped |= (cells >= limit_dn).astype(np.uint8)
    if clipped.any():
        size = 2 * margin_cells + 1
        clipped = np.asarray(cv2.dilate(clipped, np.ones((size, size), np.uint8)), np.uint8)
    return np.asarray(clipped == 0, np.bool_)


def brightness_coefficients(
    blurred: NDArray[np.float32],
    sharp: NDArray[np.float32],
    cfa: str,
    *,
    valid: NDArray[np.bool_] | None = None,
) -> tuple[float, float, float]:
    """Return beta of R, G and B: channel mean of the sharp over that of the blurred image (Eq. 6).

    The means run over the whole image, so a moving object would bias them: give the static pair.

    Args:
        blurred: (H, W) float32 mosaic of camera B, black subtracted, colour corrected.
        sharp: the same of camera S.
        cfa: colour order of both.
        valid: (H/2, W/2) bool of the 2x2 cells to use, such as `unsaturated_cells`.

    Raises:
        ImageMismatch: if the sizes differ, or a channel of the blurred image is black.
    """
    if blurred.shape != sharp.shape:
        raise ImageMismatch(f"frames of different size: {blurred.shape} and {sharp.shape}")
    of_b, of_s = channel_means(blurred, cfa, valid), channel_means(sharp, cfa, valid)
    if min(of_b) <= 0 or min(of_s) <= 0:
        raise ImageMismatch(
            "a colour channel of the static pair is black", hint="check exposure and black level"
        )
    return (of_s[0] / of_b[0], of_s[1] / of_b[1], of_s[2] / of_b[2])

"""Image signal processing after the RAW corrections: white balance, colour map, gamma (paper Fig. 3).

Two orders are offered. `paper` demosaics the mosaic as it is and then balances. `best` balances on the mosaic
and demosaics square roots: neighbouring colours then have like size and noise is even, which the directional
decision of Menon's method needs. On linearised Kodak images that is worth 10 dB.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.demosaic import menon
from processing.errors import ImageMismatch
from processing.photometric import channel_means

Rgb = NDArray[np.float32]

DEFAULT_COLOUR_MATRIX: Final[NDArray[np.float64]] = np.eye(3)
"""Camera RGB (balanced, linear) to linear sRGB when no colour chart was recorded: taken as sRGB's own."""

_PEDESTAL: Final = np.float32(1.0 / 512)
"""Added under the square root so that noise about black keeps its mean; taken off after squaring.

A few times the read noise of the rig's sensors after balancing. A larger one makes the root straight and costs
sharpness (1/64: 0.7 dB on the Kodak suite, 1/512: 0.1 dB); without one, noise darkens what is near black.
"""


def white_balance(mosaic: NDArray[np.float32], cfa: str) -> tuple[float, float, float]:
    """Return the gains of R, G, B that make an evenly lit neutral board grey, with green kept at 1.

    Args:
        mosaic: (H, W) float32 of a whiteboard, black subtracted, colour corrected. Its middle half is used.
        cfa: colour order.

    Raises:
        ImageMismatch: if a channel is black.
    """
    height, width = mosaic.shape
    top, left = height // 8 * 2, width // 8 * 2
    red, green, blue = channel_means(mosaic[top : height - top, left : width - left], cfa)
    if min(red, green, blue) <= 0:
        raise ImageMismatch("a colour channel of the whiteboard is black", hint="check light and black level")
    return (green / red, 1.0, green / blue)


def demosaic_balanced(mosaic: NDArray[np.float32], cfa: str, *, threads: int = 2) -> Rgb:
    """Demosaic a balanced mosaic (white = 1) in the square-root domain; returns linear (H, W, 3) RGB."""
    root = np.sqrt(np.maximum(mosaic + _PEDESTAL, np.float32(0)))
    rgb = menon(root, cfa, threads=threads)
    np.multiply(rgb, rgb, out=rgb)
    rgb -= _PEDESTAL
    return rgb


def to_linear(
    mosaic: NDArray[np.float32],
    cfa: str,
    balance: tuple[float, float, float],
    matrix: NDArray[np.float64],
    *,
    balanced: bool,
    threads: int = 2,
) -> Rgb:
    """Turn a corrected mosaic into linear sRGB.

    Args:
        mosaic: (H, W) float32, black subtracted, sensor white = 1.
        cfa: colour order.
        balance: white balance gains of R, G, B.
        matrix: (3, 3) colour map, rows give sRGB from camera RGB.
        balanced: the balance is already in the mosaic: demosaic in the square-root domain (`best`).
            Otherwise demosaic first, then balance, in the order of the paper.
        threads: size of the demosaicing thread pool.

    Returns:
        (H, W, 3) float32 linear sRGB, not clipped at black, clipped at white before the colour map.
    """
    if balanced:
        rgb = demosaic_balanced(mosaic, cfa, threads=threads)
    else:
        rgb = menon(mosaic, cfa, threads=threads)
        rgb *= np.asarray(balance, np.float32)
    # Clipped channels were multiplied by different gains: without this, highlights turn pink.
    np.minimum(rgb, np.float32(1), out=rgb)
    if np.array_equal(matrix, np.eye(3)):
        return rgb
    return np.asarray(cv2.transform(rgb, matrix.astype(np.float32)), np.float32)


def encode_srgb(linear: Rgb) -> Rgb:
    """Apply the sRGB transfer curve (IEC 61966-2-1) to linear values, clipped to [0, 1]; float32."""
    clipped = np.clip(linear, 0, 1)
    curve = np.asarray(cv2.pow(clipped, 1 / 2.4), np.float32)
    curve *= np.float32(1.055)
    curve -= np.float32(0.055)
    np.multiply(clipped, np.float32(12.92), out=curve, where=clipped <= np.float32(0.0031308))
    return curve


def decode_srgb(encoded: Rgb) -> Rgb:
    """Undo `encode_srgb`: linear light of sRGB-encoded values in [0, 1]; float32."""
    linear = np.asarray(cv2.pow((encoded + np.float32(0.055)) * np.float32(1 / 1.055), 2.4), np.float32)
    np.multiply(encoded, np.float32(1 / 12.92), out=linear, where=encoded <= np.float32(0.04045))
    return linear


def to_8bit(encoded: Rgb) -> NDArray[np.uint8]:
    """Round values in [0, 1] to 8 bits."""
    return (np.clip(encoded, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def to_16bit(encoded: Rgb) -> NDArray[np.uint16]:
    """Round values in [0, 1] to 16 bits."""
    return (np.clip(encoded, 0, 1) * np.float32(65535) + np.float32(0.5)).astype(np.uint16)

"""Image signal processing after the RAW corrections: white balance, colour map, gamma (paper Fig. 3).

Two orders are offered. `paper` demosaics the mosaic as it is and then balances. `best` balances on the mosaic
and demosaics square roots: neighbouring colours then have like size and noise is even, which the directional
decision of Menon's method needs. On linearised Kodak images that is worth 10 dB.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing import geometry
from processing.demosaic import menon
from processing.errors import ImageMismatch
from processing.photometric import channel_means

Rgb = NDArray[np.float32]

_PEDESTAL: Final = np.float32(1.0 / 512)
"""Added under the square root so that noise about black keeps its mean; taken off after squaring.

A few times the read noise of our sensors after balancing. A larger one makes the root straight and costs
sharpness (1/64: 0.7 dB on the Kodak suite, 1/512: 0.1 dB); without one, noise darkens what is near black.
"""


_BAND_ROWS: Final = 64
"""Rows worked on at a time: they stay in the processor's cache from step to step."""


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


def to_linear(
    mosaic: NDArray[np.float32],
    cfa: str,
    balance: tuple[float, float, float],
    matrix: NDArray[np.float64],
    *,
    balanced: bool,
    threads: int = 2,
    encode: bool = False,
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
        encode: also apply the sRGB curve, as `encode_srgb` does.

    Returns:
        (H, W, 3) float32 linear sRGB, not clipped at black, clipped at white before the colour map; or with
        `encode` the encoded values in [0, 1].
    """
    gains = np.ones(3, np.float32) if balanced else np.asarray(balance, np.float32)
    colour_map = None if np.array_equal(matrix, np.eye(3)) else np.ascontiguousarray(matrix, np.float32)

    def finish(rgb: Rgb) -> None:
        # Cut at white before the colour map: clipped channels were multiplied by different gains, and
        # highlights would turn pink.
        geometry.finish(
            rgb,
            gains,
            pedestal=float(_PEDESTAL) if balanced else None,
            matrix=colour_map,
            curve=_CURVE if encode else None,
        )

    return menon(mosaic, cfa, threads=threads, before=_root if balanced else None, after=finish)


def _root(mosaic: NDArray[np.float32]) -> NDArray[np.float32]:
    root = mosaic + _PEDESTAL
    np.maximum(root, np.float32(0), out=root)
    return np.asarray(np.sqrt(root, out=root))


def _curve() -> NDArray[np.float32]:
    """Return sRGB's power above its foot at even steps of light; lines between are off by 3e-7 at most."""
    light = np.arange(geometry.CURVE_STEPS + 2) / geometry.CURVE_STEPS
    return np.minimum(1.055 * light ** (1 / 2.4) - 0.055, 1).astype(np.float32)


_CURVE: Final = _curve()


def encode_srgb(linear: Rgb) -> Rgb:
    """Apply the sRGB transfer curve (IEC 61966-2-1) to linear values, clipped to [0, 1]; float32."""
    encoded = np.array(linear, np.float32, order="C")
    geometry.encode(encoded, _CURVE)
    return encoded


def decode_srgb(encoded: Rgb) -> Rgb:
    """Undo `encode_srgb`: linear light of sRGB-encoded values in [0, 1]; float32."""
    linear = np.asarray(cv2.pow((encoded + np.float32(0.055)) * np.float32(1 / 1.055), 2.4), np.float32)
    np.multiply(encoded, np.float32(1 / 12.92), out=linear, where=encoded <= np.float32(0.04045))
    return linear


def to_8bit(encoded: Rgb) -> NDArray[np.uint8]:
    """Round values in [0, 1] to 8 bits."""
    out = np.empty(encoded.shape, np.uint8)
    _round(encoded, 255, out)
    return out


def to_16bit(encoded: Rgb) -> NDArray[np.uint16]:
    """Round values in [0, 1] to 16 bits."""
    out = np.empty(encoded.shape, np.uint16)
    _round(encoded, 65535, out)
    return out


def _round(encoded: Rgb, top: int, out: NDArray[Any]) -> None:
    """Round values in [0, 1] to whole steps of 1/top, in bands of rows that stay in the cache."""
    for start in range(0, len(encoded), _BAND_ROWS):
        rows = slice(start, start + _BAND_ROWS)
        values = np.clip(encoded[rows], 0, 1)
        values *= np.float32(top)
        values += np.float32(0.5)
        np.copyto(out[rows], values, casting="unsafe")

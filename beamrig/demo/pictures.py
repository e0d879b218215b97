"""Pictures of the demo's report, made for the eye: labelled strips, reduced to a readable width."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rig.errors import BeamrigError

Image = NDArray[Any]
PANEL_WIDTH = 800
MASK_TINT = np.array([0.10, 0.75, 1.0], np.float32)  # RGB, laid over the picture at half strength
DIFFERENCE_GAIN = 8.0


def strip(panels: Sequence[tuple[str, Image]]) -> NDArray[np.uint8]:
    """Return labelled panels side by side.

    Args:
        panels: (label, (H, W, 3) float RGB in 0..1); all of one size.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    return np.hstack([_panel(label, image) for label, image in panels])


def with_mask(image: Image, mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a (H, W, 3) float RGB picture with the (H, W) mask tinted and outlined."""
    tinted = np.asarray(image, np.float32).copy()
    inside = mask > 0
    tinted[inside] = 0.5 * tinted[inside] + 0.5 * MASK_TINT
    outlines, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(tinted, list(outlines), -1, tuple(float(v) for v in MASK_TINT), 5)
    return tinted


def difference(b: Image, s: Image) -> NDArray[np.float32]:
    """Return |B - S| eight times amplified, (H, W, 3) float in 0..1."""
    return np.clip(np.abs(np.asarray(b, np.float32) - np.asarray(s, np.float32)) * DIFFERENCE_GAIN, 0, 1)


def around(mask: NDArray[Any], margin: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the slices of the box round a mask, widened by a margin; the whole picture for an empty mask."""
    ys, xs = np.nonzero(mask)
    if ys.size == 0:
        return slice(None), slice(None)
    return (
        slice(max(int(ys.min()) - margin, 0), min(int(ys.max()) + margin, shape[0])),
        slice(max(int(xs.min()) - margin, 0), min(int(xs.max()) + margin, shape[1])),
    )


def largest_part(mask: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the largest connected part of a mask: the mover, without specks far from it. Bool, (H, W)."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((np.asarray(mask) > 0).astype(np.uint8))
    if count < 2:  # the background alone
        return np.zeros(labels.shape, np.bool_)
    found: NDArray[np.bool_] = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return found


def save(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write an RGB picture as JPEG.

    Raises:
        BeamrigError: The file cannot be written.
    """
    done, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    if not done:
        raise BeamrigError(f"{path.name} could not be encoded")
    path.write_bytes(data.tobytes())


def _panel(label: str, image: Image) -> NDArray[np.uint8]:
    height = round(image.shape[0] * PANEL_WIDTH / image.shape[1])
    method = cv2.INTER_AREA if image.shape[1] > PANEL_WIDTH else cv2.INTER_CUBIC
    small = cv2.resize(np.asarray(image, np.float32), (PANEL_WIDTH, height), interpolation=method)
    panel = np.ascontiguousarray(np.clip(small * 255 + 0.5, 0, 255).astype(np.uint8))
    (text_width, text_height), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 1)
    cv2.rectangle(panel, (8, 8), (24 + text_width, 24 + text_height), (20, 22, 26), -1)
    cv2.putText(
        panel, label, (16, 16 + text_height), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (235, 237, 240), 1, cv2.LINE_AA
    )
    return panel

"""Objects to set in motion: cut out along labelled regions or made-up outlines, with soft edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models.errors import SynthesisError
from models.synth.light import to_light
from models.synth.photos import Photo, Region
from models.synth.silhouettes import draw_silhouette

__all__ = ["Cutout", "cut_piece", "cut_region", "cut_silhouette", "premultiplied"]

F32 = npt.NDArray[np.float32]

MARGIN_PX: Final = 3
"""Empty pixels about an object: its soft edge and the interpolation end within."""
_RING: Final = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class Cutout:
    """An object as a picture of its own.

    Attributes:
        rgba: (h, w, 4) float32: linear light times opacity, and opacity; zero along the border.
        kind: "region" of a labelled photograph, "silhouette", or a rectangular "piece".
    """

    rgba: F32
    kind: str

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height, the margin included."""
        return self.rgba.shape[1], self.rgba.shape[0]


def cut_region(photo: Photo, region: Region, *, longest_px: float, flip: bool) -> Cutout:
    """Cut a labelled region out of its photograph, made smaller to `longest_px` where it is larger."""
    if photo.labels is None:
        raise SynthesisError("an unlabelled photograph has no regions")
    x, y, width, height = region.box
    inside = (photo.labels[y : y + height, x : x + width] == region.label).view(np.uint8)
    return _cut(photo.rgb[y : y + height, x : x + width], inside, longest_px, flip, "region")


def cut_silhouette(photo: Photo, rng: np.random.Generator, *, longest_px: float, flip: bool) -> Cutout:
    """Cut a made-up outline, filled with a piece of a photograph that need not be labelled."""
    height, width = photo.rgb.shape[:2]
    side = int(min(longest_px * rng.uniform(1.0, 1.8), height, width))
    x, y = int(rng.integers(width - side + 1)), int(rng.integers(height - side + 1))
    inside = draw_silhouette(side, rng)
    left, top, wide, high = cv2.boundingRect(inside)
    rgb = photo.rgb[y + top : y + top + high, x + left : x + left + wide]
    return _cut(rgb, inside[top : top + high, left : left + wide], longest_px, flip, "silhouette")


def cut_piece(photo: Photo, rng: np.random.Generator, *, longest_px: float, flip: bool) -> Cutout:
    """Cut a rectangle out of a photograph: a mover so near that it fills the picture, or most of it."""
    height, width = photo.rgb.shape[:2]
    wide, high = (int(min(longest_px * rng.uniform(0.7, 1.0), side)) for side in (width, height))
    x, y = int(rng.integers(width - wide + 1)), int(rng.integers(height - high + 1))
    inside = np.ones((high, wide), np.uint8)
    return _cut(photo.rgb[y : y + high, x : x + wide], inside, longest_px, flip, "piece")


def _cut(
    rgb: npt.NDArray[np.uint8], inside: npt.NDArray[np.uint8], longest_px: float, flip: bool, kind: str
) -> Cutout:
    scale = min(1.0, longest_px / max(inside.shape))
    # Along its outline a photograph mixes object and surroundings (optics, demosaicing, JPEG): the outermost
    # ring goes, or every object would carry a fringe of where it came from.
    core = cv2.erode(inside, _RING, iterations=2 if scale > 0.6 else 3, borderValue=0)
    if not core.any():
        core = inside
    linear = to_light(rgb)
    weighted = np.empty((*core.shape, 4), np.float32)
    np.multiply(linear, core[:, :, None], out=weighted[:, :, :3])
    weighted[:, :, 3] = core
    if scale < 1:
        size = (max(2, round(core.shape[1] * scale)), max(2, round(core.shape[0] * scale)))
        weighted = np.asarray(cv2.resize(weighted, size, interpolation=cv2.INTER_AREA))
    if flip:
        weighted = weighted[:, ::-1]
    weighted = np.pad(weighted, ((MARGIN_PX, MARGIN_PX), (MARGIN_PX, MARGIN_PX), (0, 0)))
    return Cutout(premultiplied(weighted), kind)


def premultiplied(weighted: F32) -> F32:
    """Give an object a soft edge one pixel wide, of the colours just inside it.

    Args:
        weighted: (h, w, 4) float32: light times coverage, and coverage in [0, 1]; what is outside the object
            must not be in it.

    Returns:
        (h, w, 4) float32 premultiplied. Where coverage is full the light is as it was; in the edge it is the
        neighbours' own colour times the opacity, so that no dark or foreign fringe appears on any background.
    """
    cover = np.ascontiguousarray(weighted[:, :, 3])
    # [1 2 1] / 4 both ways: what a lens and a pixel's area make of a hard edge, ending after one pixel.
    opacity = cv2.GaussianBlur(cover, (3, 3), 0)
    rim = (opacity > 0) & ((cover < 1) | (opacity < 1))
    spread = cv2.GaussianBlur(weighted, (5, 5), 0)[rim]
    near = spread[:, :3] / np.maximum(spread[:, 3:], np.float32(1e-6))
    rgba = weighted.copy()
    rgba[rim, :3] = (weighted[rim, :3] + near * (1 - cover[rim, None])) * opacity[rim, None]
    rgba[:, :, 3] = opacity
    return rgba

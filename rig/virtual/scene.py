"""The scene in linear light: background photos, moving object, chart; as spline coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rig.virtual.backgrounds import find_background
from rig.virtual.kernel import F32, F64, WorldError
from rig.virtual.parameters import COLOUR_MATRIX, NEUTRAL_RAW

ASSETS = Path(__file__).with_name("assets")
ANTI_ALIAS_SIGMA_PX = 0.5
"""The lens and the pixel aperture: a Gaussian over the scene before it is sampled."""
CHECKER = "checker"
"""Name of the chart among the backdrops; the others are those of `backgrounds`."""

_BUILDING = Lock()
CHECKER_SRGB = (
    (115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (133, 128, 177), (103, 189, 170),
    (214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108), (157, 188, 64), (224, 163, 46),
    (56, 61, 150), (70, 148, 73), (175, 54, 60), (231, 199, 31), (187, 86, 149), (8, 133, 161),
    (243, 243, 242), (200, 200, 200), (160, 160, 160), (122, 122, 121), (85, 85, 85), (52, 52, 52),
)  # fmt: skip
"""Published sRGB values of the classic 24-patch chart, row by row."""


def _srgb_curve() -> NDArray[np.float64]:
    code = np.arange(256) / 255
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def linear_from_srgb(values: NDArray[Any]) -> F32:
    """Return linear light 0..1 of uint8 sRGB values, any shape."""
    return np.asarray(_srgb_curve().astype(np.float32)[values])


def raw_from_linear(rgb: F32) -> F32:
    """Return camera RAW colour (..., 3) of linear sRGB (..., 3)."""
    matrix = (np.diag(NEUTRAL_RAW) @ np.array(COLOUR_MATRIX)).astype(np.float32)
    return np.asarray(cv2.transform(np.ascontiguousarray(rgb), matrix))


def spline_coefficients(plane: NDArray[Any], border: int = cv2.BORDER_REFLECT_101) -> NDArray[Any]:
    """Return the cubic B-spline coefficients that interpolate ``plane`` (2-D or 3-D float), same dtype.

    The inverse filter sqrt(3) z^|k|, z = sqrt(3) - 2, cut where it is below 1e-7.
    """
    reach = np.abs(np.arange(-12, 13))
    taps = np.sqrt(3) * (np.sqrt(3) - 2) ** reach
    taps /= taps.sum()
    return cv2.sepFilter2D(plane, -1, taps, taps, borderType=border)


def _read_image(name: str) -> NDArray[np.uint8]:
    data = cv2.imread(str(ASSETS / name), cv2.IMREAD_COLOR_RGB)
    if data is None:
        raise WorldError(
            f"the picture {name} of the virtual scene is missing or damaged", hint="install anew"
        )
    return np.asarray(data, np.uint8)


@dataclass(frozen=True)
class Backdrop:
    """What fills the frame: (3, h, w) spline coefficients of RAW colour, and how to sample them."""

    planes: F32
    scale: float = 1.0
    offset: tuple[float, float] = (0.0, 0.0)


def _planes(rgb: F32, scale: float = 1.0) -> F32:
    """Return spline coefficients of RAW colour; a pixel averages all that it covers."""
    sigma = ANTI_ALIAS_SIGMA_PX * max(1.0, scale)
    raw = raw_from_linear(np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma), np.float32))
    return np.ascontiguousarray(np.moveaxis(spline_coefficients(raw), 2, 0))


def backdrop(kind: str, width: int, height: int) -> Backdrop:
    """Return the chart `CHECKER` or a background for a frame of this size; built once for all threads.

    Raises:
        UnknownBackground: There is no such background.
    """
    with _BUILDING:
        return _checker(width, height) if kind == CHECKER else _photo(kind, width, height)


@lru_cache(maxsize=2)
def _photo(name: str, width: int, height: int) -> Backdrop:
    """Return a background, as large as the frame with some px of margin for the misregistration.

    Radiance above 0.9 is bent softly towards 1.1, so that bits of sky do not clip the sensor.
    """
    photo = find_background(name)
    radiance = _srgb_curve() / photo.white
    radiance = np.where(radiance > 0.9, 0.9 + 0.2 * np.tanh((radiance - 0.9) / 0.2), radiance)
    rgb = radiance.astype(np.float32)[_read_image(photo.file)]
    margin = 6.0
    photo_h, photo_w = rgb.shape[:2]
    scale = min((photo_w - 1) / (width + 2 * margin), (photo_h - 1) / (height + 2 * margin))
    return Backdrop(_planes(rgb, scale), scale, (margin, margin))


@cache
def _checker(width: int, height: int) -> Backdrop:
    """Return the 24-patch chart, two thirds of the frame wide, on 18 % grey."""
    margin = 6
    image = np.full((height + 2 * margin, width + 2 * margin, 3), 0.18, np.float32)
    pitch = int(min(width * 0.66 / 6, height * 0.8 / 4))
    gap = max(2, pitch // 10)
    left, top = (image.shape[1] - 6 * pitch) // 2, (image.shape[0] - 4 * pitch) // 2
    image[top - gap : top + 4 * pitch + gap, left - gap : left + 6 * pitch + gap] = 0.03
    for index, colour in enumerate(linear_from_srgb(np.array(CHECKER_SRGB, np.uint8))):
        row, column = divmod(index, 6)
        y, x = top + row * pitch + gap // 2, left + column * pitch + gap // 2
        image[y : y + pitch - gap, x : x + pitch - gap] = colour
    return Backdrop(_planes(image), 1.0, (float(margin), float(margin)))


@dataclass(frozen=True)
class Sprite:
    """An object in path-aligned coordinates, one sample a pixel of the ideal grid.

    Attributes:
        cumulative: (nv, nu, 4) float64 running sums along u of the spline coefficients of R, G, B times
            alpha, and alpha.
        origin: (u, v) of sample (0, 0) against the object's centre, px.
    """

    cumulative: F64
    origin: tuple[float, float]


@lru_cache(maxsize=16)
def sprite(
    width_m: float, height_m: float, pixels_per_metre: float, angle_deg: float, tile: int = 0
) -> Sprite:
    """Return the cut-out of ``width_m`` x ``height_m`` at this magnification.

    A rounded rectangle with a soft edge of about 1 px and a light rim, upright whatever the path.

    Args:
        width_m: Width in the image's x.
        height_m: Height in the image's y.
        pixels_per_metre: Magnification, see `WorldParameters.pixels_per_metre`.
        angle_deg: Angle of the path, to which u is parallel.
        tile: Which mirror image of the texture (0..3), so that several objects differ.
    """
    texture = linear_from_srgb(_read_image("object.jpg"))
    texture = np.ascontiguousarray(texture[:: -1 if tile & 1 else 1, :: -1 if tile & 2 else 1])
    half_w, half_h = width_m * pixels_per_metre / 2, height_m * pixels_per_metre / 2
    if half_w < 6 or half_h < 6:
        raise WorldError("the moving object would be smaller than 12 pixels", hint="bring it nearer")
    angle = np.radians(angle_deg)
    c, s = np.cos(angle), np.sin(angle)
    reach_u = int(np.ceil(half_w * abs(c) + half_h * abs(s))) + 16
    reach_v = int(np.ceil(half_w * abs(s) + half_h * abs(c))) + 16
    u, v = np.meshgrid(np.arange(-reach_u, reach_u + 1.0), np.arange(-reach_v, reach_v + 1.0))
    x, y = u * c - v * s, u * s + v * c
    corner = 0.35 * min(half_w, half_h)
    inside = corner - np.hypot(
        np.maximum(np.abs(x) - half_w + corner, 0), np.maximum(np.abs(y) - half_h + corner, 0)
    )
    inside = np.minimum(inside, np.minimum(half_w - np.abs(x), half_h - np.abs(y)))
    alpha = np.clip(inside + 0.5, 0, 1)
    rim = np.clip(inside - 0.02 * half_w, 0, 1)[..., None]
    tex_h, tex_w = texture.shape[:2]
    map_x = ((x / half_w + 1) / 2 * (tex_w - 1)).astype(np.float32)
    map_y = ((y / half_h + 1) / 2 * (tex_h - 1)).astype(np.float32)
    colour = cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    colour = colour * rim + np.array([0.95, 0.9, 0.75]) * (1 - rim)
    stack = np.dstack([raw_from_linear(colour.astype(np.float32)) * alpha[..., None], alpha]).astype(
        np.float64
    )
    soft = cv2.GaussianBlur(stack, (0, 0), ANTI_ALIAS_SIGMA_PX, borderType=cv2.BORDER_CONSTANT)
    coefficients = spline_coefficients(soft, cv2.BORDER_CONSTANT)
    cumulative = np.ascontiguousarray(np.cumsum(coefficients, axis=1))
    return Sprite(cumulative, (float(-reach_u), float(-reach_v)))

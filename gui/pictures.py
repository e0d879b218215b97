"""Pictures for viewing: read developed files, or make a quick view of a RAW pair."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from gui import theme
from gui.images import bgr_image, mask_image, rgb_image
from gui.imaging import RawFormat, detail_picture, grey_world
from rig.errors import BeamrigError
from rig.raw_image import RawImage
from rig.records import PairRecord

Picture = NDArray[np.uint8] | NDArray[np.uint16]
"""(H, W, 3) red, green, blue, sRGB-encoded, full range."""

PICTURE_FILES = "Pictures (*.png *.tif *.tiff)"
MAX_BYTES = 1 << 30


class PictureError(BeamrigError):
    """A picture file cannot be shown."""


@dataclass(frozen=True)
class PairView:
    """Both pictures of a pair, ready for the slider.

    Attributes:
        pair_id: Which pair.
        b: Picture of camera B.
        s: Picture of camera S.
        size: (width, height) of what the pictures stand for, in its own pixels.
        label: What is shown, in words.
        developed: Whether these are the developed, aligned pictures.
        mask: Overlay of where B is blurred by motion; null where there is none.
    """

    pair_id: str
    b: QImage
    s: QImage
    size: tuple[int, int]
    label: str
    developed: bool
    mask: QImage = field(default_factory=QImage)


def read_picture(path: Path) -> Picture:
    """Read a PNG or TIFF of 8 or 16 bit.

    Raises:
        PictureError: It is missing, too large, or no such picture.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PictureError(f"{path.name} is larger than 1 GiB", hint="choose a developed PNG or TIFF")
        data = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise PictureError(f"{path} cannot be read: {error.strerror}") from error
    bgr = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    if bgr is None:
        raise PictureError(f"{path.name} is no picture that can be read", hint="choose a PNG or TIFF")
    if bgr.dtype not in (np.uint8, np.uint16):
        raise PictureError(f"{path.name} holds {bgr.dtype}, not 8 or 16 bit integers")
    if bgr.ndim == 2:
        rgb: Any = np.repeat(bgr[..., None], 3, axis=2)
    else:
        rgb = bgr[..., 2::-1]
    picture: Picture = np.ascontiguousarray(rgb)
    return picture


def derived_path(root: Path, pair: PairRecord, part: str) -> Path | None:
    """Return the developed file of a pair, None when there is none.

    Args:
        root: Folder of the session.
        pair: The pair.
        part: "B", "S" or "mask".
    """
    stem = root / "derived" / f"{pair.id}_{part}"
    for suffix in (".png", ".tif", ".tiff"):
        path = stem.with_name(stem.name + suffix)
        if path.is_file():
            return path
    return None


def load_view(root: Path, pair: PairRecord) -> PairView:
    """Load a pair for viewing: developed where it is, else straight from RAW.

    Raises:
        PictureError: A developed file cannot be read.
        RawFileError: A RAW file cannot be read.
    """
    paths = [derived_path(root, pair, camera) for camera in ("B", "S")]
    if paths[0] is not None and paths[1] is not None:
        b, s = read_picture(paths[0]), read_picture(paths[1])
        label = "Developed, B aligned to S"
        mask = derived_path(root, pair, "mask")
        overlay = QImage() if mask is None else mask_image(read_picture(mask)[..., 0] > 0, theme.MASK)
        return PairView(pair.id, rgb_image(b), rgb_image(s), (b.shape[1], b.shape[0]), label, True, overlay)
    raw = pair.load()
    s_image, gains = quick_view(raw.s, None)
    b_image, _ = quick_view(raw.b, gains)
    label = "Quick view of the RAW files: not aligned, not colour corrected"
    return PairView(pair.id, b_image, s_image, (s_image.width(), s_image.height()), label, False)


def quick_view(
    raw: RawImage, gains: tuple[float, float, float] | None
) -> tuple[QImage, tuple[float, float, float]]:
    """Make a picture of a RAW frame for viewing, one pixel a sensor pixel.

    Args:
        raw: The frame.
        gains: White balance of red, green, blue; None finds it by the grey world and returns it for the other
            camera, so that differences between the two stay visible.
    """
    fmt = RawFormat(raw.cfa, 2**raw.significant_bits, raw.black_level, raw.white_level)
    if gains is None:
        red, blue = grey_world(raw.pixels, fmt)
        least = min(red, blue, 1.0)
        gains = (red / least, 1.0 / least, blue / least)
    even = raw.pixels[: raw.pixels.shape[0] // 2 * 2, : raw.pixels.shape[1] // 2 * 2]
    return bgr_image(detail_picture(even, fmt, gains)), gains

"""What the Deblur page shows: pictures before and after, and what is known of how they were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from gui import theme
from gui.images import mask_image, rgb_image
from gui.pictures import Picture, PictureError, read_picture
from models.evaluation.figures import to_8bit
from processing.quality.mover import mover_psnr

if TYPE_CHECKING:
    from models.deblur import DeblurResult

ROUTES = {"whole": "whole frame", "tiles": "whole frame, in tiles", "moved": "where it moved"}


@dataclass(frozen=True)
class DeblurView:
    """What the page shows; each new one replaces the one before.

    Attributes:
        path: The picture, or where a live one would be saved.
        before: It.
        after: The result; null while there is none.
        mask: Overlay of where the network sees blur; null while there is none.
        stage: "opened", "preview" or "full".
        text: What is shown, in words.
        result: The result itself, for saving; only of the full picture.
        sharp: S of the same pair; null where there is none.
        facts: How the result was made, by name.
    """

    path: Path
    before: QImage
    after: QImage
    mask: QImage
    stage: str
    text: str
    result: DeblurResult | None = field(default=None, repr=False)
    sharp: QImage = field(default_factory=QImage, repr=False)
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Opened:
    """A picture that was read: never changed, only replaced by the next one.

    Attributes:
        path: Its file.
        picture: (H, W, 3) red, green, blue.
        before: The same for the screen.
        reference: S of the same pair, of the same size; None where there is none.
        sharp: The same for the screen; null where there is none.
        blurred: (H, W) bool, the developed mask of where B is blurred; None where there is none.
    """

    path: Path
    picture: Picture
    before: QImage
    reference: Picture | None = None
    sharp: QImage = field(default_factory=QImage, repr=False)
    blurred: NDArray[np.bool_] | None = None


def open_picture(path: Path) -> Opened:
    """Read a picture, and where it is B of a developed pair its S and its mask too.

    Raises:
        PictureError: It cannot be read.
    """
    picture = read_picture(path)
    size = picture.shape[:2]
    reference, mask = _beside(path, "S", size), _beside(path, "mask", size)
    return Opened(
        path,
        picture,
        rgb_image(picture),
        reference,
        QImage() if reference is None else rgb_image(reference),
        None if mask is None else mask[..., 0] > 0,
    )


def _beside(path: Path, part: str, size: tuple[int, ...]) -> Picture | None:
    """Return another part of the pair, if it is there, readable and of that size."""
    if not path.stem.endswith("_B"):
        return None
    other = path.with_name(f"{path.stem[:-1]}{part}{path.suffix}")
    if not other.is_file():
        return None
    try:
        picture = read_picture(other)
    except PictureError:  # the picture itself can be shown all the same
        return None
    return picture if picture.shape[:2] == size else None


def result_images(result: DeblurResult) -> tuple[QImage, QImage]:
    """Return the sharp picture and the overlay of the mask, for the screen."""
    return rgb_image(result.sharp), mask_image(result.mask, theme.MASK)


def run_facts(result: DeblurResult) -> dict[str, str]:
    """Say how a result was made."""
    route = ROUTES.get(result.route, result.route)
    size = "" if result.scale == 1.0 else f", at {result.scale:.0%} size"
    return {
        "Computed": f"{result.share:.0%} of the frame",
        "Route": f"{route}{size}",
        "Time": f"{result.seconds:.2f} s",
    }


def gain_fact(opened: Opened, result: DeblurResult) -> dict[str, str]:
    """Say how much nearer to S the moving object came; nothing where there is no S, or no mask.

    S need not show the mover where B's blur has its middle: each is held against S where S fits it best.
    """
    if opened.reference is None or opened.blurred is None or not opened.blurred.any():
        return {}
    b, s, after = (to_8bit(one) for one in (opened.picture, opened.reference, result.sharp))
    before_db, _ = mover_psnr(b, s, opened.blurred)
    after_db, shift = mover_psnr(after, s, opened.blurred)
    moved = max(abs(step) for step in shift)
    where = f"S, moved {moved} px" if moved else "S"
    return {"Mover": f"{before_db:.2f} → {after_db:.2f} dB against {where}"}

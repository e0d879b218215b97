"""Figures of image files: two images, or two folders with images of the same names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.errors import ImageMismatch, ProcessingError
from processing.image_files import decode_image
from processing.quality.metrics import delta_l, psnr, ssim
from processing.quality.metrics_local import Reading, local_metrics

SUFFIXES: Final = (".png", ".tif", ".tiff")
Figures = dict[str, float]
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Comparison:
    """What came of one pair of files.

    Attributes:
        name: of the ground truth's file.
        whole: figures of the whole image: delta_l_percent, delta_l_luma_percent, psnr_db, ssim.
        local: reading -> psnr_w_db, ssim_w (with a mask), psnr_a_db, ssim_a (if aligned).
        error: why there are no figures, in one line.
    """

    name: str
    whole: Figures
    local: dict[Reading, Figures]
    error: str = ""


def read_8bit(path: Path) -> Image:
    """Read a PNG or TIFF of 8 or 16 bits as (H, W, 3) RGB or (H, W) uint8; 16 bits are rounded to 8.

    Raises:
        ProcessingError: if it cannot be read or holds something else.
    """
    if path.exists() and not path.is_file():  # reading a pipe would wait for a writer
        raise ProcessingError(f"{path} is no file")
    try:
        image = decode_image(path.read_bytes())
    except OSError as error:
        raise ProcessingError(f"cannot read {path}: {error.strerror or error}") from error
    if image is None:
        raise ProcessingError(f"{path} is no image that can be read", hint="PNG or TIFF of 8 or 16 bits")
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.dtype not in (np.uint8, np.uint16) or (image.ndim == 3 and image.shape[2] != 3):
        kind = f"{image.dtype}, {image.shape[2] if image.ndim == 3 else 1} channels"
        raise ProcessingError(
            f"{path} cannot be compared ({kind})", hint="grey or RGB of 8 or 16 bits, no alpha"
        )
    if image.dtype == np.uint16:
        image = ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.ascontiguousarray(image[..., ::-1] if image.ndim == 3 else image, np.uint8)


def read_mask(path: Path) -> Image:
    """Read a mask as (H, W) uint8, not zero inside; of a colour image the first channel counts.

    Raises:
        ProcessingError: if it cannot be read.
    """
    image = read_8bit(path)
    return np.ascontiguousarray(image[..., 0]) if image.ndim == 3 else image


def compare(sharp: Path, other: Path, mask: Path | None = None, *, align: bool = True) -> Comparison:
    """Compare two image files.

    Args:
        sharp: the ground truth.
        other: what is judged.
        mask: where the weighted figures are taken.
        align: also compute the aligned figures.

    Raises:
        ProcessingError: if a file cannot be read, sizes differ, or a figure is not defined.
    """
    truth, judged = read_8bit(sharp), read_8bit(other)
    if truth.shape != judged.shape:
        raise ImageMismatch(f"{sharp.name} is {_size(truth)}, {other.name} {_size(judged)}")
    whole = {
        "delta_l_percent": delta_l(truth, judged),
        "delta_l_luma_percent": delta_l(truth, judged, gray=True),
        "psnr_db": psnr(truth, judged),
        "ssim": ssim(truth, judged),
    }
    inside = None if mask is None else read_mask(mask)
    both = local_metrics(truth, judged, inside, align=align)
    local = {
        reading: {name: float(v) for name, v in figures.items() if isinstance(v, float)}
        for reading, figures in both.items()
    }
    return Comparison(sharp.name, whole, local)


def _size(image: Image) -> str:
    return f"{image.shape[1]}x{image.shape[0]} {'RGB' if image.ndim == 3 else 'grey'}"


def _images(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            if path.stem in found:
                raise ProcessingError(f"{folder} holds {found[path.stem].name} and {path.name}")
            found[path.stem] = path
    return found


def pairs(sharp: Path, other: Path, mask: Path | None) -> list[tuple[Path, Path, Path | None]]:
    """Return the files that belong together: the two given, or those of the same name in two folders.

    Args:
        sharp: image, or folder of images.
        other: likewise.
        mask: image (for all pairs), or folder with a mask NAME or NAME_mask for each.

    Raises:
        ProcessingError: if something is missing, or an image has no partner.
    """
    for path in (sharp, other, *([mask] if mask else [])):
        if not path.exists():
            raise ProcessingError(f"there is no {path}")
    if sharp.is_dir() != other.is_dir():
        raise ProcessingError(
            "an image and a folder cannot be compared", hint="give two images or two folders"
        )
    masks = _images(mask) if mask is not None and mask.is_dir() else None

    def mask_of(path: Path) -> Path | None:
        if masks is None:
            return mask
        found = masks.get(path.stem) or masks.get(f"{path.stem}_mask")
        if found is None:
            raise ProcessingError(f"{mask} has no mask of {path.name}", hint="NAME.png or NAME_mask.png")
        return found

    if not sharp.is_dir():
        return [(sharp, other, mask_of(sharp))]
    truths, judged = _images(sharp), _images(other)
    alone = sorted(truths.keys() ^ judged.keys())
    if alone or not truths:
        what = (
            f"{alone[0]} and {len(alone) - 1} more have"
            if len(alone) > 1
            else f"{(alone or ['nothing'])[0]} has"
        )
        raise ProcessingError(f"{what} no partner in the other folder", hint="images of the same names")
    return [(path, judged[stem], mask_of(path)) for stem, path in truths.items()]


def compare_all(files: list[tuple[Path, Path, Path | None]], *, align: bool = True) -> Iterator[Comparison]:
    """Compare pairs one after the other; a pair without figures is told with its reason."""
    for sharp, other, mask in files:
        try:
            yield compare(sharp, other, mask, align=align)
        except ProcessingError as error:
            yield Comparison(sharp.name, {}, {}, error.one_line())

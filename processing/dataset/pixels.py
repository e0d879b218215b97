"""The three files of an exported pair: read, cut, rounded to 8 bits, measured, written once."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from processing.dataset.crop import Window
from processing.errors import ProcessingError
from processing.image_files import decode_image
from processing.jobs.derived import DerivedPair
from processing.page.pair_figures import Image, background_delta_l, mask_percent, rounded_to_8bit
from processing.quality.metrics import psnr, ssim


@dataclass(frozen=True)
class Written:
    """What was exported of a pair.

    Attributes:
        inputs: "B", "S", "mask" -> SHA-256 of the developed file.
        outputs: the same of the exported file.
        figures: of the exported pictures: mask_percent, background_delta_l_percent, psnr_db, ssim.
        kept: all three files were there already, with the same bytes.
    """

    inputs: dict[str, str]
    outputs: dict[str, str]
    figures: dict[str, float]
    kept: bool


def export_pair(pair: DerivedPair, window: Window, paths: dict[str, Path]) -> Written:
    """Write the pictures and the mask of a pair, unless they are there with the same bytes.

    Args:
        pair: a developed pair.
        window: what is cut out.
        paths: "B", "S", "mask" -> where it goes.

    Raises:
        ProcessingError: if a developed file is damaged, or one cannot be written.
    """
    inputs, outputs, images, kept = {}, {}, {}, True
    for part, target in paths.items():
        data = pair.files[part].read_bytes()
        inputs[part] = hashlib.sha256(data).hexdigest()
        noted = (pair.data.get("files") or {}).get(pair.files[part].name)
        if isinstance(noted, dict) and noted.get("sha256") not in (None, inputs[part]):
            raise ProcessingError(
                f"{pair.files[part]} was changed after it was made", hint="delete it and process again"
            )
        raw = decode_image(data)
        if raw is None:
            raise ProcessingError(f"{pair.files[part]} cannot be read", hint="delete it and process again")
        image = rounded_to_8bit(raw)
        if image.shape[0] < window.y + window.height or image.shape[1] < window.x + window.width:
            raise ProcessingError(
                f"{pair.files[part]} is smaller than the other images of its scene", hint="process again"
            )
        images[part] = window.cut(image)
        good, png = cv2.imencode(".png", images[part])
        if not good:
            raise ProcessingError(f"{target.name} cannot be encoded as PNG")
        encoded = np.asarray(png, np.uint8).tobytes()
        outputs[part] = hashlib.sha256(encoded).hexdigest()
        kept = put(target, encoded) and kept
    return Written(inputs, outputs, figures_of(images["B"], images["S"], images["mask"]), kept)


def figures_of(blurred: Image, sharp: Image, mask: Image) -> dict[str, float]:
    """Return how an exported pair agrees: over all of it, and outside of the mask.

    Args:
        blurred: B, (H, W, 3) uint8.
        sharp: S, (H, W, 3) uint8.
        mask: (H, W) uint8, not 0 where it moves.

    Returns:
        mask_percent; psnr_db and ssim of the whole pictures (what a network starts from); and, outside of
        the mask, background_delta_l_percent (appendix Eq. 1).
    """
    same = np.array_equal(blurred, sharp)
    return {
        "mask_percent": mask_percent(mask),
        "background_delta_l_percent": background_delta_l(blurred, sharp, mask),
        "psnr_db": 100.0 if same else psnr(sharp, blurred),
        "ssim": ssim(sharp, blurred),
    }


def put(path: Path, data: bytes) -> bool:
    """Write a file whole or not at all; returns True when it was there with these bytes already.

    Raises:
        ProcessingError: if it cannot be written, or another file of that name is there.
    """
    part = path.with_name(path.name + ".part")
    try:
        if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
            return True
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)  # a link or a pipe of that name: nothing goes through it
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise ProcessingError(
            f"cannot write {path}: {error.strerror or error}", hint="check rights and free disk space"
        ) from error
    return False

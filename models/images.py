"""PNG and TIFF files: read as RGB with their own depth, written whole or not at all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from cv2.utils import logging

from models.errors import ImageError

__all__ = ["Picture", "read_picture", "write_png"]

_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


@dataclass(frozen=True)
class Picture:
    """A picture from a file.

    Attributes:
        rgb: (H, W, 3) uint8 or uint16.
        notes: What was done to make it RGB, one sentence each.
    """

    rgb: npt.NDArray[Any]
    notes: tuple[str, ...]


def read_picture(path: Path) -> Picture:
    """Read a PNG or TIFF of 8 or 16 bit; grey becomes RGB, an alpha channel is dropped, both with a note.

    Raises:
        ImageError: The file is missing, is no PNG or TIFF, is damaged, or has another depth.
    """
    if path.exists() and not path.is_file():
        raise ImageError(f"{path} is no file")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ImageError(f"cannot read {path}: {error.strerror or error}") from error
    if not content.startswith(_SIGNATURES):
        raise ImageError(f"{path} is not a PNG or TIFF picture")
    level = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)  # what is wrong is told by the error, not by OpenCV
    try:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ImageError(f"{path} cannot be decoded") from error
    finally:
        logging.setLogLevel(level)
    if decoded is None:
        raise ImageError(f"{path} is damaged: it cannot be decoded")
    pixels: npt.NDArray[Any] = np.asarray(decoded)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"{path} holds {pixels.dtype} values", hint="8 or 16 bit per channel are read")
    if pixels.ndim == 2:
        return Picture(np.repeat(pixels[:, :, None], 3, axis=2), ("grey was taken as RGB",))
    notes: tuple[str, ...] = ()
    if pixels.shape[2] == 4:
        notes = ("the alpha channel was dropped",)
    elif pixels.shape[2] != 3:
        raise ImageError(f"{path} has {pixels.shape[2]} channels", hint="grey, RGB and RGBA are read")
    return Picture(np.ascontiguousarray(pixels[:, :, 2::-1]), notes)


def write_png(path: Path, pixels: npt.NDArray[Any], *, overwrite: bool = False) -> None:
    """Write a PNG: to a `.part` file first, then under its name.

    Args:
        path: Target.
        pixels: (H, W, 3) RGB or (H, W) grey, uint8 or uint16.
        overwrite: Whether an existing file may be replaced.

    Raises:
        ImageError: The file exists and may not be replaced, or the disk refuses.
    """
    if path.exists() and not overwrite:
        raise ImageError(f"{path} exists", hint="use --overwrite, or another --out")
    ordered = pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[:, :, ::-1])
    done, encoded = cv2.imencode(".png", ordered, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise ImageError(f"{path} cannot be encoded as PNG")
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as handle:
            handle.write(encoded.tobytes())
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ImageError(f"cannot write {path}: {error.strerror or error}") from error

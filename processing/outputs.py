"""Writing results: whole files or none, images as PNG or TIFF with 8 or 16 bits."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from processing.errors import ProcessingError

Bits = Literal[8, 16]
Format = Literal["png", "tiff"]
_PNG: Final = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
"""Noise has no repeats to search for: run lengths alone are as small and three times as fast."""
if hasattr(cv2, "IMWRITE_PNG_FILTER"):  # OpenCV 4.11 and later
    _PNG.extend([cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB])


def _publish(path: Path, data: bytes) -> int:
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ProcessingError(
            f"cannot write {path}: {error.strerror or error}", hint="check rights and free disk space"
        ) from error
    return len(data)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write plain values as JSON, whole or not at all.

    Raises:
        ProcessingError: if the file cannot be written.
    """
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    _publish(path, (text + "\n").encode("utf-8"))


def write_image(path: Path, image: NDArray[np.uint8] | NDArray[np.uint16]) -> int:
    """Write an (H, W, 3) RGB or (H, W) image by the suffix of its name (.png or .tiff); returns the bytes.

    Raises:
        ProcessingError: if the file cannot be written.
    """
    if path.suffix == ".png":
        bgr = image[..., ::-1] if image.ndim == 3 else image
        good, data = cv2.imencode(".png", np.ascontiguousarray(bgr), _PNG)
        if not good:
            raise ProcessingError(f"{path.name} cannot be encoded as PNG")
        return _publish(path, np.asarray(data, np.uint8).tobytes())
    tiff = io.BytesIO()
    tifffile.imwrite(tiff, image, photometric="rgb" if image.ndim == 3 else "minisblack")
    return _publish(path, tiff.getvalue())


def read_json(path: Path) -> dict[str, Any] | None:
    """Return a JSON object from a file, or None if there is no such file or it holds something else."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None

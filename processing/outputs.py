"""Writing results: whole files or none, images as PNG or TIFF with 8 or 16 bits."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from processing.errors import NoRoom, ProcessingError
from processing.png import encode_png

Bits = Literal[8, 16]
Format = Literal["png", "tiff"]
_PNG: Final = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
"""For masks, which are runs of the same value and nothing else; photographs have an encoder of their own."""
if hasattr(cv2, "IMWRITE_PNG_FILTER"):  # OpenCV 4.11 and later
    _PNG.extend([cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB])
_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Encoded:
    """A file that is ready to be written.

    Attributes:
        path: where it belongs.
        data: its bytes.
    """

    path: Path
    data: bytes

    def facts(self) -> dict[str, Any]:
        """Return its length and hash, as a record has them."""
        return {"bytes": len(self.data), "sha256": hashlib.sha256(self.data).hexdigest()}


def publish(files: Sequence[Encoded]) -> None:
    """Write files that belong together: all their bytes reach the disk before one gets its name.

    Raises:
        NoRoom: if the disk is full.
        ProcessingError: if a file cannot be written. No part of any file stays then.
    """
    parts = [(file.path.with_name(file.path.name + ".part"), file.path) for file in files]
    try:
        for file, (part, path) in zip(files, parts, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            part.unlink(missing_ok=True)  # a link or a pipe of that name: nothing goes through it
            with part.open("xb") as out:
                out.write(file.data)
                out.flush()
                os.fsync(out.fileno())
        for part, path in parts:
            part.replace(path)
    except OSError as error:
        for part, _ in parts:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        raise _refused(error, parts[0][1]) from error


def withdraw(path: Path) -> None:
    """Delete a file that vouches for others, before these change; nothing happens where there is none.

    Raises:
        ProcessingError: if it cannot be deleted.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _refused(error, path) from error


def _refused(error: OSError, path: Path) -> ProcessingError:
    said = f"cannot write {error.filename or path}: {error.strerror or error}"
    if error.errno in _NO_ROOM:
        return NoRoom(said, hint="make room on the disk and start again: what is finished stays")
    return ProcessingError(said, hint="check rights and free disk space")


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write plain values as JSON, whole or not at all.

    Raises:
        ProcessingError: if the file cannot be written.
    """
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    # a file's name that is no UTF-8 is a lone surrogate in Python, and \udcff in JSON
    publish([Encoded(path, (text + "\n").encode("utf-8", "backslashreplace"))])


def encode_image(path: Path, image: NDArray[np.uint8] | NDArray[np.uint16]) -> Encoded:
    """Encode an (H, W, 3) RGB or (H, W) image by the suffix of its file's name (.png or .tiff).

    Raises:
        ProcessingError: if it cannot be encoded.
    """
    if path.suffix == ".png":
        if image.ndim == 3:
            return Encoded(path, encode_png(image))
        good, data = cv2.imencode(".png", image, _PNG)
        if not good:
            raise ProcessingError(f"{path.name} cannot be encoded as PNG")
        return Encoded(path, np.asarray(data, np.uint8).tobytes())
    tiff = io.BytesIO()
    tifffile.imwrite(tiff, image, photometric="rgb" if image.ndim == 3 else "minisblack")
    return Encoded(path, tiff.getvalue())


def write_image(path: Path, image: NDArray[np.uint8] | NDArray[np.uint16]) -> int:
    """Write an (H, W, 3) RGB or (H, W) image by the suffix of its name (.png or .tiff); returns the bytes.

    Raises:
        ProcessingError: if the file cannot be written.
    """
    file = encode_image(path, image)
    publish([file])
    return len(file.data)


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array for other workers of the same run, whole or not at all; it need not outlive a power cut.

    Raises:
        ProcessingError: if the file cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as out:
            np.save(out, array)
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise _refused(error, path) from error


def read_json(path: Path) -> dict[str, Any] | None:
    """Return a JSON object from a file, or None if there is no such file or it holds something else."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None

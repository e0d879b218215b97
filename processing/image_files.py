"""Opening image files that may be anything: nothing that a file holds or is named may end the program.

OpenCV's own `imread` dies of file names that are no UTF-8, and its decoder throws at sizes that cannot be.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def decode_image(data: bytes) -> NDArray[Any] | None:
    """Return the pixels of a PNG or TIFF file as they are, (H, W) or (H, W, 3) in BGR; None if it is none."""
    if not data:
        return None
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    return None if image is None else np.asarray(image)


def read_image(path: Path) -> NDArray[Any] | None:
    """Return the pixels of an image file; None if it is missing, cannot be read, or is no image."""
    try:
        return decode_image(path.read_bytes()) if path.is_file() else None  # a pipe would wait for a writer
    except OSError:
        return None

"""Work that would not fit into memory is refused: the system would end the whole program without a word."""

from __future__ import annotations

import torch

from models.errors import ImageError
from rig.memory import free_memory_bytes

__all__ = ["check_room"]


def check_room(
    what: str, height: int, width: int, bytes_per_pixel: int, hint: str, device: str = "cpu"
) -> None:
    """Refuse a picture for which there is not enough memory now.

    Args:
        what: That works on it.
        height: Of the picture, in pixels.
        width: Likewise.
        bytes_per_pixel: What is needed at the peak, measured.
        hint: What the operator can do.
        device: "cpu" or "cuda".

    Raises:
        ImageError: More is needed than is free.
    """
    needed = height * width * bytes_per_pixel
    free = torch.cuda.mem_get_info()[0] if device == "cuda" else free_memory_bytes()
    if needed > free:
        raise ImageError(
            f"{what} takes {needed / 1e9:.1f} GB of memory for {width}x{height} pixels, "
            f"{free / 1e9:.1f} GB are free",
            hint=hint,
        )

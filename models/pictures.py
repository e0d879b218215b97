"""Pictures as arrays: the values that the network takes, padding, and the way back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.errors import ImageError

__all__ = [
    "NOT_FINITE",
    "NOT_FINITE_HINT",
    "FloatImage",
    "as_unit_range",
    "check_picture",
    "check_reference",
    "pad_to_multiple",
    "to_planes",
]

FloatImage = npt.NDArray[np.float32]

NOT_FINITE = "the network made values that are not finite"
NOT_FINITE_HINT = "its weights are damaged, or the precision is too low: try --precision fp32"

_LARGEST_FLOAT = 2.0
"""A float picture in 0..1 may overshoot a little after resampling; beyond this it has other units."""


def as_unit_range(rgb: npt.NDArray[Any]) -> FloatImage:
    """Return a picture as float32 with white at 1; always a copy.

    Args:
        rgb: (H, W, 3), sRGB-encoded: uint8 (white 255), uint16 (white 65535) or floating point (white 1).

    Raises:
        ImageError: Another shape or type, no pixels, values that are not finite or clearly not in 0..1.
    """
    check_picture(rgb)
    if rgb.dtype == np.uint8 or rgb.dtype == np.uint16:
        scaled: FloatImage = np.divide(rgb, np.float32(np.iinfo(rgb.dtype).max), dtype=np.float32)
        return scaled
    values = np.array(rgb, dtype=np.float32)
    least, most = float(values.min()), float(values.max())
    if not np.isfinite(least) or not np.isfinite(most):
        raise ImageError("the picture holds values that are not finite")
    if most > _LARGEST_FLOAT or least < 1 - _LARGEST_FLOAT:
        raise ImageError(
            f"a floating point picture goes from 0 to 1, this one from {least:.3g} to {most:.3g}"
        )
    return values


def check_picture(rgb: npt.NDArray[Any]) -> None:
    """Refuse what has not the shape or the type of a picture; its values are not looked at.

    Raises:
        ImageError: Another shape or type than `as_unit_range` takes, or no pixels.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ImageError(f"a picture is (H, W, 3), not {rgb.shape}")
    if rgb.dtype not in (np.uint8, np.uint16) and not np.issubdtype(rgb.dtype, np.floating):
        raise ImageError(f"a picture holds uint8, uint16 or floating point values, not {rgb.dtype}")


def check_reference(rgb: npt.NDArray[Any], reference: npt.NDArray[Any] | None) -> None:
    """Refuse a sharp frame that does not fit the blurred one pixel by pixel.

    Raises:
        ImageError: It is no picture, or of another size.
    """
    check_picture(rgb)
    if reference is None:
        return
    check_picture(reference)
    if reference.shape != rgb.shape:
        raise ImageError(
            f"the reference has {reference.shape[1]} x {reference.shape[0]} pixels, "
            f"the picture {rgb.shape[1]} x {rgb.shape[0]}",
            hint="the sharp frame must be aligned to the blurred one",
        )


def pad_to_multiple(image: FloatImage, multiple: int) -> FloatImage:
    """Extend a picture (H, W, C) at the bottom and right by reflection until H and W are multiples.

    Any size is taken: where a picture has fewer pixels than are missing, the reflection goes back and forth.
    """
    bottom, right = -image.shape[0] % multiple, -image.shape[1] % multiple
    if bottom == 0 and right == 0:
        return image
    return np.pad(image, ((0, bottom), (0, right), (0, 0)), mode="reflect")


def to_planes(image: FloatImage) -> Tensor:
    """Return (1, C, H, W) of a picture (H, W, C): the same memory, which is channels-last order."""
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).unsqueeze(0)

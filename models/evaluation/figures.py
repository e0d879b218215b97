"""The figures of one picture: how well it agrees with the sharp one, everywhere, in the blur, and outside it.

Nothing is computed here: every figure is one of `processing.quality`, on pictures of 8 bit, as published ones
are. A figure that has no value (an empty mask, equal pictures) is told with its reason and never counts as 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from processing.errors import MetricUndefined, ProcessingError
from processing.quality.metrics import psnr, ssim
from processing.quality.metrics_local import READINGS, Alignment, weighted_psnr, weighted_ssim

__all__ = ["FIGURES", "INFINITE", "Figure", "Judged", "judge", "nested", "to_8bit"]

Picture = npt.NDArray[np.uint8]
Part = Literal["whole", "released", "paper", "blur"]

INFINITE: Final = "infinite: the pictures are equal there"
_NO_MASKS: Final = "the data have no blur masks"
BLURRED_FROM: Final = 0.5
"""A pixel counts as found where the network's mask is at least this."""


@dataclass(frozen=True)
class Figure:
    """One column of the tables.

    Attributes:
        part: Where it is taken: of the whole picture, locally in one of the two readings (see
            `processing.quality.metrics_local`), or of the blur mask.
        name: Its name in JSON, with the unit.
        title: Head of its column.
        digits: Behind the decimal point, as published tables have them.
    """

    part: Part
    name: str
    title: str
    digits: int

    @property
    def key(self) -> str:
        """Its name among all figures."""
        return f"{self.part}.{self.name}"


_LOCAL: Final = (
    ("psnr_w_db", "PSNR_w", 2),
    ("ssim_w", "SSIM_w", 4),
    ("psnr_a_db", "PSNR_a", 2),
    ("ssim_a", "SSIM_a", 4),
)
FIGURES: Final[tuple[Figure, ...]] = (
    Figure("whole", "psnr_db", "PSNR", 2),
    Figure("whole", "ssim", "SSIM", 4),
    *(Figure(reading, *one) for reading in ("released", "paper") for one in _LOCAL),
    Figure("blur", "background_psnr_db", "PSNR outside", 2),
    Figure("blur", "mask_iou", "mask IoU", 3),
)


@dataclass(frozen=True)
class Judged:
    """The figures of one picture.

    Attributes:
        values: `Figure.key` -> finite value.
        undefined: `Figure.key` -> why it has no value.
    """

    values: dict[str, float] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)


def to_8bit(picture: npt.NDArray[Any]) -> Picture:
    """Return a picture rounded to 8 bit: of uint8, uint16, or floating point in 0..1 (clipped)."""
    if picture.dtype == np.uint8:
        return np.ascontiguousarray(picture)
    if picture.dtype == np.uint16:
        return np.asarray((picture.astype(np.uint32) + 128) // 257, np.uint8)
    return np.asarray(np.rint(np.clip(picture, 0.0, 1.0) * 255.0), np.uint8)


def judge(
    sharp: Picture,
    other: Picture,
    mask: npt.NDArray[Any] | None,
    found: npt.NDArray[np.float32] | None,
    *,
    align: bool = True,
    threads: int = 1,
) -> Judged:
    """Take all figures of a picture.

    Args:
        sharp: (H, W, 3) uint8, the truth.
        other: The same size: what is judged.
        mask: (H, W), not zero where the blurred picture is blurred; None where nobody knows.
        found: (H, W) in 0..1, how surely the network calls a pixel blurred; None where it does not say.
        align: Take PSNR_a and SSIM_a too; seconds for a large picture.
        threads: Of the structural similarity.
    """
    judged = Judged()

    def take(key: str, figure: Callable[[], float]) -> None:
        try:
            value = figure()
        except ProcessingError as error:
            judged.undefined[key] = error.message
            return
        if math.isfinite(value):
            judged.values[key] = value
        else:
            judged.undefined[key] = INFINITE

    take("whole.psnr_db", lambda: psnr(sharp, other))
    take("whole.ssim", lambda: ssim(sharp, other, threads=threads))
    inside = _known(mask)
    for reading in READINGS:
        take(f"{reading}.psnr_w_db", lambda r=reading: weighted_psnr(sharp, other, inside(), r))  # type: ignore[misc]
        take(
            f"{reading}.ssim_w",
            lambda r=reading: weighted_ssim(sharp, other, inside(), r, threads=threads),  # type: ignore[misc]
        )
    if align:
        _take_aligned(sharp, other, threads, take)
    take("blur.background_psnr_db", lambda: _outside(sharp, other, mask))
    take("blur.mask_iou", lambda: _overlap(inside(), found))
    return judged


def _take_aligned(
    sharp: Picture, other: Picture, threads: int, take: Callable[[str, Callable[[], float]], None]
) -> None:
    """Take the aligned figures; where the pictures cannot be aligned, all four have the same reason."""
    try:
        alignment = Alignment.of(sharp, other)
    except ProcessingError as error:
        reason = error

        def refuse() -> float:
            raise reason

        for reading in READINGS:
            take(f"{reading}.psnr_a_db", refuse)
            take(f"{reading}.ssim_a", refuse)
        return
    for reading in READINGS:
        take(f"{reading}.psnr_a_db", lambda r=reading: alignment.psnr(r))  # type: ignore[misc]
        take(f"{reading}.ssim_a", lambda r=reading: alignment.ssim(r, threads=threads))  # type: ignore[misc]


def _known(mask: npt.NDArray[Any] | None) -> Callable[[], npt.NDArray[Any]]:
    def inside() -> npt.NDArray[Any]:
        if mask is None:
            raise MetricUndefined(_NO_MASKS)
        if not mask.any():
            raise MetricUndefined("the mask is empty: nothing is blurred")
        return mask

    return inside


def _outside(sharp: Picture, other: Picture, mask: npt.NDArray[Any] | None) -> float:
    """Return the PSNR of what is not blurred: of the whole picture, where nothing is."""
    if mask is None:
        raise MetricUndefined(_NO_MASKS)
    outside = mask == 0
    if not outside.any():
        raise MetricUndefined("the mask covers the whole picture")
    return weighted_psnr(sharp, other, outside)


def _overlap(mask: npt.NDArray[Any], found: npt.NDArray[np.float32] | None) -> float:
    """Return intersection over union of the true mask and the one that was found."""
    if found is None:
        raise MetricUndefined("no mask is predicted")
    true, seen = mask > 0, found >= BLURRED_FROM
    return float(np.count_nonzero(true & seen) / np.count_nonzero(true | seen))


def nested(flat: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return `part.name` -> value as part -> name -> value, in the order of the tables."""
    parts: dict[str, dict[str, Any]] = {}
    for figure in FIGURES:
        if figure.key in flat:
            parts.setdefault(figure.part, {})[figure.name] = flat[figure.key]
    return parts

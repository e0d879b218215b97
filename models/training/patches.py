"""Blur-aware patch cropping (BAPC) and flips.

"Real-World Deep Local Motion Deblurring", Li et al., AAAI 2023: half of the patches lie anywhere, the other
half are centred on a blurred pixel of the mask, because on average only 11.75 % of a picture is blurred. Each
patch is then flipped with probability 0.5.

A patch cannot be centred on a pixel within half a patch of the border. The released code never chooses those
pixels, so that what moves along the border is hardly ever learnt. In the reading "paper" every blurred pixel
is as likely as any other, and the patch is moved into the picture with the pixel still in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from models.errors import ImageError
from models.training.pairs import PairSource, TrainingPair

__all__ = ["Patches", "flipped", "patch_corner"]

Flip = Literal["horizontal", "vertical"]
Reading = Literal["paper", "released"]
FLIPS: Final = ("horizontal", "vertical")
_LEAST_MASK_MEAN: Final = 0.05  # of 8-bit values: 0.02 % of the area (released dataset.py)
_Pixels: TypeAlias = npt.NDArray[Any]


class Patches:
    """Square patches of a source's pairs.

    Args:
        source: Where the pairs are from.
        side_px: Side of a patch.
        blurred_share: Probability of a patch around a blurred pixel. Paper: 0.5.
        flips: Which flips are done, each with probability 0.5. The released code has only the horizontal one.
        reading: Of the paper or of the released code, see above.

    Raises:
        ValueError: A side below 1, a share outside 0..1, or an unknown flip or reading.
    """

    def __init__(
        self,
        source: PairSource,
        side_px: int,
        *,
        blurred_share: float = 0.5,
        flips: Iterable[Flip] = FLIPS,
        reading: Reading = "paper",
    ) -> None:
        self.flips = tuple(flips)
        if side_px < 1 or not 0 <= blurred_share <= 1:
            raise ValueError(f"patches of {side_px} px, a share of {blurred_share} of them on blurred pixels")
        if not set(self.flips) <= set(FLIPS) or reading not in ("paper", "released"):
            raise ValueError(f"flips {self.flips} in the reading {reading!r}")
        self.source = source
        self.side_px = side_px
        self.blurred_share = blurred_share
        self.reading: Reading = reading

    def sample(self, rng: np.random.Generator) -> TrainingPair:
        """Return a patch of a random pair; the same state of `rng` gives the same patch.

        Raises:
            ImageError: The pair is smaller than a patch.
        """
        return self.of_pair(self.source[int(rng.integers(len(self.source)))], rng)

    def of_pair(self, pair: TrainingPair, rng: np.random.Generator) -> TrainingPair:
        """Return a patch of the given pair, its arrays owned by nobody else.

        Raises:
            ImageError: The pair is smaller than a patch.
        """
        side = self.side_px
        height, width = pair.blurred.shape[:2]
        if min(height, width) < side:
            raise ImageError(
                f"{pair.name} is {width}x{height}: no patch of {side} px fits in",
                hint="train with smaller patches (patches: side_px)",
            )
        on_blur = rng.random() < self.blurred_share
        top, left = patch_corner(pair.mask if on_blur else None, (height, width), side, rng, self.reading)
        turned = [flip for flip in self.flips if rng.random() < 0.5]

        def cut(pixels: _Pixels) -> _Pixels:
            return flipped(pixels[top : top + side, left : left + side], turned).copy()

        return TrainingPair(
            pair.name, cut(pair.blurred), cut(pair.sharp), None if pair.mask is None else cut(pair.mask)
        )


def patch_corner(
    mask: npt.NDArray[np.uint8] | None,
    size: tuple[int, int],
    side: int,
    rng: np.random.Generator,
    reading: Reading = "paper",
) -> tuple[int, int]:
    """Return (top, left) of a patch: around a blurred pixel if a mask is given and has one, else anywhere.

    Args:
        mask: (H, W) uint8, blurred where above 0; None for a patch anywhere.
        size: (H, W) of the picture, both at least `side`.
        side: Side of the patch in pixels.
        rng: Dice.
        reading: The paper's, or that of the released code: blurred pixels within half a patch of the border
            are not chosen, nor any in a mask of a mean below 0.05 of 255; and a patch lying anywhere never
            touches the last row or column.
    """
    height, width = size
    released = reading == "released"
    if mask is not None:
        half = side // 2
        if not released:
            chosen = np.flatnonzero(mask)
            if chosen.size:
                row, column = divmod(int(chosen[rng.integers(chosen.size)]), width)
                return (
                    min(max(row - half, 0), height - side),
                    min(max(column - half, 0), width - side),
                )
        elif float(mask.mean()) > _LEAST_MASK_MEAN:
            rim = -(
                -side // 2
            )  # mask[half:-side // 2]: in Python the negative quotient is rounded away from 0
            inner = mask[half : height - rim, half : width - rim]
            chosen = np.flatnonzero(inner)
            if chosen.size:
                row, column = divmod(int(chosen[rng.integers(chosen.size)]), width - rim - half)
                return row, column
    last = 0 if released else 1
    return (
        int(rng.integers(max(height - side + last, 1))),
        int(rng.integers(max(width - side + last, 1))),
    )


def flipped(pixels: _Pixels, flips: Iterable[str]) -> _Pixels:
    """Return a view of (H, W) or (H, W, C), turned left to right and top to bottom as named."""
    if "horizontal" in flips:
        pixels = pixels[:, ::-1]
    if "vertical" in flips:
        pixels = pixels[::-1]
    return pixels

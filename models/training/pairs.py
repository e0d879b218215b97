"""What a training learns from: a blurred picture, the sharp one, and where the blur is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["PairSource", "TrainingPair"]


@dataclass(frozen=True)
class TrainingPair:
    """One pair, aligned pixel for pixel.

    Attributes:
        name: Names the pair within its source, for messages and tables.
        blurred: (H, W, 3) uint8 or uint16 RGB, sRGB-encoded.
        sharp: The same size and type.
        mask: (H, W) uint8, 255 where `blurred` is locally blurred and 0 elsewhere; None where nobody knows
            (GOPRO, REDS: the whole picture may be blurred).
    """

    name: str
    blurred: npt.NDArray[Any]
    sharp: npt.NDArray[Any]
    mask: npt.NDArray[np.uint8] | None

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return self.blurred.nbytes + self.sharp.nbytes + (0 if self.mask is None else self.mask.nbytes)


class PairSource(Protocol):
    """Pairs by index. The same index gives the same pair in every process and at every call.

    A source is picklable and cheap to copy into the worker processes of a loader; what is costly (open files,
    decoded pictures) it makes on first use. Sources that make their pairs have a length too: after so many
    they repeat.
    """

    def __len__(self) -> int:
        """Return the number of pairs."""
        ...

    def __getitem__(self, index: int) -> TrainingPair:
        """Return a pair; IndexError beyond the end, so that a source can be iterated."""
        ...

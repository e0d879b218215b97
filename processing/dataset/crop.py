"""One crop a scene: of the wanted size, centred, and moved only as far as the moving object asks for.

The published loader cuts masks, but not images, to 1436 rows and 2152 columns; it pads the blurred picture
and the mask of the test set, but not the sharp one, to a multiple of 4; and it draws training patches of 256
pixels. So an image may be no larger than 2152x1436, both sides are multiples of 4, and both are above 256.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing.errors import ProcessingError
from processing.page.paper_figures import HEIGHT, WIDTH

MULTIPLE: Final = 4
SMALLEST: Final = 260
"""The smallest multiple of 4 from which the loader can draw a patch of 256 pixels at a random place."""


@dataclass(frozen=True)
class Window:
    """Part of the developed images that is exported: top left corner and size, in pixels."""

    x: int
    y: int
    width: int
    height: int

    def cut(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the part of an (H, W) or (H, W, 3) image, contiguous."""
        return np.ascontiguousarray(
            image[self.y : self.y + self.height, self.x : self.x + self.width], dtype=image.dtype
        )

    def to_list(self) -> list[int]:
        """Return [x, y, width, height]."""
        return [self.x, self.y, self.width, self.height]


def parse_size(text: str) -> tuple[int, int] | None:
    """Return (width, height) of "WxH"; None for "full", which is as large as each scene allows.

    Raises:
        ProcessingError: if it is neither, or the loader could not read images of that size.
    """
    if text == "full":
        return None
    width, times, height = text.lower().partition("x")
    if not (times and width.isdecimal() and height.isdecimal()):
        raise ProcessingError(f"{text!r} is no size", hint=f"such as {WIDTH}x{HEIGHT}, or full")
    size = int(width), int(height)
    if any(side % MULTIPLE for side in size):
        near = "x".join(str(side // MULTIPLE * MULTIPLE) for side in size)
        raise ProcessingError(
            f"{text} is not a multiple of {MULTIPLE}", hint=f"the published loader pads; take {near}"
        )
    if min(size) < SMALLEST:
        raise ProcessingError(
            f"{text} is too small", hint=f"the published loader needs {SMALLEST} pixels at least"
        )
    return size


def choose_size(
    box: tuple[int, int], wished: tuple[int, int] | None, *, at_most: bool, allow_larger: bool = False
) -> tuple[int, int]:
    """Return the (width, height) of a scene's crop.

    Args:
        box: (width, height) of the developed images.
        wished: what was asked for; None for all there is.
        at_most: a smaller box is exported as large as it is (with both sides multiples of 4).
        allow_larger: let images pass that the published loader cuts wrongly.

    Raises:
        ProcessingError: if the box is too small, or larger than the loader can read.
    """
    whole = box[0] // MULTIPLE * MULTIPLE, box[1] // MULTIPLE * MULTIPLE
    width, height = wished or whole
    if (width > whole[0] or height > whole[1]) and not at_most:
        raise ProcessingError(
            f"{width}x{height} does not fit into the developed images of {box[0]}x{box[1]}",
            hint="leave --size out, which takes what is there",
        )
    size = min(width, whole[0]), min(height, whole[1])
    if min(size) < SMALLEST:
        raise ProcessingError(
            f"developed images of {box[0]}x{box[1]} are too small",
            hint=f"the published loader needs {SMALLEST} pixels at least",
        )
    if (size[0] > WIDTH or size[1] > HEIGHT) and not allow_larger:
        raise ProcessingError(
            f"the published loader cuts masks, but not images, to {WIDTH}x{HEIGHT}; this would be "
            f"{size[0]}x{size[1]}",
            hint="leave --size out, or add --allow-larger for another loader",
        )
    return size


def place(
    rows: NDArray[np.int64], columns: NDArray[np.int64], size: tuple[int, int], *, follow: bool = True
) -> Window:
    """Return the window of a size: centred, moved on each axis only to keep more of the moving object.

    Args:
        rows: how many mask pixels of all pairs lie in each row of the developed images, int64 (H,).
        columns: the same of each column, int64 (W,).
        size: (width, height) of the window.
        follow: False for the centre whatever moves.
    """
    return Window(
        _offset(columns if follow else np.zeros_like(columns), size[0]),
        _offset(rows if follow else np.zeros_like(rows), size[1]),
        *size,
    )


def _offset(counts: NDArray[np.int64], length: int) -> int:
    """Return where a span holds the most; of several the one nearest to the centre, then the lower."""
    total = np.concatenate([[0], np.cumsum(counts)])
    held = total[length:] - total[:-length]
    best = np.flatnonzero(held == held.max())
    centre = (len(counts) - length) // 2
    return int(min(best, key=lambda at: (abs(int(at) - centre), int(at))))

"""Shifts by a pixel: real pairs are aligned to about one pixel, and a loss should not punish the rest.

The appendix of "Real-World Deep Local Motion Deblurring" (section D, Fig. 6) moves the prediction by k, l in
{-1, 0, 1} and compares on the overlapping area. The released code moves the truth instead, fills the rim by
reflection and compares everywhere. Moving the one by s or the other by -s is the same on the overlap, so here
the truth moves in both readings and only the area differs.
"""

from __future__ import annotations

import functools
from typing import Final, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["SHIFTS", "Area", "area_of", "areas_of", "pick", "reflect", "shifted"]

SHIFTS: Final = tuple(
    sorted(((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)), key=lambda s: (abs(s[0]) + abs(s[1]), s))
)
"""(rows, columns) by which the truth is read further on; (0, 0) first, so that it wins a tie."""


class Area(NamedTuple):
    """Rows and columns of the prediction that a shift can be judged on: [top, bottom) and [left, right)."""

    top: int
    bottom: int
    left: int
    right: int

    def cut(self, x: Tensor) -> Tensor:
        """Return the view (..., bottom - top, right - left) of a tensor (..., H, W)."""
        return x[..., self.top : self.bottom, self.left : self.right]


@functools.lru_cache(maxsize=8)
def _offsets(device: torch.device) -> Tensor:
    """Return SHIFTS as (9, 2) int64; made once, for a copy to a GPU waits."""
    with torch.inference_mode(False):
        return torch.tensor(SHIFTS, device=device)


def reflect(truth: Tensor) -> Tensor:
    """Return (N, C, H + 2, W + 2): a frame of one pixel by reflection around `truth` (N, C, H, W)."""
    return F.pad(truth, (1, 1, 1, 1), mode="reflect")


def shifted(framed: Tensor, shift: tuple[int, int], reach: int = 1) -> Tensor:
    """Return the view of a framed truth that lies `shift` further on.

    Args:
        framed: (N, C, H + 2 reach, W + 2 reach).
        shift: One of SHIFTS.
        reach: Width of the frame in pixels.
    """
    height, width = framed.shape[-2] - 2 * reach, framed.shape[-1] - 2 * reach
    top, left = reach + shift[0], reach + shift[1]
    return framed[..., top : top + height, left : left + width]


def pick(framed: Tensor, choice: Tensor) -> Tensor:
    """Return for each image the view of its own shift.

    Args:
        framed: (N, C, H + 2, W + 2), see `reflect`.
        choice: (N,) int64, indices into SHIFTS.

    Returns:
        (N, C, H, W), a copy in channels-last order; nothing waits for the device.
    """
    count, _, height, width = framed.shape
    offsets = _offsets(framed.device)[choice] + 1
    rows = offsets[:, :1] + torch.arange(height - 2, device=framed.device)
    columns = offsets[:, 1:] + torch.arange(width - 2, device=framed.device)
    images = torch.arange(count, device=framed.device)
    return framed.permute(0, 2, 3, 1)[images[:, None, None], rows[:, :, None], columns[:, None, :]].permute(
        0, 3, 1, 2
    )


def area_of(shift: tuple[int, int], height: int, width: int, *, overlap: bool, window: int = 1) -> Area:
    """Return where a shift is judged.

    Args:
        shift: One of SHIFTS.
        height: Rows of the images.
        width: Columns of the images.
        overlap: Only where the truth was seen (appendix, Fig. 6); everywhere otherwise (released code).
        window: Side of the window that a map was made with: position i of the map covers pixels
            i .. i + window - 1.
    """
    bottom, right = height - window + 1, width - window + 1
    if not overlap:
        return Area(0, bottom, 0, right)
    dy, dx = shift
    return Area(max(0, -dy), bottom - max(0, dy), max(0, -dx), right - max(0, dx))


def areas_of(choice: Tensor, height: int, width: int, *, window: int = 1) -> Tensor:
    """Return weights (N, 1, h, w) that are 1 on the overlap of each image's own shift and 0 elsewhere.

    Args:
        choice: (N,) int64, indices into SHIFTS.
        height: Rows of the images; h = height - window + 1.
        width: Columns of the images; w = width - window + 1.
        window: See `area_of`.
    """
    device = choice.device
    offsets = _offsets(device)[choice]
    last = torch.tensor([height - window, width - window], device=device)
    first, final = (-offsets).clamp_min(0), last - offsets.clamp_min(0)
    rows = torch.arange(height - window + 1, device=device)
    columns = torch.arange(width - window + 1, device=device)
    in_rows = (rows >= first[:, :1]) & (rows <= final[:, :1])
    in_columns = (columns >= first[:, 1:]) & (columns <= final[:, 1:])
    return (in_rows[:, :, None] & in_columns[:, None, :]).unsqueeze(1)

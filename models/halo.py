"""How far the border of a tile really reaches into it, measured for one network in the arithmetic that runs.

By its structure a pixel can influence the output `receptive_radius_px` away; what is left of that influence
after so many convolutions is mostly far below what a picture can show. A strip is run once whole and once
with both ends cut off: where the two differ, the cut is felt.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from torch import Tensor

from models.choice import Choice, measure_cost, probe_picture
from models.memory import Memory, remember
from models.networks.lbag import MULTIPLE, receptive_radius_px
from models.runner import Runner

__all__ = ["LARGEST_HALO_PX", "TOLERANCE", "complete", "influence", "measure_halo"]

LARGEST_HALO_PX = 192
"""Beyond this a tile would be mostly halo."""

TOLERANCE = 0.25 / 255
"""What a cut may change on the probe; the promise, on any picture and at corners, is 1 / 255."""

MARGIN_PX = 8
STRIP_HEIGHT_PX = 96
SEEDS = (7, 8)

Pass = Callable[[Tensor], tuple[Tensor, Tensor]]


def measure_halo(run: Pass, num_res: int) -> int | None:
    """Return how far a tile must read beyond its core, a multiple of 4; None where 192 px are not enough.

    Args:
        run: Takes planes (1, 3, H, W) in 0..1 and returns sharp planes and mask.
        num_res: Residual blocks a stage, which bound the reach from above.
    """
    exact = receptive_radius_px(num_res)
    reach = min(exact, LARGEST_HALO_PX)
    felt = np.max([influence(run, reach, seed) for seed in SEEDS], axis=0)
    above = np.flatnonzero(felt > TOLERANCE)
    needed = 0 if above.size == 0 else int(above[-1]) + 1
    if needed >= felt.size and exact > LARGEST_HALO_PX:
        return None
    rounded = -(-(needed + MARGIN_PX) // MULTIPLE) * MULTIPLE
    return min(rounded, reach)


def complete(choice: Choice, runner: Runner, num_res: int) -> Memory:
    """Return what is known of a network with its halo and its costs; what is missing is measured and kept."""
    memory = choice.memory
    if memory is None:
        fixed_s, per_pixel_s = measure_cost(runner)
        backend = choice.backend
        memory = Memory(
            facts=choice.facts,
            precision=backend.precision,
            form=backend.form,
            reason=backend.reason,
            candidates=(),
            fixed_s=fixed_s,
            per_pixel_s=per_pixel_s,
        )
    if memory.halo_px is None:
        halo = measure_halo(runner, num_res)
        memory = memory.model_copy(update={"halo_px": -1 if halo is None else halo})
        remember(memory)
    return memory


def influence(run: Pass, reach_px: int, seed: int) -> npt.NDArray[np.float32]:
    """Return the largest change of sharp picture or mask at 0, 1, ... reach_px - 1 pixels from a cut.

    Args:
        run: As in `measure_halo`.
        reach_px: How far from the cut to look, a multiple of 4.
        seed: Of the picture.
    """
    width = 4 * reach_px
    strip = probe_picture(STRIP_HEIGHT_PX, width, seed)
    whole, whole_mask = run(strip)
    part, part_mask = run(strip[..., reach_px:-reach_px])
    inner = slice(reach_px, width - reach_px)
    changed = np.abs((part.clamp(0, 1) - whole[..., inner].clamp(0, 1)).numpy()).max(axis=(0, 1, 2))
    changed = np.maximum(changed, np.abs((part_mask - whole_mask[..., inner]).numpy()).max(axis=(0, 1, 2)))
    from_both: npt.NDArray[np.float32] = np.maximum(changed[:reach_px], changed[::-1][:reach_px])
    return from_both
